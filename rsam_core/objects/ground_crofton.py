"""Perimeters on the ground by the Crofton formula, for square, oblong and skewed pixels.

Lines through the centres of pixels cross an outline; how often, in each of several directions,
tells its length, whatever the pixels look like on the ground.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance, Mask
from rsam_core.runtime.courtesy import courteous
from rsam_core.scene.globe import Metrics, pixel_areas

# Value of the four-direction formula for edges along the grid of square pixels.
_ALONG_SQUARE = math.pi / 8 * (1 + math.sqrt(2))
# For oblong pixels edges along the grid may come out longer; slanting ones weigh a little more,
# so that discs are less than 4 % too long.
_ALONG_OBLONG = 0.975
_SLANTING_OBLONG = 1.04
_SQUARE = 0.15
"""Pixels whose sides differ by less than this share are treated like square ones."""
_SLANTED = 0.55
"""Shear, in sides of a pixel, from which the pixels' own grid tells directions too poorly."""
_EIGHT = (
    0,
    *(sign / math.tan(math.radians(angle)) for angle in (22.5, 45, 67.5) for sign in (1, -1)),
)
"""Cotangents of the angles, 22.5 degrees apart, of lines through such pixels."""
_STRIP = 1 << 22

Shifts = tuple[int, ...]
"""Slanting directions, see :func:`slanting_shifts`."""


def crossing_perimeters(
    items: list[Instance],
    crossings: NDArray[np.float64],
    areas: NDArray[np.int64],
    metrics: Metrics,
) -> NDArray[np.float64]:
    """Return the perimeter in metres of each object under its metric, shape (N,).

    Parameters
    ----------
    items : list of Instance
        The objects, N of them.
    crossings : (N, 4) array
        The last four of :class:`rsam_core.objects.mask_shape.Basics`.
    areas : (N,) array of int64
        Pixels.
    metrics : (N, 2, 2) array
    """
    result = np.full(len(items), np.nan)
    turned, ratio, skew = pixel_shape(metrics)
    known = np.isfinite(ratio)
    # How many pixels the object is wide, on average, along the shorter side of a pixel.
    width = 2 * areas / np.where(turned, crossings[:, 1], crossings[:, 0])
    groups: dict[tuple[bool, Shifts], list[int]] = {}
    slanted = known & (np.abs(skew) > _SLANTED)
    for index in courteous(np.flatnonzero(slanted).tolist()):
        result[index] = _slanted_perimeter(items[index], metrics[index])
    for index in courteous(np.flatnonzero(known & ~slanted).tolist()):
        shifts = slanting_shifts(float(ratio[index]), float(skew[index]), float(width[index]))
        groups.setdefault((bool(turned[index]), shifts), []).append(index)
    for (down, shifts), members in groups.items():
        counts = crossings[members]
        counts = counts[:, [1, 0, 2, 3]] if down else counts
        more = [
            counts[:, 2 if shift == 1 else 3]
            if abs(shift) == 1
            else np.array(
                [
                    _crossings(items[index].mask, (1, shift) if down else (shift, 1))
                    for index in courteous(members)
                ]
            )
            for shift in shifts
        ]
        weights = crossing_weights(metrics[members], down, shifts)
        result[members] = (weights * np.column_stack([counts[:, :2], *more])).sum(axis=1)
    return result


