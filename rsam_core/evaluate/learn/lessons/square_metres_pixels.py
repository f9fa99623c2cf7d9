"""Pixels of any size over one object: how many there are, and what area they amount to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.kind_names import ONE
from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.objects import palette
from rsam_core.objects.ground_sizes import ground_areas
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.ground_scale import Ground

FINE = 0.1
"""Metres a pixel of the picture from which the coarser ones are made."""
STEPS = (1, 2, 5, 10, 20, 50)
"""Sides of coarser pixels in pixels of `FINE`; all of them divide the picture's sides."""
_SIZE = 800, 500
_TINT = np.array(palette.to_rgb(palette.TRUE_POSITIVE), float)
_LINE = palette.to_rgb(palette.HIGHLIGHT)
_GRID_FROM = 10
"""Pixels get lines around them from so many pixels of the shown picture on."""


@dataclass(frozen=True, eq=False)
class Counted:
    """An object, as pixels of some size show it.

    Attributes
    ----------
    mask : (h, w) ndarray of bool
        The pixels that the object covers by half or more.
    gsd : float
        Their side in metres.
    count : int
    area : float
        Square metres that RSAM measures if it is told `stated`.
    stated : float
        Metres a pixel, as the file says.
    true_area : float
        Square metres of the object as it was drawn.
    """

    mask: NDArray[np.bool_] = field(repr=False)
    gsd: float
    count: int
    area: float
    stated: float
    true_area: float

    @property
    def ratio(self) -> float:
        """The measured area in true areas."""
        return self.area / self.true_area


def subject() -> Subject:
    """The place that is looked at."""
    return town_subject("suburb", 4, FINE, *_SIZE)


@lru_cache(maxsize=1)
def first_object() -> int:
    """The largest house that lies wholly inside the picture."""
    for number in subject().numbers("roof"):
        mask = subject().mask(number)
        if not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()):
            return number
    return subject().numbers("roof")[0]


def object_at(x: float, y: float) -> int | None:
    """The true object at a place of the picture; None on bare ground and on streets."""
    labels = subject().labels
    row, column = min(int(y), labels.shape[0] - 1), min(int(x), labels.shape[1] - 1)
    number = int(labels[row, column])
    return number if subject().kinds.get(number) in ONE else None


def counted(number: int, step: int, error: float = 0.0) -> Counted:
    """Count the pixels of an object and turn them into square metres.

    Parameters
    ----------
    number : int
        Of the true object.
    step : int
        One of `STEPS`.
    error : float
        Share by which the pixel size in the file is too large; too small below 0.
    """
    true = subject().mask(number)
    height, width = true.shape
    mask = true.reshape(height // step, step, width // step, step).mean((1, 3)) >= 0.5
    gsd = step * FINE
    stated = gsd * (1 + error)
    area = 0.0
    if mask.any():
        one = Instances([Instance(mask)], mask.shape)
        area = float(ground_areas(one, Ground.square(stated))[0])
    return Counted(
        mask, gsd, int(mask.sum()), area, stated, float(np.count_nonzero(true)) * FINE**2
    )


@lru_cache(maxsize=len(STEPS))
def coarse(step: int) -> NDArray[np.uint8]:
    """The place in pixels of `step` · `FINE` metres, each shown as a square, (500, 800, 3)."""
    image = subject().image
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // step, height // step), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)


@lru_cache(maxsize=16)
def picture(number: int, step: int) -> NDArray[np.uint8]:
    """The place in such pixels, those of the object tinted, and its true outline in yellow."""
    shown = coarse(step).astype(float)
    mask = np.repeat(np.repeat(counted(number, step).mask, step, 0), step, 1)
    shown[mask] = 0.45 * shown[mask] + 0.55 * _TINT
    if step >= _GRID_FROM:
        shown[::step] *= 0.75
        shown[:, ::step] *= 0.75
    result = np.ascontiguousarray(np.round(shown).astype(np.uint8))
    true = subject().mask(number).astype(np.uint8)
    lines, _ = cv2.findContours(true, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(result, lines, -1, _LINE, 2, cv2.LINE_AA)
    return result


def close_up(number: int, step: int) -> NDArray[np.uint8]:
    """The part of `picture` around the object, whole pixels of it, for paper."""
    rows, columns = np.nonzero(subject().mask(number))
    top, left = ((int(v.min()) // step - 1) * step for v in (rows, columns))
    bottom, right = ((int(v.max()) // step + 2) * step for v in (rows, columns))
    return picture(number, step)[max(top, 0) : bottom, max(left, 0) : right]
