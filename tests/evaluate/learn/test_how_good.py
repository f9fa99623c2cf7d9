"""Lesson 7: masks that are moved, grown and roughened, against arithmetic on sets of pixels."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.evaluate.learn.lessons import how_good
from rsam_core.evaluate.learn.lessons.how_good import AROUND, Disturbance, disturbed, judged

SHAPE = (60, 80)


def block(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def reached(mask: np.ndarray, distance: float) -> np.ndarray:
    """All pixels nearer than that to a pixel of the mask, by a disc drawn pixel by pixel."""
    reach = int(distance)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return ndimage.binary_dilation(mask, x**2 + y**2 < distance**2)


def shares(truth: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """The metrics by their definition, over sets of pixels."""
    true, found = set(np.flatnonzero(truth)), set(np.flatnonzero(mask))
    outside = truth.size - len(true)
    return {
        "iou": len(true & found) / len(true | found),
        "dice": 2 * len(true & found) / (len(true) + len(found)),
        "pixel_accuracy": 1 - len(true ^ found) / truth.size,
        "tpr": len(true & found) / len(true),
        "fpr": len(found - true) / outside,
        "printed_fpr": len(found - true) / len(true ^ found),
    }


def test_nothing_changed_is_the_truth() -> None:
    _, truth = how_good.playground()
    assert np.array_equal(disturbed(truth, Disturbance()), truth)


def test_a_shift_moves_every_pixel() -> None:
    moved = disturbed(block(20, 20, 12, 18), Disturbance(dx=7, dy=-5))
    assert np.array_equal(moved, block(15, 27, 12, 18))
    # What leaves the picture is gone.
    assert disturbed(block(20, 70, 5, 10), Disturbance(dx=6)).sum() == 5 * 4


@pytest.mark.parametrize("pixels", [1, 3, 8])
def test_grown_is_all_that_is_near_and_shrunk_what_is_deep(pixels: int) -> None:
    truth = block(15, 20, 30, 25)
    assert np.array_equal(disturbed(truth, Disturbance(grow=pixels)), reached(truth, pixels + 0.5))
    left = ~reached(~truth, pixels + 0.5)
    assert np.array_equal(disturbed(truth, Disturbance(grow=-pixels)), left)


def test_a_rough_outline_frays_about_where_it_was() -> None:
    truth = block(15, 20, 30, 40)
    rough = disturbed(truth, Disturbance(rough=2))
    assert np.array_equal(rough, disturbed(truth, Disturbance(rough=2))), "the same each time"
    assert 0 < (rough != truth).sum() < 0.5 * truth.sum()
    assert rough.sum() == pytest.approx(truth.sum(), rel=0.1)
    # Nothing far from the outline changes.
    deep = ~reached(~truth, 9) | ~reached(truth, 9)
    assert np.array_equal(rough[deep], truth[deep])


@pytest.mark.parametrize("change", [Disturbance(9, 4), Disturbance(grow=5), Disturbance(2, 0, -3)])
def test_numbers_by_their_definition(change: Disturbance) -> None:
    _, truth = how_good.playground(AROUND[2])
    mask = disturbed(truth, change)
    found = judged(truth, mask)
    for name, value in shares(truth, mask).items():
        assert getattr(found, name) == pytest.approx(value), name


def test_without_errors_there_is_no_share_of_errors() -> None:
    truth = block(10, 10, 9, 9)
    assert judged(truth, truth).printed_fpr is None


def test_the_same_house_with_more_ground() -> None:
    areas = {around: how_good.playground(around)[1] for around in AROUND}
    assert len({int(mask.sum()) for mask in areas.values()}) == 1
    sides = [max(mask.shape) for mask in areas.values()]
    assert sides == sorted(sides)


def report(**values: float) -> dict[str, float]:
    """What the page would say of a disturbance."""
    _, truth = how_good.playground(values.pop("around", AROUND[1]))
    change = Disturbance(**values)
    return {**vars(change), **shares(truth, disturbed(truth, change))}


def test_checks_are_done_by_what_they_ask_for() -> None:
    lesson = how_good.LESSON
    assert lesson.done(report(dx=1)) == set()
    half = next(report(dx=dx) for dx in range(1, 31) if report(dx=dx)["iou"] <= 0.55)
    assert lesson.done(half) == {"half"}
    assert lesson.done({**half, "rough": 1.0}) == set()
    large = next(report(grow=g) for g in range(1, 13) if report(grow=g)["iou"] < 0.6)
    assert "all" in lesson.done(large)
    assert lesson.done({**large, "tpr": 0.99}) == set()
    assert "flattered" in lesson.done(report(dx=14, around=AROUND[-1]))
    assert "flattered" not in lesson.done(report(dx=14, around=AROUND[0]))


def numbers(text: str) -> list[float]:
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_the_worksheet_asks_and_answers_with_what_is_counted() -> None:
    first, second, _, fourth = how_good.worksheet()
    tp, fp, fn = numbers(first.question)[:3]
    *_, iou, _two, tp2, _two2, tp3, fp3, fn3, dice = numbers(first.answer)
    assert (tp2, tp3, fp3, fn3) == (tp, tp, fp, fn)
    assert iou == pytest.approx(100 * tp / (tp + fp + fn), abs=0.051)
    assert dice == pytest.approx(200 * tp / (2 * tp + fp + fn), abs=0.051)
    (tn,) = numbers(second.question)
    accuracy, wide, again = numbers(second.answer)
    assert accuracy == pytest.approx(100 * (tp + tn) / (tp + tn + fp + fn), abs=0.051)
    assert accuracy < wide < 100
    assert again == pytest.approx(iou, abs=0.051)
    *_, usual, fp4, fp5, fn5, printed = numbers(fourth.answer)
    assert (fp4, fp5, fn5) == (fp, fp, fn)
    assert usual == pytest.approx(100 * fp / (fp + tn), abs=0.051)
    assert printed == pytest.approx(100 * fp / (fp + fn), abs=0.051)
