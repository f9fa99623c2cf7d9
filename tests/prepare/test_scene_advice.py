"""Advice about an opened image: said where it helps, and nothing about a good one."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import rsam_core as rsam
from rsam_core.prepare import Pipeline, load_steps
from rsam_core.prepare.scene_advice import SceneAdvice, scene_advice
from rsam_core.prepare.sharpness import detail_ratio
from rsam_core.samples.places import PLACES
from tests.helpers.boxes import png

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
load_steps()


def ground(side: int = 256) -> np.ndarray:
    """Roofs, trees and grass with their shadows, (side, side, 3) uint8, sharp."""
    rng = np.random.default_rng(3)
    picture = np.full((side, side, 3), (96, 116, 84), np.float32)
    picture += rng.normal(0, 9, (side, side, 1))
    for _ in range(90):
        x, y = rng.integers(0, side - 24, 2)
        w, h = rng.integers(7, 22, 2)
        picture[y + 3 : y + h + 3, x + 3 : x + w + 3] = (6, 8, 10)
        picture[y : y + h, x : x + w] = rng.choice([(150, 80, 60), (130, 128, 126), (40, 62, 36)])
    return np.clip(picture, 0, 255).astype(np.uint8)


def geotiff(values: np.ndarray, gsd: float = 0.3, names: bool = False, **tags: object) -> bytes:
    """Bands as a GeoTIFF in metres; bands are not named unless asked."""
    height, width, count = values.shape
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", height=height, width=width, count=count, dtype=values.dtype,
            crs="EPSG:32637", transform=from_origin(500_000, 20_000, gsd, gsd),
            photometric="RGB" if names else "MINISBLACK", **tags,
        ) as file:  # fmt: skip
            file.write(np.moveaxis(values, 2, 0))
        return memory.read()


def kinds(content: bytes, **options: object) -> list[str]:
    return [item.kind for item in scene_advice(rsam.open_scene(content, name="a.tif"), **options)]


def about(content: bytes, kind: str) -> SceneAdvice:
    found = scene_advice(rsam.open_scene(content, name="a.tif"))
    return next(item for item in found if item.kind == kind)


def test_nothing_is_said_about_a_good_image():
    assert kinds(png(ground())) == []
    assert kinds(geotiff(ground(), names=True)) == []


@pytest.mark.parametrize("entry", PLACES, ids=lambda entry: entry.key)
def test_nothing_is_said_about_the_real_samples(entry):
    # The fields are a little pale indeed.
    assert set(kinds(entry.content)) <= ({"haze"} if entry.key == "fields" else set())


@pytest.mark.parametrize(
    ("gsd", "expected", "button"),
    [
        (0.3, None, ""),
        (1.0, None, ""),
        (1.5, "a roof is 7 pixels long here: open a finer image, or enlarge twice", "Enlarge"),
        (3.0, "a roof is 3 pixels long here: too little for houses", ""),
        (10.0, "a single pixel or less", ""),
    ],
)
def test_roofs_of_a_few_pixels(gsd, expected, button):
    content = geotiff(ground(), gsd, names=True)
    if expected is None:
        assert "pixels" not in kinds(content)
        return
    advice = about(content, "pixels")
    assert expected in advice.text
    assert advice.button.startswith(button)
    assert bool(advice.button) == (advice.step is not None)
    assert kinds(content, prepared=True) == ["pixels"]


def test_enlarging_twice_mends_it():
    scene = rsam.open_scene(geotiff(ground(128), 1.5, names=True), name="a.tif")
    (advice,) = scene_advice(scene)
    finer = Pipeline().add(advice.step).run_scene(scene)
    assert finer.gsd == pytest.approx(0.75, rel=1e-3)
    assert scene_advice(finer, prepared=True) == ()


def test_a_pixel_of_unknown_size_is_no_reason():
    assert "pixels" not in kinds(png(ground()))


@pytest.mark.parametrize("sigma", [2.0, 3.0])
def test_blur_is_told_and_sharpening_offered(sigma):
    blurred = cv2.GaussianBlur(ground(), (0, 0), sigma)
    advice = about(png(blurred), "blur")
    assert advice.step.key == "unsharp-mask"
    before = detail_ratio(blurred.astype(np.float32).mean(-1), np.ones(blurred.shape[:2], bool))
    scene = rsam.open_scene(png(blurred), name="a.png")
    sharper = Pipeline().add(advice.step).run_scene(scene).read_rgb()
    after = detail_ratio(sharper.astype(np.float32).mean(-1), np.ones(blurred.shape[:2], bool))
    assert after > before


def test_sharpness_of_what_cannot_be_judged():
    flat = np.full((64, 64), 90, np.float32)
    assert detail_ratio(flat, np.ones((64, 64), bool)) is None
    assert detail_ratio(flat[:20], np.ones((20, 64), bool)) is None
    assert detail_ratio(flat, np.zeros((64, 64), bool)) is None


def test_sharpness_against_a_picture_made_by_hand():
    """Stripes of one pixel vanish when halved; stripes of two survive it and then vanish."""
    rows, columns = np.indices((64, 64))
    known = np.ones((64, 64), bool)
    one = (columns % 2 * 200.0).astype(np.float32)
    two = (columns // 2 % 2 * 200.0).astype(np.float32)
    assert detail_ratio(one + two, known) > 0.7
    assert detail_ratio(two, known) < detail_ratio(one + two, known)
    assert rows.shape == (64, 64)


def test_haze_is_told_and_its_removal_mends_it():
    hazy = (0.55 * ground().astype(np.float32) + 100).astype(np.uint8)
    advice = about(png(hazy), "haze")
    scene = rsam.open_scene(png(hazy), name="a.png")
    clear = Pipeline().add(advice.step).run_scene(scene).read_rgb()
    assert np.percentile(clear, 0.5) < np.percentile(hazy, 0.5) - 40


def test_sixteen_bits_of_uneven_values():
    even = ground().astype(np.uint16) * 40
    assert "tones" not in kinds(geotiff(even, names=True))
    uneven = even // 40
    uneven[:8] = 60_000
    rng = np.random.default_rng(1)
    uneven[rng.random(uneven.shape[:2]) < 0.05] = 60_000
    advice = about(geotiff(uneven, names=True), "tones")
    assert "16 bits" in advice.text
    assert "dark" in advice.text
    scene = rsam.open_scene(geotiff(uneven, names=True), name="a.tif")
    assert np.median(scene.read_rgb()) < 20
    assert np.median(Pipeline().add(advice.step).run_scene(scene).read_rgb()) > 60


def test_bands_in_the_order_of_satellites_are_told_and_swapped():
    """Blue, green, red, infrared, as many satellites write them, without names."""
    soil = ground().astype(np.float32)
    soil[..., 0] *= 1.3
    soil[..., 2] *= 0.55
    infrared = np.full((*soil.shape[:2], 1), 150.0) + soil[..., 1:2] * 0.3
    bands = np.concatenate([soil[..., ::-1], infrared], -1).clip(0, 255).astype(np.uint8)
    scene = rsam.open_scene(geotiff(bands), name="a.tif")
    assert scene.view_bands == (1, 2, 3)
    advice = next(a for a in scene_advice(scene) if a.kind == "bands")
    assert advice.view.bands == (3, 2, 1)
    assert "swapped" in advice.text
    assert not [a for a in scene_advice(scene.with_view(advice.view)) if a.kind == "bands"]


def test_infrared_in_place_of_red():
    picture = ground().astype(np.float32)
    infrared = np.where(picture[..., 1:2] > picture[..., :1], 240.0, 40.0)
    bands = np.concatenate([infrared, picture[..., :2] * 0.8, picture[..., 2:]], -1)
    scene = rsam.open_scene(geotiff(bands.clip(0, 255).astype(np.uint8)), name="a.tif")
    advice = next(a for a in scene_advice(scene) if a.kind == "bands")
    assert 1 not in advice.view.bands
    scene.with_view(advice.view)


def test_bands_that_have_names_are_believed():
    blue = ground()[..., ::-1].astype(np.float32)
    blue[..., 2] = 200
    assert "bands" not in kinds(geotiff(blue.astype(np.uint8), names=True))
    stream = io.BytesIO(png(blue.astype(np.uint8)))
    assert "bands" not in kinds(stream.getvalue())


def test_an_image_with_hardly_any_data_is_left_alone():
    empty = np.zeros((128, 128, 3), np.uint8)
    empty[:9, :9] = 200
    assert kinds(png(empty)) == []
