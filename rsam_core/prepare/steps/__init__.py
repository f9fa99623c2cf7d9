"""The steps of a pipeline, a module a group; importing one registers its steps in `STEPS`."""

from __future__ import annotations

import importlib

GROUP_MODULES = (
    "tones",
    "colours",
    "calibration",
    "geometric",
    "noise",
    "resolution",
    "pansharpen",
)
"""In the order in which menus show them."""


def load_steps() -> None:
    """Import all modules of steps, so that `STEPS` is complete."""
    for module in GROUP_MODULES:
        importlib.import_module(f"{__name__}.{module}")
