"""The map of lesson 3: what became of clicks all over an object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lessons.prompts_objects import SIDE, Mask, Picture, Target, enlarged
from rsam_core.objects.instances import Instances
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import depth, tight_box
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter

MOST = 64
"""Places of a map of clicks, at most."""

_AT_ONCE = 16
_RIM = 0.12
"""How far beyond its box an object is clicked for the map, as a share of the box."""
_GREY = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, eq=False)
class ClickMap:
    """What became of clicks all over an object.

    Attributes
    ----------
    x, y : ndarray of float, shapes (n,) and (m,)
        Columns and rows of the clicks, in pixels of the place.
    iou : ndarray of float, shape (m, n)
    inside : ndarray of bool, shape (m, n)
        Whether the click was on the object.
    depths : ndarray of float, shape (m, n)
        How deep in the object, 0 outside to 1 in its middle.
    masks : list of list of ndarray
        The mask of each click, cut out, with its place.
    centre : float
        IoU of a click on the middle of the object.
    shape : tuple of int
        Height and width of the place.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    iou: NDArray[np.float64]
    inside: NDArray[np.bool_]
    depths: NDArray[np.float64]
    masks: list[list[tuple[Mask, int, int]]] = field(repr=False)
    centre: float
    shape: tuple[int, int]

    def nearest(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the click nearest to a place."""
        return int(np.abs(self.y - y).argmin()), int(np.abs(self.x - x).argmin())

    def mask(self, row: int, column: int) -> Mask:
        """(H, W) mask of a click."""
        crop, x, y = self.masks[row][column]
        whole = np.zeros(self.shape, bool)
        whole[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
        return whole

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean IoU of clicks ``"deep"`` in the object, near its ``"rim"``, and ``"outside"``.

        Deep is at least half as far from the outline as its middle is. NaN where no click fell.
        """
        deep = self.inside & (self.depths >= 0.5)
        parts = {"deep": deep, "rim": self.inside & ~deep, "outside": ~self.inside}
        return {
            name: float(self.iou[where].mean()) if where.any() else float("nan")
            for name, where in parts.items()
        }


def places_to_click(truth: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows of a grid over an object and a little beyond, `MOST` places at most."""
    x0, y0, x1, y1 = tight_box(truth)
    rim = max(_RIM * max(x1 - x0, y1 - y0), 3.0)
    height, width = truth.shape
    x0, x1 = max(x0 - rim, 0), min(x1 + rim, width)
    y0, y1 = max(y0 - rim, 0), min(y1 + rim, height)
    step = np.sqrt((x1 - x0) * (y1 - y0) / MOST)
    columns = int(min(max((x1 - x0) // step, 2), MOST // 2))
    rows = int(min(max((y1 - y0) // step, 2), MOST // columns))
    return (
        x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns,
        y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows,
    )


def middle_of(truth: Mask) -> tuple[float, float]:
    """The centre of the pixel of an object that is nearest to its centre of mass.

    Not the pixel farthest from the outline: along a lorry all are equally far, to its very end.
    """
    rows, columns = np.nonzero(truth)
    away = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    nearest = int(away.argmin())
    return float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5


def click_map(
    model: Segmenter,
    embedding: Embedding,
    truth: Mask,
    progress: Callable[[float], None] | None = None,
) -> ClickMap:
    """Click all over an object, each click by itself, and compare each answer with the truth.

    Parameters
    ----------
    model : Segmenter
    embedding : Embedding
        Of the whole place.
    truth : (H, W) ndarray of bool
    progress : callable, optional
        Told the share that is done.
    """
    x, y = places_to_click(truth)
    middle = middle_of(truth)
    clicks = [(column, row) for row in y for column in x] + [middle]
    found: list[tuple[Mask, int, int]] = []
    for start in range(0, len(clicks), _AT_ONCE):
        prompts = [Prompt(points=[click]) for click in clicks[start : start + _AT_ONCE]]
        # Without a second look at each, which takes as long again and would say the same.
        for answer in model.model.decode_many(embedding.features, prompts, True, quick=True):
            if not len(answer.scores):
                found.append((np.zeros((1, 1), bool), 0, 0))
                continue
            best = int(answer.scores.argmax())
            found.append((answer.masks[best], answer.x, answer.y))
        if progress is not None:
            progress(min((start + _AT_ONCE) / len(clicks), 1.0))
    values = [_overlap(truth, *one) for one in found]
    deep = depth(truth)
    rows, columns = np.meshgrid(y.astype(int), x.astype(int), indexing="ij")
    shape = len(y), len(x)
    masks = [found[row * len(x) : (row + 1) * len(x)] for row in range(len(y))]
    return ClickMap(
        x, y, np.reshape(values[:-1], shape), truth[rows, columns],
        deep[rows, columns] / float(deep.max()), masks, values[-1], truth.shape,
    )  # fmt: skip


def _overlap(truth: Mask, crop: Mask, x: int, y: int) -> float:
    part = truth[y : y + crop.shape[0], x : x + crop.shape[1]]
    shared = np.count_nonzero(part & crop)
    union = np.count_nonzero(truth) + np.count_nonzero(crop) - shared
    return shared / union if union else 1.0


def heat(target: Target, clicks: ClickMap) -> Picture:
    """The object in grey, each place coloured by the IoU that a click on it gives."""
    view = target.view
    grey = np.repeat((enlarged(target) @ _GREY)[..., None], 3, axis=2)
    levels = np.round(255 * clicks.iou).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1]
    edges_x = _edges(clicks.x, view.x, view.scale, SIDE)
    edges_y = _edges(clicks.y, view.y, view.scale, grey.shape[0])
    for row in range(len(clicks.y)):
        for column in range(len(clicks.x)):
            part = np.s_[edges_y[row] : edges_y[row + 1], edges_x[column] : edges_x[column + 1]]
            grey[part] = 0.3 * grey[part] + 0.7 * colours[row, column]
    line = OverlayStyle(fill="none", contour_color="#FFFFFF", contour_width=2)
    objects = Instances.empty(target.truth.shape).add(target.truth)
    where = {"origin": (view.x, view.y), "scale": view.scale}
    return overlay(np.round(grey).astype(np.uint8), objects, line, **where)


def _edges(centres: NDArray[np.float64], start: int, scale: float, most: int) -> NDArray[np.int64]:
    """Where the places of a map meet, in pixels of the shown picture."""
    half = (centres[1] - centres[0]) / 2
    edges = np.append(centres - half, centres[-1] + half)
    return np.clip(np.round((edges - start) * scale), 0, most).astype(int)
