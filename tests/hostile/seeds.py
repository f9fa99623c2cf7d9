"""Sound files, from which the hostile ones are made, and the scenes they are laid on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache

import numpy as np
import rasterio
from affine import Affine
from PIL import Image

from rsam_core.scene.scene import Scene, open_scene

WIDTH, HEIGHT = 96, 64
UTM = "EPSG:32637"
LEFT, TOP, SIDE = 500_000.0, 4_000_000.0, 0.5
PLACE = Affine(SIDE, 0, LEFT, 0, -SIDE, TOP)


@cache
def pixels(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return (H, W, 3) of seeded noise around a few colours."""
    rng = np.random.default_rng(11)
    values = rng.integers(60, 120, (height, width, 3), dtype=np.uint8)
    values[height // 4 : height // 2, width // 4 : width // 2, 0] += 100
    return values


def geotiff(values: np.ndarray | None = None, **options: object) -> bytes:
    """Return (bands, H, W) as the bytes of a TIFF, in UTM unless told otherwise."""
    values = np.moveaxis(pixels(), 2, 0) if values is None else values
    options = {"crs": UTM, "transform": PLACE, **options}
    count, height, width = values.shape
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=width, height=height, count=count, dtype=values.dtype, **options
        ) as target:
            target.write(values)
        return memory.read()


@cache
def picture(kind: str, width: int = WIDTH, height: int = HEIGHT, **options: object) -> bytes:
    """Return the common picture in a format of Pillow."""
    stream = io.BytesIO()
    Image.fromarray(pixels(width, height)).save(stream, kind, **options)
    return stream.getvalue()


@cache
def mask(kind: str = "PNG") -> bytes:
    """Return a mask of one object, as a picture."""
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[16:32, 24:48] = 1
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, kind)
    return stream.getvalue()


@cache
def scene() -> Scene:
    """Return the common scene, in UTM."""
    return open_scene(geotiff(), name="town.tif")


@cache
def plain() -> Scene:
    """Return the common scene without georeference."""
    return open_scene(picture("PNG"), name="town.png")


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip whose names are written as given, equal ones and backslashes included."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo("x", (1990, 1, 1, 0, 0, 0))
            info.filename, info.compress_type = name, method
            archive.writestr(info, content)
    return stream.getvalue()


def ring(x: float, y: float, width: float, height: float) -> list[list[float]]:
    """Return a rectangle of scene pixels as a closed ring of map coordinates."""
    x0, y0 = LEFT + x * SIDE, TOP - y * SIDE
    x1, y1 = x0 + width * SIDE, y0 - height * SIDE
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
