"""Land whose cover became another one: flooded, dried up, cleared, grown over.

Water and woods have no outline like that of a house: everything mode gives pieces of them, and a
copse is a dozen crowns. Here the ground is divided into regions of even colour at both dates, each
is named at both, and regions that lie side by side and went the same way are one area.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.date_view import DateView
from rsam_core.change.findings import COVER
from rsam_core.errors import Cancelled
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.suppression import suppress
from rsam_core.segment.segmenter import Segmenter

COVERS = ("water", "tree")
"""Kinds of cover that are followed; bare ground and grass change with every season."""

_REGION = 100
"""Pixels in a region, about."""

_COMPACT = 12.0
"""Of SLIC: low follows colours, high makes squares."""

_LEVELS = (0.2, 0.4, 0.6)
"""By so much the probability of a cover must differ between the dates: wide and narrow areas."""

_LEAST = 6
"""Smallest area, in smallest objects."""

_LARGEST = 0.6
"""Largest area, as a share of the window: with more than that the whole window is another one."""

_CLOSED = 7
"""Pixels across of gaps in an area that are closed."""

_SAME = 0.8
"""IoU from which on two areas are one."""

_CHUNK = 256


def cover_areas(
    segmenter: Segmenter,
    views: tuple[DateView, DateView],
    valid: NDArray[np.bool_],
    smallest: int,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[list[Instance], list[Instance]]:
    """Areas of water and trees that are there at one date and not at the other.

    Parameters
    ----------
    segmenter : Segmenter
    views : tuple of DateView
    valid : ndarray of bool, shape (H, W)
    smallest : int
        Pixels of the smallest object; areas are larger.
    cancelled : callable, optional
        True ends the work.

    Returns
    -------
    tuple of list of Instance
        What is there at the first date only, and at the second only; their score is how much more
        probable the cover is. Nothing where the model cannot tell kinds.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    if not segmenter.model.names:
        return [], []
    labels = _regions(views, valid)
    items = list(Instances.from_label_map(labels))
    if not items:
        return [], []
    chances = np.stack([_named(segmenter, view, items, cancelled) for view in views])
    result: tuple[list[Instance], list[Instance]] = ([], [])
    for cover in COVERS:
        table = np.zeros((2, int(labels.max()) + 1), np.float32)
        table[:, [item.id for item in items]] = chances[..., KINDS.index(cover)]
        for date in (0, 1):
            gain = (table[date] - table[1 - date])[labels]
            result[date].extend(_areas(gain, smallest))
    return _distinct(result[0]), _distinct(result[1])


def _regions(views: tuple[DateView, DateView], valid: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Regions of even colour at both dates, numbered from 1; 0 where nothing is compared."""
    from skimage.segmentation import slic

    both = np.concatenate([view.lab for view in views], axis=2)
    count = max(round(valid.size / _REGION), 1)
    labels = slic(both, n_segments=count, compactness=_COMPACT, start_label=1, channel_axis=-1)
    return np.where(valid, labels, 0).astype(np.int32)


def _named(
    segmenter: Segmenter,
    view: DateView,
    items: list[Instance],
    cancelled: Callable[[], bool] | None,
) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(items), _CHUNK):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        some = items[start : start + _CHUNK]
        parts.append(segmenter.model.name_objects(view.embedding.features, some))
    return np.concatenate(parts).astype(np.float32)


def _areas(gain: NDArray[np.float32], smallest: int) -> list[Instance]:
    """Connected areas in which a cover is so much more probable, at several levels."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_CLOSED, _CLOSED))
    found = []
    for level in _LEVELS:
        spots = cv2.morphologyEx((gain > level).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
        spots = cv2.morphologyEx(spots, cv2.MORPH_OPEN, kernel)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=4)
        for k in range(1, count):
            x, y, w, h, area = stats[k]
            if not _LEAST * smallest <= area <= _LARGEST * gain.size:
                continue
            mask = labels[y : y + h, x : x + w] == k
            score = float(np.clip(gain[y : y + h, x : x + w][mask].mean(), 0, 1))
            found.append(Instance(mask, int(x), int(y), score, source=COVER))
    return found


def _distinct(items: list[Instance]) -> list[Instance]:
    """Without those that look like a surer one."""
    if not items:
        return []
    items = sorted(items, key=lambda item: -item.score)
    boxes = np.array([item.bbox for item in items], np.int64)
    areas = np.array([item.area for item in items], np.int64)
    return [items[i] for i in suppress(lambda i: items[i].mask, boxes, areas, _SAME)]
