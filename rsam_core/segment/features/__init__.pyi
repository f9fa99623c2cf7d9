from .extraction import FeatureSettings, extract
from .pooling import EmbeddedView

__all__ = [
    "EmbeddedView",
    "FeatureSettings",
    "extract",
]
