from .model import SamModel

__all__ = [
    "SamModel",
]
