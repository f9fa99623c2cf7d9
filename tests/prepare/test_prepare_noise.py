"""Filters against noise, specks and stripes: by hand, and back towards the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from rsam_core.prepare import Pipeline, Raster, Step, noise
from rsam_core.prepare.destripe import stripe_level
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.steps.noise import (
    Bilateral,
    Destripe,
    Median,
    NonLocalMeans,
    RemoveSpecks,
    TotalVariation,
)
from rsam_core.samples import TownSample
from tests.helpers.towns import rendered

METHODS = ("level", "moments", "fourier")
SMOOTHERS = [Bilateral(12), NonLocalMeans(12), TotalVariation(12), Median(1)]


def clipped(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def psnr(truth: np.ndarray, picture: np.ndarray) -> float:
    return peak_signal_noise_ratio(truth, clipped(picture), data_range=255)


def ssim(truth: np.ndarray, picture: np.ndarray) -> float:
    return structural_similarity(truth, clipped(picture), data_range=255, channel_axis=-1)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return rendered(320, 256, gsd=0.3, seed=4, style="estate").image


def noisy(truth: np.ndarray, sigma: float = 12) -> np.ndarray:
    return clipped(truth + np.random.default_rng(0).normal(0, sigma, truth.shape))


# ------------------------------------------------------------------ back towards the truth


@pytest.mark.parametrize(
    ("step", "decibels", "structure"),
    [(Bilateral(12), 5, 0.15), (NonLocalMeans(12), 5, 0.14), (TotalVariation(12), 4, 0.12),
     (Median(1), 3, 0.1)],
    ids=lambda value: getattr(value, "key", ""),
)  # fmt: skip
def test_noise_is_taken_away_and_the_scene_stays(
    truth: np.ndarray, step: Step, decibels: float, structure: float
):
    # Noise of σ = 12 leaves 20 log10(255 / 12) = 26.5 dB. The mean of nine equal pixels would have
    # a third of it, 9.5 dB more; edges and texture allow about half of that.
    before = noisy(truth)
    assert psnr(truth, before) == pytest.approx(26.6, abs=0.3)
    after = step.apply(Raster.of_array(before)).values
    assert psnr(truth, after) > psnr(truth, before) + decibels
    assert ssim(truth, after) > ssim(truth, before) + structure


def test_edges_survive_where_an_average_would_blur_them():
    edge = np.full((60, 60, 3), 60.0)
    edge[:, 30:] = 180
    before = noisy(edge, 8)
    for step in (Bilateral(8), NonLocalMeans(8), TotalVariation(8), Median(1)):
        after = step.apply(Raster.of_array(before)).values
        beside = np.abs(after[10:50, 29:31] - edge[10:50, 29:31]).mean()
        blurred = ndimage.gaussian_filter(before.astype(float), (1, 1, 0))
        assert beside < 0.25 * np.abs(blurred[10:50, 29:31] - edge[10:50, 29:31]).mean(), step.key
        assert after[10:50, 5:25].std() < 0.62 * before[10:50, 5:25].std(), step.key


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_specks_go_and_every_other_pixel_stays(truth: np.ndarray, share: float):
    dice = np.random.default_rng(1).random(truth.shape)
    before = np.where(dice < share / 2, 0, np.where(dice > 1 - share / 2, 255, truth))
    before = before.astype(np.uint8)
    after = RemoveSpecks(10).apply(Raster.of_array(before)).values
    assert psnr(truth, after) > psnr(truth, before) + 10
    assert ssim(truth, after) > ssim(truth, before) + (0.05 if share == 0.01 else 0.3)
    untouched = (dice >= share / 2) & (dice <= 1 - share / 2)
    changed = after != before
    assert (changed & untouched).sum() < 0.005 * untouched.sum()
    plain_median = Median(1).apply(Raster.of_array(before)).values
    assert psnr(truth, after) > psnr(truth, plain_median)


def test_a_single_speck_by_hand():
    values = np.full((9, 9, 1), 50.0, np.float32) + np.arange(9, dtype=np.float32)[:, None]
    spoiled = values.copy()
    spoiled[4, 4] = 250
    done = noise.remove_specks(spoiled, 20)
    # The median of the square around: 53, 53, 53, 54, 54, 55, 55, 55, 250 → 54 … its middle, 54.
    assert done[4, 4, 0] == np.median(spoiled[3:6, 3:6])
    done[4, 4] = spoiled[4, 4]
    np.testing.assert_array_equal(done, spoiled)
    small = values.copy()
    small[4, 4] += 15
    np.testing.assert_array_equal(noise.remove_specks(small, 20), small)


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("method", ["level", "moments", "fourier"])
def test_stripes_go_in_either_direction(truth: np.ndarray, method: str, rows: bool):
    rng = np.random.default_rng(2)
    lines = truth.shape[0] if rows else truth.shape[1]
    offset, gain = rng.normal(0, 8, lines), rng.normal(1, 0.05, lines)
    shape = (-1, 1, 1) if rows else (1, -1, 1)
    before = clipped(truth * gain.reshape(shape) + offset.reshape(shape))
    step = Destripe("rows" if rows else "columns", method)
    after = step.apply(Raster.of_array(before)).values
    assert psnr(truth, after) > psnr(truth, before) + 5
    assert ssim(truth, after) > ssim(truth, before) + 0.1
    everywhere = np.ones(truth.shape[:2], bool)
    level = [
        stripe_level(v.astype(np.float32), everywhere, columns=not rows) for v in (before, after)
    ]
    assert level[1] < 0.2 * level[0]


@pytest.mark.parametrize("method", ["level", "moments", "fourier"])
def test_stripes_beside_a_lake_do_not_make_new_ones(truth: np.ndarray, method: str):
    # A third of the scene is dark water: global moments would light it up.
    rows, columns = np.indices(truth.shape[:2])
    lake = columns > 200 + 40 * np.sin(rows / 40)
    scene = np.where(lake[..., None], 30, truth)
    offset = np.random.default_rng(3).normal(0, 6, 320)
    before = clipped(scene + offset[None, :, None])
    after = Destripe("columns", method).apply(Raster.of_array(before)).values
    assert after[:, 260:].mean() == pytest.approx(30, abs=2)
    assert psnr(scene, after) > psnr(scene, before) + 3


def test_levelling_a_pattern_by_hand():
    # Stripes of ±4 every other line on a smooth ramp along the lines; the middle lines, where the
    # smoothing sees no end of the image, come back exactly.
    ramp = np.tile(np.linspace(0, 60, 50), (80, 1)).T[..., None]
    pattern = np.where(np.arange(80) % 2 == 0, 4.0, -4.0)[None, :, None]
    image = Raster.of_array((ramp + pattern).astype(np.float32), limits=(0, 255))
    done = Destripe().apply(image).values
    np.testing.assert_allclose(
        done[:, 30:50], np.broadcast_to(ramp, done.shape)[:, 30:50], atol=0.02
    )


def test_a_clean_image_is_hardly_touched_by_destriping(truth: np.ndarray):
    after = Destripe().apply(Raster.of_array(truth)).values
    assert psnr(truth, after) > 35


# ------------------------------------------------------------------ nodata, types, previews


@pytest.mark.parametrize(
    "step", [*SMOOTHERS, RemoveSpecks(), *(Destripe(method=m) for m in METHODS)]
)
def test_nodata_is_neither_smeared_nor_touched(truth: np.ndarray, step: Step):
    valid = np.ones(truth.shape[:2], bool)
    valid[100:140, 60:200] = False
    before = noisy(truth)
    results = []
    for rubbish in (0, 255):
        raster = Raster.of_array(
            np.where(valid[..., None], before, rubbish).astype(np.uint8), valid
        )
        after = step.apply(raster)
        np.testing.assert_array_equal(after.values[~valid], rubbish)
        np.testing.assert_array_equal(after.valid, valid)
        results.append(after.values[valid])
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("step", [*SMOOTHERS, RemoveSpecks(), Destripe()])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_any_type_and_any_number_of_bands(truth: np.ndarray, step: Step, count: int):
    before = np.take(noisy(truth[:64, :64]), np.arange(count) % 3, axis=2)
    eight = step.apply(Raster.of_array(before)).values
    factor = 10_000 / 255
    wide = Raster.of_array((before * factor).astype(np.float32), limits=(0, 10_000))
    np.testing.assert_allclose(step.apply(wide).values / factor, eight, atol=0.2)
    assert eight.shape == before.shape


def test_the_preview_of_a_reduced_copy_is_that_of_the_result(truth: np.ndarray):
    before = Raster.of_array(noisy(truth))

    def reduced(raster: Raster) -> Raster:
        blocks = raster.values.reshape(64, 4, 80, 4, 3).mean(axis=(1, 3))
        return raster.changed(values=blocks, valid=np.ones((64, 80), bool), scale=4.0)

    for step in (Bilateral(12), Median(1), NonLocalMeans(12), TotalVariation(12)):
        whole = reduced(step.apply(before)).values
        preview = step.apply(reduced(before)).values
        unscaled = step.apply(reduced(before).changed(scale=1.0)).values
        assert np.abs(preview - whole).mean() < 2.5, step.key
        assert np.abs(preview - whole).mean() < 0.7 * np.abs(unscaled - whole).mean(), step.key


def test_filling_takes_the_nearest_and_leaves_the_rest():
    values = np.arange(5, dtype=np.float32)[None, :, None].repeat(3, 0)
    valid = np.array([[True, True, False, False, True]] * 3)
    assert filled(values, valid)[0, :, 0].tolist() == [0, 1, 1, 4, 4]
    assert filled(values, np.zeros_like(valid)) is values
    assert filled(values, np.ones_like(valid)) is values


def test_no_noise_no_change(truth: np.ndarray):
    values = truth.astype(np.float32)
    np.testing.assert_array_equal(noise.nonlocal_means(values, 0), values)
    np.testing.assert_array_equal(noise.total_variation(values, 0), values)


def test_median_agrees_with_scipy(truth: np.ndarray):
    values = truth[:50, :60].astype(np.float32)
    for radius in (1, 2, 4):
        side = 2 * radius + 1
        expected = ndimage.median_filter(values, (side, side, 1), mode="nearest")
        np.testing.assert_array_equal(noise.median(values, radius), expected)


def test_tiny_images_pass_through_every_filter():
    tiny = Raster.of_array(np.random.default_rng(0).integers(0, 255, (8, 9, 3), dtype=np.uint8))
    for step in (*SMOOTHERS, RemoveSpecks(), *(Destripe(method=m) for m in METHODS)):
        assert Pipeline().add(step).run(tiny).values.shape == (8, 9, 3)


def test_halos_reach_as_far_as_the_filters(town: TownSample):
    base = town.image[:160, :160].astype(np.float32)
    for step in (
        Bilateral(10, 3),
        Bilateral(10, 0.5),
        NonLocalMeans(10),
        Median(4),
        RemoveSpecks(),
    ):
        poked = base.copy()
        poked[80, 80] = 255 - poked[80, 80]
        before = step.apply(Raster.of_array(base, limits=(0, 255))).values
        after = step.apply(Raster.of_array(poked, limits=(0, 255))).values
        rows, columns = np.nonzero(np.abs(after - before).max(axis=-1) > 1e-3)
        reach = max(np.abs(rows - 80).max(), np.abs(columns - 80).max()) if len(rows) else 0
        assert reach <= step.halo, step.key
