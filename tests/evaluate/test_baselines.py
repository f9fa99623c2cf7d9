"""Classical methods on drawings whose object is known, and against brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.methods import classical as baselines
from tests.helpers.models import disc, overlap, rectangle

SHAPE = (60, 80)
BOX = (20.0, 15.0, 50.0, 40.0)
ROOF = disc(SHAPE, 35, 27.5, 11)


def painted(mask: np.ndarray, inside: tuple[int, ...], outside: tuple[int, ...]) -> np.ndarray:
    """An object of one colour on ground of another, with a little noise."""
    image = np.where(mask[..., None], inside, outside) + np.random.default_rng(0).normal(
        0, 4, (*mask.shape, 3)
    )
    return image.clip(0, 255).astype(np.uint8)


BOXED = [
    baselines.grabcut,
    baselines.otsu_in_box,
    baselines.kmeans_in_box,
    baselines.watershed,
    baselines.random_walker,
]


@pytest.mark.parametrize("method", BOXED)
@pytest.mark.parametrize(
    "colours", [((200, 60, 40), (40, 90, 40)), ((30, 30, 40), (190, 190, 170))]
)
def test_every_box_method_finds_a_plain_object_whether_bright_or_dark(method, colours):
    found = method(painted(ROOF, *colours), (22.0, 15.0, 48.0, 40.0))
    assert found.dtype == bool
    assert found.shape == SHAPE
    assert overlap(found, ROOF) > 0.9


@pytest.mark.parametrize("method", BOXED)
def test_a_box_method_stays_in_its_surroundings_and_keeps_the_image(method):
    image = painted(ROOF, (200, 60, 40), (40, 90, 40))
    before = image.copy()
    found = method(image, BOX)
    margin = rectangle(SHAPE, 12, 7, 58, 48)
    assert not (found & ~margin).any()
    assert np.array_equal(image, before)


@pytest.mark.parametrize("method", BOXED)
def test_an_even_image_and_a_box_over_everything_are_survived(method):
    grey = np.full((*SHAPE, 3), 90, np.uint8)
    assert method(grey, BOX).shape == SHAPE
    assert method(grey, (0.0, 0.0, 80.0, 60.0)).any()
    assert method(grey, (79.5, 59.5, 80.0, 60.0)).shape == SHAPE


def test_grabcut_answers_the_same_each_time():
    image = painted(ROOF, (120, 90, 60), (90, 90, 60))
    assert np.array_equal(baselines.grabcut(image, BOX), baselines.grabcut(image, BOX))


def test_a_large_random_walker_is_solved_on_a_reduced_part():
    shape = (400, 420)
    mask = disc(shape, 200, 200, 120)
    found = baselines.random_walker(
        painted(mask, (200, 60, 40), (40, 90, 40)), (80.0, 80.0, 320.0, 320.0)
    )
    assert overlap(found, mask) > 0.9


def test_a_click_finds_the_connected_piece_only():
    other = disc(SHAPE, 68, 12, 7)
    image = painted(ROOF | other, (220, 220, 200), (40, 50, 40))
    found = baselines.otsu_at_click(image, (35.0, 27.0))
    assert overlap(found, ROOF) > 0.95
    assert not (found & other).any()
    groups = baselines.colour_groups(image, 2)
    assert overlap(baselines.piece_at(groups == groups[27, 35], (35.0, 27.0)), ROOF) > 0.95


def test_clicks_and_boxes_outside_the_image_are_refused():
    image = np.zeros((*SHAPE, 3), np.uint8)
    with pytest.raises(EvaluationError, match="outside the image"):
        baselines.otsu_at_click(image, (81.0, 5.0))
    with pytest.raises(EvaluationError, match="no area"):
        baselines.otsu_in_box(image, (90.0, 5.0, 99.0, 20.0))
    assert baselines.otsu_at_click(image, (80.0, 60.0)).all()


def test_more_colour_groups_than_colours_is_no_problem():
    groups = baselines.colour_groups(np.zeros((5, 6, 3), np.uint8), 4)
    assert groups.shape == (5, 6)
    assert (groups == 0).all()


REGIONS = np.repeat(np.repeat(np.arange(1, 13).reshape(3, 4), 10, 0), 10, 1).astype(np.int32)


def test_regions_follow_edges_and_cover_the_image():
    image = painted(ROOF, (200, 60, 40), (40, 90, 40))
    for regions in (baselines.slic_regions(image, size=60), baselines.felzenszwalb_regions(image)):
        assert regions.shape == SHAPE
        assert regions.min() >= 1
        assert overlap(baselines.best_regions(regions, ROOF), ROOF) > 0.85
    found = baselines.region_at(baselines.felzenszwalb_regions(image), (35.0, 27.0))
    assert overlap(found, ROOF) > 0.9


def test_best_region_and_best_set_agree_with_trying_all_of_them():
    generator = np.random.default_rng(3)
    for _ in range(5):
        truth = disc(REGIONS.shape, *generator.uniform(8, 25, 2), generator.uniform(6, 14))
        sets = [s for k in (1, 2, 3, 4, 5, 6) for s in combinations(range(1, 13), k)]
        every = {s: overlap(np.isin(REGIONS, s), truth) for s in sets}
        single = max(value for s, value in every.items() if len(s) == 1)
        assert overlap(baselines.best_region(REGIONS, truth), truth) == pytest.approx(single)
        best = overlap(baselines.best_regions(REGIONS, truth), truth)
        assert best == pytest.approx(max(every.values()))


def test_regions_in_a_box_are_those_mostly_inside_cut_to_it():
    # Columns 10 to 24 hold all of the second region of the first row and half of the third.
    found = baselines.regions_in_box(REGIONS, (10.0, 0.0, 25.0, 10.0))
    assert np.array_equal(found, rectangle(REGIONS.shape, 10, 0, 20, 10))
    found = baselines.regions_in_box(REGIONS, (8.0, 1.0, 26.0, 10.0))
    assert np.array_equal(found, rectangle(REGIONS.shape, 10, 1, 26, 10))
    tiny = baselines.regions_in_box(REGIONS, (2.0, 2.0, 5.0, 5.0))
    assert np.array_equal(tiny, rectangle(REGIONS.shape, 2, 2, 5, 5))
