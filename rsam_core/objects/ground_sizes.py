"""Areas, perimeters and axes of objects on the ground, each measured where the object lies."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, cut_out
from rsam_core.objects.ground_crofton import (
    crossing_perimeters,
    crossing_weights,
    pixel_shape,
    slanting_shifts,
)
from rsam_core.objects.instance import Instance, Mask
from rsam_core.objects.instances import Instances
from rsam_core.objects.shape_arrays import basics_array
from rsam_core.scene.ground_scale import Ground

_UNEVEN = 0.01
"""Objects within which the sides of pixels differ by more (1 %) are measured tile by tile."""
_TILE = 0.03
"""By how much the sides may differ within a tile: its middle is true to the square of that."""
_FEWEST_TILES = 4
_MAX_TILES = 32
"""Tiles across and down of one object at most."""


def ground_areas(instances: Instances, ground: Ground) -> NDArray[np.float64]:
    """Return the area of each object in m², shape (N,); NaN off the map.

    Of an object that is partly off the map, the part on it is measured.

    Notes
    -----
    Number of pixels times the area of a pixel at the centroid. Objects within which pixels
    differ are summed up over tiles of nearly equal pixels.
    """
    centroids = basics_array(instances)[:, 1:3]
    result = instances.areas * ground.pixel_areas(*centroids.T)
    for index in _uneven(instances, ground):
        item = instances[index]
        tiles = _tiles(item, ground)
        counts = np.array([np.count_nonzero(item.mask[rows, columns]) for rows, columns in tiles])
        areas = ground.pixel_areas(*_centres(item, tiles))
        some = (counts > 0) & np.isfinite(areas)
        result[index] = float(counts[some] @ areas[some]) if some.any() else np.nan
    return result


def ground_label_areas(
    labels: NDArray[np.integer], number: int, ground: Ground
) -> NDArray[np.float64]:
    """Return the area in m² of each value of a label map, shape (number,).

    Parameters
    ----------
    labels : ndarray of int, shape (H, W)
        Values from 0 to `number` − 1.
    number : int
    ground : Ground
        Pixels off the map count as nothing.
    """
    pieces = 1 if ground.constant is not None else 64
    rows, columns = (
        np.linspace(0, side, min(pieces, side) + 1).astype(int) for side in labels.shape
    )
    middles = np.meshgrid((columns[1:] + columns[:-1]) / 2, (rows[1:] + rows[:-1]) / 2)
    areas = np.nan_to_num(ground.pixel_areas(*(side.ravel() for side in middles)))
    areas = areas.reshape(len(rows) - 1, len(columns) - 1)
    result = np.zeros(number)
    for i, (top, bottom) in enumerate(pairwise(rows)):
        for j, (left, right) in enumerate(pairwise(columns)):
            counts = np.bincount(labels[top:bottom, left:right].ravel(), minlength=number)
            result += counts * areas[i, j]
    return result


def ground_perimeters(instances: Instances, ground: Ground) -> NDArray[np.float64]:
    """Return the perimeter of each object in metres, holes included, shape (N,).

    Notes
    -----
    The Crofton formula [1]_: straight lines are laid through the centres of the pixels in
    several directions, and counted is how often they cross the outline. For square pixels
    these are the four directions of the perimeter in pixels. Pixels that are oblong or skewed on
    the ground get directions chosen so that no two neighbours are more than about 50 degrees
    apart there, each weighted by its share of the circle; the weights of the two directions along
    the grid are such that edges along it come out alike, 2.5 % short.

    References
    ----------
    .. [1] Gaëtan Lehmann and David Legland, "Efficient N-dimensional surface estimation using
       Crofton formula and run-length encoding", The Insight Journal, 2012.
    """
    first = basics_array(instances)
    metrics = ground.metrics(*first[:, 1:3].T)
    result = crossing_perimeters(list(instances), first[:, 7:11], instances.areas, metrics)
    for index in _uneven(instances, ground):
        result[index] = _tiled_perimeter(instances[index], ground)
    return result


def ground_axes(
    instances: Instances, ground: Ground
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return major and minor axis in metres of the ellipse with the same second moments.

    Measured with the metric at the centroid.
    """
    first = basics_array(instances)
    xx, yy, xy = first[:, 3:6].T
    g = ground.metrics(*first[:, 1:3].T)
    across, down, mixed = g[:, 0, 0], g[:, 1, 1], g[:, 0, 1]
    # Moments S on the ground have the eigenvalues of S G.
    half = (xx * across + yy * down + 2 * xy * mixed) / 2
    product = (xx * yy - xy * xy) * (across * down - mixed * mixed)
    spread = np.sqrt(np.maximum(half * half - product, 0.0))
    return 4 * np.sqrt(half + spread), 4 * np.sqrt(np.maximum(half - spread, 0.0))


# --- objects within which pixels differ --------------------------------------------------


