"""The same ground on another picture's pixels: two dates need not have one grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from rsam_core.change.apply.site import Shapes
from rsam_core.change.grid import is_placed
from rsam_core.errors import ApplyError
from rsam_core.formats.placement import Place, converted, to_map, to_pixels


def onto(shapes: Shapes, own: Any, other: Any) -> Shapes:
    """Shapes in pixels of one picture in those of another, by their georeference.

    Parameters
    ----------
    shapes : ndarray of shapely geometries
    own, other : Scene or Picture

    Raises
    ------
    ApplyError
        They are different pictures, and one has no georeference.
    """
    import shapely

    if own is other or not len(shapes):
        return shapes
    one, two = Place.of(own), Place.of(other)
    if one == two:
        return shapes
    if not (is_placed(own) and is_placed(other)):
        raise ApplyError(
            f"“{one.name}” and “{two.name}” have different pixels and no common georeference. Open "
            "the coarser of them first, and draw or find the objects there."
        )

    def move(xy: np.ndarray) -> np.ndarray:
        return to_pixels(converted(to_map(xy, one), one.crs, two.crs), two)

    return shapely.transform(shapes, move)
