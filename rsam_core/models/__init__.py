"""Promptable models: what there is, where the weights are, and how to load them."""

import os

# A core that waits for another shall leave its time to other programs: a laptop runs many. It is
# read when PyTorch is loaded, so it stands before all imports.
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from rsam_core.models.base import Decoded, PromptableModel
from rsam_core.models.catalog import CATALOG, DEFAULT_MODEL, ModelInfo, get_model_info
from rsam_core.models.load import load_model
from rsam_core.models.queued import QueuedModel

__all__ = [
    "CATALOG",
    "DEFAULT_MODEL",
    "Decoded",
    "ModelInfo",
    "PromptableModel",
    "QueuedModel",
    "get_model_info",
    "load_model",
]
