"""Better outlines for objects: clean, smooth, simplify, straighten."""

from __future__ import annotations

from rsam_core.objects.refine.morphology import (
    closing,
    fill_holes,
    opening,
    remove_specks,
    smooth_boundary,
)
from rsam_core.objects.refine.outline import rasterise, simplified, simplify_mask, trace
from rsam_core.objects.refine.right_angles import dominant_direction, regular_outline, regularise
from rsam_core.objects.refine.run import refine, refine_one
from rsam_core.objects.refine.settings import PRESETS, SUGGESTED, TITLES, RefineSettings

__all__ = [
    "PRESETS",
    "SUGGESTED",
    "TITLES",
    "RefineSettings",
    "closing",
    "dominant_direction",
    "fill_holes",
    "opening",
    "rasterise",
    "refine",
    "refine_one",
    "regular_outline",
    "regularise",
    "remove_specks",
    "simplified",
    "simplify_mask",
    "smooth_boundary",
    "trace",
]
