"""Outlines for the canvas: read back by a reader of the test's own, and by the canvas's."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from rsam_core.objects.instance import Instance
from rsam_core.render.proposal_outlines import encode_outlines

SAMPLE = Path(__file__).parents[1] / "data" / "proposals.bin"

Rings = list[np.ndarray]


def read(content: bytes) -> list[tuple[int, int, Rings]]:
    """Place, area and rings of each outline."""
    assert content[:4] == b"RSO1"
    (unit,) = struct.unpack("<d", content[4:12])
    numbers, value, shift = [], 0, 0
    for byte in content[12:]:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value, shift = 0, 0
    assert shift == 0, "the last number is whole"
    rest = iter(numbers)
    found = []
    for _ in range(next(rest)):
        place, area, rings, last = next(rest), next(rest), [], np.zeros(2)
        for _ in range(next(rest)):
            steps = [next(rest) for _ in range(2 * next(rest))]
            signed = np.array([-(n + 1) // 2 if n % 2 else n // 2 for n in steps]).reshape(-1, 2)
            rings.append(last + np.cumsum(signed, axis=0))
            last = rings[-1][-1]
        found.append((place, area, [ring * unit for ring in rings]))
    assert next(rest, None) is None, "nothing is left over"
    return found


def drawn(rings: Rings, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose middle is inside, by crossing numbers."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, bool)
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0)):
            if y0 == y1:
                continue
            crosses = ((y0 > rows) != (y1 > rows)) & (
                columns < (x1 - x0) * (rows - y0) / (y1 - y0) + x0
            )
            inside ^= crosses
    return inside


def blob(seed: int, size: int = 60) -> np.ndarray:
    """A lump with holes and islands."""
    noise = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 5) > 0
    mask[0], mask[-1], mask[:, 0], mask[:, -1] = False, False, False, False
    return mask


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def test_a_rectangle_with_a_hole_by_hand():
    mask = np.ones((6, 8), bool)
    mask[2:4, 3:5] = False
    [(place, area, rings)] = read(encode_outlines([Instance(mask, 100, 200)]).content)
    assert (place, area) == (0, 44)
    corners = sorted(sorted(map(tuple, ring.tolist())) for ring in rings)
    assert corners == [
        [(100, 200), (100, 206), (108, 200), (108, 206)],
        [(103, 202), (103, 204), (105, 202), (105, 204)],
    ]


@pytest.mark.parametrize("seed", range(4))
def test_an_outline_covers_what_the_mask_covers(seed: int):
    mask = blob(seed)
    item = Instance(mask, 7, 3)
    [(_, area, rings)] = read(encode_outlines([item]).content)
    whole = np.zeros((80, 80), bool)
    whole[item.y : item.y + item.mask.shape[0], item.x : item.x + item.mask.shape[1]] = item.mask
    assert area == np.count_nonzero(mask)
    assert iou(drawn(rings, whole.shape), whole) > 0.95


def test_a_pixel_is_a_square():
    [(_, _, [ring])] = read(encode_outlines([Instance(np.ones((1, 1), bool), 5, 9)]).content)
    assert {tuple(p) for p in ring.tolist()} == {(5, 9), (6, 9), (6, 10), (5, 10)}


def test_no_finer_than_what_the_model_saw():
    """A scene shown at a quarter: points lie on whole pixels of the view."""
    yy, xx = np.mgrid[:400, :400]
    disc = (xx - 200) ** 2 + (yy - 200) ** 2 < 150**2
    speck = Instance(np.ones((1, 2), bool), 1001, 1001)
    content = encode_outlines([Instance(disc, 10, 20), speck], unit=4.0).content
    (_, _, [ring]), (_, _, [small]) = read(content)
    assert not (ring % 4).any()
    # Points of the circle's steps, which are half a pixel of the view off along each axis.
    far = np.hypot(*(ring - (210, 220)).T)
    assert np.all(np.abs(far - 150) < 2 * 2**0.5 + 2**0.5)
    assert {tuple(p) for p in small.tolist()} == {
        (1000, 1000), (1004, 1000), (1004, 1004), (1000, 1004),
    }  # fmt: skip


def test_places_survive_when_the_worst_are_left_out_for_the_limit():
    items = [Instance(blob(k), 50 * k, 0, 0.5 + 0.01 * k) for k in range(30)]
    outlines = encode_outlines(items, limit=800)
    assert len(outlines.content) <= 800
    places = [place for place, _, _ in read(outlines.content)]
    assert outlines.count == len(places)
    assert 0 < len(places) < 30
    assert places == list(range(30 - len(places), 30)), "the best stay, in their order"


def test_five_hundred_objects_of_a_view_take_less_than_a_megabyte():
    items = [Instance(blob(k % 20, 100), 40 * (k % 25), 40 * (k // 25), 0.9) for k in range(500)]
    outlines = encode_outlines(items)
    assert outlines.count == 500
    assert len(outlines.content) < 1_000_000


def test_the_key_follows_the_content():
    one, two = Instance(blob(1), 0, 0), Instance(blob(1), 1, 0)
    assert encode_outlines([one]).key == encode_outlines([one]).key
    assert encode_outlines([one]).key != encode_outlines([two]).key


def test_no_outlines():
    assert read(encode_outlines([]).content) == []


def sample() -> list[Instance]:
    """What tests/js/proposals.test.mjs reads: a yard with a house with a hole, and a shed."""
    house = np.ones((20, 30), bool)
    house[5:10, 5:15] = False
    return [
        Instance(np.ones((60, 80), bool), 10, 20, 0.7),
        Instance(house, 300, 30, 0.9),
        Instance(np.ones((40, 50), bool), 20, 30, 0.8),
        Instance(np.ones((10, 10), bool), 25, 35, 0.6),
    ]


def test_the_canvas_is_tested_with_what_is_written_here():
    assert encode_outlines(sample()).content == SAMPLE.read_bytes()
