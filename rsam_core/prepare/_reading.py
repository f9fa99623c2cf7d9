"""From a scene to a `Raster`: data bands, validity, black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.window import Window

from .image import Limits, Raster, storage_type

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow

    from rsam_core.scene import Scene


def read_raster(scene: Scene, window: Window | None, max_size: int | None) -> Raster:
    """Read a scene or a part of it; see `Raster.of_scene`."""
    part = window or Window(0, 0, scene.width, scene.height)
    scale = 1.0 if max_size is None else max(1.0, max(part.width, part.height) / max_size)
    shape = (max(1, round(part.height / scale)), max(1, round(part.width / scale)))
    if scene._view.palette is not None:
        values, valid = scene.read_rgb(window, max_size), _valid(scene, part, shape)
        names, shown, display, limits, dtype = ("red", "green", "blue"), (0, 1, 2), None, None, "u1"
    else:
        bands = data_bands(scene)
        with scene._reading(part) as (dataset, source):
            values = _read(dataset, bands, source, shape)
            valid = scene._view.sample(dataset, source, shape).valid
        names = tuple(scene.band_names[band - 1] for band in bands)
        shown = tuple(bands.index(band) for band in scene.view_bands)
        limits, display = _black_and_white(scene, len(bands), shown)
        dtype = scene.dtype
    return Raster.of_array(
        values,
        # A band without any number must not empty the others.
        valid & _measured(values),
        limits=limits or (0.0, 255.0),
        band_names=names,
        transform=_placed(scene, part, shape),
        crs=scene.crs,
        gsd=None if scene.gsd is None else scene.gsd * scale,
        dtype=storage_type(dtype),
        scale=scale,
        display=display,
        view_bands=shown,
    )


def data_bands(scene: Scene) -> list[int]:
    """Bands of a scene that hold measurements, from 1: all but transparency."""
    return [band for band in range(1, scene.count + 1) if band != scene._view.alpha]


def _read(
    dataset: DatasetReader, bands: list[int], source: RasterWindow, shape: tuple[int, int]
) -> NDArray:
    """Read bands as (H, W, C), reduced by area; complex numbers as magnitudes."""
    from rasterio.enums import Resampling

    shrinks = shape != (round(source.height), round(source.width))
    method = Resampling.average if shrinks else Resampling.nearest
    target = (len(bands), *shape)
    values = dataset.read(bands, window=source, out_shape=target, resampling=method)
    if values.dtype.kind == "c":
        values = np.abs(values)
    if shrinks and values.dtype.kind == "f" and not np.isfinite(values).all():
        # One NaN spoils the mean of its whole cell; fall back on a real value there.
        single = np.abs if np.iscomplexobj(values) else np.asarray
        near = single(dataset.read(bands, window=source, out_shape=target))
        values = np.where(np.isfinite(values), values, near)
    values = np.moveaxis(values, 0, 2)
    if values.dtype.kind == "f":
        # A band that is empty as a whole says nothing against the pixels of the others.
        empty = ~np.isfinite(values).any(axis=(0, 1))
        values[..., empty] = 0
    return values


def _measured(values: NDArray) -> NDArray[np.bool_]:
    return np.isfinite(values).all(axis=-1)


def _valid(scene: Scene, part: Window, shape: tuple[int, int]) -> NDArray[np.bool_]:
    with scene._reading(part) as (dataset, source):
        return scene._view.sample(dataset, source, shape, nearest=True).valid


def _black_and_white(
    scene: Scene, count: int, shown: tuple[int, ...]
) -> tuple[Limits, tuple[Limits, ...] | None]:
    """Limits of the image, and what each band shows as black and white where that differs."""
    stretch = scene.stretch
    if scene.dtype == "uint8":
        limits: Limits = (0.0, 255.0)
    elif stretch is not None:
        limits = (min(low for low, _ in stretch), max(high for _, high in stretch))
    else:
        limits = (0.0, 1.0)
    if stretch is None:
        return limits, None
    display = [limits] * count
    for band, pair in zip(shown, stretch):
        display[band] = pair
    return limits, tuple(display)


def _placed(scene: Scene, part: Window, shape: tuple[int, int]):
    """Transform of a part reduced to a shape."""
    if scene.transform is None:
        return None
    kind = type(scene.transform)
    return (
        scene.transform
        * kind.translation(part.x, part.y)
        * kind.scale(part.width / shape[1], part.height / shape[0])
    )
