"""Slope from heights: a plane that rises by a known share, in the answer on vacant land."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

import rsam_core as rsam
from rsam_core.change.apply import Features, Inputs, Site
from rsam_core.change.apply.greenery import green_areas
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.apply.slopes import slope_layer
from rsam_core.change.picture import ArrayPicture
from rsam_core.errors import ApplyError
from tests.helpers.rasters import affine, tiff


def scene(bands: np.ndarray, size: float, name: str) -> rsam.Scene:
    content = tiff(bands, crs=CRS.from_epsg(32737), transform=affine(500_000, 9_860_000, size))
    return rsam.open_scene(content, name=name, examine=False)


def test_a_plane_that_rises_by_thirty_percent_eastwards():
    picture = scene(np.full((3, 100, 120), 90, np.uint8), 0.5, "picture.tif")
    x = np.arange(40) * 2.0
    heights = scene(np.tile(100 + 0.3 * x, (1, 30, 1)).astype(np.float32), 2.0, "heights.tif")
    site = Site.of(picture)
    layer = slope_layer(heights, picture, site)
    # Lengths on the map are true to 0.04 % here.
    assert layer.column("slope_percent") == pytest.approx([30] * len(layer), rel=1e-3)
    assert layer.union.area == pytest.approx(site.area, rel=1e-3)
    taken = Features.of_shapes("taken", site.plane([shapely.box(0, 0, 20, 20)]))
    answer = QUESTIONS["vacant"].answer(Inputs(site, {"taken": taken, "slope": layer}))
    assert answer.findings.table["slope_percent"].iloc[0] == pytest.approx(30, rel=1e-3)
    assert answer.findings.column("verdict") == ["steep"]


def test_a_photograph_is_no_raster_of_heights():
    picture = scene(np.full((3, 100, 120), 90, np.uint8), 0.5, "picture.tif")
    with pytest.raises(ApplyError, match="does not look like heights"):
        slope_layer(picture, picture, Site.of(picture))


def test_green_is_outlined_and_said_to_be_more_than_forest():
    image = np.full((200, 200, 3), 120, np.uint8)
    image[40:140, 60:160] = (60, 120, 50)
    image[10, 10] = (60, 120, 50)
    picture = ArrayPicture(image, "drawn", None, None, 1.0)
    layer = green_areas(picture, Site.of(picture))
    assert len(layer) == 1
    # The noise filter may move an edge by a pixel.
    assert 100**2 <= layer.areas[0] <= 102.1**2
    assert "grass" in layer.notes[0]
