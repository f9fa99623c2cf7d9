"""When a picture was taken: from its name, from its tags, or as a person typed it."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

from rsam_core.change.picture import date_in_name
from rsam_core.errors import FollowError, SceneError
from rsam_core.scene.raster_file import RasterFile

_TAGS = ("EXIF_DateTimeOriginal", "ACQUISITIONDATETIME", "TIFFTAG_DATETIME", "EXIF_DateTime")
_PHOTOGRAPH = (36867, 306)
"""Numbers of the tags DateTimeOriginal and DateTime in photographs."""
_PHOTOGRAPHS = ("JPEG", "PNG", "WEBP", "TIFF")
_WRITTEN = re.compile(r"((?:19|20)\d\d)[:/-]?(\d\d)[:/-]?(\d\d)")
_TYPED = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


def date_of(name: str, content: bytes | Path | None = None) -> str | None:
    """The date of a file, by its name or else by its tags, as "2016", "2016-05" or "2016-05-31".

    Parameters
    ----------
    name : str
        Of the file.
    content : bytes or Path, optional
        The file, already checked to be an image.
    """
    return date_in_name(name) or (None if content is None else date_in_tags(content))


def date_in_tags(content: bytes | Path) -> str | None:
    """The day that the tags of a TIFF or a photograph tell; None without one."""
    return _in_raster(content) or _in_photograph(content)


def _in_raster(content: bytes | Path) -> str | None:
    try:
        file = RasterFile("the picture", content)
        if file.driver == "GIF":
            # GDAL is never given one.
            return None
        with file.open() as dataset:
            tags = dataset.tags()
    except (SceneError, OSError):
        return None
    return next((day for tag in _TAGS if (day := _day(tags.get(tag)))), None)


def _in_photograph(content: bytes | Path) -> str | None:
    from PIL import Image

    source = io.BytesIO(content) if isinstance(content, bytes) else content
    try:
        with Image.open(source, formats=_PHOTOGRAPHS) as picture:
            exif = picture.getexif()
            inner = exif.get_ifd(0x8769)
    # Camera data are often broken, and Pillow raises many types on them; a date is worth no error.
    except Exception:
        return None
    return next((d for tag in _PHOTOGRAPH if (d := _day(inner.get(tag) or exif.get(tag)))), None)


def _day(text: object) -> str | None:
    found = _WRITTEN.match(str(text or "").strip())
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return None


def typed_date(text: str) -> str | None:
    """A date as a person typed it, in the form "2016", "2016-05" or "2016-05-31".

    Returns
    -------
    str or None
        None for an empty text.

    Raises
    ------
    FollowError
        It is no such date.
    """
    text = text.strip()
    if not text:
        return None
    found = _TYPED.fullmatch(text)
    parts = [int(part) for part in found.groups() if part] if found else []
    try:
        if not parts:
            raise ValueError(text)
        date(*[*parts, 1, 1][:3])
    except ValueError as error:
        raise FollowError(
            f"“{text[:30]}” is no date. Type it as 2016, 2016-05 or 2016-05-31, or leave it empty."
        ) from error
    return "-".join(f"{part:02d}" for part in parts)


def day_of(text: object) -> date | None:
    """The first day that a date may mean; None for anything that is no date, as in a table."""
    if not isinstance(text, str) or not text:
        return None
    parts = [int(part) for part in text.split("-")]
    return date(*[*parts, 1, 1][:3])
