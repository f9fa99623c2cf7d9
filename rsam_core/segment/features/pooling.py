"""The model's features averaged under each object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled
from rsam_core.objects.instances import Instance, Instances
from rsam_core.scene.window import Window
from rsam_core.segment.embedding import Embedding

_TILE = 1024
_OVERLAP = 128


@dataclass(frozen=True, eq=False)
class EmbeddedView:
    """An encoded part of a scene.

    Attributes
    ----------
    embedding : Embedding
    x, y : float
        Scene pixel at the view's top-left corner.
    scale : float
        View pixels a scene pixel: below 1 the view is reduced.
    """

    embedding: Embedding
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0


def embedded_tiles(
    instances: Instances,
    scene: Any,
    segmenter: Any,
    *,
    progress: Callable[[float, str], None] | None = None,
) -> Iterator[EmbeddedView]:
    """Encode a large scene at native resolution, tile by tile, where there are objects.

    Tiles have 1024 pixels and overlap by 128. Each is encoded when it is asked for, so that only
    one is in memory at a time.
    """
    step = _TILE - _OVERLAP
    boxes = instances.bboxes
    corners = [
        (x, y)
        for y in range(0, max(scene.height - _OVERLAP, 1), step)
        for x in range(0, max(scene.width - _OVERLAP, 1), step)
        if (
            (boxes[:, 0] < x + _TILE)
            & (boxes[:, 2] > x)
            & (boxes[:, 1] < y + _TILE)
            & (boxes[:, 3] > y)
        ).any()
    ]
    for index, (x, y) in enumerate(corners):
        if progress is not None:
            progress(index / len(corners), f"part {index + 1} of {len(corners)}")
        window = Window(x, y, min(_TILE, scene.width - x), min(_TILE, scene.height - y))
        yield EmbeddedView(segmenter.embed(scene.read_rgb(window)), x, y, 1.0)


def pool(
    instances: Instances,
    views: Iterable[EmbeddedView],
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.float32] | None:
    """Average feature maps under each object.

    A cell of a feature map counts by the share of it that the object covers.

    Returns
    -------
    ndarray of float32, shape (N, C), or None
        None without views, or where an object lies outside all of them.
    """
    sums: NDArray[np.float64] | None = None
    weights = np.zeros(len(instances))
    for view in views:
        for maps, per_cell in feature_maps(view.embedding):
            channels = maps.shape[0]
            if sums is None:
                sums = np.zeros((len(instances), channels))
            for index in _meeting(instances, view):
                if cancelled is not None and cancelled():
                    raise Cancelled("Stopped. Nothing was changed.")
                covered = _coverage(instances[int(index)], view, per_cell, maps.shape[1:])
                if covered is None:
                    continue
                share, rows, columns = covered
                sums[index] += np.tensordot(maps[:, rows, columns], share, axes=([1, 2], [0, 1]))
                weights[index] += share.sum()
    if sums is None or not (weights > 0).all():
        return None
    return (sums / weights[:, None]).astype(np.float32)


def feature_maps(embedding: Embedding) -> list[tuple[NDArray[np.float32], float]]:
    """Return the map to pool, shape (C, h, w), and how many view pixels a cell spans."""
    features = embedding.features
    if hasattr(features, "square_cells"):
        return [features.square_cells()]
    if hasattr(features, "maps"):
        maps = features.maps.features[0].float().cpu().numpy()
        return [(maps, 8.0)]
    if hasattr(features, "embedding") and hasattr(features, "input_size"):
        maps = features.embedding[0].float().cpu().numpy()
        # SAM enlarges the longer side to 1024 pixels; its cells span 16 of these.
        return [(maps, 16.0 * max(features.view_size) / max(features.input_size))]
    return []


def _meeting(instances: Instances, view: EmbeddedView) -> NDArray[np.int64]:
    """Return the positions of the objects whose boxes meet the view."""
    height, width = np.array(view.embedding.shape) / view.scale
    x0, y0, x1, y1 = instances.bboxes.T
    inside = (x1 > view.x) & (y1 > view.y) & (x0 < view.x + width) & (y0 < view.y + height)
    return np.flatnonzero(inside)


def _coverage(
    item: Instance, view: EmbeddedView, per_cell: float, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], slice, slice] | None:
    """Return how much of each cell an object covers, and the rows and columns of these cells."""
    import cv2

    factor = view.scale / per_cell
    x0, y0, x1, y1 = item.bbox
    left, top = (x0 - view.x) * factor, (y0 - view.y) * factor
    right, bottom = (x1 - view.x) * factor, (y1 - view.y) * factor
    c0, r0 = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
    c1, r1 = min(int(np.ceil(right)), shape[1]), min(int(np.ceil(bottom)), shape[0])
    limits = np.array(view.embedding.shape) / per_cell
    c1, r1 = min(c1, int(np.ceil(limits[1]))), min(r1, int(np.ceil(limits[0])))
    if c0 >= c1 or r0 >= r1:
        return None
    # The crop is laid onto whole cells before averaging, so that shares are exact to a pixel.
    cell = max(round(per_cell / view.scale), 1)
    origin = (round(c0 / factor + view.x), round(r0 / factor + view.y))
    canvas = np.zeros(((r1 - r0) * cell, (c1 - c0) * cell), dtype=np.float32)
    a, b = x0 - origin[0], y0 - origin[1]
    part = item.mask[max(-b, 0) :, max(-a, 0) :]
    a, b = max(a, 0), max(b, 0)
    part = part[: max(canvas.shape[0] - b, 0), : max(canvas.shape[1] - a, 0)]
    canvas[b : b + part.shape[0], a : a + part.shape[1]] = part
    share = cv2.resize(canvas, (c1 - c0, r1 - r0), interpolation=cv2.INTER_AREA)
    if not share.any():
        return None
    return share, slice(r0, r1), slice(c0, c1)
