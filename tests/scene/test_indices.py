"""Spectral indices: formulas, zero division, colours, and the view of a scene."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsam_core.errors import SceneError
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.indices import INDICES, ndvi, ndwi
from rsam_core.scene.scene import Window, open_scene
from tests.helpers.rasters import tiff

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

NAMES = ("blue", "green", "red", "nir")


def test_ndvi_by_hand() -> None:
    # (0.5 − 0.1) / 0.6 = 2/3 for a crop; (0.02 − 0.06) / 0.08 = −1/2 for water.
    assert ndvi([0.5, 0.02], [0.1, 0.06]) == pytest.approx([2 / 3, -0.5])
    assert ndvi(np.uint8([200]), np.uint8([100])) == pytest.approx([1 / 3])
    assert ndvi(np.uint16([10_000]), np.uint16([60_000])) == pytest.approx([-5 / 7])
    assert ndvi(np.int16([30_000]), np.int16([10_000])) == pytest.approx([0.5])


def test_ndwi_by_hand() -> None:
    # McFeeters: water with green 0.08 and near infrared 0.02 gives 0.06 / 0.1.
    assert ndwi([0.08, 0.1], [0.02, 0.4]) == pytest.approx([0.6, -0.6])


def test_undefined_is_nan_and_stays_quiet() -> None:
    values = ndvi(np.float32([0, 5, np.nan, np.inf, -3]), np.float32([0, 5, 1, 1, 3]))
    np.testing.assert_array_equal(values, np.float32([np.nan, 0, np.nan, np.nan, np.nan]))
    assert values.dtype == np.float32


@given(st.integers(0, 65_535), st.integers(0, 65_535))
def test_range_and_symmetry(a: int, b: int) -> None:
    one, other = ndvi(np.uint16(a), np.uint16(b)), ndvi(np.uint16(b), np.uint16(a))
    if a == b == 0:
        assert np.isnan(one)
    else:
        assert -1 <= one <= 1
        assert one == -other


@pytest.mark.parametrize("name", INDICES)
def test_colours_run_from_brown_over_pale(name: str) -> None:
    colours = INDICES[name].colours.astype(int)
    assert colours.shape == (256, 3)
    assert colours[0].tolist() == [84, 48, 5]
    assert colours[127].min() > 210
    brightness = colours.sum(axis=1)
    assert (np.diff(brightness[:128]) >= 0).all()
    assert (np.diff(brightness[128:]) <= 0).all()


def field() -> np.ndarray:
    """Four bands as `NAMES`: crops on the left, water on the right, a strip of zeros below."""
    bands = np.zeros((4, 40, 60), np.uint16)
    bands[:, :30, :30] = np.array([300, 600, 400, 3600])[:, None, None]
    bands[:, :30, 30:] = np.array([900, 700, 500, 100])[:, None, None]
    return bands


def test_index_of_a_scene() -> None:
    scene = open_scene(tiff(field(), NAMES))
    values = scene.index("ndvi")
    assert values.dtype == np.float32
    assert values[5, 5] == pytest.approx(3200 / 4000)
    assert values[5, 50] == pytest.approx(-400 / 600)
    assert np.isnan(values[30:]).all()
    assert scene.index("ndwi")[5, 50] == pytest.approx(600 / 800)
    part = Window(25, 10, 20, 25)
    np.testing.assert_array_equal(scene.index("ndvi", part), values[part.slices])


def test_index_is_nan_without_measurements() -> None:
    bands = field().astype(np.float32) + 1
    bands[3, 0, :5] = -9999
    bands[2, 1, :5] = np.nan
    values = open_scene(tiff(bands, NAMES, nodata=-9999)).index("ndvi")
    assert np.isnan(values[:2, :5]).all()
    assert np.isfinite(values[:2, 5:]).all()
    # Blue has no part in the index, and neither has its nodata.
    bands = field() + np.uint16(1)
    bands[0, 0] = 0
    values = open_scene(tiff(bands, NAMES, nodata=0)).index("ndvi")
    assert np.isfinite(values).all()


def test_strips_make_the_same_index(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = open_scene(tiff(field(), NAMES))
    whole = scene.index("ndwi")
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_PIXELS", 60 * 8)
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_STEP", 4)
    np.testing.assert_array_equal(scene.index("ndwi"), whole)


def test_view_shows_plants_green_and_water_brown() -> None:
    scene = open_scene(tiff(field(), NAMES)).with_view(ViewSettings(index="ndvi"))
    assert scene.view_bands == (4, 3)
    assert scene.stretch == (pytest.approx((-0.8, 0.8), abs=1e-3),)
    picture = scene.read_rgb().astype(int)
    assert picture[5, 5].tolist() == [0, 68, 27]
    red, green, blue = picture[5, 50]
    assert red > green > blue
    assert not picture[30:].any()
    np.testing.assert_array_equal(scene.valid_mask(), np.arange(40)[:, None] < 30 + np.zeros(60))
    reduced = scene.read_rgb(max_size=30)
    assert reduced[2, 2].tolist() == [0, 68, 27]


def test_limits_of_a_view_are_those_given() -> None:
    settings = ViewSettings(index="ndvi", limits=((-1.0, 1.0),))
    scene = open_scene(tiff(field(), NAMES)).with_view(settings)
    assert scene.stretch == ((-1.0, 1.0),)
    # 0.8 lies nine tenths of the way from −1 to 1.
    expected = INDICES["ndvi"].colours[round(0.9 * 255)]
    np.testing.assert_array_equal(scene.read_rgb()[5, 5], expected)


def test_two_bands_can_be_given_where_none_are_known() -> None:
    scene = open_scene(tiff(field()[[3, 2]]))
    with pytest.raises(SceneError, match="NDVI needs a band of near infrared and red"):
        scene.index("ndvi")
    with pytest.raises(SceneError, match="does not say"):
        scene.with_view(ViewSettings(index="ndvi"))
    view = scene.with_view(ViewSettings((1, 2), index="ndvi"))
    assert view.read_rgb()[5, 5].tolist() == [0, 68, 27]


def test_unknown_index() -> None:
    with pytest.raises(SceneError, match=r"no spectral index “evi”.*ndvi, ndwi"):
        open_scene(tiff(field(), NAMES)).index("evi")
