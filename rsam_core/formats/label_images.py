"""Results as pictures and rasters: object numbers and classes a pixel, and overlays."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import ExportError
from rsam_core.objects import palette
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instances
from rsam_core.objects.semantic import class_map, class_palette

_MAX_16_BIT = 65_535
_MAX_8_BIT = 255


def label_png(instances: Instances) -> bytes:
    """Return the label map as a 16-bit grey PNG: 0 is background, else the object's number.

    Raises
    ------
    ExportError
        If a number does not fit into 16 bits.
    """
    if len(instances) > _MAX_16_BIT:
        raise ExportError(
            f"A label PNG holds at most 65,535 objects; these are {len(instances):,}. Filter "
            "them by area first, or download the labels as GeoTIFF."
        )
    if len(instances) and instances.ids.max() > _MAX_16_BIT:
        raise ExportError(
            f"A label PNG holds object numbers up to 65,535; the highest here is "
            f"{instances.ids.max():,}. Number the objects anew (renumber), or download the "
            "labels as GeoTIFF."
        )
    return _png(instances.label_map().astype(np.uint16))


def instance_png(instances: Instances) -> bytes:
    """Return the label map as a PNG with a colour table, every object in its own colour.

    0 is background (black), else the object's number.

    Raises
    ------
    ExportError
        If a number is above 255, more than a colour table of a PNG has.
    """
    if len(instances) and instances.ids.max() > _MAX_8_BIT:
        raise ExportError(
            "A PNG with a colour table holds object numbers up to 255; the highest here is "
            f"{instances.ids.max():,}. Download the labels as GeoTIFF, which has room for all."
        )
    return _palette_png(instances.label_map().astype(np.uint8), _instance_palette(256))


def class_png(instances: Instances, classes: ClassList) -> bytes:
    """Return the class map as a PNG with a colour table.

    0 is no class (black), else 1 + the position of the class; see
    :func:`rsam_core.objects.semantic.class_map`.
    """
    everything = classes.including(item.label for item in instances)
    return _palette_png(class_map(instances, classes), class_palette(everything))


def overlay_png(rgb: ArrayLike) -> bytes:
    """Return a picture as PNG.

    Parameters
    ----------
    rgb : array_like of uint8, shape (H, W, 3)

    Raises
    ------
    ExportError
        If it is not an RGB picture of 8 bits.
    """
    rgb = np.asarray(rgb)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ExportError(
            "A picture must have three colours of 8 bits each (rows, columns, 3); this one has "
            f"shape {rgb.shape} and type {rgb.dtype}."
        )
    return _png(rgb[..., ::-1])


def label_geotiff(instances: Instances, scene: Any = None, *, colors: bool = False) -> bytes:
    """Return the label map as a GeoTIFF in the scene's coordinate system.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Its `crs` and `transform` are written, if it has them.
    colors : bool
        With a colour table, every object in its own colour; numbers then have 16 bits, which is
        the most that a colour table allows, instead of 32.

    Returns
    -------
    bytes
        0 is background and marked as "no data"; else the object's number.

    Raises
    ------
    ExportError
        If a colour table is wanted and a number does not fit into 16 bits.
    """
    if not colors:
        return _geotiff(instances.label_map(), scene)
    if len(instances) and instances.ids.max() > _MAX_16_BIT:
        raise ExportError(
            "A GeoTIFF with a colour table holds object numbers up to 65,535; the highest here is "
            f"{instances.ids.max():,}. Download it without a colour table."
        )
    table = np.zeros((_MAX_16_BIT + 1, 3), np.uint8)
    if len(instances):
        table[instances.ids] = palette.random_colors(instances.ids)
    return _geotiff(instances.label_map().astype(np.uint16), scene, table)


def class_geotiff(instances: Instances, classes: ClassList, scene: Any = None) -> bytes:
    """Return the class map as a GeoTIFF of 8 bits with a colour table and the classes' names.

    0 is no class and marked as "no data"; the names are the tags ``CLASS_1``, ``CLASS_2``, ...
    of the band.
    """
    everything = classes.including(item.label for item in instances)
    tags = {f"CLASS_{index}": item.name for index, item in enumerate(everything, start=1)}
    table = np.zeros((256, 3), np.uint8)
    colors = class_palette(everything)
    table[: len(colors)] = colors
    return _geotiff(class_map(instances, classes), scene, table, tags)


def _geotiff(
    values: NDArray,
    scene: Any,
    colors: NDArray[np.uint8] | None = None,
    tags: dict[str, str] | None = None,
) -> bytes:
    import warnings

    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    height, width = values.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1}
    profile |= {"dtype": values.dtype.name, "nodata": 0, "compress": "deflate", "predictor": 2}
    if getattr(scene, "transform", None) is not None:
        profile |= {"transform": scene.transform, "crs": getattr(scene, "crs", None)}
    # Not `catch_warnings`: that swaps global state and is unsafe between threads.
    warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            if colors is not None:
                dataset.write_colormap(1, {i: (*c, 255) for i, c in enumerate(colors.tolist())})
            if tags:
                dataset.update_tags(1, **tags)
            dataset.write(values, 1)
        return memory.read()


def _instance_palette(count: int) -> NDArray[np.uint8]:
    colors = palette.random_colors(np.arange(count))
    colors[0] = 0
    return colors


def _palette_png(values: NDArray[np.uint8], colors: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    if not values.size:
        raise ExportError("The picture could not be written as PNG, because it has no pixels.")
    image = Image.fromarray(values).convert("P")
    image.putpalette(colors.tobytes())
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=False)
    return stream.getvalue()


def _png(image: NDArray) -> bytes:
    """Encode a grey or BGR image."""
    import cv2

    done, data = cv2.imencode(".png", image) if image.size else (False, None)
    if not done:
        raise ExportError("The picture could not be written as PNG, because it has no pixels.")
    return data.tobytes()
