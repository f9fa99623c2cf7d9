from ._writing import geotiff
from .pipeline import Pipeline
from .raster import Raster
from .stage import Stage
from .step import STEPS, ImageFile, Parameter, Step
from .steps import load_steps

__all__ = [
    "STEPS",
    "ImageFile",
    "Parameter",
    "Pipeline",
    "Raster",
    "Stage",
    "Step",
    "geotiff",
    "load_steps",
]
