"""Interpolation and unsharp mask: against hand-made values, known blurs and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import gaussian_filter

from rsam_core.errors import PrepareError
from rsam_core.prepare import STEPS, Pipeline, Raster, load_steps, write_scene
from rsam_core.prepare.resolution import FACTORS, enlarge, unsharp_mask
from rsam_core.prepare.steps.resolution import Enlarge, UnsharpMask


def valid_of(values: np.ndarray) -> np.ndarray:
    return np.ones(values.shape[:2], bool)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "lanczos"])
def test_a_slope_stays_the_same_slope_in_place(factor: int, kernel: str):
    y, x = np.mgrid[0:20, 0:24] + 0.5
    slope = np.stack([300 * x, 2 * x - 7 * y + 500], axis=-1).astype(np.float32)
    out, valid = enlarge(slope, valid_of(slope), factor, kernel)
    v, u = (np.mgrid[0 : 20 * factor, 0 : 24 * factor] + 0.5) / factor
    inner = slice(4 * factor, -4 * factor), slice(4 * factor, -4 * factor)
    # Lanczos reproduces slopes nearly, the others exactly.
    bound = 8 if kernel == "lanczos" else 2e-3
    assert out.shape == (20 * factor, 24 * factor, 2)
    assert valid.all()
    assert np.abs(out[..., 0] - 300 * u)[inner].max() < bound
    assert np.abs(out[..., 1] - (2 * u - 7 * v + 500))[inner].max() < bound


def test_bicubic_at_two_times_has_keys_weights():
    line = np.zeros((9, 9, 1), np.float32)
    line[:, 4] = 128
    out, _ = enlarge(line, valid_of(line), 2)
    # Cubic convolution, a = -1/2, at distances 1/4, 3/4, 5/4 and 7/4, by hand.
    weights = np.array([0.8671875, 0.2265625, -0.0703125, -0.0234375]) * 128
    assert np.allclose(out[8, 9:13, 0], weights)
    assert np.allclose(out[8, 8:4:-1, 0], weights)


def test_nearest_repeats_and_bad_factors_are_refused():
    values = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    out, _ = enlarge(values, valid_of(values), 3, "nearest")
    assert np.array_equal(out, values.repeat(3, 0).repeat(3, 1))
    for factor, kernel in ((5, "bicubic"), (1, "bicubic"), (2, "magic")):
        with pytest.raises(PrepareError, match="2, 3 or 4"):
            enlarge(values, valid_of(values), factor, kernel)
    with pytest.raises(PrepareError, match="more than RSAM can hold"):
        enlarge(np.zeros((8000, 8000, 1), np.float32), np.ones((8000, 8000), bool), 4)


def test_holes_stay_holes_and_do_not_ring():
    values = np.full((30, 30, 2), 1000, np.float32)
    valid = valid_of(values)
    values[12:18, 12:18], valid[12:18, 12:18] = -32768, False
    for kernel in ("bicubic", "lanczos"):
        out, out_valid = enlarge(values, valid, 2, kernel)
        assert np.array_equal(out_valid, valid.repeat(2, 0).repeat(2, 1))
        assert np.allclose(out[out_valid], 1000, atol=1e-3)
        assert (out[~out_valid] == 0).all()
    assert np.allclose(unsharp_mask(values, valid, 2, 1), values, atol=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_step_keeps_type_place_and_ground(dtype: str):
    high = {"uint8": 255, "uint16": 65535, "float32": 0.8}[dtype]
    values = (np.random.default_rng(0).random((40, 50, 4)) * high).astype(dtype)
    place = Affine(0.6, 0, 1000, 0, -0.6, 2000)
    raster = Raster.of_array(values, transform=place, crs="EPSG:32737", gsd=0.6)
    scene = write_scene(Enlarge(factor="3", kernel="lanczos").apply(raster), "large.tif")
    assert (scene.width, scene.height, scene.count, scene.dtype) == (150, 120, 4, dtype)
    assert scene.gsd == pytest.approx(0.2)
    assert scene.pixel_to_map(150, 120) == pytest.approx(place * (50, 40))
    stored = scene.read_bands()
    assert stored.min() >= 0 or dtype == "float32"


def test_unsharp_mask_undoes_part_of_a_known_blur(town):
    truth = town.image.astype(np.float32)
    blurred = np.stack([gaussian_filter(truth[..., b], 1.0) for b in range(3)], axis=-1)
    sharp = unsharp_mask(blurred, valid_of(blurred), 1.0, 0.8)

    def error(picture):
        return float(np.mean((picture - truth)[8:-8, 8:-8] ** 2))

    assert error(sharp) < 0.8 * error(blurred)


def test_unsharp_mask_matches_its_formula_and_spares_small_differences():
    rng = np.random.default_rng(2)
    values = rng.uniform(0, 4000, (40, 40, 1)).astype(np.float32)
    blurred = gaussian_filter(values[..., 0], 1.7, truncate=4.2, mode="nearest")
    expected = values[..., 0] + 0.5 * (values[..., 0] - blurred)
    result = unsharp_mask(values, valid_of(values), 1.7, 0.5)
    assert np.abs(result[..., 0] - expected).max() < 1.0
    even = 100 + rng.normal(0, 1, (40, 40, 1)).astype(np.float32)
    assert np.array_equal(unsharp_mask(even, valid_of(even), 1.5, 2, threshold=20), even)
    with pytest.raises(PrepareError, match="radius"):
        unsharp_mask(even, valid_of(even), 0, 1)


def test_unsharp_mask_in_tiles_equals_the_whole():
    values = np.random.default_rng(1).uniform(0, 255, (120, 90, 2)).astype(np.float32)
    raster = Raster.of_array(values, limits=(0.0, 255.0))
    step = UnsharpMask(radius=3.0, amount=120)
    whole = step.apply(raster)
    part = step.apply(raster.cropped(0, 30, 90, 90))
    inner = slice(step.halo, None)
    assert np.allclose(part.values[inner], whole.values[30:][inner], atol=1e-3)


def test_every_step_of_these_groups_has_words_and_survives_a_recipe():
    load_steps()
    mine = [s for s in STEPS.values() if s.group in ("Geometric", "Resolution")]
    assert {s.key for s in mine} >= {
        "rotate", "flip", "crop", "ground-distance", "straighten", "ground-control", "reproject",
        "enlarge", "unsharp-mask", "pan-sharpen",
    }  # fmt: skip
    recipe = Pipeline()
    for kind in mine:
        assert len(kind.help) > 60
        assert all(parameter.title for parameter in kind.parameters())
        recipe = recipe.add(kind())
    assert Pipeline.from_json(recipe.to_json()) == recipe
    orthorectification = [s.key for s in mine if "orthorectification" in s.help]
    assert orthorectification == ["straighten", "ground-control"]
