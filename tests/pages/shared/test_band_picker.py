"""The band picker and the scene card in a small app of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared.names import plain
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.scene import Scene, open_scene
from tests.helpers.rasters import PLACE, UTM, encode, photo, tiff
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def _app() -> None:
    import streamlit as st

    from pages.parts.shared.band_picker import band_picker
    from pages.parts.shared.scene_card import scene_card

    scene = st.session_state["scene"]
    with st.sidebar:
        scene_card(scene)
        if st.session_state.get("drawn", True):
            st.session_state["settings"] = band_picker(scene, "pick")


def start(scene: Scene) -> AppTest:
    """Run the app with a scene."""
    at = AppTest.from_function(_app, default_timeout=PATIENCE)
    at.session_state["scene"] = scene
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def settings(at: AppTest) -> ViewSettings:
    return at.session_state["settings"]


@pytest.fixture
def four() -> Scene:
    bands = np.random.default_rng(0).integers(1, 4000, (4, 40, 60), dtype=np.uint16)
    return open_scene(
        tiff(bands, ("red", "green", "blue", "nir"), crs=UTM, transform=PLACE), name="field_1.tif"
    )


@pytest.fixture
def colour() -> Scene:
    return open_scene(encode(photo(), "PNG"), name="drone.png")


def test_untouched_it_returns_the_view_that_the_scene_has(four: Scene, colour: Scene) -> None:
    grey = open_scene(encode(photo().convert("L"), "PNG"))
    infrared = four.with_view(ViewSettings((4, 1, 2), percentiles=(1, 99), gamma=1.4))
    swapped = colour.with_view(ViewSettings((3, 2, 1)))
    for scene in (four, colour, grey, infrared, swapped):
        assert settings(start(scene)) == scene.view_settings


def test_limits_of_a_saved_view_stay_until_contrast_is_touched(four: Scene) -> None:
    saved = ViewSettings((1, 2, 3), percentiles=(1.3, 97.7), limits=((5, 900),) * 3, gamma=0.77)
    at = start(four.with_view(saved))
    assert settings(run(at)) == saved
    at.slider(key="pick-gamma").set_value(2.0)
    assert settings(run(at)) == replace(saved, gamma=2.0)
    at.slider(key="pick-percentiles").set_range(5, 90)
    assert settings(run(at)) == ViewSettings((1, 2, 3), percentiles=(5, 90), gamma=2.0)
    at.selectbox(key="pick-preset").select("Colour infrared")
    assert settings(run(at)).limits is None


def test_presets(four: Scene) -> None:
    at = start(four)
    assert at.selectbox(key="pick-preset").options == [
        "True colour",
        "Colour infrared",
        "Vegetation index (NDVI)",
        "Water index (NDWI)",
        "Single band: red",
        "Single band: green",
        "Single band: blue",
        "Single band: nir",
        "Custom",
    ]
    at.selectbox(key="pick-preset").select("Colour infrared")
    assert settings(run(at)) == ViewSettings((4, 1, 2))
    at.selectbox(key="pick-preset").select("Vegetation index (NDVI)")
    assert settings(run(at)) == ViewSettings((4, 1), "ndvi")
    told = " ".join(caption.value for caption in at.caption)
    assert "Green: plants" in told
    assert "near infrared (nir) and red (red)" in told


def test_single_bands_are_drawn_for_custom_only(four: Scene) -> None:
    at = start(four)
    assert len(at.selectbox) == 1
    at.selectbox(key="pick-preset").select("Custom")
    run(at)
    assert [box.label for box in at.selectbox] == ["Show", "Red", "Green", "Blue"]
    at.selectbox(key="pick-blue").select(4)
    assert settings(run(at)).bands == (1, 2, 4)


def test_stretch_and_gamma(four: Scene) -> None:
    at = start(four)
    at.slider(key="pick-percentiles").set_range(5, 90)
    at.slider(key="pick-gamma").set_value(1.5)
    assert settings(run(at)) == ViewSettings((1, 2, 3), percentiles=(5, 90), gamma=1.5)
    assert not at.toggle
    # The view follows, and the widgets stay where they were put.
    at.session_state["scene"] = four.with_view(settings(at))
    assert settings(run(at)) == ViewSettings((1, 2, 3), percentiles=(5, 90), gamma=1.5)


def test_percentiles_that_meet_are_held_apart(four: Scene) -> None:
    at = start(four)
    for same in (0, 40, 100):
        at.slider(key="pick-percentiles").set_range(same, same)
        low, high = settings(run(at)).percentiles
        assert high - low == 0.5


def test_colours_of_8_bits_are_stretched_only_on_demand(colour: Scene) -> None:
    at = start(colour)
    assert [slider.label for slider in at.slider] == ["Gamma"]
    at.toggle(key="pick-stretch").set_value(True)
    assert settings(run(at)) == ViewSettings((1, 2, 3), percentiles=(2, 98))


def test_choices_outlive_a_run_without_the_picker(four: Scene) -> None:
    at = start(four)
    at.selectbox(key="pick-preset").select("Colour infrared")
    at.slider(key="pick-gamma").set_value(2.0)
    chosen = settings(run(at))
    at.session_state["drawn"] = False
    run(at)
    assert not at.slider
    at.session_state["drawn"] = True
    assert settings(run(at)) == chosen == ViewSettings((4, 1, 2), gamma=2.0)


def test_palettes_and_single_bands_offer_no_mixing() -> None:
    at = start(open_scene(encode(photo().convert("L"), "PNG")))
    assert len(at.selectbox) == 0
    indices = np.arange(64, dtype=np.uint8).reshape(1, 8, 8) % 3
    import rasterio

    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", count=1, height=8, width=8, dtype="uint8") as dataset:
            dataset.write(indices)
            dataset.write_colormap(1, {0: (9, 9, 9), 1: (200, 0, 0), 2: (0, 0, 200)})
        at = start(open_scene(memory.read()))
    assert [slider.label for slider in at.slider] == ["Gamma"]
    assert settings(at) == ViewSettings((1,))


def test_card(four: Scene) -> None:
    at = start(four)
    assert at.sidebar.markdown[0].value == r"**field\_1.tif**"
    card = at.sidebar.caption[0].value
    assert "**Size** 60 × 40 pixels" in card
    assert "**Pixel on the ground** 0.5 m" in card
    card = at.sidebar.caption[1].value
    assert "**Bands** 4: red, green, blue, nir" in card
    assert "WGS 84 / UTM zone 37N (EPSG\\:32637)" in card
    assert "**Extent** 30 × 20 m" in card


def test_card_shows_the_notes_of_the_file() -> None:
    scene = open_scene(tiff(np.ones((3, 20, 20), np.uint8), transform=PLACE), name="x.tif")
    at = start(scene)
    assert any("does not name its coordinate system" in item.value for item in at.sidebar.caption)


def test_names_are_no_markup() -> None:
    assert plain("a*b_[c](d)\n# e") == r"a\*b\_\[c\](d) \# e"
