"""How noisy, striped, hazy is it? Measured where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.prepare import Pipeline, Raster, read_raster, write_scene
from rsam_core.prepare.advice import advise, noise_levels
from rsam_core.prepare.destripe import stripe_level
from rsam_core.prepare.noise_estimate import estimate_noise, speck_share
from tests.helpers.towns import rendered

STYLES = ["estate", "town", "village", "harbour", "farmland"]


def picture(style: str = "estate", seed: int = 21) -> np.ndarray:
    return rendered(400, 320, gsd=0.3, seed=seed, style=style).image.astype(np.float32)


def raster(values: np.ndarray, valid: np.ndarray | None = None) -> Raster:
    return Raster.of_array(np.clip(np.rint(values), 0, 255).astype(np.uint8), valid)


def keys(values: np.ndarray) -> list[str]:
    image = raster(values)
    return [advice.step.key for advice in advise(image, image)]


@pytest.mark.parametrize("sigma", [1.0, 5.0, 30.0])
def test_pure_noise_is_measured_within_three_percent(sigma: float):
    values = np.random.default_rng(0).normal(100, sigma, (500, 500, 3)).astype(np.float32)
    assert estimate_noise(values) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sigma", [5, 10, 20])
def test_noise_on_a_scene_is_measured_within_a_sixth(style: str, sigma: float):
    values = picture(style)
    values = values + np.random.default_rng(1).normal(0, sigma, values.shape)
    # The scene's own texture adds to the noise as its squares do.
    assert noise_levels(raster(values)) == pytest.approx(sigma, rel=1 / 6)


def test_nodata_and_units_do_not_matter():
    values = np.random.default_rng(2).normal(100, 6, (300, 300, 1)).astype(np.float32)
    valid = np.ones((300, 300), bool)
    valid[:, 150:] = False
    spoiled = np.where(valid[..., None], values, 0).astype(np.float32)
    assert estimate_noise(spoiled, valid) == pytest.approx(6, rel=0.06)
    assert estimate_noise(values * 50) == pytest.approx(50 * estimate_noise(values), rel=1e-4)
    wide = Raster.of_array(values * 50, limits=(0, 255 * 50))
    assert noise_levels(wide) == pytest.approx(6, rel=0.05)


def test_too_little_to_tell():
    assert estimate_noise(np.zeros((2, 2, 1), np.float32)) == 0
    assert estimate_noise(np.zeros((300, 300, 1), np.float32), np.zeros((300, 300), bool)) == 0
    small = np.random.default_rng(3).normal(0, 4, (40, 40, 1)).astype(np.float32)
    assert estimate_noise(small) == pytest.approx(4, rel=0.2)
    assert (
        stripe_level(small, np.ones((40, 40), bool)[:, :10].repeat(4, 1)[:, :40], columns=True) > 0
    )
    assert stripe_level(small[:, :10], np.ones((40, 10), bool), columns=True) == 0


def test_specks_are_counted():
    values = picture() / 255
    assert speck_share(values) < 1e-4
    dice = np.random.default_rng(4).random(values.shape)
    values[dice < 0.01] = 1
    values[dice > 0.99] = 0
    # Those on ground that is itself nearly black or white, or beside one another, do not count.
    assert 0.01 < speck_share(values) <= 0.02


def test_stripes_are_measured_in_their_direction():
    values = picture()
    everywhere = np.ones(values.shape[:2], bool)
    striped = values + np.random.default_rng(5).normal(0, 5, (1, values.shape[1], 1))
    assert stripe_level(striped, everywhere, columns=True) == pytest.approx(5, rel=0.15)
    assert stripe_level(striped, everywhere, columns=False) < 1
    turned = np.ascontiguousarray(striped.swapaxes(0, 1))
    assert stripe_level(turned, everywhere.T, columns=False) == pytest.approx(5, rel=0.15)


# ------------------------------------------------------------------ advice


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_suggested_for_a_good_picture(style: str):
    assert keys(picture(style)) == []


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda t, rng: t * 0.6 + 0.4 * 240, ["haze"]),
        (lambda t, rng: t + rng.normal(0, 7, t.shape), ["bilateral"]),
        (lambda t, rng: 255 * (t / 255) ** 2.6, ["gamma"]),
        (lambda t, rng: t * [0.6, 0.8, 1.2], ["white-balance"]),
        (lambda t, rng: t * 0.4 + 8, ["stretch"]),
        (lambda t, rng: t + rng.normal(0, 6, (1, t.shape[1], 1)), ["destripe"]),
        (lambda t, rng: np.where(rng.random(t.shape) < 0.01, 255, t), ["specks"]),
        (lambda t, rng: (t * 0.6 + 96) + rng.normal(0, 7, t.shape), ["bilateral", "haze"]),
    ],
    ids=["haze", "noise", "dark", "cast", "dull", "stripes", "specks", "hazy and noisy"],
)
def test_each_trouble_gets_its_step(spoil, expected: list[str]):
    assert keys(spoil(picture(), np.random.default_rng(6))) == expected


def test_what_is_suggested_suits_what_was_measured():
    values = picture()
    noisy = raster(values + np.random.default_rng(7).normal(0, 6, values.shape))
    (advice,) = advise(noisy, noisy)
    assert advice.step.sigma == pytest.approx(6, abs=1)
    assert "σ ≈ 6" in advice.text
    rows = raster(values + np.random.default_rng(8).normal(0, 6, (values.shape[0], 1, 1)))
    (advice,) = advise(rows, rows)
    assert advice.step.direction == "rows"
    assert "from left to right" in advice.text


def test_once_followed_it_is_not_repeated():
    values = picture() * 0.6 + 96
    values = values + np.random.default_rng(9).normal(0, 7, values.shape)
    image = raster(values)
    recipe = Pipeline()
    for advice in advise(image, image):
        recipe = recipe.add(advice.step)
    done = recipe.run(image)
    assert advise(done, done) == ()


def test_what_a_stretched_view_hides_is_no_trouble():
    hazy = (picture() * 6 + 1500).astype(np.uint16)
    image = read_raster(write_scene(Raster.of_array(hazy, limits=(0, 4000)), "hazy.tif"))
    assert [item.step.key for item in advise(image, image)] == ["haze"]
    low, high = np.percentile(hazy, (2, 98))
    image = Raster.of_array(hazy, display=((low, high),) * 3)
    assert advise(image, image) == ()


def test_an_empty_image_gets_no_advice():
    empty = raster(np.zeros((50, 50, 3)), np.zeros((50, 50), bool))
    assert advise(empty, empty) == ()
