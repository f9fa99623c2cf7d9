"""Invented aerial towns with exact instance truth: sample images and training data."""

from __future__ import annotations

from rsam_core.samples.gallery import GALLERY, GallerySample, gallery_sample
from rsam_core.samples.town import STYLES, TownSample, render_town, truth_mask, write_geotiff

__all__ = [
    "GALLERY",
    "STYLES",
    "GallerySample",
    "TownSample",
    "gallery_sample",
    "render_town",
    "truth_mask",
    "write_geotiff",
]
