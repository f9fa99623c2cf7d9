"""A picture written again without loss: upright, and in tiles that are quick to read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsam_core.errors import SceneError
from rsam_core.scene.raster_file import RasterFile, colours

if TYPE_CHECKING:
    from rasterio.io import DatasetReader, DatasetWriter

TILE = 512
# More lies on disk, where there is one.
_IN_MEMORY = 64 * 2**20
_NAME = "tiles.tif"


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror (bands, H, W) as a camera orientation from 1 to 8 asks (Exif 2.3, 4.6.4).

    The orientation says where the first row and column as stored belong: 2 top and right, 3 bottom
    and right, 4 bottom and left, 5 left and top, 6 right and top, 7 right and bottom, 8 left and
    bottom.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(1, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[:, ::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, :, ::-1]
    return pixels


def rewritten(
    file: RasterFile, dataset: DatasetReader, orientation: int, room: Path | None
) -> bytes | Path:
    """Write an open raster again, upright and in tiles: its pixels, nodata, colours and mask.

    Parameters
    ----------
    file : RasterFile
    dataset : rasterio.io.DatasetReader
    orientation : int
        From 1 to 8.
    room : pathlib.Path or None
        Folder for what is larger than 64 MiB.

    Returns
    -------
    bytes or pathlib.Path

    Raises
    ------
    SceneError
        The disk is full.
    """
    from rasterio.enums import ColorInterp, MaskFlags

    height, width = dataset.shape
    if orientation >= 5:
        height, width = width, height
    tags, nodata = colours(dataset), dataset.nodata
    flags = dataset.mask_flag_enums[0]
    masked = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    # A TIFF has one nodata value for all bands; colours that mean transparent go into a mask.
    masked |= len(set(map(str, dataset.nodatavals))) > 1
    dtype = dataset.dtypes[0]
    profile: dict[str, Any] = {
        "count": dataset.count, "dtype": dtype, "width": width, "height": height,
        "nodata": None if masked else nodata,
        "bytes": width * height * dataset.count * np.dtype(dtype.replace("complex_int16", "c8"))
        .itemsize,
    }  # fmt: skip
    if dataset.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES":
        profile["photometric"] = "MINISWHITE"
    with _target(file, room, profile) as (target, done):
        if ColorInterp.palette in tags[:1]:
            target.write_colormap(1, dataset.colormap(1))
        if "photometric" not in profile:
            target.colorinterp = tags
        target.descriptions = dataset.descriptions
        for source, place in _pieces(dataset, whole=orientation != 1):
            target.write(upright(dataset.read(window=source), orientation), window=place)
            if masked:
                mask = dataset.dataset_mask(window=source)[None]
                target.write_mask(upright(mask, orientation)[0], window=place)
    return done[0]


def write_pixels(pixels: np.ndarray, room: Path | None) -> bytes | Path:
    """Write (H, W, C) as a tiled, losslessly compressed TIFF; a fourth band is alpha."""
    from rasterio.enums import ColorInterp

    height, width, count = pixels.shape
    profile = {
        "count": count, "dtype": pixels.dtype.name, "width": width, "height": height,
        "nodata": None, "bytes": pixels.nbytes,
    }  # fmt: skip
    with _target(RasterFile("the picture", b""), room, profile) as (target, done):
        colour = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
        target.colorinterp = colour[:count] if count >= 3 else (ColorInterp.gray,) * count
        target.write(np.moveaxis(pixels, 2, 0))
    return done[0]


@contextmanager
def _target(
    file: RasterFile, room: Path | None, profile: dict[str, Any]
) -> Iterator[tuple[DatasetWriter, list[bytes | Path]]]:
    """Open a new TIFF to write to; its content or place is in the list once it is closed."""
    import rasterio

    size = profile.pop("bytes")
    done: list[bytes | Path] = []
    options = {
        "driver": "GTiff", "tiled": True, "blockxsize": TILE, "blockysize": TILE,
        "compress": "DEFLATE", "zlevel": 1, "BIGTIFF": "IF_SAFER", **profile,
    }  # fmt: skip
    if np.dtype(profile["dtype"].replace("complex_int16", "c8")).kind in "iu":
        options["predictor"] = 2
    if profile["count"] >= 3 and profile["dtype"] in ("uint8", "uint16"):
        options.setdefault("photometric", "RGB")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        if size > _IN_MEMORY and room is not None:
            if shutil.disk_usage(room).free < size:
                raise SceneError(
                    f"“{file.name}” needs {size / 1e9:.1f} GB on disk to be read piece by piece. "
                    "Make room, or save it as a tiled GeoTIFF and open that."
                )
            with rasterio.open(room / _NAME, "w", **options) as target:
                yield target, done
            done.append(room / _NAME)
            return
        with rasterio.MemoryFile() as memory:
            with memory.open(**options) as target:
                yield target, done
            done.append(memory.read())


def _pieces(dataset: DatasetReader, *, whole: bool) -> Iterator[tuple[Any, Any]]:
    """Return windows to read, from the top down, and where each goes."""
    from rasterio.windows import Window

    height, width = dataset.shape
    block = max(rows for rows, _ in dataset.block_shapes)
    # A large block is unpacked once only if all of it is read at once.
    step = height if whole or block * width > 2**26 else max(TILE, block // TILE * TILE)
    for top in range(0, height, step):
        window = Window(0, top, width, min(step, height - top))
        yield window, None if whole else window
