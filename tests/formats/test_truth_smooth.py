"""Masks whose edges became grey: they hold as many objects as before, and sharp ones are kept."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from rsam_core.formats.truth import read_truth
from rsam_core.scene.scene import Scene, open_scene

SIDE = 256


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def scene(side: int) -> Scene:
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return open_scene(png(noise), name="photo.png")


def shapes(values) -> Image.Image:
    """Twelve rectangles and discs that touch nowhere."""
    image = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    for k in range(12):
        x, y = 10 + 62 * (k % 4), 12 + 80 * (k // 4)
        (draw.ellipse if k % 2 else draw.rectangle)(
            [x, y, x + 20 + 2 * k, y + 50 - 2 * k], fill=int(values(k))
        )
    return image


MASK = shapes(lambda _: 255)
LABELS = shapes(lambda k: 20 * (k + 1) % 251)
FILTERS = {
    "bilinear": Image.BILINEAR,
    "bicubic": Image.BICUBIC,
    "lanczos": Image.LANCZOS,
    "box": Image.BOX,
}


@pytest.mark.parametrize("filter_name", FILTERS)
@pytest.mark.parametrize("side", [130, 200, 400])
def test_a_resized_mask_keeps_its_objects(filter_name: str, side: int):
    resized = np.asarray(MASK.resize((side, side), FILTERS[filter_name]))
    sharp = np.asarray(MASK.resize((side, side), Image.NEAREST)) > 0
    truth = read_truth(png(resized), scene(side))
    assert truth.count == 12
    assert (truth.mask & sharp).sum() / (truth.mask | sharp).sum() > 0.93
    if len(np.unique(resized)) > 2:
        assert "in between" in truth.notes[0]
        assert [(o.option, o.value) for o in truth.others] == [("values", "labels")]
        every = read_truth(png(resized), scene(side), values="labels")
        assert every.count == len(np.unique(resized)) - 1
        assert every.notes == ()


@pytest.mark.parametrize("quality", [10, 15, 40, 70, 95])
def test_a_mask_that_was_a_jpg_keeps_its_objects(quality: int):
    stream = io.BytesIO()
    MASK.save(stream, "JPEG", quality=quality)
    grey = np.asarray(Image.open(stream))
    assert len(np.unique(grey)) > 10
    truth = read_truth(png(grey), scene(SIDE))
    assert truth.count == 12
    assert (truth.mask == (np.asarray(MASK) > 0)).mean() > 0.998
    assert "JPEG" in truth.notes[0]


@pytest.mark.parametrize("filter_name", ["bilinear", "bicubic"])
@pytest.mark.parametrize("side", [200, 400])
def test_resized_labels_keep_their_numbers(filter_name: str, side: int):
    resized = np.asarray(LABELS.resize((side, side), FILTERS[filter_name]))
    sharp = np.asarray(LABELS.resize((side, side), Image.NEAREST))
    truth = read_truth(png(resized), scene(side))
    assert set(np.unique(truth.labels)) == set(np.unique(sharp))
    assert (truth.labels == sharp).mean() > 0.97


def test_resized_colours_are_as_many_as_before():
    rgb = Image.merge("RGB", [shapes(lambda k: 30 + 18 * k), MASK, LABELS])
    resized = np.asarray(rgb.resize((400, 400), Image.BILINEAR))
    truth = read_truth(png(resized), scene(400))
    assert truth.count == 12


def voronoi(count: int) -> np.ndarray:
    """Cells around random points, numbered from 1."""
    rng = np.random.default_rng(count)
    seeds = np.zeros((200, 200), int)
    seeds[rng.integers(0, 200, count), rng.integers(0, 200, count)] = np.arange(1, count + 1)
    nearest = ndimage.distance_transform_edt(
        seeds == 0, return_distances=False, return_indices=True
    )
    return seeds[tuple(nearest)]


def specks() -> np.ndarray:
    rng = np.random.default_rng(1)
    image = np.zeros((200, 200), np.uint8)
    for k in range(150):
        x, y = rng.integers(0, 195, 2)
        width, height = rng.integers(1, 5, 2)
        image[y : y + height, x : x + width] = k + 1
    return image


def lines() -> np.ndarray:
    image = Image.new("L", (200, 200))
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(2)
    for k in range(50):
        draw.line([tuple(p) for p in rng.integers(0, 200, (2, 2)).tolist()], fill=5 * k + 1)
    return np.asarray(image)


def outlined() -> np.ndarray:
    """Objects with a border of another value, a pixel wide."""
    image = Image.new("L", (200, 200))
    draw = ImageDraw.Draw(image)
    for k in range(16):
        x, y = 8 + 48 * (k % 4), 8 + 48 * (k // 4)
        draw.ellipse([x, y, x + 30, y + 30], fill=200 + k, outline=100)
    return np.asarray(image)


SHARP = {
    "few cells": voronoi(20).astype(np.uint8),
    "many cells": voronoi(900).astype(np.uint16),
    "specks": specks(),
    "lines": lines(),
    "outlined": outlined(),
    "0, 1 and 255": np.where(specks() % 3 == 0, 0, np.where(specks() % 3 == 1, 1, 255)).astype(
        np.uint8
    ),
}


@pytest.mark.parametrize("kind", SHARP)
def test_sharp_labels_are_taken_as_they_are(kind: str):
    image = SHARP[kind]
    truth = read_truth(png(image), scene(200))
    expected = image.astype(int)
    if expected.all():
        # Without a 0, the most frequent value is the background.
        expected[expected == np.bincount(expected.ravel()).argmax()] = 0
    assert (truth.labels == expected).all()
    assert (truth.notes, truth.others) == ((), ())


def test_a_mask_can_be_asked_for():
    ramp = np.tile(np.linspace(0, 200, 100).astype(np.uint8), (100, 1))
    truth = read_truth(png(ramp), scene(100), values="mask")
    assert truth.count == 1
    assert (truth.mask == (ramp >= 100)).all()
