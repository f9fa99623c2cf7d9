"""Photographs and web pictures: what GDAL leaves undone, Pillow does once, on opening."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rsam_core._raster_io import MAX_PICTURE_PIXELS, RasterFile, check_size
from rsam_core.errors import RsamError, SceneError

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION_TAG = 274
_UPRIGHT = 1


def prepared(file: RasterFile) -> tuple[RasterFile, tuple[str, ...], bool]:
    """Return a file that GDAL reads as people see it, notes on that, and whether it was turned.

    A photograph with a camera orientation is turned upright, and of an animation (GIF, WEBP) the
    first frame is taken; such a picture is rewritten once as a lossless tiled TIFF in memory, so
    that it has fast windows and only one copy is held. All others come back as they are.

    Parameters
    ----------
    file : RasterFile
        A picture whose size has been checked, except for a GIF, which is checked here.

    Raises
    ------
    SceneError
        The picture is damaged, cut short or too large.
    """
    driver = file.driver
    if driver not in ("GIF", "JPEG", "PNG", "WEBP"):
        return file, (), False
    if driver == "GIF":
        _check_gif_size(file)
    notes: list[str] = []
    try:
        with _opened(file) as image:
            if getattr(image, "is_animated", False) and driver in ("GIF", "WEBP"):
                notes.append(
                    f"This is an animation of {image.n_frames} frames; the first one is shown."
                )
                image.seek(0)
            turned = image.getexif().get(_ORIENTATION_TAG, _UPRIGHT) not in (0, _UPRIGHT)
            if turned:
                notes.append("The photo was turned upright, as its camera orientation asks.")
            if not turned and driver in ("JPEG", "PNG"):
                return file, (), False
            pixels = _pixels(image)
    except RsamError:
        raise
    except MemoryError as error:
        raise file.out_of_memory() from error
    # Pillow raises many types on damaged files (OSError, SyntaxError, struct.error, ...).
    except Exception as error:
        raise file.damaged() from error
    return replace(file, source=_as_tiff(pixels)), tuple(notes), turned


def _check_gif_size(file: RasterFile) -> None:
    """Check the size in the header before Pillow sees the file and allocates for it."""
    head = file.head(10)
    if len(head) < 10:
        raise file.damaged()
    width, height = struct.unpack("<HH", head[6:10])
    check_size(file.name, width, height, picture=True)


def _opened(file: RasterFile) -> Image:
    from PIL import Image

    # It warns about sizes that passed our own limit, and about camera data that we do not need.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        content = io.BytesIO(file.source) if isinstance(file.source, bytes) else file.source
        return Image.open(content, formats=("JPEG", "PNG", "GIF", "WEBP"))
    except Image.DecompressionBombError as error:
        raise SceneError(
            f"“{file.name}” is too large: the limit for this format is "
            f"{MAX_PICTURE_PIXELS / 1e6:,.0f} megapixels. Crop it or reduce its resolution first."
        ) from error


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


def _as_tiff(pixels: np.ndarray) -> bytes:
    """Write (H, W, C) as a tiled, losslessly compressed TIFF; a fourth band is alpha."""
    import rasterio

    height, width, count = pixels.shape
    options = {"photometric": "RGB"} if count >= 3 else {}
    if count == 4:
        options["alpha"] = "YES"
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=width,
            height=height,
            count=count,
            dtype=pixels.dtype,
            tiled=True,
            compress="DEFLATE",
            predictor=2,
            zlevel=1,
            **options,
        ) as dataset:
            dataset.write(np.moveaxis(pixels, 2, 0))
        return memory.read()
