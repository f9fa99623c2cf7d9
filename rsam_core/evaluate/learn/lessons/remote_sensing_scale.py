"""One place at six sizes of pixel, and what still has a pixel of its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.samples.closeup import render_part

STEPS = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1)
"""Metres a pixel, from what many satellites see to what a low aeroplane sees."""
KINDS = ("road", "roof", "car")
EXTENT = (180.0, 90.0)
"""Width and height of the place in metres: whole pixels at every step."""
PART = (36.0, 18.0)
"""Width and height of the close-up in metres."""
_STYLE, _SEED, _GSD = "suburb", 3, 0.3
_FINEST = STEPS[-1]
_GRID = 3.0
"""Close-ups begin at whole multiples of so many metres, so that few are drawn."""
_FULL = 0.999
"""Share of a pixel that counts as all of it; the rest is rounding."""


def place() -> Subject:
    """The place with its truth, at the finest step at which a screen can show all of it."""
    width, height = (round(side / _GSD) for side in EXTENT)
    return town_subject(_STYLE, _SEED, _GSD, width, height)


def size_at(gsd: float) -> tuple[int, int]:
    """Width and height of the whole place in pixels."""
    return round(EXTENT[0] / gsd), round(EXTENT[1] / gsd)


@lru_cache(maxsize=len(STEPS))
def sensed(gsd: float) -> NDArray[np.uint8]:
    """The place as a sensor records it: each pixel is the mean of the ground that it covers.

    Returns
    -------
    (90 / gsd, 180 / gsd, 3) ndarray of uint8
        At the finest step as large as at the last but one.
    """
    image = place().image
    if gsd <= _GSD:
        return image
    return cv2.resize(image, size_at(gsd), interpolation=cv2.INTER_AREA)


def whole(gsd: float) -> NDArray[np.uint8]:
    """The place with its pixels as squares, (300, 600, 3) uint8."""
    height, width = place().shape
    return cv2.resize(sensed(gsd), (width, height), interpolation=cv2.INTER_NEAREST)


def corner_around(x: float, y: float) -> tuple[float, float]:
    """Left and upper edge, in metres, of the close-up around a place given in metres."""
    left, top = (
        float(np.clip(round((at - side / 2) / _GRID) * _GRID, 0.0, most - side))
        for at, side, most in zip((x, y), PART, EXTENT)
    )
    return left, top


@lru_cache(maxsize=16)
def closeup(corner: tuple[float, float], gsd: float) -> NDArray[np.uint8]:
    """A part of the place with its pixels as squares, (180, 360, 3) uint8."""
    width, height = (round(side / _FINEST) for side in PART)
    if gsd <= _FINEST:
        return render_part(EXTENT, corner, (width, height), gsd=_FINEST, seed=_SEED, style=_STYLE)
    image = sensed(gsd)
    columns, rows = (
        np.floor((start + (np.arange(count) + 0.5) * _FINEST) / gsd).astype(int)
        for start, count in zip(corner, (width, height))
    )
    return image[np.ix_(rows, columns)]


@lru_cache(maxsize=len(STEPS))
def own_pixels(gsd: float) -> Mapping[str, float]:
    """How much still has a pixel of its own, which nothing else is mixed into.

    Returns
    -------
    mapping of str to float
        Of `KINDS`: the share of all houses and of all cars that have at least one such pixel, and
        the share of the area of streets that lies in such pixels.
    """
    subject = place()
    shares = {}
    for kind in KINDS:
        numbers = subject.numbers(kind)
        mask = np.isin(subject.labels, numbers)
        if gsd <= _GSD:
            covered, step = mask.astype(np.float32), 1.0
        else:
            covered = cv2.resize(mask.astype(np.float32), size_at(gsd),
                                 interpolation=cv2.INTER_AREA)  # fmt: skip
            step = gsd / _GSD
        rows, columns = np.nonzero(covered > _FULL)
        if kind == "road":
            shares[kind] = len(rows) * step**2 / mask.sum()
        else:
            at = tuple(np.floor((i + 0.5) * step).astype(int) for i in (rows, columns))
            shares[kind] = len(np.unique(subject.labels[at])) / len(numbers)
    return {kind: float(share) for kind, share in shares.items()}


def counted(kind: str) -> int:
    """How many objects of a kind the place has."""
    return len(place().numbers(kind))


def coarsest(kind: str) -> float:
    """The coarsest step at which at least half has pixels of its own."""
    return next(gsd for gsd in STEPS if own_pixels(gsd)[kind] >= 0.5)


def steps_between(one: float, other: float) -> int:
    """How many steps lie between two sizes of pixel."""
    return abs(STEPS.index(one) - STEPS.index(other))


@lru_cache(maxsize=len(KINDS))
def breadth(kind: str) -> float:
    """Metres across a usual object of a kind: the median of the shorter sides.

    Of the rectangle of the least area around each that the picture's border does not cut.
    """
    subject = place()
    sides = []
    for number in subject.numbers(kind):
        rows, columns = np.nonzero(subject.mask(number))
        low, high = (min(rows.min(), columns.min()), np.array([rows.max(), columns.max()]) + 1)
        if low and (high < subject.shape).all():
            points = np.stack([columns, rows], 1).astype(np.float32)
            # From centre to centre of the pixels, so one is missing.
            sides.append(min(cv2.minAreaRect(points)[1]) + 1)
    return float(np.median(sides)) * _GSD
