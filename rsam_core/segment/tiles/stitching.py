"""Objects that the edge of a tile cuts: join their pieces, or leave them to a tile with the whole.

Tiles overlap. In the part that two tiles share, both have looked at the same pixels, so two
pieces of one object agree there, and pieces of neighbours do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Mask, clip, cut_out, shared_pixels, union
from rsam_core.objects.suppression import near_pairs

EDGE = 2
"""A mask that comes this close to its tile's edge (pixels) may go on behind it."""

AGREE = 0.6
"""Pieces of two tiles belong together from this IoU in the part that both tiles see."""

_SHARED = 16
"""Pixels that two pieces must share at least: fewer prove nothing."""

_DOUBLE = 0.1
"""Pieces of one tile that overlap by more than this share of the smaller are rival outlines."""

_SAME = 0.5
"""IoU from which a whole object makes a cut piece superfluous."""

OPEN = 0.15
"""An object whose straight cut is longer than this share of the root of its area is left out."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class TileMask:
    """A mask found in one tile.

    Attributes
    ----------
    mask : ndarray of bool, shape (h, w)
        Cropped to `box`.
    box : tuple of int
        Pixel edges x0, y0, x1, y1.
    area : int
        Pixels.
    score : float
        Predicted IoU.
    tile : int
        Index of the tile.
    cut : int
        Pixels along which it ends at a tile's edge.
    """

    mask: Mask
    box: Box
    area: int
    score: float
    tile: int
    cut: int = 0

    @property
    def x(self) -> int:
        """Column of the mask's top-left pixel."""
        return self.box[0]

    @property
    def y(self) -> int:
        """Row of the mask's top-left pixel."""
        return self.box[1]


def touches_edge(
    boxes: NDArray[np.int64], windows: NDArray[np.int64], region: Box
) -> NDArray[np.bool_]:
    """Tell which masks come so close to an inner edge of their tile that it may cut them.

    Parameters
    ----------
    boxes : ndarray of int, shape (N, 4)
        Tight bounding boxes x0, y0, x1, y1 of the masks.
    windows : ndarray of int, shape (N, 4)
        What the tile of each mask has seen.
    region : tuple of int
        What all tiles together have seen; its border cuts nothing.
    """
    low = (boxes[:, :2] <= windows[:, :2] + EDGE) & (windows[:, :2] > region[:2])
    high = (boxes[:, 2:] >= windows[:, 2:] - EDGE) & (windows[:, 2:] < region[2:])
    return (low | high).any(axis=1)


def is_cut(piece: TileMask) -> bool:
    """Whether a tile's edge cuts so much of an object that it is no object to show."""
    return piece.cut > OPEN * piece.area**0.5


def join(pieces: Sequence[TileMask], windows: NDArray[np.int64]) -> list[TileMask]:
    """Join the pieces of cut objects.

    Two pieces are joined if they agree in the part that both tiles see, and each of them goes on
    where the other is cut; those that agree best come first, and of several outlines of the same
    thing in one tile only one joins. Chains of pieces become one object. What remains with a long
    straight cut is among them, too: `is_cut` tells which.

    Parameters
    ----------
    pieces : sequence of TileMask
        Masks at an inner edge of their tile.
    windows : ndarray of int, shape (T, 4)
        x0, y0, x1, y1 of what each tile has seen; tiles that were never looked at have no area.

    Returns
    -------
    list of TileMask
        Objects; the score of a joined one is the mean of its pieces', weighted by area.
    """
    result = []
    for group in _groups(pieces, windows):
        members = [pieces[i] for i in group]
        whole = members[0] if len(members) == 1 else _joined(members)
        cut = sum(_open_length(member, members, whole, windows) for member in members)
        result.append(replace(whole, cut=cut))
    return result


def covers(whole: TileMask, part: TileMask, window: Sequence[int]) -> bool:
    """Whether an object is, within the window in which a piece was found, that piece."""
    shared = shared_pixels(whole, part)
    within = int(np.count_nonzero(clip(whole, window).mask))
    return shared > 0 and shared >= _SAME * (part.area + within - shared)


def _groups(pieces: Sequence[TileMask], windows: NDArray[np.int64]) -> list[list[int]]:
    """Positions of the pieces of each object."""
    parent = list(range(len(pieces)))
    members = {i: [i] for i in parent}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in _matches(pieces, windows):
        a, b = root(i), root(j)
        if a != b and not _rivals(pieces, members[a], members[b]):
            parent[b] = a
            members[a] += members.pop(b)
    return [sorted(group) for group in members.values()]


def _rivals(pieces: Sequence[TileMask], first: list[int], second: list[int]) -> bool:
    """Whether joining two groups would put two outlines of the same thing into one object."""
    for i in first:
        for j in second:
            a, b = pieces[i], pieces[j]
            if a.tile == b.tile:
                shared = shared_pixels(a, b)
                if shared > _DOUBLE * min(a.area, b.area):
                    return True
    return False


