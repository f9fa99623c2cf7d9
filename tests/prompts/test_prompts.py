"""Prompts: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import PromptError, RsamError
from rsam_core.prompts.prompt import Prompt, as_list

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Click the object or draw a box"),
        ({"points": []}, "Click the object or draw a box"),
        ({"points": np.zeros((0, 2)), "labels": []}, "Click the object or draw a box"),
        ({"points": [(4, 5), (6, 7)], "labels": [0, 0]}, "at least one point on the object"),
        ({"points": [(NAN, 5)]}, "not a number.*click again"),
        ({"points": [(4, INF)]}, "not a number.*click again"),
        ({"points": (412, 230)}, "pairs x, y"),
        ({"points": [(1, 2, 3)]}, "pairs x, y"),
        ({"points": [("a", "b")]}, "pairs of numbers"),
        ({"points": [(1, 2), (3,)]}, "pairs of numbers"),
        ({"points": [(1, 2), (3, 4)], "labels": [1]}, "2 points but 1 labels"),
        ({"points": [(1, 2)], "labels": [1, 0]}, "1 points but 2 labels"),
        ({"labels": [1]}, "0 points but 1 labels"),
        ({"points": [(1, 2)], "labels": [2]}, "1 .the object. or 0"),
        ({"points": [(1, 2)], "labels": [NAN]}, "1 .the object. or 0"),
        ({"points": [(1, 2)], "labels": ["yes"]}, "1 .the object. or 0"),
        ({"box": (3, 4, 3, 9)}, "no area.*drag"),
        ({"box": (3, 4, 9, 4)}, "no area.*drag"),
        ({"box": (5, 5, 5, 5)}, "no area.*drag"),
        ({"box": (3, 4, 3.5, 40)}, "no area.*drag"),
        ({"box": (3, NAN, 9, 9)}, "not a number.*Draw it again"),
        ({"box": (3, 4, INF, 9)}, "not a number.*Draw it again"),
        ({"box": (3, 4, 9)}, "four numbers"),
        ({"box": [(1, 2, 9, 9), (1, 2, 9, 9)]}, "four numbers"),
        ({"box": "here"}, "four numbers"),
        ({"mask": np.zeros((4, 4), bool)}, "empty.*Paint"),
        ({"mask": np.ones((4, 4, 1), bool)}, "two dimensions"),
    ],
)
def test_unusable_prompt_is_refused_with_the_remedy(fields, words):
    with pytest.raises(PromptError, match=words) as caught:
        Prompt(**fields)
    assert isinstance(caught.value, RsamError)


@pytest.mark.parametrize("point", [(-0.1, 5), (5, -3), (20.1, 5), (5, 10.5), (1e9, 1e9)])
def test_point_outside_the_image_is_refused(point):
    prompt = Prompt(points=[(4, 5), point])
    with pytest.raises(PromptError, match="outside the image, which is 20 × 10 pixels"):
        prompt.clipped((10, 20))


def test_message_names_the_point_that_lies_outside():
    with pytest.raises(PromptError, match=r"point \(33, 2\.5\)"):
        Prompt(points=[(4, 5), (33, 2.5)]).clipped((10, 20))


@pytest.mark.parametrize("point", [(0, 0), (20, 10), (19.999, 0)])
def test_point_on_the_very_edge_is_inside(point):
    assert Prompt(points=[point]).clipped((10, 20)).points.tolist() == [list(point)]


@pytest.mark.parametrize(
    "box", [(-9, 2, -1, 8), (21, 2, 30, 8), (2, -8, 9, 0), (2, 10, 9, 18), (19.5, 2, 40, 8)]
)
def test_box_outside_the_image_is_refused(box):
    with pytest.raises(PromptError, match="box lies outside the image, which is 20 × 10"):
        Prompt(box=box).clipped((10, 20))


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((-5, -5, 50, 50), (0, 0, 20, 10)),
        ((3.5, 2.25, 7.5, 99), (3.5, 2.25, 7.5, 10)),
        ((-1, 2, 4, 8), (0, 2, 4, 8)),
        ((3, 4, 9, 8), (3, 4, 9, 8)),
    ],
)
def test_box_is_cut_to_the_image(box, cut):
    assert Prompt(box=box).clipped((10, 20)).box.tolist() == list(cut)


def test_mask_of_another_size_is_refused():
    mask = np.ones((6, 8), bool)
    with pytest.raises(PromptError, match="mask is 8 × 6 pixels but the image is 20 × 10"):
        Prompt(mask=mask).clipped((10, 20))
    assert Prompt(mask=mask).clipped((6, 8)).mask.sum() == 48


@pytest.mark.parametrize("corners", [(2, 3, 9, 7), (9, 7, 2, 3), (9, 3, 2, 7), (2, 7, 9, 3)])
def test_corners_may_come_in_any_order(corners):
    assert Prompt(box=corners).box.tolist() == [2, 3, 9, 7]


def test_labels_are_foreground_by_default():
    prompt = Prompt(points=[(1, 2), (3, 4)])
    assert prompt.labels.tolist() == [1, 1]
    assert prompt.labels.dtype.kind == "i"


def test_background_points_are_fine_beside_a_box_or_a_mask():
    assert Prompt(points=[(1, 2)], labels=[0], box=(0, 0, 5, 5)).labels.tolist() == [0]
    assert Prompt(points=[(1, 2)], labels=[0], mask=np.ones((5, 5))).labels.tolist() == [0]


def test_only_a_lone_click_is_ambiguous():
    assert Prompt(points=[(1, 2)]).ambiguous
    assert not Prompt(points=[(1, 2), (3, 4)]).ambiguous
    assert not Prompt(points=[(1, 2)], box=(0, 0, 5, 5)).ambiguous
    assert not Prompt(box=(0, 0, 5, 5)).ambiguous
    assert not Prompt(points=[(1, 2)], mask=np.ones((5, 5))).ambiguous


def test_prompt_does_not_change_with_the_list_it_came_from():
    points = np.array([(1.0, 2.0)])
    prompt = Prompt(points=points)
    points[:] = 99
    assert prompt.points.tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="read-only"):
        prompt.points[0] = 7


def test_one_prompt_or_several_as_a_list():
    prompt = Prompt(points=[(1, 2)])
    assert as_list(prompt) == [prompt]
    assert as_list((prompt, prompt)) == [prompt, prompt]
