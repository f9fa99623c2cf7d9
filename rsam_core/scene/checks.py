"""What is refused before it is decoded: images too small, too large to hold, or untrue."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import SceneError
from rsam_core.runtime.budgets import share_of_memory
from rsam_core.scene._formats import PICTURE_DRIVERS
from rsam_core.scene.raster_file import RasterFile

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

MIN_SIDE = 8
# What a format that can only be decoded whole, or in large blocks, may take of the memory.
MEMORY = share_of_memory(0.25, 2**31)
# A file that unpacks to more than this, and to more than Deflate can pack a thousandfold, is made
# to fill memory or time, or lost its content.
MAX_UNPACKED_BYTES = 2**32
MAX_PACKING = 1100
# The same of what has to be in memory at once; no real picture gets that much smaller.
MAX_HELD_BYTES = 2**28
MAX_HELD_PACKING = 100
# No camera makes larger ones: beyond, a picture has to fit into the memory for one image.
PLAIN_PIXELS = 100_000_000
# A picture of more has to be as long as its pixels ask for; smaller ones do no harm by a lie.
TRUE_PIXELS = 16_000_000
# Pixels that a byte can stand for: of a JPG, two bits for each block of 64 values are the least; a
# run in a BMP is two bytes, and a word of a GIF stands for no more than its table is long; what is
# a picture in a WEBP never packs as tightly as one colour could. PNG packs like Deflate, with up to
# 8 pixels in a byte.
_PIXELS_A_BYTE = {"JPEG": 400, "BMP": 128, "GIF": 2000, "WEBP": 2000}

_SCANS = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def dtype_of(name: str) -> np.dtype:
    """Return the numpy type in which pixels are read; numpy has no complex whole numbers."""
    return np.dtype("complex64" if name in ("complex_int16", "complex_int32") else name)


def check_size(file: RasterFile, width: int, height: int, *, least: int = MIN_SIDE) -> None:
    """Refuse images too small, or pictures that cannot be what they say, going by the header.

    Parameters
    ----------
    file : RasterFile
    width, height : int
        Size in pixels.
    least : int
        Length of the shortest side allowed.

    Raises
    ------
    SceneError
        The size is out of bounds; the message says what is possible.
    """
    if min(width, height) < least:
        raise SceneError(
            f"“{file.name}” is too small to segment: {width} × {height} pixels. Open an image of "
            f"at least {least} × {least} pixels."
        )
    driver, pixels = file.driver, width * height
    if driver not in PICTURE_DRIVERS:
        return
    told = f"{width:,} × {height:,} pixels are {pixels / 1e6:,.0f} megapixels"
    most = file.size * _PIXELS_A_BYTE.get(driver, 8 * MAX_PACKING)
    if pixels > max(most, TRUE_PIXELS):
        raise SceneError(
            f"“{file.name}” cannot be what it says: {told}, and the file has "
            f"{file.size / 1e6:,.1f} MB. Copy or export it again."
        )
    if pixels <= PLAIN_PIXELS:
        return
    needed = pixels * _held_per_pixel(file, driver)
    if needed > MEMORY:
        raise SceneError(
            f"“{file.name}” is too large for its format: {told}, which have to be unpacked all at "
            f"once and take {needed / 1e9:.1f} GB of the {MEMORY / 1e9:.1f} GB that one image may "
            "take. Save it as a tiled GeoTIFF, which is read piece by piece."
        )


def check_content(file: RasterFile, dataset: DatasetReader) -> None:
    """Refuse files that are cut short, or whose blocks would fill the memory.

    Raises
    ------
    SceneError
        The file is incomplete, stored in one huge block, or claims more than it can hold.
    """
    from rasterio.windows import Window

    if dataset.driver in PICTURE_DRIVERS:
        # Their decoders notice a missing tail only on arrival: one pass now, at constant memory,
        # so that no half-grey picture is segmented later. (Pillow decodes WEBP, and checks.)
        if dataset.driver != "WEBP":
            dataset.checksum(1)
        return
    pixel_bytes = max(dtype_of(name).itemsize for name in dataset.dtypes)
    planes = 1 if _band_interleaved(dataset) else dataset.count
    largest = max(prod(shape) for shape in dataset.block_shapes) * pixel_bytes * planes
    unpacked = dataset.width * dataset.height * dataset.count * pixel_bytes
    packed = file.size
    if dataset.driver == "GTiff":
        directory = next(iter(file.directories()))
        starts, lengths = directory.blocks
        if len(lengths) and len(lengths) < directory.wanted_blocks:
            raise file.damaged()
        there = (starts > 0) & (lengths > 0)
        if (starts + lengths)[there].max(initial=0) > file.size:
            raise file.damaged()
        if len(there):
            # Blocks that were never written take no room and no time.
            unpacked *= there.mean()
            packed = lengths.max(initial=0)
    if largest > MEMORY or largest > max(MAX_HELD_BYTES, packed * MAX_HELD_PACKING):
        raise SceneError(
            f"“{file.name}” is stored in blocks of {largest / 1e9:.1f} GB, too large to read piece "
            "by piece. Save it again as a tiled GeoTIFF."
        )
    if unpacked > max(MAX_UNPACKED_BYTES, file.size * MAX_PACKING):
        raise SceneError(
            f"“{file.name}” claims to hold {unpacked / 1e9:,.0f} GB of pixels in a file of "
            f"{file.size / 1e6:,.1f} MB, which no picture does. Export it again from its source."
        )
    if dataset.driver == "JP2OpenJPEG":
        # Its tiles have no table to look into; the last one shows whether the end is there.
        dataset.read(1, window=Window(dataset.width - 1, dataset.height - 1, 1, 1))


def is_progressive(file: RasterFile) -> bool:
    """Tell whether a JPG comes in several passes, which have to be held in memory all at once."""
    place = 2
    for _ in range(1000):
        marker = file.part(place, 4)
        if len(marker) < 4 or marker[0] != 0xFF:
            return False
        if marker[1] == 0xFF:
            place += 1
            continue
        if marker[1] in _SCANS:
            return marker[1] in _PROGRESSIVE
        place += 2 + int.from_bytes(marker[2:], "big")
    return False


def _held_per_pixel(file: RasterFile, driver: str) -> int:
    """Return how many bytes of memory a pixel of a picture takes while it is decoded."""
    if driver == "JPEG":
        # Coefficients of 16 bits of up to four inks.
        return 8 if is_progressive(file) else 0
    if driver == "PNG":
        # Interlaced, with up to four bands of 16 bits.
        return 8 if file.part(28, 1) == b"\x01" else 0
    return 0 if driver == "BMP" else 8


def _band_interleaved(dataset: DatasetReader) -> bool:
    # Of a damaged JPEG 2000, GDAL may never come to an end with these.
    if dataset.driver != "GTiff":
        return False
    return dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "BAND"
