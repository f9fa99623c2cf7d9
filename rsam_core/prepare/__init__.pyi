from ._reading import read_raster
from ._writing import geotiff, write_scene
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
    "read_raster",
    "write_scene",
]
