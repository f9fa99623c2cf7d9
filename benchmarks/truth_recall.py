"""How many objects of an exact label map a set of objects finds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rsam_core.objects.instance import Instance


def best_ious(
    labels: np.ndarray, ids: Iterable[int], objects: Iterable[Instance], min_area: int = 0
) -> dict[int, float]:
    """Best IoU that any object reaches with each labelled one.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W)
    ids : iterable of int
        Labels that count.
    objects : iterable of Instance
    min_area : int
        Labels with fewer pixels are left out.
    """
    areas = np.bincount(labels.ravel())
    best = {i: 0.0 for i in ids if i < len(areas) and areas[i] >= min_area}
    for item in objects:
        x0, y0, x1, y1 = item.bbox
        met, counts = np.unique(labels[y0:y1, x0:x1][item.mask], return_counts=True)
        for i, shared in zip(met.tolist(), counts.tolist()):
            if i in best:
                best[i] = max(best[i], shared / (int(areas[i]) + item.area - shared))
    return best


def recall(
    labels: np.ndarray, ids: Iterable[int], objects: Iterable[Instance], min_area: int = 0
) -> dict[str, float]:
    """Share of labelled objects found at IoU 0.5 and 0.75; see `best_ious`."""
    best = np.array(list(best_ious(labels, ids, objects, min_area).values()))
    return {
        "truth": len(best),
        "r50": float((best >= 0.5).mean()),
        "r75": float((best >= 0.75).mean()),
    }
