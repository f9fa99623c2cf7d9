from .catalog import HUB, HubInfo
from .folders import found
from .loading import is_available

__all__ = [
    "HUB",
    "HubInfo",
    "found",
    "is_available",
]
