"""Which predicted object is which true one: pairwise IoU and one-to-one matching.

Objects are compared by their cropped masks, and only where their boxes touch, so that ten
thousand against ten thousand cost as much as the pairs that really meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.objects.checks import check_same_size
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instances import Instances

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COCO_THRESHOLDS: tuple[float, ...] = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""IoU 0.50, 0.55, ... 0.95, over which COCO averages."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The pairs of a true and a predicted object that share pixels.

    Parameters
    ----------
    rows, columns : ndarray of int64, shape (P,)
        Positions in the truth and in the prediction.
    shared : ndarray of int64, shape (P,)
        Pixels in common.
    ious : ndarray of float64, shape (P,)
    shape : (int, int)
        Numbers of true and of predicted objects.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    shared: NDArray[np.int64]
    ious: NDArray[np.float64]
    shape: tuple[int, int]

    def best(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """IoU with the best predicted object of each true one, and its position or −1."""
        values = np.zeros(self.shape[0])
        positions = np.full(self.shape[0], -1, dtype=np.int64)
        # The last one written stays, so the best has to come last.
        for pair in np.argsort(self.ious, kind="stable"):
            values[self.rows[pair]] = self.ious[pair]
            positions[self.rows[pair]] = self.columns[pair]
        return values, positions


def overlaps(truth: Instances, predicted: Instances) -> Overlaps:
    """Find all pairs of objects that share pixels, with their IoU.

    Parameters
    ----------
    truth, predicted : Instances
        Objects of one scene; they may overlap among themselves.

    Returns
    -------
    Overlaps

    Raises
    ------
    MetricError
        If they belong to scenes of different sizes.
    """
    check_same_size(truth.shape, predicted.shape)
    shape = len(truth), len(predicted)
    if not all(shape):
        none = np.zeros(0, dtype=np.int64)
        return Overlaps(none, none, none, np.zeros(0), shape)
    import shapely

    tree = shapely.STRtree(shapely.box(*predicted.bboxes.T.astype(float)))
    rows, columns = tree.query(shapely.box(*truth.bboxes.T.astype(float)))
    shared = np.array(
        [shared_pixels(truth[int(i)], predicted[int(j)]) for i, j in zip(rows, columns)],
        dtype=np.int64,
    ).reshape(-1)
    keep = shared > 0
    rows, columns, shared = (
        rows[keep].astype(np.int64),
        columns[keep].astype(np.int64),
        shared[keep],
    )
    order = np.lexsort((columns, rows))
    rows, columns, shared = rows[order], columns[order], shared[order]
    union = truth.areas[rows] + predicted.areas[columns] - shared
    return Overlaps(rows, columns, shared, shared / union, shape)


def pairwise_iou(truth: Instances, predicted: Instances) -> csr_array:
    """Return the IoU of every true with every predicted object.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (N, M)
        Pairs that share no pixel are not stored; ``.toarray()`` gives the full table.
    """
    from scipy.sparse import csr_array

    found = overlaps(truth, predicted)
    return csr_array((found.ious, (found.rows, found.columns)), shape=found.shape)


@dataclass(frozen=True, eq=False)
class Matching:
    """A one-to-one assignment of true and predicted objects at one IoU threshold.

    Parameters
    ----------
    rows, columns : ndarray of int64, shape (TP,)
        Positions of the matched objects in the truth and in the prediction.
    ious : ndarray of float64, shape (TP,)
    n_truth, n_predicted : int
        Numbers of objects.
    threshold : float
        IoU from which on a pair counts.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    ious: NDArray[np.float64]
    n_truth: int
    n_predicted: int
    threshold: float

    @property
    def tp(self) -> int:
        """Matched pairs."""
        return len(self.rows)

    @property
    def fp(self) -> int:
        """Predicted objects without a true one."""
        return self.n_predicted - self.tp

    @property
    def fn(self) -> int:
        """True objects that were not found."""
        return self.n_truth - self.tp

    @property
    def precision(self) -> float:
        """TP / (TP + FP); without predicted objects 1 if there are no true ones, else 0."""
        return _share(self.tp, self.n_predicted, self.n_truth == 0)

    @property
    def recall(self) -> float:
        """TP / (TP + FN); without true objects 1 if there are no predicted ones, else 0."""
        return _share(self.tp, self.n_truth, self.n_predicted == 0)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); 1 if there are no objects at all."""
        return _share(2 * self.tp, self.n_truth + self.n_predicted, True)

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of the matched pairs; 1 if there are no objects at all, 0 without a match."""
        if self.tp:
            return float(self.ious.mean())
        return float(self.n_truth + self.n_predicted == 0)

    @property
    def panoptic_quality(self) -> float:
        """Sum of the matched IoU over TP + FP / 2 + FN / 2; 1 if there are no objects at all.

        References
        ----------
        .. [1] Alexander Kirillov et al., "Panoptic segmentation", CVPR 2019. There a match needs
           an IoU above 0.5; see :func:`match` for `strict`.
        """
        return self.segmentation_quality * self.f1


