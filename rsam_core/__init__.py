"""RSAM's core: segment satellite, aerial and drone images with promptable models.

>>> import rsam_core as rsam
>>> scene = rsam.open_scene("town.tif")                       # doctest: +SKIP
>>> segmenter = rsam.Segmenter(rsam.load_model())             # doctest: +SKIP
>>> embedding = segmenter.embed(scene.read_rgb())             # doctest: +SKIP
>>> objects = segmenter.everything(embedding)                 # doctest: +SKIP
>>> table = rsam.measure(objects, scene)                      # doctest: +SKIP

Names are loaded when first used, so that importing the package is quick.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "open_scene": "scene",
    "Scene": "scene",
    "Window": "scene",
    "ViewSettings": "bands",
    "Pipeline": "prepare",
    "load_model": "models.load",
    "Segmenter": "segmenter",
    "Candidates": "segmenter",
    "Embedding": "embedding",
    "EmbeddingCache": "embedding",
    "Prompt": "prompts",
    "EverythingSettings": "everything",
    "initialize_tiled": "tiled",
    "generate": "everything",
    "Instance": "instances",
    "Instances": "instances",
    "measure": "measure",
    "summary": "measure",
    "Counts": "metrics",
    "confusion": "metrics",
    "iou": "metrics",
    "dice": "metrics",
    "pixel_accuracy": "metrics",
    "tpr": "metrics",
    "fpr": "metrics",
    "precision": "metrics",
    "read_truth": "truth",
    "overlay": "render",
    "OverlayStyle": "render",
    "RsamError": "errors",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]


class _Package(ModuleType):
    """Keeps a submodule, once imported, from hiding the public name it shares (``measure``)."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
