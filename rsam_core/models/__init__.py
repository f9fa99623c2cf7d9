"""Promptable models: what there is, where the weights are, and how to load them."""

from rsam_core.models.base import Decoded, PromptableModel
from rsam_core.models.catalog import CATALOG, DEFAULT_MODEL, ModelInfo, get_model_info
from rsam_core.models.load import load_model

__all__ = [
    "CATALOG",
    "DEFAULT_MODEL",
    "Decoded",
    "ModelInfo",
    "PromptableModel",
    "get_model_info",
    "load_model",
]