def match(
    truth: Instances,
    predicted: Instances,
    threshold: float = 0.5,
    *,
    found: Overlaps | None = None,
    strict: bool = False,
) -> Matching:
    """Assign predicted objects to true ones, one to one.

    As many pairs as possible reach the threshold, and among those assignments the sum of IoU is
    largest (the Hungarian method [1]_, group by group of objects that meet).

    Parameters
    ----------
    truth, predicted : Instances
        Objects of one scene.
    threshold : float
        Smallest IoU of a pair, above 0 and at most 1.
    found : Overlaps, optional
        From :func:`overlaps`, if several thresholds are asked for.
    strict : bool
        Whether the IoU has to be above the threshold, as for panoptic quality, and may not be
        equal to it.

    Returns
    -------
    Matching

    Raises
    ------
    MetricError
        If the sizes of the scenes differ, or the threshold is out of range.

    References
    ----------
    .. [1] Harold W. Kuhn, "The Hungarian method for the assignment problem", 1955.
    """
    if not 0 < threshold <= 1:
        raise MetricError(
            f"The IoU from which objects count as found must be above 0 and at most 1, not "
            f"{threshold!r}. 0.5 is usual."
        )
    found = overlaps(truth, predicted) if found is None else found
    # 0.1 + 0.2 must not decide whether a pair of IoU 3/10 counts.
    good = found.ious > threshold + 1e-12 if strict else found.ious >= threshold - 1e-12
    pairs = _assign(found.rows[good], found.columns[good], found.ious[good], found.shape)
    chosen = np.flatnonzero(good)[pairs]
    return Matching(
        found.rows[chosen],
        found.columns[chosen],
        found.ious[chosen],
        *found.shape,
        threshold=float(threshold),
    )


def match_all(
    truth: Instances,
    predicted: Instances,
    thresholds: Sequence[float] = COCO_THRESHOLDS,
    *,
    found: Overlaps | None = None,
) -> list[Matching]:
    """Match at several thresholds; see :func:`match`."""
    found = overlaps(truth, predicted) if found is None else found
    return [match(truth, predicted, threshold, found=found) for threshold in thresholds]


def _assign(
    rows: NDArray, columns: NDArray, ious: NDArray, shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the positions of the chosen pairs, in the order of their rows."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    size = sum(shape)
    graph = coo_array((np.ones(len(rows)), (rows, columns + shape[0])), shape=(size, size))
    group = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(group, kind="stable")
    chosen: list[int] = []
    for pairs in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(pairs) == 1:
            chosen.append(int(pairs[0]))
            continue
        some_rows, i = np.unique(rows[pairs], return_inverse=True)
        some_columns, j = np.unique(columns[pairs], return_inverse=True)
        # A pair more is always worth more than any gain of IoU in the others.
        few = min(len(some_rows), len(some_columns))
        value = np.zeros((len(some_rows), len(some_columns)))
        value[i, j] = few + 1 + ious[pairs]
        where = np.full(value.shape, -1, dtype=np.int64)
        where[i, j] = pairs
        picked = where[linear_sum_assignment(value, maximize=True)]
        chosen.extend(picked[picked >= 0].tolist())
    return np.sort(np.array(chosen, dtype=np.int64))


def _share(part: int, whole: int, empty: bool) -> float:
    return part / whole if whole else float(empty)
