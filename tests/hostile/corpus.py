"""All hostile files."""

from __future__ import annotations

from functools import cache

from tests.hostile import (
    classroom,
    coco,
    datasets,
    geopackages,
    jpeg2000,
    layers,
    photos,
    pictures,
    project_parts,
    projects,
    recipes,
    shapefiles,
    tables,
    tiff,
    vectors,
    videos,
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
    project_parts,
    videos,
    layers,
    classroom,
)


@cache
def corpus() -> tuple[Case, ...]:
    """Return every case, in a fixed order."""
    return tuple(case for maker in _MAKERS for case in maker.cases())
