"""Coordinate systems as files name them: only those that name nothing else to be read.

A coordinate system may be written so that it names files of grids ("+nadgrids=", "PARAMETERFILE")
or an address; PROJ would open them. What comes from an upload goes through :func:`plain_crs` first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_MAX_LENGTH = 20_000
_NAMES_FILES = re.compile(
    r"parameterfile|nadgrids|geoidgrids|proj4_grids|gridshift|tinshift|defmodel|deformation"
    r"|\bgrids?\s*=|\b(?:init|file|model)\s*=|proj-based"
    r"|/vsi|file:|https?:|\.\.[/\\]",
    re.IGNORECASE,
)
# What GDAL adds to WKT for older programs, Web Mercator's "+nadgrids=@null" among it.
_EXTENSION = re.compile(r',\s*EXTENSION\s*\[\s*"[^"]*"\s*,\s*"[^"]*"\s*\]', re.IGNORECASE)
# Grids that say that there are none, as Web Mercator has them.
_NO_GRIDS = re.compile(
    r"nadgrids\s*=\s*@null(?=[\s\"]|$)|\"PROJ4_GRIDS\"\s*,\s*\"@null\"", re.IGNORECASE
)
_WKT = re.compile(r"[A-Za-z_]+\s*\[")
_CODE = re.compile(
    r"^(?:urn:ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?"
    r"(EPSG|OGC|ESRI|IGNF|IAU_2015)(?::|/)(?:[\d.]*(?::|/))?([A-Za-z0-9]+)$",
    re.IGNORECASE,
)


def names_files(text: str) -> bool:
    """Whether a coordinate system is written so that it names files or addresses to be read."""
    return bool(_NAMES_FILES.search(_NO_GRIDS.sub("", text)))


def is_plain(text: str) -> bool:
    """Whether a coordinate system is a code, or WKT that names nothing to be read."""
    text = text.strip()
    return bool(_CODE.match(text)) or (bool(_WKT.match(text)) and not names_files(text))


def crs_of(dataset: DatasetReader) -> str | None:
    """Return the coordinate system of an open raster; None if it has none that may be used."""
    from rasterio.errors import CRSError

    try:
        text = dataset.crs.to_string() if dataset.crs else None
    except CRSError:
        return None
    return None if text is None or names_files(text) else text


def plain_crs(text: object) -> str | None:
    """Return a coordinate system that a file names, in a form that opens nothing.

    Parameters
    ----------
    text : object
        A code such as ``"EPSG:4326"`` or ``"urn:ogc:def:crs:OGC:1.3:CRS84"``, or WKT.

    Returns
    -------
    str or None
        A code where there is one, else WKT; None if it is unknown, or names something to be read.
    """
    if not isinstance(text, str) or not 0 < len(text.strip()) <= _MAX_LENGTH:
        return None
    text = _EXTENSION.sub("", text.strip())
    code = _CODE.match(text)
    if code:
        text = f"{code[1].upper()}:{code[2]}"
    elif _NAMES_FILES.search(text) or not _WKT.match(text):
        # Beside codes, only WKT: everything else may be an address, a file or a pipeline.
        return None
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        crs = CRS.from_user_input(text)
        if crs.is_bound and crs.source_crs is not None:
            crs = crs.source_crs
        number = crs.to_epsg(min_confidence=90)
        return f"EPSG:{number}" if number else (text if code else crs.to_wkt())
    except (ProjError, ValueError, RuntimeError):
        return None
