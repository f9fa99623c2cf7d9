"""Previews: what they show is what comes out, and nothing is computed twice."""

from __future__ import annotations

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import PrepareError
from rsam_core.prepare import ImageFile, Pipeline, Raster, load_steps, read_raster, write_scene
from rsam_core.prepare.preview import Chain, Previewer, detail_window, tone_histogram
from rsam_core.prepare.steps.colours import MatchHistogram, RemoveHaze
from rsam_core.prepare.steps.noise import Bilateral, Destripe, Median, RemoveSpecks
from rsam_core.prepare.steps.tones import Brightness, Clahe, Gamma, Stretch
from tests.helpers.towns import rendered

load_steps()


@pytest.fixture(scope="module")
def scene() -> rsam.Scene:
    """Noisy and hazy, 900 × 700 pixels."""
    town = rendered(900, 700, gsd=0.3, seed=8).image.astype(float)
    noise = np.random.default_rng(0).normal(0, 5, town.shape)
    hazy = np.clip(np.rint(town * 0.7 + 65 + noise), 0, 255).astype(np.uint8)
    return write_scene(Raster.of_array(hazy), "hazy.tif")


def test_a_detail_shows_what_the_result_will_hold(scene: rsam.Scene):
    steps = (RemoveSpecks(10), Bilateral(5, 2), Median(1), Brightness(5))
    recipe = Pipeline()
    for step in steps:
        recipe = recipe.add(step)
    result = recipe.run_scene(scene)
    window = rsam.Window(400, 300, 200, 150)
    preview = Previewer(scene, 300).detail(steps, window)
    np.testing.assert_array_equal(preview.before.rgb(), scene.read_rgb(window))
    np.testing.assert_allclose(
        preview.after.rgb().astype(int), result.read_rgb(window), atol=1, rtol=0
    )
    assert preview.error is None
    assert preview.comparable


def test_statistics_of_a_detail_are_those_of_the_whole(scene: rsam.Scene):
    steps = (RemoveHaze(), Stretch(1, 1))
    recipe = Pipeline().add(steps[0]).add(steps[1])
    result = recipe.run_scene(scene)
    # The darkest corner of the scene alone would be stretched quite differently.
    window = rsam.Window(0, 0, 120, 100)
    preview = Previewer(scene, 450).detail(steps, window)
    # A copy reduced by half has less noise in its darkest pixels: some levels, not tens.
    difference = np.abs(preview.after.rgb().astype(int) - result.read_rgb(window)).mean()
    alone = recipe.run(read_raster(scene, window)).rgb().astype(int)
    assert difference < 8
    assert difference < 0.5 * np.abs(alone - result.read_rgb(window)).mean()


def test_the_whole_picture_resembles_the_reduced_result(scene: rsam.Scene):
    steps = (Bilateral(5), RemoveHaze(), Gamma(1.2), Clahe(2))
    recipe = Pipeline()
    for step in steps:
        recipe = recipe.add(step)
    result = recipe.run_scene(scene).read_rgb(max_size=300)
    preview = Previewer(scene, 300).overall(steps)
    assert np.abs(preview.after.rgb().astype(int) - result).mean() < 12
    assert np.abs(preview.before.rgb().astype(int) - result).mean() > 25


def test_only_what_changed_is_computed_again(monkeypatch: pytest.MonkeyPatch, scene: rsam.Scene):
    calls: list[str] = []
    for kind in (Gamma, Stretch, Brightness):
        apply = kind.apply
        monkeypatch.setattr(
            kind, "apply", lambda s, r, f=None, a=apply: calls.append(s.key) or a(s, r, f)
        )
    previewer = Previewer(scene, 200)
    previewer.overall((Gamma(1.2), Stretch(), Brightness(5)))
    assert calls == ["gamma", "stretch", "brightness"]
    calls.clear()
    first = previewer.overall((Gamma(1.2), Stretch(), Brightness(9))).after
    assert calls == ["brightness"]
    calls.clear()
    assert previewer.overall((Gamma(1.2), Stretch(), Brightness(9))).after is first
    assert calls == []
    previewer.overall((Stretch(), Brightness(9)))
    assert calls == ["stretch", "brightness"]
    window = rsam.Window(10, 10, 50, 50)
    calls.clear()
    previewer.detail((Stretch(), Brightness(9)), window)
    previewer.detail((Stretch(), Brightness(9)), window)
    assert calls == ["stretch", "brightness"]