def _uneven(instances: Instances, ground: Ground) -> list[int]:
    """Return the positions of objects within which the sides of pixels differ."""
    if ground.uneven < _UNEVEN or not len(instances):
        return []
    x0, y0, x1, y1 = instances.bboxes.astype(float).T
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    x = np.stack([x0 + 0.5, x1 - 0.5, x0 + 0.5, x1 - 0.5, middle[0]])
    y = np.stack([y0 + 0.5, y0 + 0.5, y1 - 0.5, y1 - 0.5, middle[1]])
    return np.flatnonzero(_ranges(ground, x, y) > _UNEVEN).tolist()


def _ranges(ground: Ground, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much (logarithm) sides of pixels differ between places, shape (K, N)."""
    g = ground.metrics(x.ravel(), y.ravel())
    sides = np.stack([np.sqrt(g[:, 0, 0]), np.sqrt(g[:, 1, 1])]).reshape(2, *x.shape)
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(sides, 1e-9))
    low = np.where(np.isfinite(logs), logs, np.inf).min(axis=1)
    high = np.where(np.isfinite(logs), logs, -np.inf).max(axis=1)
    # Partly off the map: what is on it is looked at tile by tile.
    return np.where(np.isfinite(logs).all(axis=1), high - low, np.inf).max(axis=0)


Tile = tuple[slice, slice]


def _tiles(item: Instance, ground: Ground) -> list[Tile]:
    """Cut the box of an object into tiles of nearly equal pixels, in the mask's own rows."""
    height, width = item.mask.shape
    x0, y0, x1, y1 = item.bbox
    down = np.linspace(y0 + 0.5, y1 - 0.5, 9)[:, None]
    across = np.linspace(x0 + 0.5, x1 - 0.5, 9)[:, None]
    differ = [
        _ranges(ground, np.full((9, 1), (x0 + x1) / 2), down)[0],
        _ranges(ground, across, np.full((9, 1), (y0 + y1) / 2))[0],
    ]
    # In a polar map, and along its diagonals, sides change in both directions.
    corners = np.array([[x0 + 0.5, x1 - 0.5] * 2]).T, np.array([[y0 + 0.5] * 2 + [y1 - 0.5] * 2]).T
    if _ranges(ground, *corners)[0] > 2 * sum(differ) + _UNEVEN:
        differ = [math.inf, math.inf]
    cuts = []
    for size, value in zip((height, width), differ):
        number = 1
        if value > 0.1 * _UNEVEN:
            # Around the equator sides hardly differ from end to end, but do in between.
            number = min(max(value / _TILE, _FEWEST_TILES), _MAX_TILES)
        number = min(math.ceil(number), size)
        cuts.append(np.linspace(0, size, number + 1).astype(int))
    return [
        (slice(top, bottom), slice(left, right))
        for top, bottom in pairwise(cuts[0])
        for left, right in pairwise(cuts[1])
    ]


def _centres(item: Instance, tiles: list[Tile]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y in scene pixels of the middle of each tile."""
    middles = np.array(
        [[(c.start + c.stop) / 2 + item.x, (r.start + r.stop) / 2 + item.y] for r, c in tiles]
    )
    return middles[:, 0], middles[:, 1]


def _tiled_perimeter(item: Instance, ground: Ground) -> float:
    """Return the perimeter of an object, each part of the outline measured where it lies.

    What is off the map counts as nothing; NaN if all is.
    """
    tiles = _tiles(item, ground)
    metrics = ground.metrics(*_centres(item, tiles))
    turned, ratio, skew = pixel_shape(metrics)
    known = np.flatnonzero(np.isfinite(ratio)).tolist()
    total = 0.0 if known else math.nan
    for index in known:
        down = bool(turned[index])
        crossings = item.basics[7:9]
        width = 2 * item.area / crossings[1 if down else 0]
        shifts = slanting_shifts(float(ratio[index]), float(skew[index]), width)
        steps = [(1, 0), *((shift, 1) for shift in (0, *shifts))]
        pairs = [_differing(item.mask, tiles[index], s[::-1] if down else s) for s in steps]
        weights = crossing_weights(metrics[index : index + 1], down, shifts)[0]
        total += float(weights @ pairs)
    return total


def _differing(mask: Mask, tile: Tile, step: tuple[int, int]) -> int:
    """Count the pairs of pixels a step apart that differ and of which the first is in a tile.

    What lies around the mask belongs to the nearest tile.
    """
    x, y = step if step[1] > 0 or (step[1] == 0 and step[0] > 0) else (-step[0], -step[1])
    width = mask.shape[1]
    rows, columns = tile
    top = rows.start if rows.start else -y
    left = columns.start if columns.start else -max(x, 0)
    right = columns.stop if columns.stop < width else width + max(-x, 0)
    box = (left, top, right, rows.stop)
    whole = Crop(mask, 0, 0)
    here = cut_out(whole, box)
    there = cut_out(whole, (left + x, top + y, right + x, rows.stop + y))
    return int(np.count_nonzero(here != there))
