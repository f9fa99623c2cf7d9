"""How objects lie to each other: near, next to, touching, inside, on, between.

>>> places = Places(instances, scene)                                    # doctest: +SKIP
>>> match(table, rule, places)                                           # doctest: +SKIP
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ClassifyError
from rsam_core.objects.classify.rules import Relation
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.shape_arrays import basics_array
from rsam_core.scene.ground_scale import Ground, ground_of

Flags = NDArray[np.bool_]

NEAR_M, NEXT_TO_M, BETWEEN_M = 20.0, 5.0, 50.0
"""Metres between the edges of two objects that are near, or next to, each other; and how far at
most the two may be between which another lies."""

NOMINAL_PIXEL = 0.3
"""Metres a pixel that are assumed for these where the size of pixels is not known."""

TOUCHING = 0.5
"""Pixels between the edges of objects that touch: corner to corner counts, a free pixel does
not."""

ON, INSIDE = 0.5, 0.8
"""Least share of an object's surroundings that belongs to what it lies on, or in."""

_ANGLE = math.cos(math.radians(120))
"""What lies between two things sees them in opposite directions, or nearly so."""

_FEW = 6
"""Corners of an outline that are tried before the whole of it."""

_RING, _RING_POINTS = 2, 24
"""Pixels from an object to the ring around it, and how many points of the ring are looked at."""


class _Pieces(NamedTuple):
    """Outlines through the outermost pixels' centres: geometries (P,), and owners (P,)."""

    shapes: NDArray[np.object_]
    owners: NDArray[np.int64]
    vertices: NDArray[np.int64]

    def of(self, flags: Flags) -> _Pieces:
        chosen = flags[self.owners]
        return _Pieces(self.shapes[chosen], self.owners[chosen], self.vertices[chosen])


class _Corners(NamedTuple):
    """Corners of the outlines (M, 2), whose they are, and which few stand for each outline."""

    places: NDArray[np.float64]
    owners: NDArray[np.int64]
    few: NDArray[np.bool_]

    def of(self, flags: Flags, every: bool = False) -> _Corners:
        chosen = flags[self.owners] if every else flags[self.owners] & self.few
        return _Corners(self.places[chosen], self.owners[chosen], self.few[chosen])


class _Seen(NamedTuple):
    """What objects see: their positions (K,), the others' (K,), and directions there (K, 2)."""

    objects: NDArray[np.int64]
    owners: NDArray[np.int64]
    ways: NDArray[np.float64]


