"""Invented aerial towns with exact instance truth: sample images and training data."""

from __future__ import annotations

from .gallery import GALLERY, GallerySample, gallery_sample
from .town import STYLES, TownSample, render_town, truth_mask, write_geotiff

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
