"""Pictures of the objects that a method gets most wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsam_core.evaluate.datasets import Dataset
from rsam_core.evaluate.methods.base import Method, SharedImageWork
from rsam_core.evaluate.results import Evaluation
from rsam_core.evaluate.sample import full_mask, pieces, tiles

_SIDE = 256
"""Pixels of a picture."""


def worst_objects(
    evaluation: Evaluation, dataset: Dataset, methods: Sequence[Method], count: int = 8
) -> list[tuple[str, bytes]]:
    """The objects with the lowest IoU of the best method, asked for once more and drawn.

    Parameters
    ----------
    evaluation : Evaluation
    dataset : Dataset
        The one that was evaluated.
    methods : sequence of Method
        Those that were evaluated.
    count : int
        Pictures at most.

    Returns
    -------
    list of (str, bytes)
        Captions and PNG pictures, the worst first.
    """
    best = evaluation.best()
    method = next((m for m in methods if m.key == best), None)
    if method is None:
        return []
    worst = evaluation.of(method.key).nsmallest(count, "iou")
    wanted = {(row.image, row.object): row.iou for row in worst.itertuples()}
    items = {item.name: item for item in dataset.items}
    found: list[tuple[float, str, bytes]] = []
    for name in dict.fromkeys(image.partition(" [")[0] for image, _ in wanted):
        if name not in items:
            continue
        for tile in tiles(items[name].read(), evaluation.settings.max_side):
            bench, shape = SharedImageWork(tile.image), tile.image.shape[:2]
            for number, item in pieces(tile.truth, evaluation.settings.min_area):
                iou = wanted.get((tile.name, number))
                if iou is None:
                    continue
                truth = full_mask(item, shape)
                picture = _picture(tile.image, truth, method.run(bench, truth).mask)
                found.append((iou, f"{tile.name}, object {number}: IoU {iou:.2f}", picture))
    return [(text, picture) for _, text, picture in sorted(found, key=lambda f: f[0])]


def _picture(image: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> bytes:
    """The surroundings of an object with what is right, missed and too much."""
    import cv2

    from rsam_core.render.overlays import confusion_picture

    both = truth | mask
    rows, columns = np.flatnonzero(both.any(1)), np.flatnonzero(both.any(0))
    side = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    half = int(max(32, 0.75 * side))
    middle = (rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2
    part = tuple(
        slice(max(0, m - half), min(size, m + half)) for m, size in zip(middle, image.shape)
    )
    drawn = confusion_picture(image[part], truth[part], mask[part])
    scale = _SIDE / max(drawn.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    drawn = cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=how)
    return cv2.imencode(".png", drawn[..., ::-1])[1].tobytes()