class Places:
    """Where objects lie; outlines are traced once, when they are first asked for.

    Parameters
    ----------
    instances : Instances
        The objects, N of them.
    ground : Scene, Ground or float, optional
        What tells how large pixels are, see :func:`rsam_core.scene.ground_scale.ground_of`; a
        number is metres a pixel. Its measure at the middle of the objects counts for all.

    Notes
    -----
    Distances are from edge to edge, from the centres of the outermost pixels less one pixel: up
    to 0.4 pixels more than exact where two objects lie corner to corner.
    """

    def __init__(self, instances: Instances, ground: Any = None) -> None:
        self._instances = instances
        known = ground_of(ground)
        self._metric = None if known is None else _metric(known, instances)

    @property
    def metres_known(self) -> bool:
        """Whether distances in metres can be told."""
        return self._metric is not None

    def related(
        self, relation: Relation, others: tuple[Flags, ...], among: Flags | None = None
    ) -> Flags:
        """Which objects stand so to others.

        Parameters
        ----------
        relation : Relation
        others : tuple of ndarray of bool, shape (N,)
            The other objects, one set for each rule of the relation. None is near, inside or
            touching itself.
        among : ndarray of bool, shape (N,), optional
            Objects that are asked about; all by default.

        Returns
        -------
        ndarray of bool, shape (N,)
            False where it was not asked.

        Raises
        ------
        ClassifyError
            If a distance in metres is asked for and the size of pixels is not known.
        """
        asked = np.ones(len(self._instances), bool) if among is None else np.asarray(among, bool)
        if not asked.any() or not all(some.any() for some in others):
            return np.zeros(len(self._instances), bool)
        if relation.how == "between":
            return self._between(asked, *others)
        if relation.how in ("on", "inside"):
            share = ON if relation.how == "on" else INSIDE
            return self._surrounded(asked, others[0]) >= share
        return self._within(asked, others[0], self._reach(relation))

    def _reach(self, relation: Relation) -> float:
        """Distance in pixels."""
        if relation.how == "touching":
            return TOUCHING
        if relation.how == "within" and relation.unit == "px":
            return float(relation.distance or 0)
        if relation.how == "within":
            if self._metric is None:
                raise ClassifyError(
                    f"“Within {relation.distance:g} m” needs the size of a pixel on the ground, "
                    "which this image does not tell. Type the ground distance, or say the "
                    "distance in pixels."
                )
            return float(relation.distance or 0) / self._pixel
        return (NEAR_M if relation.how == "near" else NEXT_TO_M) / self._pixel

    @property
    def _pixel(self) -> float:
        """Metres a pixel, assumed ones where they are not known."""
        if self._metric is None:
            return NOMINAL_PIXEL
        return float(np.linalg.det(self._metric) ** 0.25)

    @cached_property
    def _bent(self) -> NDArray[np.float64] | None:
        """What makes oblong pixels as long as they are, at equal area; None for square ones."""
        if self._metric is None:
            return None
        even = self._metric / np.sqrt(np.linalg.det(self._metric))
        return None if np.allclose(even, np.eye(2), atol=1e-3) else np.linalg.cholesky(even)

    @cached_property
    def _pieces(self) -> _Pieces:
        import shapely

        shapes, owners = [], []
        for index, item in enumerate(self._instances):
            for piece in _outlines(item):
                shapes.append(piece)
                owners.append(index)
        pieces = np.empty(len(shapes), object)
        pieces[:] = shapes
        if self._bent is not None:
            pieces = shapely.transform(pieces, lambda places: places @ self._bent)
        return _Pieces(pieces, np.array(owners, np.int64), shapely.get_num_coordinates(pieces))

    def _pairs(self, asked: Flags, others: Flags, reach: float) -> tuple[NDArray, NDArray]:
        """Pieces of those asked and of others that are near, without an object and itself."""
        import shapely

        mine, theirs = self._pieces.of(asked), self._pieces.of(others)
        # The more complicated side is prepared, once for each of its pieces.
        swap = mine.vertices.max() > theirs.vertices.max()
        tree_side, query_side = (theirs, mine) if swap else (mine, theirs)
        tree = shapely.STRtree(tree_side.shapes)
        found = tree.query(query_side.shapes, predicate="dwithin", distance=reach + 1.0)
        one, two = (found[0], found[1]) if swap else (found[1], found[0])
        apart = mine.owners[one] != theirs.owners[two]
        return one[apart], two[apart]

    def _within(self, asked: Flags, others: Flags, reach: float) -> Flags:
        result = self._surely_within(asked & ~others, others, reach)
        left = asked & ~result
        if left.any():
            mine = self._pieces.of(left)
            one, _ = self._pairs(left, others, reach)
            result[mine.owners[one]] = True
        return result

    def _surely_within(self, asked: Flags, others: Flags, reach: float) -> Flags:
        """Objects a few corners of which are near enough to corners of others.

        Most of those that are near are found so, much quicker than by their whole outlines.
        """
        from scipy.spatial import cKDTree

        result = np.zeros(len(asked), bool)
        some = self._corners.of(asked)
        theirs = self._corners.of(others, every=True)
        if len(some.places) and len(theirs.places):
            tree = cKDTree(theirs.places)
            far, _ = tree.query(some.places, distance_upper_bound=reach + 1.0)
            result[some.owners[np.isfinite(far)]] = True
        return result

    @cached_property
    def _corners(self) -> _Corners:
        import shapely

        places, piece = shapely.get_coordinates(self._pieces.shapes, return_index=True)
        first = np.searchsorted(piece, np.arange(len(self._pieces.shapes)))
        step = np.maximum(self._pieces.vertices // _FEW, 1)
        few = (np.arange(len(piece)) - first[piece]) % step[piece] == 0
        return _Corners(places, self._pieces.owners[piece], few)

    def prepare(self) -> Places:
        """Trace all outlines now, so that the first question is as quick as the later ones."""
        _ = self._corners, self._rings
        return self

    @cached_property
    def _rings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Points x, y (P, 2) around the objects, and whose they are (P,)."""
        points, owners = [], []
        for index, item in enumerate(self._instances):
            ring = _ring(item, self._instances.shape)
            points.append(ring)
            owners.append(np.full(len(ring), index))
        if not points:
            return np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
        return np.concatenate(points), np.concatenate(owners)

    def _surrounded(self, asked: Flags, others: Flags) -> NDArray[np.float64]:
        """Share of the points around each object that belong to any of the others, (N,)."""
        import shapely

        points, owners = self._rings
        chosen = np.flatnonzero(asked[owners])
        hit = np.zeros(len(points), bool)
        some = np.flatnonzero(others)
        tree = shapely.STRtree(shapely.points(points[chosen] + 0.5))
        boxes = self._instances.bboxes[some].astype(float)
        which, where = tree.query(shapely.box(*boxes.T))
        order = np.argsort(which, kind="stable")
        which, where = which[order], chosen[where[order]]
        ends = np.searchsorted(which, np.arange(len(some) + 1))
        for k, (start, end) in enumerate(pairwise(ends.tolist())):
            if start == end:
                continue
            item, rows = self._instances[int(some[k])], where[start:end]
            rows = rows[owners[rows] != some[k]]
            x, y = points[rows].T
            hit[rows] |= item.mask[y - item.y, x - item.x]
        counts = np.bincount(owners, minlength=len(asked))
        return np.bincount(owners, hit, len(asked)) / np.maximum(counts, 1)

    def _between(self, asked: Flags, one: Flags, two: Flags) -> Flags:
        """Whether an object sees the nearest of both in nearly opposite directions."""
        import shapely

        reach = BETWEEN_M / self._pixel
        result = np.zeros(len(asked), bool)
        middles = basics_array(self._instances)[:, 1:3] - 0.5
        centres = shapely.points(middles if self._bent is None else middles @ self._bent)
        first = self._seen(centres, asked, one, reach)
        if not len(first.objects):
            return result
        nearest = np.full(len(asked), -1)
        nearest[first.objects[::-1]] = np.arange(len(first.objects))[::-1]
        if np.array_equal(one, two):
            second = first
        else:
            second = self._seen(centres, asked, two, reach)
            _, rows = np.unique(second.objects, return_index=True)
            second = _Seen(*(column[rows] for column in second))
        mine = nearest[second.objects]
        opposite = np.einsum("kd,kd->k", second.ways, first.ways[mine]) <= _ANGLE
        found = (mine >= 0) & opposite & (second.owners != first.owners[mine])
        result[second.objects[found]] = True
        return result

    def _seen(
        self, centres: NDArray[np.object_], asked: Flags, others: Flags, reach: float
    ) -> _Seen:
        """The others in reach of each object, nearest first."""
        import shapely

        theirs = self._pieces.of(others)
        places = np.flatnonzero(asked)
        tree = shapely.STRtree(centres[places])
        two, one = tree.query(theirs.shapes, predicate="dwithin", distance=reach)
        apart = places[one] != theirs.owners[two]
        one, two = one[apart], two[apart]
        lines = shapely.shortest_line(centres[places[one]], theirs.shapes[two])
        ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
        way = ends[:, 1] - ends[:, 0]
        length = np.hypot(*way.T)
        order = np.argsort(length, kind="stable")
        # What it lies in or on is in no direction.
        order = order[length[order] > 0]
        owners, ways = theirs.owners[two[order]], way[order] / length[order, None]
        return _Seen(places[one[order]], owners, ways)


def _metric(ground: Ground, instances: Instances) -> NDArray[np.float64] | None:
    """Metric of the pixels in the middle of the objects, (2, 2)."""
    if ground.constant is not None:
        return ground.constant
    if not len(instances):
        return None
    boxes = instances.bboxes
    middle = (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0)) / 2
    metric = ground.metrics(*middle[:, None])[0]
    return metric if np.isfinite(metric).all() else None


def _outlines(item: Instance) -> list[Any]:
    """Outlines of the pieces of an object through the centres of its pixels."""
    import cv2
    import shapely

    contours, tree = cv2.findContours(
        np.ascontiguousarray(item.mask).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE,
        offset=(item.x, item.y),
    )  # fmt: skip
    found = []
    for index, contour in enumerate(contours):
        if tree[0, index, 3] >= 0:
            continue
        points = contour[:, 0].astype(float)
        if len(points) == 1:
            found.append(shapely.Point(points[0]))
        elif len(points) == 2:
            found.append(shapely.LineString(points))
        else:
            holes, child = [], tree[0, index, 2]
            while child >= 0:
                if len(contours[child]) > 2:
                    holes.append(contours[child][:, 0].astype(float))
                child = tree[0, child, 0]
            found.append(shapely.Polygon(points, holes))
    return found


def _ring(item: Instance, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Points two pixels outside an object, evenly taken, those beyond the scene left out."""
    import cv2

    margin = _RING + 1
    mask = np.pad(item.mask.view(np.uint8), margin)
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    contours, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(contours)[:, 0].astype(np.int64)
    points += [item.x - margin, item.y - margin]
    height, width = shape
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    points = points[inside]
    step = np.linspace(0, len(points), min(len(points), _RING_POINTS), endpoint=False)
    return points[step.astype(int)]
