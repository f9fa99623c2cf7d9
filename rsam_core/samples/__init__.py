"""Invented aerial towns with exact instance truth: sample images and training data."""

from __future__ import annotations

from rsam_core.samples.gallery import GALLERY, GallerySample, gallery_sample
from rsam_core.samples.pair_records import CHANGES, GRADES, ChangeRecord, Footprint, PairSample
from rsam_core.samples.pairs import render_pair
from rsam_core.samples.town import STYLES, TownSample, render_town, truth_mask, write_geotiff

__all__ = [
    "CHANGES",
    "GALLERY",
    "GRADES",
    "STYLES",
    "ChangeRecord",
    "Footprint",
    "GallerySample",
    "PairSample",
    "TownSample",
    "gallery_sample",
    "render_pair",
    "render_town",
    "truth_mask",
    "write_geotiff",
]
