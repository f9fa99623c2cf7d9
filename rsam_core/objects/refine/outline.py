"""Outlines of masks as polygons, and polygons as masks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Mask
from rsam_core.objects.refine.morphology import area_level, blur

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_SIMPLIFY_BLUR = 0.7
_CUT = 3
"""Points left out at each end of a side when it is fitted."""
_DROP = 6.0
"""Pieces and holes smaller than this many squared tolerances are lost, but not the largest."""
_JAGS = 2.0
_SHORTER = 1.02


def trace(mask: Mask, x: int = 0, y: int = 0) -> BaseGeometry:
    """Return the outline of a mask along its pixel edges.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    x, y : int
        Where the top-left corner of the mask lies.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        With holes; valid, and of exactly the mask's area.
    """
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    pieces = [
        shapely.geometry.shape(geometry)
        for geometry, _ in shapes(
            mask.astype(np.uint8), mask=mask, connectivity=4, transform=Affine.translation(x, y)
        )
    ]
    return pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(pieces)


def rasterise(geometry: BaseGeometry, shape: tuple[int, int], x: int = 0, y: int = 0) -> Mask:
    """Return the pixels whose centre lies in a polygon.

    Parameters
    ----------
    geometry : shapely.Polygon or shapely.MultiPolygon
    shape : (int, int)
        Height and width of the mask.
    x, y : int
        Where the top-left corner of the mask lies.

    Returns
    -------
    ndarray of bool, shape `shape`

    Notes
    -----
    Scan lines through the pixel centres and the even-odd rule, for all rings at once. GDAL does
    the same, but setting it up costs more than a small object does.
    """
    import shapely

    rings = shapely.get_rings(shapely.get_parts(geometry))
    toggles = np.zeros((shape[0], shape[1] + 1), np.int32)
    for ring in rings:
        points = shapely.get_coordinates(ring) - (x, y)
        _toggle(toggles, points[:-1], points[1:])
    return (np.cumsum(toggles, axis=1)[:, :-1] & 1).astype(bool)


def _toggle(
    toggles: NDArray[np.int32], begin: NDArray[np.float64], end: NDArray[np.float64]
) -> None:
    """Count, for each row, the first pixel to the right of where an edge crosses its centre."""
    height, width = toggles.shape[0], toggles.shape[1] - 1
    low, high = np.minimum(begin[:, 1], end[:, 1]), np.maximum(begin[:, 1], end[:, 1])
    # Half-open, so that a row through a corner is counted once.
    first = np.clip(np.ceil(low - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(high - 0.5), 0, height).astype(np.int64)
    counts = last - first
    edges = np.repeat(np.arange(len(begin)), counts)
    if not edges.size:
        return
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.arange(len(edges)) - starts + first[edges]
    (x0, y0), (x1, y1) = begin[edges].T, end[edges].T
    crossing = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    columns = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    np.add.at(toggles, (rows, columns), 1)


def subpixel_rings(mask: Mask, sigma: float = 1.0) -> list[NDArray[np.float64]]:
    """Return closed outlines that run between the pixels, without their steps.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    sigma : float
        Standard deviation, in pixels, of the blur that takes the steps away.

    Returns
    -------
    list of ndarray of float, shape (N, 2)
        x and y, last point equal to the first; pieces have a positive :func:`signed_area`,
        holes a negative one. Specks of a pixel or two are lost.

    Notes
    -----
    The contour line of the blurred mask at the level that keeps the area.
    """
    from skimage.measure import find_contours

    if not mask.any():
        return []
    margin = 2 + int(np.ceil(3 * sigma))
    blurred = blur(np.pad(mask, margin), sigma)
    level = area_level(blurred, int(np.count_nonzero(mask)))
    # A hair below the level, which the pixels on it are counted in.
    found = find_contours(blurred, level - 1e-4)
    # Turned, so that the higher values lie on the side that makes pieces positive.
    return [contour[:, ::-1] + 0.5 - margin for contour in found if len(contour) > 3]


def signed_area(ring: NDArray[np.float64]) -> float:
    """Return the area within a closed line, positive if it runs from x towards y."""
    (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
    return float((x0 * y1 - x1 * y0).sum() / 2)


def simplified(mask: Mask, tolerance: float, x: int = 0, y: int = 0) -> BaseGeometry:
    """Return the outline of a mask with few vertices.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    tolerance : float
        Pixels by which simplifying may move the outline.
    x, y : int
        Where the top-left corner of the mask lies.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Valid, with the holes.

    Notes
    -----
    The sub-pixel outline is simplified by Douglas-Peucker [1]_; then each side is fitted to all
    points it stands for, and neighbouring sides meet in a new corner. Corners of a building
    thus come out sharp where the mask has rounded them, and sides lie in the middle of their
    noise. What is still lost of the area is given back by moving the whole outline by a
    fraction of a pixel. Where this would cross itself, plain simplification is taken.

    References
    ----------
    .. [1] D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of the number of
       points required to represent a digitized line or its caricature", Cartographica 10, 1973.
    """
    import shapely

    area = int(np.count_nonzero(mask))
    rings = subpixel_rings(mask, _SIMPLIFY_BLUR)
    areas = [abs(signed_area(ring)) for ring in rings]
    smallest = min(_DROP * tolerance**2, max(areas, default=0.0))
    rings = [ring for ring, size in zip(rings, areas) if size >= smallest]
    result = _assemble([fitted_ring(ring, tolerance) for ring in rings])
    if not (result.is_valid and 0.8 * area < result.area < 1.2 * area):
        result = shapely.simplify(_assemble(rings), tolerance, preserve_topology=True)
    if result.length > 0:
        step = np.clip((area - result.area) / result.length, -tolerance / 2, tolerance / 2)
        moved = result.buffer(float(step), join_style="mitre", mitre_limit=2.0)
        same_parts = shapely.get_num_geometries(moved) == shapely.get_num_geometries(result)
        if moved.is_valid and same_parts:
            result = moved
    if result.is_empty or not result.is_valid:
        return trace(mask, x, y)
    return shapely.transform(result, lambda points: points + np.array([x, y]))


def _assemble(rings: list[NDArray[np.float64]]) -> BaseGeometry:
    """Return pieces less holes; they are told apart by the sign of their area."""
    import shapely

    pieces = [shapely.Polygon(ring) for ring in rings if signed_area(ring) > 0]
    holes = [shapely.Polygon(ring) for ring in rings if signed_area(ring) < 0]
    if not all(polygon.is_valid for polygon in (*pieces, *holes)):
        pieces, holes = ([polygon.buffer(0) for polygon in part] for part in (pieces, holes))
    return shapely.union_all(pieces).difference(shapely.union_all(holes))


def from_corner(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed line from another start: its farthest point from the middle.

    The start of a ring is never dropped by simplifying: it must not lie within a side.
    """
    centre = ring[:-1].mean(axis=0)
    start = int(np.argmax(((ring[:-1] - centre) ** 2).sum(axis=1)))
    return np.vstack([ring[start:-1], ring[: start + 1]])


