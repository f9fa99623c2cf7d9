"""Access to raster files: opened by content, and nothing else opened; errors in plain words."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rsam_core.errors import SceneError
from rsam_core.scene._formats import HEAD, driver_of, unknown_format
from rsam_core.scene._tiff_header import GDAL_METADATA, Directory, directories

if TYPE_CHECKING:
    from rasterio.enums import ColorInterp
    from rasterio.io import DatasetReader

# The largest array that one read may return.
MAX_READ_BYTES = 2**31

GDAL_CLOSED = {
    # Nothing that lies beside a file is looked for: neither overviews, masks, world files and
    # metadata in files of their own, nor what GDAL itself would note there.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "USE_RRD": "NO",
    # No address is called: no name passes as allowed, and whatever else calls one goes through a
    # proxy of a kind that does not exist, at which the library gives up before it connects.
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    "GDAL_HTTP_PROXY": "none://",
    "GDAL_HTTPS_PROXY": "none://",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "PROJ_NETWORK": "OFF",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
}
"""Settings of GDAL under which it opens the named file and nothing else."""

_GDAL_OPTIONS = {
    # Worker threads of the JPEG 2000 decoder would print their complaints.
    "GDAL_NUM_THREADS": "1",
    # In bytes; the default is a twentieth of the machine's memory, however large that is.
    "GDAL_CACHEMAX": 256 * 2**20,
    # What a progressive JPG takes is checked before it is opened.
    "GDAL_ALLOW_LARGE_LIBJPEG_MEM_ALLOC": "YES",
}
# With links to what may be read beside a file, in a folder that holds nothing else.
_GDAL_BESIDE = {"GDAL_DISABLE_READDIR_ON_OPEN": "NO", "GDAL_PAM_ENABLED": "YES"}
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
    linked : pathlib.Path, optional
        A link to the file in a folder that also has links to what may be read beside it.
    room : object, optional
        Keeps a folder of its own for the file; when the last copy of this is gone, so is the
        folder.
    """

    name: str
    source: Path | bytes
    linked: Path | None = None
    room: object = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def head(self, length: int = HEAD) -> bytes:
        """Return the first bytes."""
        return self.part(0, length)

    def part(self, start: int, length: int) -> bytes:
        """Return bytes from a place on, fewer at the end of the file."""
        if isinstance(self.source, bytes):
            return self.source[start : start + length]
        # No file is that long; seeking there would be an error.
        if start >= 2**62:
            return b""
        with self.source.open("rb") as file:
            file.seek(start)
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
        driver = driver_of(head)
        if driver is None:
            raise SceneError(unknown_format(self.name, head))
        return driver

    def directories(self) -> Iterator[Directory]:
        """Walk over the directories of a TIFF; there are none in other files."""
        return directories(self.part)

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
        options = GDAL_CLOSED | _GDAL_OPTIONS | (_GDAL_BESIDE if self.linked else {})
        try:
            with ExitStack() as stack:
                stack.enter_context(rasterio.Env(**options))
                driver = self.driver
                if isinstance(self.source, bytes):
                    memory = stack.enter_context(rasterio.MemoryFile(self.source))
                    dataset = stack.enter_context(memory.open(driver=driver))
                else:
                    place = self.linked or self.source
                    dataset = stack.enter_context(rasterio.open(place, driver=driver))
                self.check_references(dataset)
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

    def check_references(self, dataset: DatasetReader) -> None:
        """Refuse a raster whose metadata name another file to take reduced views from.

        Raises
        ------
        SceneError
        """
        # What GDAL itself asks before it draws a reduced view; until then it opens nothing.
        if dataset.get_tag_item("OVERVIEW_FILE", "OVERVIEWS") is not None:
            raise self.names_others()

    def check_metadata(self) -> None:
        """Refuse a TIFF that names another file in any of its directories, going by its bytes.

        Raises
        ------
        SceneError
        """
        for directory in self.directories():
            # Whoever writes these letters as codes hides something: GDAL never does.
            text = directory.text(GDAL_METADATA).upper()
            if b"OVERVIEW_FILE" in text or b"OVERVIEWS" in text:
                raise self.names_others()

    def names_others(self) -> SceneError:
        """Return the error for a file that names another one to be read."""
        return SceneError(
            f"“{self.name}” names another file from which parts of the picture shall be taken. "
            "RSAM reads nothing but the image itself. Save it again as GeoTIFF, and open the copy."
        )

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


def colours(dataset: DatasetReader) -> tuple[ColorInterp, ...]:
    """Return the colour tag of each band."""
    from rasterio._err import CPLE_BaseError

    try:
        return dataset.colorinterp
    except CPLE_BaseError:
        # An earlier, harmless complaint of GDAL (about an unknown tag, say) surfaces here once and
        # is cleared by that; asking again gives the answer.
        return dataset.colorinterp


def _hashed_ranges(size: int) -> Iterator[tuple[int, int]]:
    """Yield the byte ranges that enter the hash: all of them, or evenly spread samples."""
    if size <= _HASH_WHOLE_BELOW:
        for start in range(0, size, _HASH_BLOCK):
            yield start, min(start + _HASH_BLOCK, size)
        return
    for block in range(_HASH_BLOCKS):
        start = (size - _HASH_BLOCK) * block // (_HASH_BLOCKS - 1)
        yield start, start + _HASH_BLOCK