def test_a_step_that_fails_stops_the_chain_and_says_why(scene: rsam.Scene):
    preview = Previewer(scene, 200).overall(
        (Brightness(10), MatchHistogram(ImageFile("other.tif")), Gamma(2))
    )
    assert isinstance(preview.error, PrepareError)
    assert "Match another image: The recipe" in str(preview.error)
    expected = Brightness(10).apply(preview.before).values
    np.testing.assert_array_equal(preview.after.values, expected)
    chain = Chain()
    start = Raster.of_array(np.zeros((10, 10, 3), np.uint8))
    assert chain.run(start, ()) is start
    assert chain.error is None


def test_what_moves_is_left_out_of_a_detail(scene: rsam.Scene):
    from rsam_core.prepare.steps.geometric import Flip, Rotate

    previewer = Previewer(scene, 300)
    steps = (Flip(), Brightness(10), Rotate(90))
    preview = previewer.detail(steps, rsam.Window(100, 100, 80, 60))
    assert preview.left_out == (Flip.title, Rotate.title)
    expected = preview.before.values + 25.5
    np.testing.assert_allclose(preview.after.values, expected, atol=1e-3)
    overall = previewer.overall(steps)
    assert not overall.comparable
    assert (overall.after.width, overall.after.height) == (
        overall.before.height, overall.before.width,
    )  # fmt: skip


def test_finer_pixels_show_the_same_place(scene: rsam.Scene):
    from rsam_core.prepare.steps.resolution import Enlarge

    window = rsam.Window(300, 200, 80, 60)
    preview = Previewer(scene, 300).detail((Enlarge(),), window)
    factor = preview.after.width / 80
    assert factor > 1
    shrunk = preview.after.values.reshape(60, round(factor), 80, round(factor), 3).mean((1, 3))
    assert np.corrcoef(shrunk.ravel(), preview.before.values.ravel())[0, 1] > 0.99
    assert preview.comparable


def test_steps_that_want_everything_get_context(scene: rsam.Scene):
    striped = scene.read_bands() + np.random.default_rng(1).normal(0, 8, (1, 900, 1))
    striped = write_scene(Raster.of_array(np.clip(striped, 0, 255).astype(np.uint8)), "striped.tif")
    window = rsam.Window(400, 300, 200, 150)
    preview = Previewer(striped, 300).detail((Destripe(),), window)
    goal = scene.read_rgb(window).astype(int)
    before = np.abs(preview.before.rgb() - goal).mean()
    assert np.abs(preview.after.rgb() - goal).mean() < 0.6 * before


@pytest.mark.parametrize(
    ("place", "size", "expected"),
    [
        ((0.5, 0.5), (100, 80), (400, 310, 100, 80)),
        ((0, 0), (100, 80), (0, 0, 100, 80)),
        ((1, 1), (100, 80), (800, 620, 100, 80)),
        ((0.2, 0.9), (5000, 5000), (0, 0, 900, 700)),
    ],
)
def test_a_detail_stays_inside(scene: rsam.Scene, place, size, expected):
    window = detail_window(scene, place, size)
    assert (window.x, window.y, window.width, window.height) == expected


def test_a_detail_of_nothing_is_refused(scene: rsam.Scene):
    with pytest.raises(PrepareError, match="at least one pixel"):
        detail_window(scene, (0.5, 0.5), (0, 10))


def test_the_histogram_counts_valid_pixels():
    values = np.zeros((10, 10, 3), np.uint8)
    values[:5] = 255
    valid = np.ones((10, 10), bool)
    valid[:, 8:] = False
    shares = tone_histogram(Raster.of_array(values, valid), 4)
    assert shares.tolist() == [50, 0, 0, 50]
    assert tone_histogram(Raster.of_array(values, np.zeros_like(valid)), 4).sum() == 0
