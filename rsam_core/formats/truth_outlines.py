"""Draw outlines in scene pixels: whatever their shape and number, within the image and seconds.

Outlines of usual size are laid side by side on sheets, each in its own box, and a whole sheet is
filled at once: to fill each alone takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.formats._outline_alone import Tangled, drawn_alone, most_crossings
from rsam_core.formats._outline_corners import Corners
from rsam_core.objects.crops import Crop
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.packed_masks import PackedMasks

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

COVER = 50
"""How often outlines may cover the image, going by their boxes."""
MIN_PIXELS = 50_000_000
"""Pixels that all boxes together may have in any image, however small."""
MAX_PIXELS = 2_000_000_000
"""And in none more than this."""

# Outlines beyond these are filled each alone; that takes as long as so many pixels on a sheet.
_SIDE = 1024
_CORNER_ROWS = 1_000_000
_SPARE = 4096
_ALONE = 5_000
_SHEET = 2048
"""Columns of a sheet, and the most rows."""


Packed = tuple[tuple[int, int, int, int], int, NDArray[np.uint8]]
"""A mask's box x0, y0, x1, y1, its pixels, and its bits row by row."""


class Drawn(NamedTuple):
    """What became of outlines.

    Attributes
    ----------
    masks : PackedMasks
        Those that lie in the scene.
    kept : list of int
        Which of the outlines each comes from, ascending.
    notes : list of str
        What was left out.
    """

    masks: PackedMasks
    kept: list[int]
    notes: list[str]


def draw(
    shapes: Sequence[BaseGeometry], shape: tuple[int, int], source: str = "truth"
) -> tuple[Instances, list[str]]:
    """Turn polygons in scene pixels into objects; see :func:`drawn_masks`.

    Returns
    -------
    objects : Instances
        Those that lie in the scene, numbered from 1 in the order of the polygons.
    notes : list of str
        What was left out.
    """
    masks, _, notes = drawn_masks(shapes, shape)
    return objects_of(masks, shape, source=source), notes


def objects_of(
    masks: PackedMasks,
    shape: tuple[int, int],
    labels: Sequence[str | None] | None = None,
    source: str = "truth",
) -> Instances:
    """Make objects of masks, numbered from 1 in their order."""
    boxes = masks.boxes.tolist()
    return Instances(
        (
            Instance(masks.mask(at), x, y, 1.0, at + 1, source, labels[at] if labels else None)
            for at, (x, y, _, _) in enumerate(boxes)
        ),
        shape,
    )


def check_work(pixels: float, shape: tuple[int, int]) -> None:
    """Refuse what would take too long to draw, before it is drawn.

    Parameters
    ----------
    pixels : float
        Of the boxes of all outlines together.
    shape : (int, int)
        Of the image.

    Raises
    ------
    MetricError
        If that is far more than the outlines of objects in an image can have.
    """
    whole = shape[0] * shape[1]
    if pixels > min(max(COVER * whole, MIN_PIXELS), MAX_PIXELS):
        raise MetricError(
            f"The outlines together are {pixels / whole:,.0f} times as large as the image: too "
            "many of them lie on each other, or they are too large to be drawn. Export only the "
            "outlines of the true objects, each once, or open a smaller part of the image."
        )


def drawn_masks(shapes: Sequence[BaseGeometry], shape: tuple[int, int]) -> Drawn:
    """Fill polygons in scene pixels.

    A pixel belongs to a polygon if its centre lies inside (of a ring that crosses itself, where
    one enters it an odd number of times). A polygon too thin to hold any centre gets the pixels
    that it touches, so that no object is lost.

    Parameters
    ----------
    shapes : sequence of shapely.Polygon or shapely.MultiPolygon
        Not necessarily valid.
    shape : (int, int)
        Height and width of the scene.

    Raises
    ------
    MetricError
        If they would take too long to draw; see :func:`check_work`.
    """
    from rasterio import Env

    corners = Corners.of(shapes)
    inside = corners.boxes(shape)
    sizes = (inside[:, 2:] - inside[:, :2]).clip(0)
    area = sizes.prod(axis=1)
    meets = area > 0
    together = meets & _fits_a_sheet(corners, area)
    check_work(float(area.sum()) + _ALONE * float((meets & ~together).sum()), shape)
    found: dict[int, Packed] = {}
    tangled = 0
    # One environment for all: GDAL would set one up anew for every sheet.
    with Env():
        left = np.flatnonzero(together)
        for touched in (False, True):
            for at, crop in _on_sheets(corners, left, inside, touched):
                if crop.mask.any():
                    found[at] = packed(crop)
            left = np.array([at for at in left.tolist() if at not in found], np.int64)
        for at in np.flatnonzero(meets & ~together).tolist():
            try:
                alone = drawn_alone(shapes[at], shape)
            except Tangled:
                tangled += 1
                continue
            if alone is not None:
                found[at] = packed(Crop(*alone))
    kept = sorted(found)
    return Drawn(joined([found[at] for at in kept]), kept, _notes(len(shapes), kept, tangled))


