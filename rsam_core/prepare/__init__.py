"""Prepare an image before it is segmented: steps, and the list of them that can be replayed.

Each step is a pure function `Raster` → `Raster` with settings of physical meaning. A `Pipeline`
lists steps in order, is saved as JSON and runs on any scene, tile by tile where it can.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

_WHERE = {
    "Raster": "image",
    "Parameter": "step",
    "Step": "step",
    "ImageFile": "step",
    "STEPS": "step",
    "Pipeline": "pipeline",
    "Stage": "pipeline",
    "geotiff": "_writing",
}

__all__ = sorted(_WHERE)

# Modules whose import registers their steps, in the order in which menus show them. Those of the
# later groups may be absent from a reduced installation.
STEP_MODULES = (
    "steps_radiometric",
    "steps_geometric",
    "steps_noise",
    "steps_resolution",
    "steps_pansharpen",
)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def load_steps() -> None:
    """Import all modules of steps, so that `STEPS` is complete."""
    for module in STEP_MODULES:
        path = f"{__name__}.{module}"
        if importlib.util.find_spec(path) is not None:
            importlib.import_module(path)
