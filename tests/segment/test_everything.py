"""Automatic mode: on drawn shapes with a model whose answers are known, and on a rendered town."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rsam_core.errors import PromptError
from rsam_core.objects.instance import Instance
from rsam_core.segment.everything import (
    EverythingSettings,
    EverythingState,
    estimate_seconds,
    generate,
    grid_points,
    initialize,
    settings_for,
)
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, overlap, rectangle

SHAPE = (96, 128)
HOUSES = [
    rectangle(SHAPE, 4, 4, 40, 40),
    rectangle(SHAPE, 60, 8, 90, 30),
    rectangle(SHAPE, 70, 50, 120, 90),
    rectangle(SHAPE, 10, 60, 30, 80),
]
GROUND = ~np.logical_or.reduce(HOUSES)


def point_at_house(prompt, multimask):
    """The house under the point with a sure score, a third of it with a poor one, or the ground."""
    x, y = (int(v) for v in prompt.points[0])
    for mask in HOUSES:
        if mask[y, x]:
            part = mask.copy()
            part[y + 1 :] = False
            return [part, mask, np.zeros(SHAPE, bool)], [0.3, 0.9, 0.8]
    return [GROUND, GROUND, GROUND], [0.7, 0.2, 0.1]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel(point_at_house, name="rsam-tiny")


@pytest.fixture
def segmenter(model) -> Segmenter:
    return Segmenter(model)


@pytest.fixture
def embedding(segmenter):
    return segmenter.embed(np.zeros((*SHAPE, 3), np.uint8))


def state(*masks: np.ndarray, scores: list[float], stability: float = 0.9) -> EverythingState:
    instances = [Instance(m, score=s) for m, s in zip(masks, scores)]
    return EverythingState(
        tuple(instances), np.full(len(masks), stability, np.float32), masks[0].shape, 1, True
    )


def masks_of(objects) -> list[np.ndarray]:
    result = []
    for item in objects:
        full = np.zeros(objects.shape, bool)
        x0, y0, x1, y1 = item.bbox
        full[y0:y1, x0:x1] = item.mask
        result.append(full)
    return result


# ------------------------------------------------------------------ the grid


def test_grid_by_hand():
    points = grid_points((64, 96), 32)
    expected = {(x, y) for x in (16, 48, 80) for y in (16, 48)}
    assert {tuple(p) for p in points} == expected
    assert len(points) == 6


@pytest.mark.parametrize("shape", [(1, 1), (8, 200), (100, 100), (257, 333), (47, 49)])
@pytest.mark.parametrize("spacing", [4, 10, 32])
def test_grid_leaves_no_pixel_far_from_a_point(shape, spacing):
    points = grid_points(shape, spacing)
    height, width = shape
    assert len({tuple(p) for p in points}) == len(points)
    assert ((points > 0) & (points < (width, height))).all()
    for axis, size in ((0, width), (1, height)):
        lines = np.unique(points[:, axis])
        gaps = np.diff([-lines[0], *lines, 2 * size - lines[-1]])
        # Rounding to a whole number of lines stretches them by half at most.
        assert gaps.max() <= max(1.5 * spacing, 1)
        assert gaps == pytest.approx(gaps[0])


def test_half_of_the_points_already_covers_the_view():
    points = grid_points((640, 640), 20)
    half = points[: len(points) // 2]
    counts = np.histogram2d(half[:, 0], half[:, 1], bins=4, range=[(0, 640)] * 2)[0]
    # 1024 points: of the 64 in each sixteenth about 32 should have been seen.
    assert counts.min() >= 20
    assert counts.max() <= 44


# ------------------------------------------------------------------ initialize


def test_every_drawn_house_is_found_once(segmenter, embedding):
    objects = segmenter.everything(embedding, EverythingSettings(spacing=16))
    assert objects.shape == SHAPE
    found = masks_of(objects)
    assert len(found) == 4
    assert all(any(np.array_equal(house, mask) for mask in found) for house in HOUSES)
    assert objects.scores == pytest.approx([0.9] * 4)
    assert sorted(objects.ids) == [1, 2, 3, 4]
    assert {item.source for item in objects} == {"everything"}


def test_each_grid_point_is_decoded_once_and_generate_decodes_nothing(segmenter, embedding, model):
    settings = EverythingSettings(spacing=16)
    found = initialize(segmenter, embedding, settings)
    # 128 / 16 columns, 96 / 16 rows.
    assert len(model.calls) == found.points == 48
    assert found.complete
    asked = {tuple(c.prompt.points[0]) for c in model.calls}
    assert asked == {(8 + 16 * i, 8 + 16 * j) for i in range(8) for j in range(6)}
    assert all(c.multimask for c in model.calls)
    for quality in (0.3, 0.6, 0.95):
        generate(found, dataclasses.replace(settings, min_quality=quality))
    assert len(model.calls) == 48


def test_masks_that_no_threshold_could_want_are_not_kept(segmenter, embedding):
    found = initialize(segmenter, embedding, EverythingSettings(spacing=16))
    assert min(mask.score for mask in found.masks) > 0.25
    scores = [mask.score for mask in found.masks]
    assert scores == sorted(scores, reverse=True)
    assert len(found.stability) == len(found.masks)


def test_different_masks_of_one_box_and_area_are_both_kept():
    # Two triangles with the same bounding box and the same number of pixels.
    lower = np.tri(20, dtype=bool)
    upper = lower[::-1]
    segmenter = Segmenter(FakeModel(lambda prompt, many: ([lower, upper], [0.9, 0.8])))
    embedding = segmenter.embed(np.zeros((20, 20, 3), np.uint8))
    found = initialize(segmenter, embedding, EverythingSettings(spacing=5))
    assert len(found.masks) == 2
    assert np.array_equal(found.masks[0].mask, lower)
    assert np.array_equal(found.masks[1].mask, upper)


def test_progress_rises_to_one(segmenter, embedding):
    told: list[tuple[float, str]] = []
    initialize(
        segmenter,
        embedding,
        EverythingSettings(spacing=16),
        progress=lambda share, text: told.append((share, text)),
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert len(shares) >= 3
    assert shares[-1] == 1
    assert told[-1][1] == "48 of 48 points"
    assert shares[0] == pytest.approx(int(told[0][1].split()[0]) / 48)


def test_cancelling_keeps_what_was_found(segmenter, embedding, model):
    shares: list[float] = []
    found = initialize(
        segmenter,
        embedding,
        EverythingSettings(spacing=8),
        progress=lambda share, _: shares.append(share),
        cancelled=lambda: len(shares) == 3,
    )
    assert not found.complete
    assert 0 < found.points < 192
    assert len(model.calls) == found.points
    assert shares[-1] == pytest.approx(found.points / 192)
    # A quarter of an even grid has met all four houses already.
    assert len(generate(found, EverythingSettings())) == 4


def test_cancelled_before_the_first_point(segmenter, embedding, model):
    found = initialize(segmenter, embedding, EverythingSettings(), cancelled=lambda: True)
    assert (found.masks, found.points, found.complete) == ((), 0, False)
    assert len(generate(found)) == 0
    assert model.calls == []


def test_estimate_comes_from_a_few_points_only(segmenter, embedding, model):
    seconds = estimate_seconds(segmenter, embedding, EverythingSettings(spacing=4))
    assert seconds > 0
    assert len(model.calls) < 10


@pytest.mark.parametrize(
    ("changes", "scores"),
    [
        ({}, {0.3, 0.7, 0.9}),
        ({"keep_quality": 0.8}, {0.9}),
        ({"keep_quality": 0.5}, {0.7, 0.9}),
        # The model says 0.9 of all of them.
        ({"keep_stability": 0.89}, {0.3, 0.7, 0.9}),
        ({"keep_stability": 0.91}, set()),
    ],
)
def test_what_is_not_to_be_kept_is_not(segmenter, embedding, changes, scores):
    found = initialize(segmenter, embedding, EverythingSettings(spacing=16, **changes))
    # Floats of the model have single precision.
    assert {round(float(score), 3) for score in found.scores} == scores


# ------------------------------------------------------------------ leaving out covered points


def test_points_on_good_masks_are_left_out(segmenter, embedding, model):
    settings = EverythingSettings(spacing=8, skip_covered=True)
    found = initialize(segmenter, embedding, settings)
    assert found.complete
    assert found.points == 192
    # Houses are 30 x 22 and more pixels; at most (3 x 8)² = 576 let a mask cover points.
    covering = [house for house in HOUSES if house.sum() <= 576]
    assert len(covering) == 1
    (small,) = covering
    asked = [c.prompt.points[0].astype(int) for c in model.calls]
    on_it = [(x, y) for x, y in asked if small[y, x]]
    grid = grid_points(SHAPE, 8).astype(int)
    assert 1 <= len(on_it) < sum(small[y, x] for x, y in grid)
    # All other points were asked.
    assert len(asked) - len(on_it) == sum(not small[y, x] for x, y in grid)
    assert len(generate(found, settings)) == 4


def test_leaving_points_out_tells_the_same_progress(segmenter, embedding):
    shares: list[float] = []
    settings = EverythingSettings(spacing=8, skip_covered=True)
    initialize(segmenter, embedding, settings, progress=lambda share, _: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1


# ------------------------------------------------------------------ generate


def test_thresholds_act_as_named():
    small, large = rectangle(SHAPE, 0, 0, 5, 5), rectangle(SHAPE, 20, 20, 60, 60)
    both = state(large, small, scores=[0.9, 0.7])
    assert len(generate(both, EverythingSettings(min_area=25))) == 2
    assert len(generate(both, EverythingSettings(min_area=26))) == 1
    assert len(generate(both, EverythingSettings(min_area=0, min_quality=0.71))) == 1
    assert len(generate(both, EverythingSettings(min_area=0, min_stability=0.95))) == 0
    # 1600 of 12,288 pixels are 13.02 %.
    assert len(generate(both, EverythingSettings(min_area=0, max_share=0.14))) == 2
    assert len(generate(both, EverythingSettings(min_area=0, max_share=0.13))) == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("min_quality", (0.25, 0.4, 0.6, 0.8, 0.95)),
        ("min_stability", (0.0, 0.5, 0.8, 0.95, 1.0)),
        ("min_area", (0, 30, 200, 1000, 9000)),
        ("max_share", (1.0, 0.3, 0.05, 0.01, 0.0)),
    ],
)
def test_stricter_thresholds_never_pass_more(town_state, name, values):
    # Without suppression, what passes is a matter of the thresholds alone.
    base = EverythingSettings(min_quality=0.25, min_stability=0, max_overlap=1, min_area=0)
    counts = [
        len(generate(town_state, dataclasses.replace(base, **{name: value}))) for value in values
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_more_overlap_allowed_keeps_more(town_state):
    counts = [
        len(generate(town_state, EverythingSettings(max_overlap=value, min_quality=0.3)))
        for value in (0, 0.3, 0.6, 1)
    ]
    assert counts == sorted(counts)


def test_of_two_masks_that_overlap_the_better_one_stays():
    first = rectangle(SHAPE, 0, 0, 20, 10)
    shifted = rectangle(SHAPE, 5, 0, 25, 10)  # 150 shared, 250 in all: IoU 0.6
    both = state(first, shifted, scores=[0.9, 0.8])
    kept = generate(both, EverythingSettings(max_overlap=0.59))
    assert np.array_equal(masks_of(kept)[0], first)
    assert len(kept) == 1
    assert len(generate(both, EverythingSettings(max_overlap=0.6))) == 2


def test_overlap_is_that_of_masks_not_of_boxes():
    lower = np.tri(40, dtype=bool)
    upper = lower.T & ~np.eye(40, dtype=bool)
    upper &= ~lower
    both = state(lower, upper, scores=[0.9, 0.8])
    settings = EverythingSettings(max_overlap=0.1, max_share=1)
    assert len(generate(both, settings)) == 2


def test_suppressed_mask_suppresses_nothing():
    a, b, c = (rectangle(SHAPE, x, 0, x + 20, 10) for x in (0, 6, 12))
    # a beats b (IoU 14 / 26 = 0.54); c overlaps b as much, and a little (8 / 32 = 0.25).
    kept = generate(state(a, b, c, scores=[0.9, 0.8, 0.7]), EverythingSettings(max_overlap=0.5))
    assert len(kept) == 2
    assert np.array_equal(masks_of(kept)[1], c)


def test_part_inside_a_whole_stays():
    whole, part = rectangle(SHAPE, 0, 0, 40, 40), rectangle(SHAPE, 5, 5, 15, 15)
    assert len(generate(state(whole, part, scores=[0.9, 0.8]))) == 2


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"spacing": 3.9}, "at least 4 pixels apart"),
        ({"spacing": float("nan")}, "at least 4 pixels apart"),
        ({"min_quality": 1.1}, "min quality.*between 0 and 1"),
        ({"min_stability": -0.1}, "min stability.*between 0 and 1"),
        ({"max_overlap": float("nan")}, "max overlap.*between 0 and 1"),
        ({"max_share": 2}, "max share.*between 0 and 1"),
        ({"keep_quality": 1.1}, "keep quality.*between 0 and 1"),
        ({"keep_stability": -0.1}, "keep stability.*between 0 and 1"),
        ({"min_area": -1}, "cannot be negative"),
        ({"min_area": float("nan")}, "cannot be negative"),
    ],
)
def test_senseless_settings_are_refused(fields, words):
    with pytest.raises(PromptError, match=words):
        EverythingSettings(**fields)


def test_official_sam_is_asked_for_more_certainty():
    assert settings_for("sam-vit-b").min_quality == 0.88
    assert settings_for("rsam-tiny").min_quality < 0.7
    assert settings_for("sam-vit-b", spacing=10).spacing == 10


# ------------------------------------------------------------------ a rendered town


def test_roofs_of_a_rendered_town_are_found(town_state, town_roofs):
    assert town_state.complete
    found = masks_of(generate(town_state, EverythingSettings(min_quality=0.4)))
    best = [max((overlap(roof, mask) for mask in found), default=0) for roof in town_roofs]
    assert len(best) >= 5
    assert np.mean([value >= 0.5 for value in best]) >= 0.4
    assert all(mask.shape == (320, 448) for mask in found)


def test_objects_of_a_town_do_not_repeat(town_state):
    found = masks_of(generate(town_state, EverythingSettings(min_quality=0.4, max_overlap=0.6)))
    worst = max(overlap(a, b) for i, a in enumerate(found) for b in found[:i])
    assert worst <= 0.6