def _notes(many: int, kept: Sequence[int], tangled: int) -> list[str]:
    notes = []
    outside = many - len(kept) - tangled
    if outside:
        notes.append(f"{outside:,} of {many:,} outlines lie outside the image.")
    if tangled:
        cross = "outline crosses itself" if tangled == 1 else "outlines cross themselves"
        notes.append(f"{tangled:,} {cross} millions of times and could not be drawn.")
    return notes


def packed(crop: Crop) -> Packed:
    """Pack a mask and its place."""
    height, width = crop.mask.shape
    box = (crop.x, crop.y, crop.x + width, crop.y + height)
    return box, int(np.count_nonzero(crop.mask)), np.packbits(crop.mask)


def joined(items: Sequence[Packed]) -> PackedMasks:
    """Put packed masks one after the other."""
    lengths = np.array([len(bits) for _, _, bits in items], np.int64)
    return PackedMasks(
        np.array([box for box, _, _ in items], np.int64).reshape(-1, 4),
        np.array([area for _, area, _ in items], np.int64),
        np.ones(len(items)),
        np.concatenate([bits for _, _, bits in items]) if items else np.zeros(0, np.uint8),
        np.cumsum(lengths) - lengths,
    )


# --- many at once --------------------------------------------------------------------------


def _fits_a_sheet(corners: Corners, pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which outlines can be filled beside others; `pixels` are those of their boxes, (N,)."""
    full = corners.full_boxes()
    sides = full[:, 2:] - full[:, :2]
    fits = (sides <= _SIDE).all(axis=1)
    # What lies beyond the image is filled in vain.
    fits &= sides.prod(axis=1, dtype=float) <= 4 * pixels + _SPARE
    fits &= corners.corner_rows() <= _CORNER_ROWS
    fits &= corners.crossings() <= most_crossings(pixels)
    # A hole beside its polygon would lie on another one.
    return fits & corners.within_bounds()


def _on_sheets(
    corners: Corners, which: NDArray[np.int64], inside: NDArray[np.int64], touched: bool
) -> Iterator[tuple[int, Crop]]:
    """Fill outlines; yield each one's mask within its box."""
    full = corners.full_boxes()
    sides = full[which, 2:] - full[which, :2]
    # Of one height together, so that little of a sheet stays empty.
    order = which[np.argsort(sides[:, 1], kind="stable")].tolist()
    placed: list[tuple[int, int, int]] = []
    x = y = 1
    deepest = 0
    for at in order:
        x0, y0, x1, y1 = full[at].tolist()
        if x + x1 - x0 >= _SHEET:
            x, y, deepest = 1, y + deepest + 1, 0
        if y + y1 - y0 >= _SHEET:
            yield from _filled(corners, placed, full, inside, touched)
            placed, x, y, deepest = [], 1, 1, 0
        placed.append((at, x, y))
        # A row and a column between them: lines that are touched may lie on an edge.
        x, deepest = x + x1 - x0 + 1, max(deepest, y1 - y0)
    yield from _filled(corners, placed, full, inside, touched)


def _filled(
    corners: Corners,
    placed: Sequence[tuple[int, int, int]],
    full: NDArray[np.int64],
    inside: NDArray[np.int64],
    touched: bool,
) -> Iterator[tuple[int, Crop]]:
    """Fill one sheet, on which the box of each outline begins at (x, y)."""
    from rasterio.features import rasterize

    if not placed:
        return
    shapes = []
    for at, x, y in placed:
        left, top = full[at, :2].tolist()
        shapes += [(shape, 1) for shape in corners.geometries(at, (x - left, y - top))]
    rows = max(y + int(full[at, 3] - full[at, 1]) for at, _, y in placed) + 1
    sheet = rasterize(shapes, out_shape=(rows, _SHEET), all_touched=touched, dtype="uint8")
    sheet = sheet.astype(bool)
    for at, x, y in placed:
        left, top = full[at, :2].tolist()
        x0, y0, x1, y1 = inside[at].tolist()
        mask = sheet[y + y0 - top : y + y1 - top, x + x0 - left : x + x1 - left]
        yield at, Crop(mask, x0, y0)
