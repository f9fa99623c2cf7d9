"""Pan-sharpening against a scene whose fine bands are known."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rasterio
from affine import Affine

from rsam_core.errors import PrepareError
from rsam_core.prepare import Raster, write_scene
from rsam_core.prepare.pansharpen import METHODS, ergas, pan_sharpen
from rsam_core.prepare.resolution import enlarge
from rsam_core.prepare.step import ImageFile
from rsam_core.prepare.steps.pansharpen import PanSharpen, aligned_pan
from rsam_core.samples import TownSample, render_town

RATIO = 4
WEIGHTS = np.array([0.3, 0.45, 0.15, 0.1], np.float32)
PLACE = Affine(0.3, 0, 500_000, 0, -0.3, 9_328_000)


@pytest.fixture(scope="module")
def fine() -> np.ndarray:
    """Four fine 11-bit bands of a rendered town; the fourth is a made-up near infrared.

    Plants are bright in it and all else is not, so that no mixture of the others gives it.
    """
    sample: TownSample = render_town(384, 288, gsd=0.3, seed=3, style="suburb")
    rgb = sample.image.astype(np.float32)
    green = np.clip((2 * rgb[..., 1] - rgb[..., 0] - rgb[..., 2]) / 60, 0, 1)
    infrared = rgb.mean(axis=-1) * 0.5 + 120 * green**2
    return np.concatenate([rgb, infrared[..., None]], axis=-1) * 8


def coarse_of(fine: np.ndarray, ratio: int = RATIO) -> np.ndarray:
    height, width, bands = fine.shape
    return fine.reshape(height // ratio, ratio, width // ratio, ratio, bands).mean((1, 3))


def psnr(truth: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(2040**2 / np.mean((truth - other) ** 2)))


def geotiff(values: np.ndarray, transform: Affine, crs: str = "EPSG:32737") -> bytes:
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", dtype=values.dtype, count=values.shape[2], crs=crs,
            height=values.shape[0], width=values.shape[1], transform=transform,
        ) as target:  # fmt: skip
            target.write(np.moveaxis(values, 2, 0))
        return memory.read()


def pan_of(fine: np.ndarray) -> np.ndarray:
    """What a panchromatic sensor sees: a mixture of the bands, not quite linear, with noise."""
    mixture = fine @ WEIGHTS
    noise = np.random.default_rng(4).normal(0, 12, mixture.shape)
    return (2040 * (mixture / 2040) ** 0.9 + noise).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_fused_bands_are_nearer_to_the_truth_than_interpolated_ones(fine, method):
    coarse = coarse_of(fine)
    valid = np.ones(coarse.shape[:2], bool)
    plain, _ = enlarge(coarse, valid, RATIO)
    fused, fused_valid = pan_sharpen(coarse, valid, pan_of(fine), method=method)
    assert fused_valid.all()
    assert psnr(fine, fused) > psnr(fine, plain) + 3
    assert ergas(fine, fused, 1 / RATIO) < 0.7 * ergas(fine, plain, 1 / RATIO)
    # Reduced again, the result gives back the coarse colours.
    off = np.abs(coarse_of(fused) - coarse).mean() / coarse.mean()
    assert off < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_units_of_the_pan_band_do_not_matter(fine, method):
    coarse = coarse_of(fine)
    valid = np.ones(coarse.shape[:2], bool)
    one, _ = pan_sharpen(coarse, valid, pan_of(fine), method=method)
    other, _ = pan_sharpen(coarse, valid, pan_of(fine) * 0.01, method=method)
    assert np.allclose(one, other, rtol=2e-2, atol=2)


def test_brovey_keeps_the_ratios_of_bands(fine):
    coarse = coarse_of(fine)
    valid = np.ones(coarse.shape[:2], bool)
    fused, _ = pan_sharpen(coarse, valid, pan_of(fine), method="brovey")
    plain, _ = enlarge(coarse, valid, RATIO)
    safe = (plain.min(axis=-1) > 50) & (fused.min(axis=-1) > 50)
    assert safe.mean() > 0.5
    ratio = (fused[..., 0] / fused[..., 1])[safe] / (plain[..., 0] / plain[..., 1])[safe]
    assert np.abs(ratio - 1).max() < 1e-3


def test_ergas_by_hand():
    truth = np.full((4, 4, 2), 100.0)
    result = truth + np.array([10, 20])
    # 100 × 1/4 × sqrt((0.01 + 0.04) / 2)
    assert ergas(truth, result, 0.25) == pytest.approx(25 * np.sqrt(0.025))
    assert ergas(truth, truth, 0.25) == 0


def test_the_step_aligns_by_georeference(fine):
    coarse = Raster.of_array(
        coarse_of(fine)[10:60, 20:80].astype(np.uint16),
        transform=PLACE * Affine.translation(20 * RATIO, 10 * RATIO) * Affine.scale(RATIO),
        crs="EPSG:32737",
        gsd=1.2,
    )
    pan = geotiff(pan_of(fine)[..., None].astype(np.uint16), PLACE)
    result = PanSharpen(pan=ImageFile("pan.tif", pan)).apply(coarse)
    assert result.values.shape == (200, 240, 4)
    assert result.gsd == pytest.approx(0.3)
    truth = fine[40:240, 80:320]
    plain, _ = enlarge(coarse.values, coarse.valid, RATIO)
    assert psnr(truth, result.values) > psnr(truth, plain) + 3
    scene = write_scene(result, "sharp.tif")
    assert scene.dtype == "uint16"
    assert scene.pixel_to_map(0, 0) == pytest.approx(PLACE * (80, 40))


def test_a_pan_image_that_covers_a_part_sharpens_that_part(fine):
    coarse = Raster.of_array(
        coarse_of(fine), transform=PLACE * Affine.scale(RATIO), crs="EPSG:32737", gsd=1.2
    )
    half = geotiff(pan_of(fine)[:, :192, None].astype(np.float32), PLACE)
    result = PanSharpen(pan=ImageFile("half.tif", half)).apply(coarse)
    assert result.valid[:, :190].all()
    assert not result.valid[:, 194:].any()


def test_without_georeference_the_frames_must_match(fine):
    coarse = Raster.of_array(coarse_of(fine))
    pan = pan_of(fine)

    def picture(values: np.ndarray) -> ImageFile:
        from PIL import Image

        stream = io.BytesIO()
        Image.fromarray(np.clip(values / 8, 0, 255).astype(np.uint8)).save(stream, "PNG")
        return ImageFile("pan.png", stream.getvalue())

    result = PanSharpen(pan=picture(pan), method="brovey").apply(coarse)
    assert result.values.shape == fine.shape
    reduced = coarse.changed(
        values=coarse_of(coarse.values, 2), valid=np.ones((36, 48), bool), scale=2.0
    )
    assert PanSharpen(pan=picture(pan)).apply(reduced).values.shape == (144, 192, 4)
    grey = picture(np.repeat(pan[..., None], 3, axis=-1))
    aligned, valid = aligned_pan(grey, coarse)
    assert aligned.shape == pan.shape
    assert valid.all()
    with pytest.raises(PrepareError, match="another shape"):
        aligned_pan(picture(pan[:, :200]), coarse)
    with pytest.raises(PrepareError, match="not finer"):
        aligned_pan(picture(coarse_of(pan[..., None])[..., 0]), coarse)
    with pytest.raises(PrepareError, match="no panchromatic"):
        aligned_pan(picture(fine[..., :3]), coarse)
    assert PanSharpen().apply(coarse) is coarse


def test_other_places_and_blank_bands_are_explained(fine):
    coarse = Raster.of_array(
        coarse_of(fine), transform=PLACE * Affine.scale(RATIO), crs="EPSG:32737", gsd=1.2
    )
    away = geotiff(pan_of(fine)[..., None], PLACE * Affine.translation(5000, 5000))
    with pytest.raises(PrepareError, match="another place"):
        PanSharpen(pan=ImageFile("away.tif", away)).apply(coarse)
    valid = np.ones(coarse.valid.shape, bool)
    with pytest.raises(PrepareError, match="nothing in common"):
        pan_sharpen(coarse.values, valid, np.full(fine.shape[:2], 5, np.float32))
    with pytest.raises(PrepareError, match="no ground in common"):
        pan_sharpen(coarse.values, ~valid, pan_of(fine))
    with pytest.raises(PrepareError, match="finer"):
        pan_sharpen(coarse.values, valid, coarse.values[..., 0])
    with pytest.raises(PrepareError, match="way to sharpen"):
        pan_sharpen(coarse.values, valid, pan_of(fine), method="ihs")
