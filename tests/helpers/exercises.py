"""A picture with three known rectangles, and an exercise on them."""

from __future__ import annotations

import numpy as np

from rsam_core.evaluate.learn.attempt import Attempt, Dot
from rsam_core.evaluate.learn.exercise import Assignment, make_exercise
from rsam_core.evaluate.learn.subject import Subject

BOXES = {3: (10, 10, 30, 20), 7: (50, 10, 80, 40), 9: (20, 50, 32, 62)}
"""Pixel edges x0, y0, x1, y1 by number."""
SHAPE = (80, 120)


def subject() -> Subject:
    """Three roofs of 200, 900 and 144 pixels; a fourth, which the border cuts, and a speck."""
    labels = np.zeros(SHAPE, np.int32)
    for number, (x0, y0, x1, y1) in BOXES.items():
        labels[y0:y1, x0:x1] = number
    labels[60:80, 100:120] = 11
    labels[2:5, 2:5] = 12
    image = np.full((*SHAPE, 3), 60, np.uint8)
    image[labels > 0] = 200
    kinds = {3: "roof", 7: "roof", 9: "roof", 11: "roof", 12: "car"}
    return Subject("drawn", "Three roofs", image, 0.3, labels, kinds)


def task(numbers: tuple[int, ...] = (7, 3), **settings) -> Assignment:
    """An exercise on some of them."""
    return make_exercise(subject(), "own", numbers, **settings)


def box_answer(prompt) -> np.ndarray:
    """A model that takes a box as it is, and around a click a square of 10 pixels."""
    mask = np.zeros(SHAPE, bool)
    if prompt.box is not None:
        x0, y0, x1, y1 = (round(float(v)) for v in prompt.box)
        mask[y0:y1, x0:x1] = True
    for x, y in prompt.points[prompt.labels == 1]:
        mask[max(int(y) - 5, 0) : int(y) + 5, max(int(x) - 5, 0) : int(x) + 5] = True
    return mask


def done(made: Assignment, *, seconds: float = 12.0) -> Attempt:
    """An attempt in which each object got its exact box, in so many seconds."""
    attempt = Attempt.of(made).begin(100.0)
    for index, number in enumerate(made.numbers):
        ys, xs = np.nonzero(made.subject.mask(number))
        box = Dot(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1, box=True)
        attempt = attempt.go(made, index, 100.0).mark(made, box, box_answer)
    return attempt.finish(made, 100.0 + seconds)