def corner_positions(ring: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """Return the positions of the points that simplifying a closed line keeps, ascending."""
    import shapely

    line = shapely.simplify(shapely.LineString(ring), tolerance, preserve_topology=True)
    places = ring[:-1, 0] + 1j * ring[:-1, 1]
    corners = shapely.get_coordinates(line) @ (1, 1j)
    return np.append(np.flatnonzero(np.isin(places, corners)), len(ring) - 1)


def fitted_ring(ring: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Simplify a closed line and fit each side to the points it stands for."""
    ring = from_corner(ring)
    kept = corner_positions(ring, tolerance)
    corners = ring[kept]
    if len(kept) < 4:
        return ring
    centres, directions = [], []
    for begin, end in pairwise(kept):
        # The ends are left out: there the blur has rounded the corner.
        cut = min((end - begin) // 4, _CUT)
        points = ring[begin + cut : end - cut + 1]
        centre = points.mean(axis=0)
        _, _, axes = np.linalg.svd(points - centre, full_matrices=False)
        centres.append(centre)
        directions.append(axes[0])
    fitted = []
    for index, corner in enumerate(corners[:-1]):
        (ax, ay), (bx, by) = directions[index - 1], directions[index]
        px, py = centres[index] - centres[index - 1]
        cross = ax * by - ay * bx
        meeting = corner
        if abs(cross) > 0.2:
            meeting = centres[index - 1] + np.array([ax, ay]) * (px * by - py * bx) / cross
        # Sides that are almost in line meet anywhere.
        fitted.append(meeting if np.hypot(*(meeting - corner)) <= 2 * tolerance + 1 else corner)
    return np.array([*fitted, fitted[0]])


def simplify_mask(mask: Mask, tolerance: float) -> Mask:
    """Return a mask whose outline has fewer corners; see :func:`simplified`.

    The edge of the array is taken for the edge of the scene: what it cuts is thought to go on
    beyond, so that no corner is made there.

    Notes
    -----
    A tolerance of up to two pixels is meant for jags. An outline without jags, which simplifying
    would not shorten by 2 %, stays as it is then: drawn again on the pixel grid it could only
    lose accuracy.
    """
    beyond = 8 + int(np.ceil(4 * tolerance))
    wide = np.pad(mask, beyond, mode="edge")
    outline = simplified(wide, tolerance, -beyond, -beyond)
    if tolerance <= _JAGS:
        present = _assemble(subpixel_rings(wide, _SIMPLIFY_BLUR))
        if present.length < _SHORTER * outline.length:
            return mask.copy()
    result = rasterise(outline, mask.shape)
    return result if result.any() else mask.copy()
