"""Pictures of exercises: what is to be done, what a pupil has, and how it compares."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.objects.palette import CASING, HIGHLIGHT, SINGLE
from rsam_core.render.outlines import draw_outlines
from rsam_core.render.overlays import confusion_picture

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_WIDE = 900
"""Pixels of width from which a picture need not be enlarged before lines are drawn on it."""
_FILL = 0.32


def enlarged(image: Picture) -> tuple[Picture, int]:
    """The picture, twice as large if it is small, so that lines on it are fine; and the factor."""
    if image.shape[1] >= _WIDE:
        return image.copy(), 1
    return cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), 2


def targets(image: Picture, masks: Sequence[Mask]) -> Picture:
    """The picture with the objects of an exercise outlined."""
    picture, scale = enlarged(image)
    return _outlined(picture, masks, scale, HIGHLIGHT)


def work(image: Picture, mask: Mask | None, others: Sequence[Mask] = ()) -> Picture:
    """The picture with what a pupil has of one object, filled, and of others, outlined.

    Parameters
    ----------
    image : (H, W, 3) ndarray of uint8
    mask : (H, W) ndarray of bool or None
    others : sequence of (H, W) ndarray of bool

    Returns
    -------
    ndarray of uint8
        The picture, or twice its size.
    """
    picture, scale = enlarged(image)
    picture = _outlined(picture, others, scale, HIGHLIGHT)
    if mask is None or not mask.any():
        return picture
    large = _larger(mask, scale)
    colour = np.array(_rgb(SINGLE), np.float32)
    picture[large] = (picture[large] * (1 - _FILL) + colour * _FILL).astype(np.uint8)
    return _outlined(picture, [mask], scale, SINGLE)


def compared(made: Assignment, attempt: Attempt) -> Picture:
    """All that a pupil has over all that was asked for: right, too much, and missed."""
    shape = made.subject.shape
    truth, found = np.zeros(shape, bool), np.zeros(shape, bool)
    for index, answer in enumerate(attempt.answers):
        truth |= made.truth(index)
        found |= answer.full_mask(shape)
    return confusion_picture(made.subject.image, truth, found)


def _outlined(picture: Picture, masks: Sequence[Mask], scale: int, colour: str) -> Picture:
    strokes = [(_rgb(CASING), 3.5), (_rgb(colour), 2.0)]
    jobs = [((_larger(mask, scale), 0, 0), strokes) for mask in masks if mask.any()]
    return draw_outlines(picture, jobs) if jobs else picture


def _larger(mask: Mask, scale: int) -> Mask:
    return np.repeat(np.repeat(mask, scale, 0), scale, 1) if scale > 1 else mask


def _rgb(colour: str) -> tuple[int, int, int]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))  # type: ignore[return-value]
