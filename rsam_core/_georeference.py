"""Where the pixels of a raster lie on the ground, as far as its file tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rsam_core.ground_distance import ground_sample_distance

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.io import DatasetReader

# From this difference in pixel size between top and bottom on, the user is told.
_NOTED_GSD_SPREAD = 0.02


def georeference(dataset: DatasetReader) -> tuple[str | None, Affine | None, list[str]]:
    """Return the CRS and transform as far as they are usable, with notes on what is missing."""
    from rasterio.errors import CRSError

    notes: list[str] = []
    try:
        crs = dataset.crs.to_string() if dataset.crs else None
    except CRSError:
        crs = None
    transform = dataset.transform
    values = transform[:6]
    determinant = transform.a * transform.e - transform.b * transform.d
    if not all(math.isfinite(value) for value in values) or determinant == 0:
        notes.append(
            "The georeference of this file is broken (its pixels have no size on the map), so it "
            "is treated as a plain image."
        )
        return None, None, notes
    if transform.is_identity:
        points = dataset.gcps[0]
        if points:
            notes.append(
                f"The file carries {len(points)} ground control points but is not rectified; it is "
                "treated as a plain image."
            )
        elif crs is not None:
            notes.append(
                "The file names a coordinate system but not where its pixels lie, so it is treated "
                "as a plain image."
            )
        return None, None, notes
    if crs is None:
        notes.append(
            "The file does not name its coordinate system, so sizes in metres are unknown. Type "
            "the ground distance of a pixel if you know it."
        )
    return crs, transform, notes


def measured_gsd(
    transform: Affine, crs: str, width: int, height: int
) -> tuple[float | None, list[str]]:
    """Return the ground sample distance at the centre, and notes where it is unknown or varies."""
    gsd = ground_sample_distance(transform, crs, width, height)
    if gsd is None:
        return None, [
            "The coordinates of this file do not fit its coordinate system, so sizes in metres are "
            "unknown. Type the ground distance of a pixel if you know it."
        ]
    ends = [ground_sample_distance(transform, crs, width, height, y=y) for y in (0.5, height - 0.5)]
    known = [value for value in ends if value is not None]
    spread = (max(known) - min(known)) / gsd if known else 0.0
    if spread > _NOTED_GSD_SPREAD:
        return gsd, [
            f"The size of a pixel on the ground varies by {spread:.0%} from top to bottom; sizes "
            "in metres use its centre."
        ]
    return gsd, []
