"""Photographs and web pictures: what GDAL leaves undone is done once, on opening."""

from __future__ import annotations

import io
import warnings
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import RsamError, SceneError
from rsam_core.scene._examined import Examined
from rsam_core.scene._exif import orientation_of
from rsam_core.scene._rewriting import rewritten, write_pixels
from rsam_core.scene._tiff_header import ORIENTATION
from rsam_core.scene.checks import MEMORY, check_size, dtype_of
from rsam_core.scene.raster_file import RasterFile

if TYPE_CHECKING:
    from PIL.Image import Image
    from rasterio.io import DatasetReader

UPRIGHT = 1
TURNS = range(2, 9)
"""Camera orientations that ask for something; others mean nothing and are let be."""
# Larger pictures are laid down in tiles: each window of a JPG costs decoding all above it.
SLOW_PIXELS = 64_000_000
# So are TIFFs with larger blocks, each of which has to be unpacked for a single pixel.
SLOW_BLOCK_BYTES = 2**26

# Texts come before the pixels.
_TEXTS = 2**18

_TURNED = "The photo was turned upright, as its camera orientation asks."
_NOT_TURNED = (
    "The orientation in the file asks for a turn that was not made, because the image {why}."
)


def is_slow(file: RasterFile, dataset: DatasetReader) -> bool:
    """Tell whether windows of a raster are slow to read, so that it is better laid in tiles."""
    if file.driver in ("JPEG", "PNG"):
        return dataset.width * dataset.height > SLOW_PIXELS
    if file.driver != "GTiff" or dataset.compression is None:
        return False
    block = max(prod(shape) for shape in dataset.block_shapes)
    size = block * max(dtype_of(name).itemsize for name in dataset.dtypes)
    return size > SLOW_BLOCK_BYTES


def prepared(file: RasterFile, room: Path | None, *, placed: bool) -> Examined:
    """Return what GDAL reads as people see it, notes on that, and whether it was turned.

    What a camera orientation asks for is done, of an animation (GIF, WEBP) the first frame is
    taken, and what is slow to read in windows is laid in tiles. Such a picture is rewritten once,
    without loss. All others stay as they are.

    Parameters
    ----------
    file : RasterFile
        A file that was checked, except for a GIF, which is checked here.
    room : pathlib.Path or None
        Where to write what is too large for memory.
    placed : bool
        Whether the pixels as stored have a place on the map.

    Raises
    ------
    SceneError
        The picture is damaged, cut short or too large.
    """
    driver = file.driver
    if driver in ("GIF", "WEBP"):
        return _first_frame(file, room)
    if driver not in ("JPEG", "PNG", "GTiff"):
        return Examined()
    orientation = _orientation(file, driver)
    with file.open() as dataset:
        slow = is_slow(file, dataset)
        size = prod(dataset.shape) * dataset.count * dtype_of(dataset.dtypes[0]).itemsize
        notes: tuple[str, ...] = ()
        if orientation != UPRIGHT:
            if driver == "GTiff" and placed:
                why = "is placed on the map as it is stored"
            elif 4 * size > MEMORY:
                why = "is too large for that"
            else:
                why = ""
            notes = (_NOT_TURNED.format(why=why) if why else _TURNED,)
            orientation = UPRIGHT if why else orientation
        turned = orientation != UPRIGHT
        if not turned and not (slow and room is not None):
            return Examined(notes=notes)
        if turned and driver == "PNG" and dataset.dtypes[0] == "uint8":
            # A palette with transparency, which GDAL cannot write.
            return Examined(write_pixels(_by_pillow(file), room), notes, turned)
        return Examined(rewritten(file, dataset, orientation, room), notes, turned)


def _orientation(file: RasterFile, driver: str) -> int:
    """Return the camera orientation, 1 where it is upright, unknown or nonsense."""
    if driver == "GTiff":
        values = next(iter(file.directories())).values(ORIENTATION)
        value = int(values[0]) if len(values) else UPRIGHT
    else:
        value = orientation_of(file, driver)
        if value is None:
            value = _told_elsewhere(file)
    return value if value in TURNS else UPRIGHT


def _told_elsewhere(file: RasterFile) -> object:
    """Return the orientation in a text (XMP), which some programs write in place of camera data."""
    if b"tiff:Orientation" not in file.part(0, _TEXTS):
        return UPRIGHT
    with _opened(file) as image:
        return _told(file, image)


def _told(file: RasterFile, image: Image) -> object:
    """Return what the camera data say of the orientation, whatever that is."""
    try:
        return image.getexif().get(ORIENTATION, UPRIGHT)
    except MemoryError as error:
        raise file.out_of_memory() from error
    # Camera data are often broken, and Pillow raises many types on them; the picture is not.
    except Exception:
        return UPRIGHT


def _first_frame(file: RasterFile, room: Path | None) -> Examined:
    """Return the first frame of a GIF or WEBP, upright."""
    notes: list[str] = []
    with _opened(file) as image:
        check_size(file, *image.size)
        try:
            if getattr(image, "is_animated", False):
                notes.append(
                    f"This is an animation of {image.n_frames} frames; the first one is shown."
                )
                image.seek(0)
            turned = _told(file, image) in TURNS
            pixels = _pixels(image)
        except MemoryError as error:
            raise file.out_of_memory() from error
        except Exception as error:
            raise file.damaged() from error
    if turned:
        notes.append(_TURNED)
    return Examined(write_pixels(pixels, room), tuple(notes), turned)


def _by_pillow(file: RasterFile) -> np.ndarray:
    with _opened(file) as image:
        try:
            return _pixels(image)
        except MemoryError as error:
            raise file.out_of_memory() from error
        except Exception as error:
            raise file.damaged() from error


def _opened(file: RasterFile) -> Image:
    from PIL import Image

    # It warns about sizes that passed our own limit, and about camera data that we do not need.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        content = io.BytesIO(file.source) if isinstance(file.source, bytes) else file.source
        return Image.open(content, formats=("JPEG", "PNG", "GIF", "WEBP"))
    except Image.DecompressionBombError as error:
        raise SceneError(
            f"“{file.name}” is too large for its format. Save it as a tiled GeoTIFF, which is "
            "read piece by piece."
        ) from error
    except RsamError:
        raise
    except MemoryError as error:
        raise file.out_of_memory() from error
    # Pillow raises many types on damaged files (OSError, SyntaxError, struct.error, ...).
    except Exception as error:
        raise file.damaged() from error


def _pixels(image: Image) -> np.ndarray:
    """Decode to (H, W, C) with C of 1 (grey), 3 (RGB) or 4 (RGB and alpha), upright."""
    from PIL import ImageOps

    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        if upright.getextrema()[3] == (255, 255):
            upright = upright.convert("RGB")
    elif upright.mode not in ("L", "I;16", "RGB"):
        upright = upright.convert("RGB")
    return np.atleast_3d(np.asarray(upright))
