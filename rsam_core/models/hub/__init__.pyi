from .catalog import HUB, HubInfo
from .folders import found
from .loading import is_available
from .text import TextMatch, TextModel

__all__ = [
    "HUB",
    "HubInfo",
    "TextMatch",
    "TextModel",
    "found",
    "is_available",
]
