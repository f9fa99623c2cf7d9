"""The objects of each date, and places where the dates differ, as candidates for a change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.date_view import DateView
from rsam_core.change.evidence import outline_again
from rsam_core.change.findings import SPOT, SPOT_BOX
from rsam_core.change.likeness import steps
from rsam_core.change.pairing import meeting
from rsam_core.errors import Cancelled
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.objects.suppression import suppress
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import centre_click
from rsam_core.runtime.progress import Progress
from rsam_core.segment.everything import EverythingSettings, settings_for
from rsam_core.segment.segmenter import Segmenter

_MOST = 40
"""Places of difference in a window at most."""

_LARGEST = 0.25
"""Largest object, as a share of a window."""

_LOWEST = 0.5
"""Lowest predicted IoU of what is outlined around a click on a place of difference."""

_CHUNK = 32

_EXPLAINED = 0.4
"""IoU from which on an object tells what a place of difference is."""

_SAME = 0.7
"""IoU from which on two candidates of a date are the same."""


def find_objects(
    segmenter: Segmenter,
    view: DateView,
    settings: EverythingSettings | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Instance]:
    """All objects of a date in a window; the one place that says how they are found."""
    settings = settings or settings_for(segmenter.model.name)
    found = segmenter.everything(view.embedding, settings, progress=progress, cancelled=cancelled)
    return list(found)


def difference_map(
    first: DateView, second: DateView, valid: NDArray[np.bool_], slack: int = 2
) -> NDArray[np.float32]:
    """How much each pixel differs between the dates, (H, W), 0 where either shows nothing.

    The smallest distance in colour within `slack` pixels, so that a small displacement is no
    change; what is dark at either date counts half, since shadows wander; a smooth trend over
    the picture is taken out.
    """
    best = steps(first.lab, second.lab, slack)
    dark = (first.lab[..., 0] < first.dark) | (second.lab[..., 0] < second.dark)
    best = np.where(dark, 0.5 * best, best)
    best = np.where(valid, best, 0).astype(np.float32)
    return cv2.GaussianBlur(best, (0, 0), 1.5)


def places_of_difference(
    first: DateView, second: DateView, valid: NDArray[np.bool_], smallest: int = 40
) -> list[Instance]:
    """Connected places that stand out in the difference of the dates, strongest first."""
    change = difference_map(first, second, valid)
    known = change[valid]
    if not known.size:
        return []
    found: list[tuple[float, Instance]] = []
    for level in (0.80, 0.88, 0.94, 0.975):
        threshold = max(float(np.quantile(known, level)), 6.0)
        spots = (change > threshold).astype(np.uint8)
        spots = cv2.morphologyEx(spots, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        # The smallest difference within the slack leaves out the rim.
        spots = cv2.dilate(spots, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=4)
        for k in range(1, count):
            x, y, w, h, area = stats[k]
            if area < smallest or area > _LARGEST * change.size:
                continue
            mask = labels[y : y + h, x : x + w] == k
            strength = float(change[y : y + h, x : x + w][mask].mean())
            filled = _filled(mask)
            item = Instance(filled, int(x), int(y), 0.5, source=SPOT)
            found.append((strength * np.sqrt(area), item))
    found.sort(key=lambda entry: -entry[0])
    return _distinct([item for _, item in found])[:_MOST]


def unexplained(places: Sequence[Instance], objects: Sequence[Instance]) -> list[Instance]:
    """Places of difference that no object of either date has about the shape of."""
    best = np.zeros(len(places))
    for i, j in meeting(places, objects):
        shared = shared_pixels(places[i], objects[j])
        best[i] = max(best[i], shared / (places[i].area + objects[j].area - shared))
    return [place for place, overlap in zip(places, best) if overlap < _EXPLAINED]


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_fill_holes

    return binary_fill_holes(mask)


def candidates(
    segmenter: Segmenter,
    view: DateView,
    found: Sequence[Instance],
    places: Sequence[Instance],
    smallest: int,
    valid: NDArray[np.bool_],
    cancelled: Callable[[], bool] | None = None,
) -> list[Instance]:
    """Objects of a date for comparison: those found, and what is where the dates differ.

    Those found stand first; near-duplicates and what lies mostly outside `valid` are dropped.
    """
    outlined = [
        replace(item, source=SPOT_BOX)
        for item in outline_again(segmenter, view, places, cancelled)
        if item is not None
    ]
    outlined += _clicked(segmenter, view, places, cancelled)
    every = sorted(found, key=lambda item: -item.score) + outlined + list(places)
    limit = _LARGEST * valid.size
    kept = []
    for item in every:
        if not smallest <= item.area <= limit:
            continue
        x0, y0, x1, y1 = item.bbox
        if valid[y0:y1, x0:x1][item.mask].mean() > 0.7:
            kept.append(item)
    return _distinct(kept)


def _clicked(
    segmenter: Segmenter,
    view: DateView,
    places: Sequence[Instance],
    cancelled: Callable[[], bool] | None,
) -> list[Instance]:
    """What the model outlines around the middle of places of difference."""
    result: list[Instance] = []
    for start in range(0, len(places), _CHUNK):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        prompts = []
        for item in places[start : start + _CHUNK]:
            x, y = centre_click(item.mask)
            prompts.append(Prompt(points=[(x + item.x, y + item.y)]))
        for answer in segmenter.predict(view.embedding, prompts):
            for k, score in enumerate(answer.scores):
                one = answer.instance(k, source=SPOT_BOX)
                if score >= _LOWEST and one is not None:
                    result.append(one)
    return sorted(result, key=lambda item: -item.score)


def _distinct(items: list[Instance]) -> list[Instance]:
    """Without those that look like an earlier one."""
    if not items:
        return []
    boxes = np.array([item.bbox for item in items], np.int64)
    areas = np.array([item.area for item in items], np.int64)
    return [items[i] for i in suppress(lambda i: items[i].mask, boxes, areas, _SAME)]
