from .model import TinyModel, load_tiny

__all__ = ["TinyModel", "load_tiny"]
