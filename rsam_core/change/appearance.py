"""How objects look at two dates: light, colour, texture, holes, plants, rubble around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.errors import Cancelled
from rsam_core.objects.instance import Instance
from rsam_core.scene.window import Window

COLUMNS = (
    "difference",
    "difference_top",
    "changed_share",
    "largest_changed",
    "lightness_step",
    "colour_step",
    "chroma_gain",
    "spread_gain",
    "texture_gain",
    "fine_gain",
    "dark_gain",
    "blob_dark",
    "blob_blue",
    "grey_gain",
    "green_gain",
    "pattern",
    "border_gain",
    "ring_difference",
    "ring_texture_gain",
    "ring_spread_gain",
    "relief_gain",
    "size",
)
"""Names of the numbers that :func:`looks` gives for each building, in order."""

_RING = 5
_TILE = 768
_MARGIN = 10
_STEP = 18.0
"""Difference in CIELAB that counts as changed."""


def looks(
    alignment: Alignment,
    items: Sequence[Instance],
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.float32]:
    """Numbers that say how each building looks another way at the second date.

    Parameters
    ----------
    alignment : Alignment
    items : sequence of Instance
        Outlines in pixels of the common grid.
    progress, cancelled : callable, optional

    Returns
    -------
    ndarray of float32, shape (N, len(COLUMNS))
        NaN where the dates do not both show the building.

    Raises
    ------
    Cancelled
        `cancelled` said so.
    """
    result = np.full((len(items), len(COLUMNS)), np.nan, np.float32)
    done = 0
    for window, numbers in _tiles(items, alignment.shape):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped.")
        before, after, valid = alignment.read(window)
        first, second = _lab(before), _lab(after)
        taken = _all_masks(items, window, alignment.shape)
        for number in numbers:
            item = items[number]
            moved = replace(item, x=item.x - window.x, y=item.y - window.y)
            result[number] = look(moved, first, second, valid, taken)
        done += len(numbers)
        if progress is not None:
            progress(done / len(items))
    return result


def look(
    item: Instance,
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    valid: NDArray[np.bool_],
    taken: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """The numbers of one object on two pictures that show it.

    Parameters
    ----------
    item : Instance
        In pixels of the pictures.
    first, second : ndarray of float32, shape (H, W, 3)
        CIELAB, slightly smoothed.
    valid : ndarray of bool, shape (H, W)
        Where both dates show something.
    taken : ndarray of bool, shape (H, W), optional
        What does not count as the object's surroundings; the object itself by default.

    Returns
    -------
    ndarray of float32, shape (len(COLUMNS),)
        NaN where hardly anything of the object is shown.
    """
    height, width = valid.shape
    x0, y0, x1, y1 = item.bbox
    left, top = max(x0 - _MARGIN, 0), max(y0 - _MARGIN, 0)
    place = slice(top, min(y1 + _MARGIN, height)), slice(left, min(x1 + _MARGIN, width))
    a, b, seen = first[place], second[place], valid[place]
    mask = np.zeros(seen.shape, bool)
    mask[y0 - top : y1 - top, x0 - left : x1 - left] = item.mask
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((2 * _RING + 1, 2 * _RING + 1), np.uint8))
    ring = (wide > 0) & ~(mask if taken is None else taken[place]) & seen
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    core = (core if core.sum() >= 12 else mask) & seen
    if core.sum() < 6 or core.sum() < 0.5 * mask.sum() * (core.sum() / max(mask.sum(), 1)):
        return np.full(len(COLUMNS), np.nan, np.float32)
    return _numbers(a, b, mask & seen, core, ring)


def _tiles(items: Sequence[Instance], shape: tuple[int, int]) -> Iterator[tuple[Window, list[int]]]:
    """Windows with the positions of the buildings whose middle they hold, each read once."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, item in enumerate(items):
        x0, y0, x1, y1 = item.bbox
        groups.setdefault(((x0 + x1) // 2 // _TILE, (y0 + y1) // 2 // _TILE), []).append(number)
    for _, numbers in sorted(groups.items()):
        boxes = np.array([items[n].bbox for n in numbers])
        x0, y0 = np.maximum(boxes[:, :2].min(0) - _MARGIN, 0).tolist()
        x1, y1 = np.minimum(boxes[:, 2:].max(0) + _MARGIN, shape[::-1]).tolist()
        yield Window(x0, y0, x1 - x0, y1 - y0), numbers


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return cv2.GaussianBlur(lab, (0, 0), 0.7)


def _all_masks(
    items: Sequence[Instance], window: Window, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Where any building stands in a window."""
    result = np.zeros((window.height, window.width), bool)
    for item in items:
        x0, y0, x1, y1 = item.bbox
        left, top = max(x0, window.x), max(y0, window.y)
        right, bottom = min(x1, window.x + window.width), min(y1, window.y + window.height)
        if left < right and top < bottom:
            part = item.mask[top - y0 : bottom - y0, left - x0 : right - x0]
            result[top - window.y : bottom - window.y, left - window.x : right - window.x] |= part
    return result


def _numbers(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    mask: NDArray[np.bool_],
    core: NDArray[np.bool_],
    ring: NDArray[np.bool_],
) -> NDArray[np.float32]:
    one, two = a[core], b[core]
    # Light may fall another way on the whole roof: what is the same everywhere is no damage.
    step = np.median(two - one, axis=0)
    off = b - a
    distance = np.linalg.norm((off - step) * np.array([1.0, 1.0, 1.0], np.float32), axis=2)
    inside = distance[core]
    changed = (distance > _STEP) & core
    blob = _largest(changed)
    size = float(core.sum())
    dark = float(np.quantile(a[..., 0], 0.1)) + 4
    edges_a, edges_b = _edges(a[..., 0]), _edges(b[..., 0])
    fine_a, fine_b = _fine(a[..., 0]), _fine(b[..., 0])
    border = mask & ~core
    chroma_a, chroma_b = (np.hypot(v[:, 1], v[:, 2]) for v in (one, two))
    values = {
        "difference": inside.mean(),
        "difference_top": np.quantile(inside, 0.9),
        "changed_share": changed.sum() / size,
        "largest_changed": blob.sum() / size,
        "lightness_step": two[:, 0].mean() - one[:, 0].mean(),
        "colour_step": float(np.linalg.norm((two - one)[:, 1:].mean(0))),
        "chroma_gain": chroma_b.mean() - chroma_a.mean(),
        "spread_gain": _ratio(two[:, 0].std(), one[:, 0].std(), 2.0),
        "texture_gain": _ratio(edges_b[core].mean(), edges_a[core].mean(), 1.0),
        "fine_gain": _ratio(fine_b[core].mean(), fine_a[core].mean(), 0.5),
        "dark_gain": (two[:, 0] < dark).mean() - (one[:, 0] < dark).mean(),
        "blob_dark": off[blob][:, 0].mean() if blob.any() else 0.0,
        "blob_blue": off[blob][:, 2].mean() if blob.any() else 0.0,
        "grey_gain": (chroma_b < 9).mean() - (chroma_a < 9).mean(),
        "green_gain": (two[:, 1] < -6).mean() - (one[:, 1] < -6).mean(),
        "pattern": _correlation(one[:, 0], two[:, 0]),
        "border_gain": _ratio(edges_b[border].mean(), edges_a[border].mean(), 1.0)
        if border.any() else 0.0,
        "ring_difference": distance[ring].mean() if ring.any() else 0.0,
        "ring_texture_gain": _ratio(edges_b[ring].mean(), edges_a[ring].mean(), 1.0)
        if ring.any() else 0.0,
        "ring_spread_gain": _ratio(b[..., 0][ring].std(), a[..., 0][ring].std(), 2.0)
        if ring.any() else 0.0,
        "relief_gain": _relief(b[..., 0], core) - _relief(a[..., 0], core),
        "size": np.log(size),
    }  # fmt: skip
    return np.array([values[name] for name in COLUMNS], np.float32)


def _largest(changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected piece."""
    number, labels, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8))
    if number < 2:
        return np.zeros(changed.shape, bool)
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _edges(light: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.hypot(cv2.Scharr(light, -1, 1, 0), cv2.Scharr(light, -1, 0, 1)) / 32


def _fine(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Strength of what is smaller than about two pixels."""
    return np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5))


def _relief(light: NDArray[np.float32], core: NDArray[np.bool_]) -> float:
    """How far lightness differs between the quarters of a roof: planes that are lit differently."""
    rows, columns = np.nonzero(core)
    quarter = 2 * (rows > np.median(rows)) + (columns > np.median(columns))
    values = light[core]
    means = [values[quarter == k].mean() for k in range(4) if (quarter == k).any()]
    return float(np.ptp(means)) if means else 0.0


def _ratio(second: float, first: float, floor: float) -> float:
    return float(np.log((second + floor) / (first + floor)))


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), two - two.mean()
    # A floor: two even roofs are alike, whatever their noise.
    return float((a @ b + 4.0 * len(a)) / (np.sqrt(a @ a * (b @ b)) + 4.0 * len(a)))
