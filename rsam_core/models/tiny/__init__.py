"""The embedded model ``rsam-tiny``; see MODEL_CARD.md beside this file."""

from rsam_core.models.tiny.model import TinyModel, load_tiny

__all__ = ["TinyModel", "load_tiny"]