def pixel_shape(
    metrics: Metrics,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Describe pixels by the shorter of their sides, u, and the other, v.

    Returns
    -------
    turned : (N,) array of bool
        Whether u runs down.
    ratio, skew : (N,) arrays of float64
        Parts of v across and along u, in lengths of u; NaN where there is no ground.
    """
    right, down = metrics[:, 0, 0], metrics[:, 1, 1]
    turned = down < right
    short = np.where(turned, down, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = pixel_areas(metrics) / short
        skew = metrics[:, 0, 1] / short
    bad = ~(np.isfinite(ratio) & np.isfinite(skew) & (ratio > 0))
    return turned, np.where(bad, np.nan, ratio), skew


def slanting_shifts(
    ratio: float, skew: float, width: float, sides: tuple[float, ...] = (1, -1, 0)
) -> Shifts:
    """Choose the slanting directions: k steps along u for one along v, for each k returned.

    They lie at about 45 degrees to u, or square to it where v does not. Two pixels k apart count
    a crossing between them once at most, so that k is never more than the object is wide.
    `sides` are the cotangents of the angles wanted.
    """
    most = max(1, int(0.75 * width))
    result = set()
    for side in sides:
        target = side * ratio - skew
        low, high = math.floor(target), math.ceil(target)
        if target - low < _SQUARE * ratio:
            high = low
        elif high - target < _SQUARE * ratio:
            low = high
        for shift in (low, high):
            shift = min(max(shift, -most), most)
            result.add(shift or int(np.sign(side)))
    return tuple(sorted(result - {0}))


def crossing_weights(metrics: Metrics, down: bool, shifts: Shifts) -> NDArray[np.float64]:
    """Return the length that a crossing stands for, in each direction, shape (N, 2 + shifts)."""
    sides = np.sqrt(np.stack([metrics[:, 0, 0], metrics[:, 1, 1]], axis=1))
    u, v = sides[:, ::-1].T if down else sides.T
    _, ratio, skew = pixel_shape(metrics)
    steps = np.array([0, *shifts])
    along = skew[:, None] + steps
    angles = np.column_stack([np.zeros(len(u)), np.arctan2(ratio[:, None], along)])
    order = np.argsort(angles, axis=1)
    ordered = np.take_along_axis(angles, order, axis=1)
    gaps = np.diff(np.column_stack([ordered, np.full(len(u), np.pi)]), axis=1)
    shares = np.empty_like(angles)
    np.put_along_axis(shares, order, (gaps + np.roll(gaps, 1, axis=1)) / 2, axis=1)
    # Lines in a direction are a pixel's area over the length of their step apart.
    apart = u[:, None] * ratio[:, None] / np.hypot(along[:, 1:], ratio[:, None])
    # Thin objects of very oblong pixels have single steps, too, but are no squares.
    square = (set(shifts) <= {-1, 1}) & (np.abs(np.log(ratio)) < _SQUARE)
    slanting = shares[:, 2:] * apart / 2 * np.where(square, 1.0, _SLANTING_OBLONG)[:, None]
    value = np.where(square, _ALONG_SQUARE, _ALONG_OBLONG)
    first = value * v - slanting @ np.abs(steps[1:])
    second = value * u - slanting.sum(axis=1)
    return np.column_stack([np.maximum(first, 0), np.maximum(second, 0), slanting])


def _slanted_perimeter(item: Instance, metric: NDArray[np.float64]) -> float:
    """Return the perimeter of an object whose pixels are narrow rhombs on the ground.

    The corners of such pixels are a grid of other, wider ones, which takes the place of theirs.
    """
    u, v = np.array([1, 0]), np.array([0, 1])
    for _ in range(64):
        if u @ metric @ u > v @ metric @ v:
            u, v = v, u
        times = round(float(u @ metric @ v) / float(u @ metric @ u))
        if not times:
            break
        v = v - times * u
    short = float(u @ metric @ u)
    ratio, skew = math.sqrt(np.linalg.det(metric)) / short, float(u @ metric @ v) / short
    if np.linalg.det(np.stack([u, v])) < 0:
        v, skew = -v, -skew
    first = _crossings(item.mask, (int(u[0]), int(u[1])))
    shifts = (0, *slanting_shifts(ratio, skew, 2 * item.area / first, _EIGHT))
    order = sorted(shifts, key=lambda shift: math.atan2(ratio, skew + shift))
    angles = [0.0, *(math.atan2(ratio, skew + shift) for shift in order), math.pi]
    total = first * (angles[1] + math.pi - angles[-2]) / 2 * ratio
    for position, shift in enumerate(order, start=1):
        share = (angles[position + 1] - angles[position - 1]) / 2
        x, y = shift * u + v
        apart = ratio / math.hypot(skew + shift, ratio)
        total += _crossings(item.mask, (int(x), int(y))) * share * apart
    return total / 2 * math.sqrt(short)


def _crossings(mask: Mask, step: tuple[int, int]) -> int:
    """Count the pairs of pixels, a step of x and y apart, that differ."""
    x, y = step
    if x * y < 0:
        # The pairs of a flipped mask lie the other way.
        mask = mask[:, ::-1]
    x, y = abs(x), abs(y)
    height, width = mask.shape
    both = 0
    if x < width and y < height:
        rows = max(1, _STRIP // width)
        for top in range(0, height - y, rows):
            bottom = min(top + rows, height - y)
            one, two = mask[top:bottom, : width - x], mask[top + y : bottom + y, x:]
            both += np.count_nonzero(one & two)
    return 2 * (int(np.count_nonzero(mask)) - both)
