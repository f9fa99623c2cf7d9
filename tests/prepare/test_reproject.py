"""Another CRS: positions against pyproj, pixel sizes on the ground, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from rsam_core.errors import PrepareError
from rsam_core.prepare import Raster
from rsam_core.prepare.reproject import known_crs, reproject
from rsam_core.prepare.steps.geometric import Reproject, Rotate
from rsam_core.scene.ground_distance import ground_sample_distance
from tests.helpers.spots import draw_spots, find_spots

SPOTS = np.array([[40.5, 34.0], [160.2, 40.7], [60.9, 110.3], [131.4, 101.8], [100.0, 72.5]])
PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 9_328_000)  # UTM 37 south, about 6° south


def raster(**fields) -> Raster:
    picture = draw_spots((150, 200), SPOTS, 3)
    defaults = {"transform": PLACE, "crs": "EPSG:32737", "gsd": 0.5}
    return Raster.of_array(picture, **(defaults | fields))


def places(target: str, transform: Affine = PLACE) -> np.ndarray:
    """Where the spots are in the target, by pyproj."""
    there = Transformer.from_crs("EPSG:32737", target, always_xy=True)
    return np.array([there.transform(*(transform * tuple(spot))) for spot in SPOTS])


@pytest.mark.parametrize("target", ["EPSG:4326", "EPSG:3857", "EPSG:32736", "EPSG:21037"])
@pytest.mark.parametrize("resampling", ["cubic", "bilinear"])
def test_spots_arrive_where_pyproj_puts_them(target: str, resampling: str):
    result = Reproject(target=target, resampling=resampling).apply(raster())
    assert result.crs == target
    expected = np.array([~result.transform * tuple(place) for place in places(target)])
    error = np.linalg.norm(find_spots(result.values, expected) - expected, axis=1)
    assert error.max() < 0.15
    true = ground_sample_distance(result.transform, target, result.width, result.height)
    assert result.gsd == pytest.approx(true)
    assert result.gsd == pytest.approx(0.5, rel=0.05)


def test_a_turned_picture_is_brought_north_up():
    turned = Rotate(degrees=30).apply(raster())
    assert abs(turned.transform.b) > 0.1
    result = Reproject(target="EPSG:3857").apply(turned)
    expected = np.array([~result.transform * tuple(place) for place in places("EPSG:3857")])
    assert result.transform.b == 0
    assert np.abs(find_spots(result.values, expected) - expected).max() < 0.2


def test_utm_finds_the_zone_and_the_pixel_size_is_on_the_ground():
    degrees = Reproject(target="4326").apply(raster())
    assert degrees.crs == "EPSG:4326"
    result = Reproject(target="UTM", gsd=1.0).apply(degrees)
    assert result.crs == "EPSG:32737"
    assert result.transform.a == pytest.approx(1.0, rel=2e-3)
    assert result.gsd == pytest.approx(1.0, rel=2e-3)
    assert abs(result.width - 100) <= 2
    mercator = Reproject(target="3857", gsd=2.0).apply(raster(scale=1.0))
    assert mercator.gsd == pytest.approx(2.0, rel=1e-3)


def test_there_and_back_keeps_values_bands_and_holes():
    values = np.random.default_rng(0).uniform(100, 4000, (90, 120, 5)).astype(np.float32)
    smooth = np.cumsum(np.cumsum(values, 0), 1) / 5000
    valid = np.ones((90, 120), bool)
    valid[30:50, 40:70] = False
    there = Reproject(target="EPSG:32736", resampling="bilinear").apply(
        raster().changed(values=smooth, valid=valid, band_names=tuple("abcde"))
    )
    back, inside, grid = reproject(
        there.values, there.valid, there.transform, there.crs, "EPSG:32737", gsd=0.5
    )
    assert back.shape[2] == 5
    rows, columns = np.mgrid[5:85, 5:115]
    x, y = ~grid.transform * (PLACE * (columns + 0.5, rows + 0.5))
    near = np.floor(y).astype(int), np.floor(x).astype(int)
    kept = inside[near]
    original = smooth[5:85, 5:115]
    # A nearest look-up of a smooth picture is off by at most the change within a pixel.
    change = np.abs(np.gradient(smooth, axis=(0, 1))).max() * 1.5
    assert np.abs(back[near] - original)[kept & valid[5:85, 5:115]].max() < change
    assert abs((~inside[near]).sum() - 600) < 120


def test_what_cannot_be_reprojected_is_explained():
    for text in ("nonsense", "EPSG:0", ""):
        with pytest.raises(PrepareError, match="not a coordinate reference system"):
            Reproject(target=text).apply(raster())
    with pytest.raises(PrepareError, match="map of the ground"):
        Reproject(target="EPSG:5773").apply(raster())  # heights only
    with pytest.raises(PrepareError, match="cannot be shown"):
        Reproject(target="EPSG:3857").apply(
            raster(crs="EPSG:4326", transform=Affine(1, 0, 500_000, 0, -1, 9_000_000), gsd=None)
        )
    with pytest.raises(PrepareError, match="more than RSAM can hold"):
        Reproject(target="UTM", gsd=0.0005).apply(raster())
    polar = Affine(1e-5, 0, 10, 0, -1e-5, 88)
    with pytest.raises(PrepareError, match="UTM"):
        known_crs("utm", polar, "EPSG:4326", (10, 10))
    shown = raster()
    with pytest.raises(PrepareError, match="resample"):
        reproject(shown.values, shown.valid, PLACE, "EPSG:32737", "EPSG:3857", resampling="magic")
