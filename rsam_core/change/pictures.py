"""Pictures of two dates: the same window of both, with what changed outlined by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change._overviews import reduced
from rsam_core.change.aligned import Alignment
from rsam_core.change.findings import Change
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.scene.window import Window

COLOURS: Mapping[str, str] = MappingProxyType({
    "new": "#2F7BFF",
    "gone": "#F0433A",
    "enlarged": "#17C3B2",
    "shrunk": "#FF9F1C",
    "changed inside": "#E84FD0",
    "different": "#FFD400",
    "area of change": "#FFD400",
    "unchanged": "#B8BEC6",
})  # fmt: skip
"""Colour of each kind of change."""

_STRIPE = 12
"""Pixels from one stripe to the next where nothing is said."""

_FINE, _MAX_ENLARGED = 1000, 8.0
"""Longest side up to which small parts are enlarged before lines are drawn, and by how much."""

Picture = NDArray[np.uint8]


def pair_pictures(
    alignment: Alignment, window: Window | None = None, longest: int = 1600
) -> tuple[Picture, Picture, NDArray[np.bool_]]:
    """Both dates on a window of the common grid, reduced where it is larger.

    Returns
    -------
    before, after : ndarray of uint8, shape (h, w, 3)
        The second date with the light of the first where that was asked for.
    valid : ndarray of bool, shape (h, w)
        Where both show the ground.
    """
    window = Window(0, 0, alignment.shape[1], alignment.shape[0]).part(window)
    factor = min(1.0, longest / max(window.width, window.height))
    shape = max(1, round(window.height * factor)), max(1, round(window.width * factor))
    first, seen = reduced(alignment.before, window, shape)
    second, known = reduced(alignment.after, window, shape)
    clouds = cv2.resize(
        alignment.clouded(window).astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    return first, alignment.tone(second), seen & known & (clouds == 0)


def drawn_pair(
    alignment: Alignment,
    changes: Sequence[Change],
    window: Window | None = None,
    longest: int = 1600,
    selected: int | None = None,
) -> tuple[Picture, Picture]:
    """Both dates with the outlines of changes; what is not compared is striped.

    Parameters
    ----------
    alignment : Alignment
    changes : sequence of Change
        Those to be drawn.
    window : Window, optional
        Part of the common grid; the whole by default.
    longest : int
        Pixels of the longer side at most.
    selected : int, optional
        Number of a change to bring out.
    """
    window = Window(0, 0, alignment.shape[1], alignment.shape[0]).part(window)
    before, after, valid = pair_pictures(alignment, window, longest)
    before, after, valid = (_enlarged(p, min(longest, _FINE)) for p in (before, after, valid))
    scale = before.shape[1] / window.width
    drawn = []
    for image, own in ((before, "before"), (after, "after")):
        image = _striped(image, valid)
        for there in (False, True):
            items = [
                replace(change.outline if item is None else item, id=change.id, label=change.change)
                for change in changes
                for item in [getattr(change, own)]
                if (item is not None) is there
            ]
            style = OverlayStyle(
                fill="class",
                opacity=0.0,
                # Where an object is not there at this date, a thin line says where it is.
                contour_width=2 if there else 1,
                class_colors=tuple(COLOURS.items()),
                highlight=tuple(i.id for i in items if i.id == selected),
            )
            image = overlay(
                image, Instances(items, alignment.shape), style, origin=(window.x, window.y),
                scale=scale,
            )  # fmt: skip
        drawn.append(image)
    return drawn[0], drawn[1]


def around(change: Change, shape: tuple[int, int], aspect: float, zoom: float = 3.0) -> Window:
    """A window around a change, `zoom` times as large as it, of the aspect width / height."""
    x0, y0, x1, y1 = change.outline.bbox
    for item in (change.before, change.after):
        if item is not None:
            box = item.bbox
            x0, y0, x1, y1 = min(x0, box[0]), min(y0, box[1]), max(x1, box[2]), max(y1, box[3])
    height = max((y1 - y0) * zoom, (x1 - x0) * zoom / aspect, 48)
    return window_at((x0 + x1) / 2, (y0 + y1) / 2, height * aspect, height, shape)


def window_at(x: float, y: float, width: float, height: float, shape: tuple[int, int]) -> Window:
    """A window around a place, moved inside the picture and cut to it."""
    w, h = min(round(width), shape[1]), min(round(height), shape[0])
    left = int(np.clip(round(x - w / 2), 0, shape[1] - w))
    top = int(np.clip(round(y - h / 2), 0, shape[0] - h))
    return Window(left, top, max(w, 1), max(h, 1))


def thumbnails(alignment: Alignment, change: Change, size: int = 96) -> tuple[Picture, Picture]:
    """Square pictures of a change at both dates, with its outline."""
    window = around(change, alignment.shape, 1.0, 1.6)
    pair = drawn_pair(alignment, [change], window, max(size, 2 * _STRIPE))
    big = [cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA if p.shape[1] > size
                      else cv2.INTER_LINEAR) for p in pair]  # fmt: skip
    return big[0], big[1]


def _enlarged(picture: NDArray, side: int) -> NDArray:
    """A picture so large that thin lines on it are thin; larger ones as they are."""
    factor = min(side / max(picture.shape[:2]), _MAX_ENLARGED)
    if factor <= 1.2:
        return picture
    size = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
    if picture.dtype == bool:
        return cv2.resize(picture.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)


def _striped(image: Picture, valid: NDArray[np.bool_]) -> Picture:
    """A picture that is dimmed and striped where nothing is said."""
    if valid.all():
        return image.copy()
    rows, columns = np.indices(valid.shape)
    stripe = ((rows + columns) % _STRIPE) < _STRIPE // 3
    grey = image.mean(2, keepdims=True) * 0.4 + 60
    dimmed = np.where(stripe[..., None], 40, grey).astype(np.uint8)
    return np.where(valid[..., None], image, dimmed)
