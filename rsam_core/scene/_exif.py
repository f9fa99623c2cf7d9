"""The orientation in the camera data of a JPG or PNG, of any size."""

from __future__ import annotations

from collections.abc import Iterator

from rsam_core.scene._png_parts import png_parts
from rsam_core.scene._tiff_header import ORIENTATION, directories
from rsam_core.scene.raster_file import RasterFile

_MAX_PARTS = 10_000


def orientation_of(file: RasterFile, driver: str) -> int | None:
    """Return the orientation that camera data name, whatever the number; None without any."""
    for data in _camera_data(file, driver):
        # Camera data are laid out like a TIFF.
        for directory in directories(lambda start, length, d=data: d[start : start + length]):
            values = directory.values(ORIENTATION)
            return int(values[0]) if len(values) else None
    return None


def _camera_data(file: RasterFile, driver: str) -> Iterator[bytes]:
    """Yield what the parts of a file for camera data hold."""
    if driver == "PNG":
        for kind, place, length in png_parts(file):
            if kind == b"eXIf":
                yield file.part(place, length)
    elif driver == "JPEG":
        place = 2
        for _ in range(_MAX_PARTS):
            head = file.part(place, 10)
            # Pictures proper start with 0xDA; what comes after are no parts any more.
            if len(head) < 10 or head[0] != 0xFF or head[1] == 0xDA:
                return
            length = int.from_bytes(head[2:4], "big")
            if head[1] == 0xE1 and head[4:] == b"Exif\0\0":
                yield file.part(place + 10, max(length - 8, 0))
            place += 2 + length
