"""Outlines, simplification and right angles, against polygons that are known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from scipy import ndimage
from shapely.affinity import rotate, translate
from skimage.draw import polygon2mask

from rsam_core.objects.instance import Instance
from rsam_core.objects.refine import (
    dominant_direction,
    rasterise,
    regular_outline,
    regularise,
    simplified,
    simplify_mask,
    trace,
)

L_SHAPE = shapely.Polygon([(0, 0), (60, 0), (60, 22), (30, 22), (30, 45), (0, 45)])


def iou(one: np.ndarray, two: np.ndarray) -> float:
    return np.count_nonzero(one & two) / np.count_nonzero(one | two)


def house(angle: float) -> np.ndarray:
    return rasterise(translate(rotate(L_SHAPE, angle, origin=(30, 22)), 30, 40), (120, 120))


def rough(mask: np.ndarray, amount: float = 1.0, width: float = 1.5, seed: int = 0) -> np.ndarray:
    """The mask with its outline moved by noise of `amount` pixels, waves `width` pixels wide."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=mask.shape), width)
    distance = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
    return distance + amount * noise / noise.std() > 0


def blobs(seed: int = 3) -> np.ndarray:
    values = ndimage.gaussian_filter(np.random.default_rng(seed).random((70, 90)), 3)
    return values > np.median(values)


def test_trace_and_rasterise_are_inverse():
    mask = blobs()
    outline = trace(mask, 7, 11)
    assert outline.is_valid
    assert outline.area == mask.sum()
    assert (rasterise(outline, mask.shape, 7, 11) == mask).all()


@pytest.mark.parametrize("angle", [0, 12, 44, 77])
def test_rasterise_agrees_with_scikit_image(angle):
    corners = rotate(L_SHAPE, angle, origin=(30, 22)).exterior.coords
    points = np.array(corners)[:-1] + 40.013
    ours = rasterise(shapely.Polygon(points), (130, 130))
    # scikit-image takes pixel centres at whole numbers, as (row, column).
    theirs = polygon2mask((130, 130), points[:, ::-1] - 0.5)
    assert (ours == theirs).all()


def test_rasterise_cuts_what_lies_outside_and_keeps_holes():
    ring = shapely.Point(10, 10).buffer(15).difference(shapely.Point(10, 10).buffer(5))
    mask = rasterise(ring, (12, 14))
    assert mask[0, 0]
    assert not mask[9, 9]
    assert not rasterise(shapely.Polygon(), (4, 4)).any()


@pytest.mark.parametrize("angle", [0, 10, 33, 45, 80])
def test_simplifying_leaves_the_corners_of_a_house(angle):
    mask = house(angle)
    outline = simplified(mask, 1.5)
    assert outline.is_valid
    assert len(outline.exterior.coords) - 1 == 6
    assert iou(simplify_mask(mask, 1.5), mask) > 0.97
    assert outline.area == pytest.approx(mask.sum(), rel=0.01)


def test_simplifying_takes_off_jags_and_leaves_smooth_outlines():
    truth = house(25)
    for seed in range(4):
        jagged = rough(truth, 1.5, 0.5, seed)
        assert iou(simplify_mask(jagged, 1.5), truth) > iou(jagged, truth) + 0.02
    rows, columns = np.mgrid[:80, :80] - 40
    tank = rows**2 + columns**2 < 30**2
    assert (simplify_mask(tank, 1.5) == tank).all()
    coarse = simplify_mask(tank, 5)
    assert 0.85 < iou(coarse, tank) < 0.99


def test_no_corner_is_made_at_the_edge_of_the_scene():
    mask = np.zeros((60, 60), bool)
    mask[:30, 10:50] = True
    assert (simplify_mask(mask, 3) == mask).all()


def test_simplifying_keeps_within_the_tolerance():
    mask = blobs()
    exact = trace(mask)
    for tolerance in (1.0, 2.0, 4.0):
        outline = simplified(mask, tolerance)
        assert outline.is_valid
        few = shapely.get_num_coordinates(outline)
        assert few < shapely.get_num_coordinates(exact) / 3
        # Fitting and the blur may add a pixel; specks below the tolerance may go.
        largest = max(shapely.get_parts(exact), key=shapely.area)
        near = min(shapely.get_parts(outline), key=lambda part: part.distance(largest.centroid))
        assert near.exterior.hausdorff_distance(largest.exterior) < 2 * tolerance + 2


def test_simplifying_keeps_a_large_hole():
    mask = house(20)
    mask[50:58, 38:46] = False
    outline = simplified(mask, 1.0)
    assert len(outline.interiors) == 1
    assert shapely.Polygon(outline.interiors[0]).area == pytest.approx(64, rel=0.2)


def test_outlines_lie_in_scene_pixels():
    item = Instance(house(30), 1000, 2000)
    exact = trace(item.mask, item.x, item.y)
    few = simplified(item.mask, 1.5, item.x, item.y)
    assert exact.area == item.area
    assert tuple(round(v) for v in exact.bounds) == item.bbox
    assert np.abs(np.array(few.bounds) - item.bbox).max() < 2.5


@pytest.mark.parametrize("angle", [0, 15, 44, 61, 89])
def test_dominant_direction_of_a_turned_house(angle):
    ring = np.array(rotate(L_SHAPE, angle, origin=(0, 0)).exterior.coords)
    found = np.degrees(dominant_direction(ring)) % 90
    assert min(abs(found - angle), 90 - abs(found - angle)) < 0.01


@pytest.mark.parametrize("angle", [0, 10, 33, 45, 80])
def test_a_rough_house_gets_right_angles_and_comes_closer_to_the_truth(angle):
    truth = house(angle)
    mask = rough(truth)
    outline = regular_outline(mask, 0.8)
    corners = np.array(outline.exterior.coords)
    edges = np.diff(corners, axis=0)
    turns = np.abs(np.sum(edges * np.roll(edges, -1, axis=0), axis=1))
    assert turns.max() < 1e-6 * outline.area
    assert len(edges) == 6
    assert iou(regularise(mask, 0.8), truth) > iou(mask, truth)


def test_what_is_not_rectangular_stays():
    rows, columns = np.mgrid[:60, :60]
    tank = (rows - 30) ** 2 + (columns - 30) ** 2 < 25**2
    assert (regularise(tank) == tank).all()
    assert regular_outline(np.zeros((9, 9), bool)) is None


def test_a_courtyard_stays_open():
    mask = np.zeros((80, 80), bool)
    mask[10:70, 10:70] = True
    mask[30:50, 30:50] = False
    assert regularise(mask).sum() == pytest.approx(mask.sum(), rel=0.02)
    assert not regularise(mask)[40, 40]
