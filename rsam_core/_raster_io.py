"""Access to raster files: opening by content, limits, damage checks, errors in plain words."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from rsam_core.errors import SceneError

if TYPE_CHECKING:
    from rasterio.enums import ColorInterp
    from rasterio.io import DatasetReader

MIN_SIDE = 8
MAX_PIXELS = 2**28
# JPG, PNG and their like can only be decoded from the top, so they have to stay smaller.
MAX_PICTURE_PIXELS = 100_000_000
# The largest array that one read may return, and the largest block that a file may force on us.
MAX_READ_BYTES = 2**31
MAX_BLOCK_BYTES = 2**29
# A file that unpacks to more than this, and to more than Deflate can pack a thousandfold, is made
# to fill memory or time, or lost its content.
MAX_UNPACKED_BYTES = 2**32
MAX_PACKING = 1100
MAX_BLOCKS_CHECKED = 200_000

PICTURE_DRIVERS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
FORMATS = "JPG, PNG, TIFF, GeoTIFF, JPEG 2000, BMP, WEBP and GIF"

# First bytes and GDAL driver of every format that is opened, whatever the file is called. An
# explicit list: formats such as VRT or WMS can name other files and addresses to be read, which an
# uploaded file must never do.
_STARTS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\0\0\0\x0cjP": "JP2OpenJPEG",
    b"\xff\x4f\xff\x51": "JP2OpenJPEG",
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"RIFF": "WEBP",
    b"BM": "BMP",
}
_OTHER_STARTS = {
    b"PK\x03\x04": "is a ZIP archive. Unpack it and open the image inside.",
    b"%PDF": "is a PDF. Export the page as PNG or TIFF and open that.",
    b"\x89HDF": "is an HDF5 or netCDF file. Export the layer you need as GeoTIFF and open that.",
}
_GDAL_OPTIONS = {
    # Worker threads of the JPEG 2000 decoder would print their complaints.
    "GDAL_NUM_THREADS": "1",
    # In bytes; the default is a twentieth of the machine's memory, however large that is.
    "GDAL_CACHEMAX": 256 * 2**20,
}
_HASH_WHOLE_BELOW = 64 * 2**20
_HASH_BLOCK = 2**20
_HASH_BLOCKS = 32


@dataclass(frozen=True)
class RasterFile:
    """A raster on disk or in memory, opened afresh for each read and so safe between threads.

    Parameters
    ----------
    name : str
        What the user calls the file; error messages use it.
    source : pathlib.Path or bytes
        The file, or its whole content (which GDAL reads in place, without a copy).
    """

    name: str
    source: Path | bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def head(self, length: int = 32) -> bytes:
        """Return the first bytes."""
        if isinstance(self.source, bytes):
            return self.source[:length]
        with self.source.open("rb") as file:
            return file.read(length)

    @property
    def driver(self) -> str:
        """GDAL driver for the content.

        Raises
        ------
        SceneError
            The content is none of the formats opened; the message suggests the remedy.
        """
        head = self.head()
        for start, driver in _STARTS.items():
            if head.startswith(start):
                return driver
        raise self._unknown(head)

    def content_hash(self) -> str:
        """Return 16 hexadecimal digits that identify the content (see `Scene.content_hash`)."""
        size = self.size
        digest = hashlib.sha256(str(size).encode())
        if isinstance(self.source, bytes):
            content = memoryview(self.source)
            for start, stop in _hashed_ranges(size):
                digest.update(content[start:stop])
        else:
            with self.source.open("rb") as file:
                for start, stop in _hashed_ranges(size):
                    file.seek(start)
                    digest.update(file.read(stop - start))
        return digest.hexdigest()[:16]

    @contextmanager
    def open(self) -> Iterator[DatasetReader]:
        """Open with rasterio.

        Raises
        ------
        SceneError
            The file cannot be opened, or a read inside the block failed.
        """
        import rasterio
        from rasterio._err import CPLE_BaseError
        from rasterio.errors import NotGeoreferencedWarning, RasterioError

        # Not `catch_warnings`: that swaps global state and is unsafe between threads.
        warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)
        try:
            with ExitStack() as stack:
                stack.enter_context(rasterio.Env(**_GDAL_OPTIONS))
                if isinstance(self.source, bytes):
                    memory = stack.enter_context(rasterio.MemoryFile(self.source))
                    dataset = stack.enter_context(memory.open(driver=self.driver))
                else:
                    dataset = stack.enter_context(rasterio.open(self.source, driver=self.driver))
                yield dataset
        except MemoryError as error:
            raise self.out_of_memory() from error
        except FileNotFoundError as error:
            raise SceneError(
                f"“{self.name}” is gone: it was moved or deleted. Open the image again."
            ) from error
        except (RasterioError, CPLE_BaseError, OSError, ValueError, LookupError) as error:
            if "missing codec" in str(error):
                raise self.unknown_compression() from error
            raise self.damaged() from error

    def damaged(self) -> SceneError:
        """Return the error for a file that starts well and cannot be read to its end."""
        return SceneError(
            f"“{self.name}” is damaged or incomplete: part of the picture cannot be read. "
            "Copy or download it again and open the new copy."
        )

    def unknown_compression(self) -> SceneError:
        """Return the error for a TIFF packed by a method that this GDAL does not know."""
        return SceneError(
            f"“{self.name}” is compressed in a way that RSAM cannot read. Save it again as GeoTIFF "
            "with Deflate or LZW compression, or with none."
        )

    def out_of_memory(self) -> SceneError:
        """Return the error for a read that does not fit into memory."""
        return SceneError(
            f"“{self.name}” needs more memory than is free. Close other programs, or open a "
            "smaller part of the image."
        )

    def _unknown(self, head: bytes) -> SceneError:
        """Return the error for content that is no format RSAM opens."""
        if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
            return SceneError(
                f"“{self.name}” is an HEIC or AVIF photo. Save it as JPG or PNG and open that."
            )
        for start, remedy in _OTHER_STARTS.items():
            if head.startswith(start):
                return SceneError(f"“{self.name}” {remedy}")
        return SceneError(
            f"“{self.name}” is not an image, whatever its name says. RSAM opens {FORMATS}. "
            "Check that you chose the right file."
        )


def colours(dataset: DatasetReader) -> tuple[ColorInterp, ...]:
    """Return the colour tag of each band."""
    from rasterio._err import CPLE_BaseError

    try:
        return dataset.colorinterp
    except CPLE_BaseError:
        # An earlier, harmless complaint of GDAL (about an unknown tag, say) surfaces here once and
        # is cleared by that; asking again gives the answer.
        return dataset.colorinterp


def check_size(name: str, width: int, height: int, *, picture: bool) -> None:
    """Refuse images too small or too large, going by the header alone.

    Parameters
    ----------
    name : str
        File name for the message.
    width, height : int
        Size in pixels.
    picture : bool
        Whether the format can only be decoded whole, which tightens the limit.

    Raises
    ------
    SceneError
        The size is out of bounds.
    """
    if min(width, height) < MIN_SIDE:
        raise SceneError(
            f"“{name}” is too small to segment: {width} × {height} pixels. Open an image of at "
            f"least {MIN_SIDE} × {MIN_SIDE} pixels."
        )
    limit = MAX_PICTURE_PIXELS if picture else MAX_PIXELS
    if width * height > limit:
        remedy = "Crop it or reduce its resolution first"
        if picture and width * height <= MAX_PIXELS:
            remedy += ", or save it as a tiled GeoTIFF, which may be larger"
        raise SceneError(
            f"“{name}” is too large: {width:,} × {height:,} pixels are "
            f"{width * height / 1e6:,.0f} megapixels, and the limit for this format is "
            f"{limit / 1e6:,.0f}. {remedy}."
        )


def check_content(file: RasterFile, dataset: DatasetReader) -> None:
    """Refuse files that are cut short, or whose blocks would fill the memory.

    Raises
    ------
    SceneError
        The file is incomplete, stored in one huge block, or claims more than it can hold.
    """
    import numpy as np
    from rasterio.windows import Window

    if dataset.driver in PICTURE_DRIVERS:
        # Their decoders notice a missing tail only on arrival: one pass now, at constant memory,
        # so that no half-grey picture is segmented later. (Pillow decodes WEBP, and checks.)
        if dataset.driver != "WEBP":
            dataset.checksum(1)
        return
    pixel_bytes = max(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
    planes = 1 if _band_interleaved(dataset) else dataset.count
    largest = max(prod(shape) for shape in dataset.block_shapes) * pixel_bytes * planes
    if largest > MAX_BLOCK_BYTES:
        raise SceneError(
            f"“{file.name}” is stored in blocks of {largest / 1e9:.1f} GB, too large to read piece "
            "by piece. Save it again as a tiled GeoTIFF."
        )
    unpacked = dataset.width * dataset.height * dataset.count * pixel_bytes
    if unpacked > max(MAX_UNPACKED_BYTES, file.size * MAX_PACKING):
        raise SceneError(
            f"“{file.name}” claims to hold {unpacked / 1e9:,.0f} GB of pixels in a file of "
            f"{file.size / 1e6:,.1f} MB, which no picture does. Export it again from its source."
        )
    if dataset.driver == "JP2OpenJPEG":
        # Its tiles have no table to look into; the last one shows whether the end is there.
        dataset.read(1, window=Window(dataset.width - 1, dataset.height - 1, 1, 1))
    elif dataset.driver == "GTiff" and _last_byte(dataset) > file.size:
        raise file.damaged()


def _band_interleaved(dataset: DatasetReader) -> bool:
    return dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "BAND"


def _last_byte(dataset: DatasetReader) -> int:
    """Return where the data of a TIFF end according to its block table."""
    rows, columns = dataset.block_shapes[0]
    across = -(-dataset.width // columns)
    blocks = across * -(-dataset.height // rows)
    bands = dataset.indexes if _band_interleaved(dataset) else (1,)
    # Files are written front to back: of a huge table a sample that includes the end will do.
    step = max(1, blocks * len(bands) // MAX_BLOCKS_CHECKED)
    last = 0
    for band in bands:
        for block in islice(range(blocks - 1, -1, -1), 0, None, step):
            key = f"{block % across}_{block // across}"
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{key}", "TIFF", bidx=band)
            length = dataset.get_tag_item(f"BLOCK_SIZE_{key}", "TIFF", bidx=band)
            if offset and length:
                last = max(last, int(offset) + int(length))
    return last


def _hashed_ranges(size: int) -> Iterator[tuple[int, int]]:
    """Yield the byte ranges that enter the hash: all of them, or evenly spread samples."""
    if size <= _HASH_WHOLE_BELOW:
        for start in range(0, size, _HASH_BLOCK):
            yield start, min(start + _HASH_BLOCK, size)
        return
    for block in range(_HASH_BLOCKS):
        start = (size - _HASH_BLOCK) * block // (_HASH_BLOCKS - 1)
        yield start, start + _HASH_BLOCK
