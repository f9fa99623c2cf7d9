"""What a user points at: clicks, a box, a rough mask, for one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PromptError

MIN_BOX = 1.0
"""Shortest side of a box, in pixels: below it nothing can be enclosed."""


@dataclass(frozen=True, eq=False)
class Prompt:
    """Points, a box, a mask, or any mix of them, that mean **one** object.

    Parameters
    ----------
    points : array_like of float, shape (N, 2), optional
        Clicks as x, y: continuous pixels, x right, y down, origin at the top-left corner of the
        top-left pixel (its centre is 0.5, 0.5).
    labels : array_like of int, shape (N,), optional
        1 for a click on the object, 0 for a click on what is not the object. All 1 by default.
    box : array_like of float, shape (4,), optional
        Outer edges x0, y0, x1, y1. Corners may be given in any order.
    mask : array_like of bool, shape (H, W), optional
        A rough mask of the object, of the image's size; the answer refines it.

    Raises
    ------
    PromptError
        If nothing is given, numbers are not finite, labels are not 0 or 1 or not as many as
        points, the box has no area, the mask is empty, or only background points are given.
    """

    points: ArrayLike | None = None
    labels: ArrayLike | None = None
    box: ArrayLike | None = None
    mask: ArrayLike | None = None

    def __post_init__(self) -> None:
        points = _points(self.points)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "labels", _labels(self.labels, len(points)))
        object.__setattr__(self, "box", _box(self.box))
        object.__setattr__(self, "mask", _mask(self.mask))
        if self.box is None and self.mask is None:
            if not len(points):
                raise PromptError(
                    "Nothing is marked yet. Click the object or draw a box around it."
                )
            if not self.labels.any():
                raise PromptError(
                    "There are only “not this” points. Add at least one point on the object "
                    "itself, or draw a box around it."
                )

    @property
    def ambiguous(self) -> bool:
        """True for a lone click, which may mean a roof, its ridge, or the whole block."""
        return len(self.points) == 1 and self.box is None and self.mask is None

    def clipped(self, shape: tuple[int, int]) -> Prompt:
        """The prompt checked against an image and its box cut to it.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the image.

        Raises
        ------
        PromptError
            If a point or the whole box lies outside the image, or the mask has another size.
        """
        height, width = shape
        x, y = self.points[:, 0], self.points[:, 1]
        outside = (x < 0) | (y < 0) | (x > width) | (y > height)
        if outside.any():
            bad = self.points[outside][0]
            raise PromptError(
                f"The point ({bad[0]:g}, {bad[1]:g}) lies outside the image, which is "
                f"{width} × {height} pixels. Choose a point inside it."
            )
        box = self.box
        if box is not None:
            box = np.array(
                [max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)]
            )
            if box[2] - box[0] < MIN_BOX or box[3] - box[1] < MIN_BOX:
                raise PromptError(
                    f"The box lies outside the image, which is {width} × {height} pixels. "
                    "Draw it around an object inside the image."
                )
        if self.mask is not None and self.mask.shape != (height, width):
            raise PromptError(
                f"The mask is {self.mask.shape[1]} × {self.mask.shape[0]} pixels but the image is "
                f"{width} × {height}. Give a mask of the image's size."
            )
        return replace(self, box=box)


def _points(points: ArrayLike | None) -> NDArray[np.float64]:
    if points is None:
        return np.zeros((0, 2))
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PromptError("Points must be pairs of numbers x, y. Check what was typed.") from error
    if array.size == 0:
        return np.zeros((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise PromptError(
            f"Points must be pairs x, y, one row a point; got an array of shape {array.shape}."
        )
    if not np.isfinite(array).all():
        raise PromptError(
            "A point has a coordinate that is not a number. Remove it and click again."
        )
    array.flags.writeable = False
    return array


def _labels(labels: ArrayLike | None, count: int) -> NDArray[np.int64]:
    if labels is None:
        return np.ones(count, np.int64)
    try:
        array = np.array(labels, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PromptError("Point labels must be 1 (the object) or 0 (not the object).") from error
    if array.shape != (count,):
        raise PromptError(
            f"There are {count} points but {array.size} labels. Give one label a point."
        )
    if not np.isin(array, (0, 1)).all():
        raise PromptError("Point labels must be 1 (the object) or 0 (not the object).")
    return array.astype(np.int64)


def _box(box: ArrayLike | None) -> NDArray[np.float64] | None:
    if box is None:
        return None
    try:
        array = np.array(box, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise PromptError("A box needs four numbers: x0, y0, x1, y1.") from error
    if array.shape != (4,):
        raise PromptError(f"A box needs four numbers x0, y0, x1, y1; got {array.size}.")
    if not np.isfinite(array).all():
        raise PromptError("The box has a coordinate that is not a number. Draw it again.")
    x0, x1 = sorted(array[[0, 2]])
    y0, y1 = sorted(array[[1, 3]])
    if x1 - x0 < MIN_BOX or y1 - y0 < MIN_BOX:
        raise PromptError(
            "The box has no area. Press at one corner of the object, drag to the opposite corner "
            "and release."
        )
    result = np.array([x0, y0, x1, y1])
    result.flags.writeable = False
    return result


def _mask(mask: ArrayLike | None) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    array = np.asarray(mask)
    if array.ndim != 2:
        raise PromptError(f"A mask must have two dimensions (rows, columns), not {array.ndim}.")
    array = array.astype(bool)
    if not array.any():
        raise PromptError("The mask is empty. Paint at least one pixel of the object.")
    return array


def as_list(prompts: Prompt | Sequence[Prompt]) -> list[Prompt]:
    """One prompt or several as a list."""
    return [prompts] if isinstance(prompts, Prompt) else list(prompts)