def _matches(pieces: Sequence[TileMask], windows: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Pairs of pieces of different tiles that belong together, the surest first."""
    boxes = np.array([p.box for p in pieces], np.int64).reshape(-1, 4)
    areas = np.array([p.area for p in pieces], np.int64)
    tiles = np.array([p.tile for p in pieces], np.int64)
    # Long objects share little with their continuation: all boxes that meet are looked at.
    first, second = near_pairs(boxes, areas, 0.0)
    apart = tiles[first] != tiles[second]
    found = []
    for i, j in zip(first[apart].tolist(), second[apart].tolist()):
        value = _agreement(pieces[i], pieces[j], windows)
        if value >= AGREE:
            found.append((-value, -pieces[i].score - pieces[j].score, i, j))
    return [(i, j) for _, _, i, j in sorted(found)]


def _agreement(a: TileMask, b: TileMask, windows: NDArray[np.int64]) -> float:
    """IoU of two pieces in the part that both tiles see; 0 if one ends where the other goes on.

    An object may enter that part several times, as a bend of a river does, and be one piece in
    one tile and two in the other: only patches that meet the other piece are compared.
    """
    here, there = windows[a.tile].tolist(), windows[b.tile].tolist()
    x0, y0, x1, y1 = (
        max(here[0], there[0]),
        max(here[1], there[1]),
        *map(min, here[2:], there[2:]),
    )
    if x0 >= x1 or y0 >= y1 or shared_pixels(a, b) < _SHARED:
        return 0.0
    common = (x0, y0, x1, y1)
    one, two = cut_out(a, common), cut_out(b, common)
    for inside, piece, other, edge in ((one, a, b, there), (two, b, a, here)):
        if np.count_nonzero(inside) < piece.area and not _meets(other.box, edge):
            return 0.0
    both = one & two
    either = _patches(one, both) | _patches(two, both)
    return float(np.count_nonzero(both) / np.count_nonzero(either))


def _patches(mask: Mask, seeds: Mask) -> Mask:
    """The connected patches of a mask that hold at least one seed."""
    import cv2

    _, numbered = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return mask & np.isin(numbered, np.unique(numbered[seeds]))


def _meets(box: Sequence[int], edge: Sequence[int]) -> bool:
    """Whether a box comes close to an edge of the box around it."""
    return (
        box[0] <= edge[0] + EDGE
        or box[1] <= edge[1] + EDGE
        or box[2] >= edge[2] - EDGE
        or box[3] >= edge[3] - EDGE
    )


def _joined(members: Sequence[TileMask]) -> TileMask:
    """One piece of several."""
    mask, x, y = union(members)
    box = (x, y, x + mask.shape[1], y + mask.shape[0])
    areas = np.array([m.area for m in members], float)
    score = float(np.average([m.score for m in members], weights=areas))
    return TileMask(mask, box, int(np.count_nonzero(mask)), score, members[0].tile)


def _open_length(
    piece: TileMask, members: Sequence[TileMask], whole: TileMask, windows: NDArray[np.int64]
) -> int:
    """Pixels along which a piece ends at its tile's edge although another tile saw what follows.

    Parameters
    ----------
    piece : TileMask
        As found in its tile.
    members : sequence of TileMask
        All pieces of the object, this one included.
    whole : TileMask
        The object.
    windows : ndarray of int, shape (T, 4)
    """
    length = 0
    x0, y0, x1, y1 = windows[piece.tile].tolist()
    left, top, right, bottom = piece.box
    reach = EDGE + 1
    for axis, near, beyond, close in (
        (1, (x0, top, x0 + reach, bottom), (x0 - reach, top, x0, bottom), left <= x0 + EDGE),
        (1, (x1 - reach, top, x1, bottom), (x1, top, x1 + reach, bottom), right >= x1 - EDGE),
        (0, (left, y0, right, y0 + reach), (left, y0 - reach, right, y0), top <= y0 + EDGE),
        (0, (left, y1 - reach, right, y1), (left, y1, right, y1 + reach), bottom >= y1 - EDGE),
    ):
        if close and _seen(beyond, windows):
            ends = cut_out(piece, near).any(axis=axis)
            goes_on = cut_out(whole, beyond).any(axis=axis)
            # A tile that sees both sides of the edge knows whether the object ends there.
            for other in members:
                if other.tile != piece.tile and _sees_across(
                    windows[other.tile], near, beyond, axis
                ):
                    goes_on |= cut_out(other, near).any(axis=axis)
            open_part = int(np.count_nonzero(ends & ~goes_on))
            # An outline that crosses the edge at a slant ends a little aside of where it goes on.
            if 2 * open_part > np.count_nonzero(ends):
                length += open_part
    return length


def _sees_across(window: NDArray[np.int64], near: Box, beyond: Box, axis: int) -> bool:
    """Whether a window holds what lies on both sides of an edge."""
    low, high = (0, 2) if axis == 1 else (1, 3)
    start, end = min(near[low], beyond[low]), max(near[high], beyond[high])
    return bool(window[low] <= start and end <= window[high])


def _seen(box: Box, windows: NDArray[np.int64]) -> bool:
    """Whether any tile has looked at a part of a box."""
    low = np.maximum(windows[:, :2], box[:2])
    high = np.minimum(windows[:, 2:], box[2:])
    return bool((low < high).all(axis=1).any())
