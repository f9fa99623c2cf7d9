"""All hostile files."""

from __future__ import annotations

from functools import cache

from tests.hostile import (
    coco,
    datasets,
    geopackages,
    jpeg2000,
    photos,
    pictures,
    projects,
    recipes,
    shapefiles,
    tables,
    tiff,
    vectors,
    worlds,
)
from tests.hostile.case import Case

_MAKERS = (
    tiff,
    jpeg2000,
    pictures,
    photos,
    worlds,
    vectors,
    geopackages,
    shapefiles,
    coco,
    datasets,
    tables,
    recipes,
    projects,
)


@cache
def corpus() -> tuple[Case, ...]:
    """Return every case, in a fixed order."""
    return tuple(case for maker in _MAKERS for case in maker.cases())
