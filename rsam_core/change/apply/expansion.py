"""What came and what went between two dates, and whether a town fills gaps, spreads or leaps.

References
----------
.. [1] Xiaoping Liu et al., "A new landscape index for quantifying urban expansion using
   multi-temporal remotely sensed data", Landscape Ecology 25, 2010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.features import Features, united
from rsam_core.change.apply.overlaps import covered_areas

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

INFILL, EDGE, OUTLYING, GONE = "infill", "edge growth", "outlying", "no longer there"
COLOURS = {INFILL: "#2F7BFF", EDGE: "#F2A900", OUTLYING: "#E84FD0", GONE: "#7C4DFF"}
NEW = 0.5
"""Share of a building that must stand on ground without buildings at the first date."""


def appeared(some: Features, others: Features) -> NDArray[np.bool_]:
    """Which shapes stand, by at least `NEW`, on ground that none of the others covers, (N,)."""
    if not len(some):
        return np.zeros(0, bool)
    return 1 - covered_areas(some, others) / np.maximum(some.areas, 1e-9) >= NEW


def expansion_index(patches: Features, old: BaseGeometry, distance: float) -> NDArray[np.float64]:
    """Landscape expansion index of new patches, 0 to 100, shape (N,).

    Parameters
    ----------
    patches : Features
        What is new.
    old : shapely geometry
        What was built up before.
    distance : float
        Width of the ring around a patch, metres.

    Notes
    -----
    100 A₀ / (A₀ + Aᵥ), where of the ring around a patch A₀ was built up before and Aᵥ was not.
    Above 50 growth is infill, from there down to 0 edge growth, and 0 outlying.
    """
    import shapely

    if not len(patches):
        return np.zeros(0)
    rings = shapely.difference(shapely.buffer(patches.shapes, distance), patches.shapes)
    pieces = shapely.get_parts(old)
    pieces = pieces[~shapely.is_empty(pieces)]
    tree = shapely.STRtree(pieces)
    which, where = tree.query(rings, predicate="intersects")
    shared = shapely.area(shapely.intersection(rings[which], pieces[where]))
    occupied = np.bincount(which, shared, minlength=len(rings))
    return 100 * occupied / np.maximum(shapely.area(rings), 1e-9)


def settled(buildings: Features, gap: float) -> BaseGeometry:
    """Ground of a settlement: buildings, and gaps narrower than twice `gap` metres between them."""
    import shapely

    if not len(buildings):
        return shapely.Polygon()
    wide = united(shapely.buffer(buildings.shapes, gap, quad_segs=4))
    return shapely.union_all([shapely.buffer(wide, -gap, quad_segs=4), buildings.union])


def kinds_of(index: NDArray[np.float64]) -> list[str]:
    """Infill, edge growth or outlying, for each expansion index."""
    return np.where(index > 50, INFILL, np.where(index > 0, EDGE, OUTLYING)).tolist()
