"""Invented aerial towns with exact instance truth: sample images and training data."""

from __future__ import annotations

from rsam_core.samples.gallery import GALLERY, GallerySample, gallery_sample
from rsam_core.samples.pair_records import CHANGES, GRADES, ChangeRecord, Footprint, PairSample
from rsam_core.samples.pairs import render_pair
from rsam_core.samples.series import SERIES, SeriesSample, render_series
from rsam_core.samples.town import (
    STYLES,
    TownSample,
    render_relief,
    render_town,
    truth_mask,
    write_geotiff,
)

__all__ = [
    "CHANGES",
    "GALLERY",
    "GRADES",
    "SERIES",
    "STYLES",
    "ChangeRecord",
    "Footprint",
    "GallerySample",
    "PairSample",
    "SeriesSample",
    "TownSample",
    "gallery_sample",
    "render_pair",
    "render_relief",
    "render_series",
    "render_town",
    "truth_mask",
    "write_geotiff",
]
