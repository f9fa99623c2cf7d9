"""Images written for the tests of opening, and what they ought to look like."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from rsam_core.errors import SceneError
from rsam_core.scene.scene import open_scene

SHARED = Path(__file__).resolve().parents[3] / "shared/data/scenes"
UTM = "EPSG:32637"
PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 9_300_000)


def affine(x: float, y: float, size: float) -> Affine:
    """North-up transform with its corner at (x, y)."""
    return Affine(size, 0, x, 0, -size, y)


def write_tiff(path: Path, bands: np.ndarray, **options: object) -> Path:
    """Write (bands, H, W) as a TIFF."""
    path.write_bytes(tiff(bands, **options))
    return path


def tiff(
    bands: np.ndarray, names: tuple[str, ...] = (), tags: tuple[str, ...] = (), **options: object
) -> bytes:
    """Return (bands, H, W) as the bytes of a TIFF, with band names and colour tags."""
    count, height, width = bands.shape
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, **options
        ) as dataset:
            if tags:
                dataset.colorinterp = [rasterio.enums.ColorInterp[tag] for tag in tags]
            dataset.write(bands)
            for band, name in enumerate(names, 1):
                dataset.set_band_description(band, name)
        return memory.read()


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise_bands() -> np.ndarray:
    """Return (3, 120, 200) random uint8."""
    return np.random.default_rng(7).integers(0, 256, (3, 120, 200), dtype=np.uint8)


def photo(width: int = 96, height: int = 64) -> Image.Image:
    """Return a picture whose four quarters are red, green, blue and yellow."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    pixels[:top, :left] = (220, 30, 30)
    pixels[:top, left:] = (30, 200, 30)
    pixels[top:, :left] = (30, 30, 210)
    pixels[top:, left:] = (220, 210, 30)
    return Image.fromarray(pixels)


def textured(width: int = 256, height: int = 200) -> Image.Image:
    """Return a picture of random colours, which compresses to about its own size."""
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def refused(content: bytes, name: str, **options: object) -> str:
    """Return the message of the SceneError, which must name the file and end as a sentence."""
    with pytest.raises(SceneError) as caught:
        open_scene(content, name=name, **options)
    message = str(caught.value)
    assert f"“{name}”" in message
    assert message.endswith(".")
    assert "/vsimem" not in message
    return message


def ellipsoidal(latitude: float) -> float:
    """Ground metres per web Mercator metre, from the radii of curvature of WGS 84."""
    e2 = 0.00669437999014
    phi = math.radians(latitude)
    w = 1 - e2 * math.sin(phi) ** 2
    meridian, normal = (1 - e2) / w**1.5, 1 / math.sqrt(w)
    return math.cos(phi) * math.sqrt(meridian * normal)
