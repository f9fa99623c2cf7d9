"""View settings, what the bands measure, presets, and scenes seen through them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsam_core.errors import SceneError
from rsam_core.scene.bands import BandRoles, ViewSettings, find_roles, presets
from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import encode, noise_bands, photo, tiff

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

NOTHING = ("undefined",) * 8


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bands": (1, 2)}, "one band"),
        ({"bands": (1, 2, 3, 4)}, "three"),
        ({"bands": (0,)}, "whole numbers from 1"),
        ({"bands": (1.5,)}, "whole numbers from 1"),
        ({"bands": "red"}, "whole numbers from 1"),
        ({"bands": None}, "whole numbers from 1"),
        ({"bands": (1,), "index": "ndvi"}, "two bands"),
        ({"index": "evi"}, "no spectral index"),
        ({"percentiles": (98, 2)}, "not possible"),
        ({"percentiles": (-1, 50)}, "not possible"),
        ({"percentiles": (5, 5)}, "not possible"),
        ({"percentiles": (1, 2, 3)}, "two numbers"),
        ({"percentiles": (float("nan"), 2)}, "two numbers"),
        ({"percentiles": 5}, "two numbers"),
        ({"bands": (1,), "limits": ((5, 1),)}, "below the second"),
        ({"bands": (1,), "limits": ((1, 5), (1, 5))}, "do not fit 1 bands"),
        ({"bands": (1,), "limits": ((1, "x"),)}, "two numbers"),
        ({"bands": (1,), "limits": 7}, "one pair"),
        ({"gamma": 0}, "gamma"),
        ({"gamma": 9}, "gamma"),
        ({"gamma": "bright"}, "gamma"),
        ({"gamma": float("nan")}, "gamma"),
        ({"gamma": True}, "gamma"),
    ],
)
def test_impossible_settings(values: dict, message: str) -> None:
    with pytest.raises(SceneError, match=message):
        ViewSettings(**values)


pairs = st.tuples(st.integers(0, 49), st.integers(50, 100))


@given(
    bands=st.one_of(
        st.just(()), st.tuples(st.integers(1, 99)), st.tuples(*[st.integers(1, 9)] * 3)
    ),
    percentiles=st.none() | pairs,
    gamma=st.floats(0.2, 5),
    limits=st.none() | pairs,
)
def test_settings_survive_json(bands, percentiles, gamma, limits) -> None:
    given_limits = None if limits is None or not bands else (limits,) + (None,) * (len(bands) - 1)
    settings = ViewSettings(bands, None, percentiles, given_limits, gamma)
    again = ViewSettings.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert again == settings
    assert hash(again) == hash(settings)


def test_index_settings_survive_json() -> None:
    settings = ViewSettings((4, 1), "ndvi", (1, 99), ((-1, 1),), 1.2)
    assert ViewSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


@pytest.mark.parametrize("values", [None, [], "x", {"bands": [1], "colour": 3}])
def test_other_dictionaries_are_refused(values: object) -> None:
    with pytest.raises(SceneError, match="no view settings"):
        ViewSettings.from_dict(values)


# --- roles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Red", "Green", "Blue", "NIR"), BandRoles(1, 2, 3, 4)),
        (("b", "g", "r", "n"), BandRoles(3, 2, 1, 4)),
        (("Blue (450 nm)", "Green", "Red edge", "Red", "Near-Infrared"), BandRoles(4, 2, 1, 5)),
        (("coastal blue", "blue", "yellow", "red", "nir1", "swir"), BandRoles(4, None, 2, 5)),
        (("SWIR 1", "NIR", "red"), BandRoles(red=3, nir=2)),
        (("elevation", "", "", ""), BandRoles()),
        (("infrared", "red", "green"), BandRoles(2, 3, None, 1)),
        # Landsat numbers its bands otherwise from mission to mission: nothing is presumed.
        (("B2", "B3", "B4", "B5"), BandRoles()),
    ],
)
def test_names_tell_what_bands_measure(names: tuple, expected: BandRoles) -> None:
    assert find_roles(names, NOTHING, tuple(range(1, len(names) + 1))) == expected


def test_sentinel_2_numbers_are_presumed() -> None:
    names = ("B02", "B03", "B04", "B08", "B8A")
    roles = find_roles(names, NOTHING, (1, 2, 3, 4, 5))
    assert (roles.red, roles.green, roles.blue, roles.nir) == (3, 2, 1, 4)
    assert set(roles.presumed) == {"red", "green", "blue", "nir"}


def test_tags_count_where_names_are_silent() -> None:
    tags = ("red", "green", "blue", "nir")
    assert find_roles(("",) * 4, tags, (1, 2, 3, 4)) == BandRoles(1, 2, 3, 4)
    # Software tags the first three bands as colours whatever they are; names know better.
    named = find_roles(("blue", "green", "red", "nir"), tags, (1, 2, 3, 4))
    assert named == BandRoles(3, 2, 1, 4)


def test_four_silent_bands_are_taken_for_an_aerial_image() -> None:
    roles = find_roles(("",) * 4, ("gray", *NOTHING[:3]), (1, 2, 3, 4))
    assert roles == BandRoles(1, 2, 3, 4, ("red", "green", "blue", "nir"))
    tagged = find_roles(("",) * 4, ("red", "green", "blue", "undefined"), (1, 2, 3, 4))
    assert tagged == BandRoles(1, 2, 3, 4, ("nir",))
    # Transparency is no fourth band, and of five bands there is no convention.
    assert find_roles(("",) * 4, ("red", "green", "blue", "alpha"), (1, 2, 3)).nir is None
    assert find_roles(("",) * 5, NOTHING, (1, 2, 3, 4, 5)) == BandRoles()


def test_what_is_presumed_is_said() -> None:
    bands = np.random.default_rng(0).integers(1, 3000, (4, 16, 16), dtype=np.uint16)
    scene = open_scene(tiff(bands, photometric="MINISBLACK"))
    assert any(
        "usual for aerial images" in note and "4 near infrared" in note for note in scene.notes
    )
    named = open_scene(tiff(bands, ("red", "green", "blue", "nir")))
    assert named.notes == ()


# --- presets --------------------------------------------------------------------------------------


def test_presets_of_other_band_counts() -> None:
    rng = np.random.default_rng(0)
    grey = open_scene(tiff(rng.integers(1, 9, (1, 16, 16), dtype=np.uint8)))
    assert presets(grey) == {"Single band: band 1": ViewSettings((1,))}
    five = open_scene(tiff(rng.integers(1, 9, (5, 16, 16), dtype=np.uint16)))
    assert next(iter(presets(five))) == "First three bands"
    assert len(presets(five)) == 6
    colour = open_scene(encode(photo(), "PNG"))
    assert list(presets(colour)) == [
        "True colour",
        "Single band: red",
        "Single band: green",
        "Single band: blue",
    ]
    alike = open_scene(tiff(rng.integers(1, 9, (2, 16, 16), dtype=np.uint8), ("x", "x")))
    assert list(presets(alike)) == ["Single band: x (band 1)", "Single band: x (band 2)"]


def test_first_preset_is_the_view_that_opens() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 4, 6):
        scene = open_scene(tiff(rng.integers(1, 3000, (count, 16, 16), dtype=np.uint16)))
        assert next(iter(presets(scene).values())) == scene.view_settings


# --- views ----------------------------------------------------------------------------------------


def test_bands_come_in_the_order_wanted() -> None:
    noise = noise_bands()
    scene = open_scene(tiff(noise, photometric="RGB"))
    swapped = scene.with_view(ViewSettings((3, 1, 1)))
    np.testing.assert_array_equal(swapped.read_rgb(), noise[[2, 0, 0]].transpose(1, 2, 0))
    assert scene.view_bands == (1, 2, 3)
    assert swapped.content_hash == scene.content_hash
    assert swapped.view_settings != scene.view_settings
    assert scene.with_view(scene.view_settings) is scene


def test_percentiles_are_those_of_the_measured_pixels() -> None:
    values = np.arange(1, 10_001, dtype=np.uint16).reshape(1, 100, 100)
    values[0, :50] = 0
    scene = open_scene(tiff(values, nodata=0)).with_view(ViewSettings((1,), percentiles=(10, 90)))
    # What is left runs from 5001 to 10000 in steps of 1.
    assert scene.stretch == (pytest.approx((5001 + 499.9, 5001 + 4499.1)),)


def test_limits_by_band() -> None:
    bands = np.zeros((3, 20, 20), np.uint16)
    bands[:] = np.linspace(0, 1000, 400).reshape(20, 20)
    settings = ViewSettings((1, 2, 3), limits=((0, 2000), None, (0, 500)))
    scene = open_scene(tiff(bands)).with_view(settings)
    top = scene.read_rgb()[-1, -1]
    # 1000 of 2000 is the middle, and beyond the limits of the third band.
    assert abs(int(top[0]) - 127.5) < 1
    assert top[1:].tolist() == [255, 255]


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_gamma_by_formula(gamma: float) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(3, axis=0)
    eight = open_scene(tiff(ramp)).with_view(ViewSettings((1, 2, 3), gamma=gamma))
    truth = 255 * (ramp[0] / 255) ** (1 / gamma)
    assert np.abs(eight.read_rgb()[..., 0] - truth).max() <= 0.51
    wide = open_scene(tiff(ramp.astype(np.uint16) * 100))
    settings = ViewSettings((1,), limits=((0, 25_500),), gamma=gamma)
    assert np.abs(wide.with_view(settings).read_rgb()[..., 0] - truth).max() <= 0.51


def test_colours_of_8_bits_are_stretched_if_asked() -> None:
    ramp = np.linspace(100, 150, 400).astype(np.uint8).reshape(1, 20, 20).repeat(3, axis=0)
    scene = open_scene(tiff(ramp))
    assert scene.stretch is None
    stretched = scene.with_view(ViewSettings((1, 2, 3), percentiles=(0, 100)))
    assert stretched.stretch == ((100.0, 150.0),) * 3
    assert stretched.read_rgb()[-1, -1].tolist() == [255, 255, 255]


def test_bands_that_are_not_there() -> None:
    rgba = np.concatenate([noise_bands(), np.full((1, 120, 200), 255, np.uint8)])
    scene = open_scene(tiff(rgba, alpha="YES"), name="map.tif")
    for band in (4, 9):
        with pytest.raises(SceneError, match=rf"“map\.tif” has no band {band}.*1, 2, 3"):
            scene.with_view(ViewSettings((band,)))
    with pytest.raises(SceneError, match="do not fit"):
        scene.with_view(ViewSettings(limits=((1, 2),)))


def test_an_empty_band_is_refused_and_the_scene_stays() -> None:
    bands = np.random.default_rng(0).uniform(1, 9, (3, 32, 40)).astype(np.float32)
    bands[1] = -9999
    scene = open_scene(tiff(bands, nodata=-9999), name="map.tif")
    with pytest.raises(SceneError, match=r"Band 2 of “map\.tif” holds no data"):
        scene.with_view(ViewSettings((2,)))
    assert scene.read_rgb()[..., 0].max() == 255
    assert scene.with_view(ViewSettings((1,))).notes == ()


def test_settings_are_applied_from_one_reading_of_the_sample(monkeypatch) -> None:
    from rsam_core.scene import _default_view as _choose_view

    bands = np.random.default_rng(0).integers(1, 3000, (4, 16, 16), dtype=np.uint16)
    scene = open_scene(tiff(bands))
    calls = []
    read = _choose_view.sampled
    monkeypatch.setattr(_choose_view, "sampled", lambda *a: calls.append(a) or read(*a))
    views = [scene.with_view(ViewSettings((4, 1, 2), percentiles=(p, 90))) for p in (1, 5, 20)]
    assert len(calls) == 1
    assert len({view.stretch for view in views}) == 3


def test_colours_of_a_palette_take_gamma_only() -> None:
    import rasterio

    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", count=1, height=16, width=16, dtype="uint8") as dataset:
            dataset.write(np.ones((1, 16, 16), np.uint8))
            dataset.write_colormap(1, {0: (0, 0, 0), 1: (64, 128, 255)})
        scene = open_scene(memory.read())
    assert list(presets(scene)) == ["Colours of the file"]
    view = scene.with_view(ViewSettings((1,), percentiles=(5, 50), gamma=2))
    assert view.read_rgb()[0, 0].tolist() == [round(255 * (v / 255) ** 0.5) for v in (64, 128, 255)]
