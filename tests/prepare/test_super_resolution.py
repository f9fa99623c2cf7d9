"""Super-resolution: better than interpolation, without seams, the same in any unit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from affine import Affine

from rsam_core.errors import Cancelled, PrepareError
from rsam_core.prepare import Raster, write_scene
from rsam_core.prepare.resolution import enlarge
from rsam_core.prepare.steps.resolution import SuperResolution
from rsam_core.prepare.super_resolution import WEIGHTS, super_resolve
from rsam_core.prepare.super_resolution_network import UpscalerNetwork
from tests.helpers.spots import draw_spots, find_spots
from tests.helpers.towns import rendered
from training import super_resolution as training

BANEPA = Path(__file__).parents[3] / "shared/data/validation/buildings/banepa_np/images"
INNER = slice(8, -8), slice(8, -8)


def valid_of(values: np.ndarray) -> np.ndarray:
    return np.ones(values.shape[:2], bool)


def halved(picture: np.ndarray) -> np.ndarray:
    bands = [training.shrink(np.ascontiguousarray(picture[..., b]), "area") for b in range(3)]
    return np.rint(np.stack(bands, axis=-1))


def psnr(truth: np.ndarray, guess: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((truth[INNER] - guess[INNER]) ** 2)))


@pytest.fixture(scope="module")
def town() -> np.ndarray:
    return rendered(224, 176, gsd=0.3, seed=11, style="suburb").image.astype(np.float32)


def test_a_rendered_town_comes_nearer_than_by_interpolation(town):
    small = halved(town)
    guess, valid = super_resolve(small, valid_of(small))
    assert valid.all()
    assert guess.shape == town.shape
    for kernel in ("bicubic", "lanczos"):
        plain, _ = enlarge(small, valid_of(small), 2, kernel)
        assert psnr(town, guess) > psnr(town, plain) + 0.3


@pytest.mark.skipif(not BANEPA.is_dir(), reason="the real tiles are not part of the repository")
def test_real_tiles_of_another_country_come_nearer_than_by_bicubic():
    better = []
    for path in sorted(BANEPA.glob("*.png"))[::24]:
        truth = cv2.imread(str(path)).astype(np.float32)
        small = halved(truth)
        plain, _ = enlarge(small, valid_of(small), 2)
        better.append(psnr(truth, super_resolve(small, valid_of(small))[0]) - psnr(truth, plain))
    assert len(better) >= 5
    assert np.mean(better) > 0.8
    assert min(better) > 0


def test_tiles_leave_no_seams(town):
    whole, _ = super_resolve(town, valid_of(town), tile=1000)
    tiled, _ = super_resolve(town, valid_of(town), tile=37)
    assert np.abs(whole - tiled).max() < 0.01


def test_gain_offset_and_number_of_bands_do_not_matter(town):
    small = town[:60, :70]
    expected, _ = super_resolve(small, valid_of(small))
    sixteen = small * 40 + 9000
    result, _ = super_resolve(sixteen, valid_of(sixteen))
    assert np.abs((result - 9000) / 40 - expected).max() < 0.02
    six = np.concatenate([small, small[..., ::-1] * 0.001], axis=-1)
    many, _ = super_resolve(six, valid_of(six))
    assert np.allclose(many[..., 1], expected[..., 1], atol=1e-2)
    assert np.allclose(many[..., 3] * 1000, expected[..., 2], atol=2e-2)


def test_even_areas_stay_even_and_means_stay():
    flat = np.full((40, 50, 1), 1234.5, np.float32)
    assert np.allclose(super_resolve(flat, valid_of(flat))[0], 1234.5, atol=1e-3)
    rough = np.random.default_rng(0).uniform(50, 200, (64, 64, 1)).astype(np.float32)
    result, _ = super_resolve(rough, valid_of(rough))
    assert result.mean() == pytest.approx(rough.mean(), abs=0.5)


def test_the_picture_is_not_shifted():
    spots = np.array([[20.3, 17.8], [61.5, 22.0], [40.7, 48.1]])
    small = draw_spots((70, 80), spots, 2.0)
    guess, _ = super_resolve(small, valid_of(small))
    assert np.abs(find_spots(guess, 2 * spots, 14) - 2 * spots).max() < 0.1


def test_holes_stay_holes(town):
    values = town[:50, :60].copy()
    valid = valid_of(values)
    values[20:30, 20:30], valid[20:30, 20:30] = -1e6, False
    result, result_valid = super_resolve(values, valid)
    assert np.array_equal(result_valid, valid.repeat(2, 0).repeat(2, 1))
    assert (result[~result_valid] == 0).all()
    assert result[result_valid].min() > -80
    assert result[result_valid].max() < 335


def test_the_step_halves_the_pixels_on_the_ground(town):
    place = Affine(0.3, 0, 1000, 0, -0.3, 2000)
    raster = Raster.of_array(
        (town[:40, :50] * 100).astype(np.uint16), transform=place, crs="EPSG:32737", gsd=0.3
    )
    scene = write_scene(SuperResolution().apply(raster), "fine.tif")
    assert (scene.width, scene.height, scene.dtype) == (100, 80, "uint16")
    assert scene.gsd == pytest.approx(0.15)
    assert scene.pixel_to_map(100, 80) == pytest.approx(place * (50, 40))
    reduced = raster.changed(scale=2.0, gsd=0.6)
    preview = SuperResolution().apply(reduced)
    assert (preview.gsd, preview.scale) == (pytest.approx(0.3), 2.0)
    assert np.allclose(preview.values, enlarge(raster.values, raster.valid, 2)[0])


def test_progress_and_cancel(town):
    seen = []
    super_resolve(
        town[:80, :80], valid_of(town[:80, :80]), tile=40,
        progress=lambda fraction, text: seen.append(fraction),
    )  # fmt: skip
    assert seen == [0.25, 0.5, 0.75, 1.0]
    with pytest.raises(Cancelled):
        super_resolve(town, valid_of(town), cancelled=lambda: True)


def test_damaged_weights_and_giant_pictures_are_explained(tmp_path, town):
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    for path in (tmp_path / "bad.safetensors", tmp_path / "absent.safetensors"):
        with pytest.raises(PrepareError, match="Install RSAM again"):
            super_resolve(town, valid_of(town), weights=path)
    with pytest.raises(PrepareError, match="more than RSAM can hold"):
        super_resolve(np.zeros((12000, 12000, 1), np.float32), np.ones((12000, 12000), bool))


def test_weights_are_small_and_fit_the_network():
    assert WEIGHTS.stat().st_size < 200_000
    assert sum(p.numel() for p in UpscalerNetwork().parameters()) == 75_680


def test_without_training_the_network_is_bicubic_interpolation(town):
    network = UpscalerNetwork()
    torch.nn.init.zeros_(network.tail.weight)
    small = np.ascontiguousarray(town[:40, :50, 0])
    with torch.inference_mode():
        result = network(torch.from_numpy(small)[None, None])[0, 0].numpy()
    plain, _ = enlarge(small[..., None], np.ones(small.shape, bool), 2)
    assert np.abs(result - plain[..., 0])[INNER].max() < 1e-2


def test_training_pairs_are_aligned_and_held_back_places_stay_out(town):
    rng = np.random.default_rng(0)
    picture = town[:, :224].astype(np.uint8)
    picture = np.pad(picture, ((0, 80), (0, 32), (0, 0)), mode="reflect")
    small, truth = training.draw_pair(picture, rng)
    assert small.shape == (training.PATCH, training.PATCH)
    assert truth.shape == (2 * training.PATCH, 2 * training.PATCH)
    means = truth.reshape(training.PATCH, 2, training.PATCH, 2).mean((1, 3))
    assert np.corrcoef(means.ravel(), small.ravel())[0, 1] > 0.95
    for name, part in (
        ("OAM-319292-270960-19.png", "train"),
        ("OAM-638597-541991-20.png", "test"),
        ("OAM-1277199-1083983-21.png", "test"),
        ("OAM-1277190-1083983-21.png", "gap"),
        ("OAM-319297-270995-19.png", "gap"),
    ):
        assert training.held_back(Path(name)) == part
    with pytest.raises(ValueError, match="unknown reduction"):
        training.shrink(town[..., 0], "magic")


def test_one_training_step_lowers_the_loss(town):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    picture = np.pad(town.astype(np.uint8), ((0, 80), (0, 32), (0, 0)), mode="reflect")
    small, truth = training.draw_batch([(1.0, [picture])], rng)
    network = UpscalerNetwork()
    torch.nn.init.zeros_(network.tail.weight)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        loss = training.loss_of(training.enlarge(network, small), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
