"""Masks of objects that span scenes of any size, to and from a view."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from rsam_core.objects.instances import Instance
from rsam_core.objects.resample import to_scene, view_mask
from rsam_core.scene.coordinates import Frame


def blob(seed: int, shape=(150, 200)) -> np.ndarray:
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 5) > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_pieces_join_without_a_seam(seed):
    """As one interpolation of the whole mask gives it, which OpenCV can do up to 32,766 pixels."""
    mask = blob(seed)
    factor = (7.3, 16.0, 9.1, 12.5)[seed]
    large = to_scene(Instance(mask), Frame(0, 0, 200 * factor, 150 * factor, 200, 150))
    item = Instance(mask)
    whole = np.zeros((150, 200), np.float32)
    whole[item.y : item.bbox[3], item.x : item.bbox[2]] = item.mask
    columns = ((np.arange(round(200 * factor)) + 0.5) / factor - 0.5).astype(np.float32)
    rows = ((np.arange(round(150 * factor)) + 0.5) / factor - 0.5).astype(np.float32)
    grid = np.meshgrid(columns, rows)
    expected = cv2.remap(whole, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) > 0.5
    assert large.mask.shape[1] > 1024, "several pieces"
    x0, y0, x1, y1 = large.bbox
    found = np.zeros_like(expected)
    found[y0:y1, x0:x1] = large.mask[: expected.shape[0] - y0, : expected.shape[1] - x0]
    # Rounding of coordinates, 1/32 of a pixel, may turn single pixels of the outline.
    assert np.count_nonzero(found != expected) <= 1e-4 * expected.size


def test_an_object_across_40_000_pixels_comes_and_goes():
    view = Frame(0, 0, 40_000, 8000, 2000, 400)
    item = to_scene(Instance(np.ones((20, 2000), bool), 0, 100), view)
    assert item.bbox[0] == 0
    assert item.bbox[2] == 40_000
    assert item.area == pytest.approx(40_000 * 400, rel=0.01)
    back, x, y = view_mask(item, (0, 0), 2000 / 40_000, (0, 0, 2000, 400))
    assert (x, y, *back.shape) == (0, 100, 20, 2000)
    assert back.mean() > 0.99


def test_reducing_in_pieces_gives_what_reducing_at_once_does():
    large = cv2.resize(blob(7, (90, 300)).astype(np.uint8), (30_000, 900)).astype(bool)
    item = Instance(large)
    scale = 0.031
    region = (0, 0, 2000, 100)
    reduced, x, y = view_mask(item, (0, 0), scale, region)
    size = 2 * round(0.5 / scale) + 1
    blurred = cv2.blur(item.mask.astype(np.uint8) * 255, (size, size), borderType=0)
    matrix = np.array(
        [
            [1 / scale, 0, (x + 0.5) / scale - 0.5 - item.x],
            [0, 1 / scale, (y + 0.5) / scale - 0.5 - item.y],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(blurred, matrix, reduced.shape[::-1], flags=flags) > 127
    assert np.count_nonzero(reduced != expected) <= 1e-3 * expected.size


def test_a_large_field_takes_little_more_memory_than_its_mask():
    y, x = np.mgrid[:512, :512]
    disc = Instance((y - 256) ** 2 + (x - 256) ** 2 < 250**2)
    side = 5000
    tracemalloc.start()
    field = to_scene(disc, Frame(0, 0, side, side, 512, 512))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert field.area == pytest.approx(disc.area * (side / 512) ** 2, rel=0.01)
    # The mask, and its trimmed copy.
    assert peak < 2 * side * side + 40e6


def test_shape_of_a_large_mask_is_measured_in_little_memory():
    mask = np.ones((3000, 3000), bool)
    mask[1000:1100, 1000:1100] = False
    item = Instance(mask)
    tracemalloc.start()
    basics = item.basics
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert basics.euler_number == 0
    assert basics.perimeter == pytest.approx(12_400, rel=0.06)
    assert peak < 40e6, "not eight bytes a pixel"
