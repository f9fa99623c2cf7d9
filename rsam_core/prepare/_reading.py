"""From a scene to a `Raster`: data bands, validity, black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.prepare.raster import Limits, Raster, placed, storage_type
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.bands_read import read_bands
from rsam_core.scene.rendering import strips
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene


_COLOURS = ("red", "green", "blue")


def read_raster(scene: Scene, window: Window | None = None, max_size: int | None = None) -> Raster:
    """Read a scene.

    Parameters
    ----------
    scene : Scene
    window : Window, optional
        Part to read; the whole scene by default.
    max_size : int, optional
        Longest side of the result; larger parts are reduced by averaging areas.

    Returns
    -------
    Raster

    Raises
    ------
    SceneError
        The window lies outside the scene, the result would not fit into memory, or the file
        is damaged.
    """
    if scene.view_settings.index is not None:
        # A spectral index is a way to look at two bands; what is prepared are the bands.
        scene = scene.with_view(ViewSettings())
    part = Window(0, 0, scene.width, scene.height).part(window)
    shape = part.reduced_shape(max_size)
    gamma = scene.view_settings.gamma
    if scene.has_palette:
        values, valid = _coloured(scene, part, shape)
        names, shown, display, limits, dtype = _COLOURS, (0, 1, 2), None, (0.0, 255.0), "uint8"
        gamma = 1.0
    else:
        bands = list(scene.data_bands)
        values, valid = _measured(scene, part, shape)
        names = tuple(scene.band_names[band - 1] for band in bands)
        shown = tuple(bands.index(band) for band in scene.view_bands)
        limits, display = _black_and_white(scene, len(bands), shown)
        dtype = scene.dtype
    scale = max(part.width / shape[1], part.height / shape[0])
    return Raster.of_array(
        values,
        valid,
        limits=limits,
        band_names=names,
        transform=placed(
            scene.transform, part.x, part.y, part.width / shape[1], part.height / shape[0]
        ),
        crs=scene.crs,
        gsd=None if scene.gsd is None else scene.gsd * scale,
        dtype=storage_type(dtype),
        scale=scale,
        display=display,
        view_bands=shown,
        view_gamma=gamma,
    )


def _coloured(scene: Scene, part: Window, shape: tuple[int, int]) -> tuple[NDArray, NDArray]:
    """Colours of a palette image, and where it is not transparent."""
    valid = np.empty(shape, bool)
    with scene._reading(part) as (dataset, source):
        for rows, strip in strips(source, shape):
            target = (rows.stop - rows.start, shape[1])
            valid[rows] = scene._chosen.view.sample(dataset, strip, target, nearest=True).valid
    return scene.read_rgb(part, max(shape)), valid


def _measured(scene: Scene, part: Window, shape: tuple[int, int]) -> tuple[NDArray, NDArray]:
    """Data bands, and where they hold data."""
    bands = list(scene.data_bands)
    kind = np.dtype(scene.dtype)
    values = np.empty((*shape, len(bands)), np.float32 if kind.kind == "c" else kind)
    valid = np.empty(shape, bool)
    with scene._reading(part) as (dataset, source):
        for rows, strip in strips(source, shape):
            target = (rows.stop - rows.start, shape[1])
            read = read_bands(dataset, bands, strip, target, average=True)
            values[rows] = np.moveaxis(read, 0, 2)
            valid[rows] = scene._chosen.view.sample(dataset, strip, target).valid
    if values.dtype.kind == "f":
        # A band that is empty as a whole says nothing against the pixels of the others.
        empty = ~np.isfinite(values).any(axis=(0, 1))
        values[..., empty] = 0
    return (_positive(values) if scene._layout.negative else values), valid


def _positive(values: NDArray) -> NDArray:
    """Turn a negative into what was photographed: high values are bright."""
    return np.iinfo(values.dtype).max - values if values.dtype.kind == "u" else -values


def _black_and_white(
    scene: Scene, count: int, shown: tuple[int, ...]
) -> tuple[Limits, tuple[Limits, ...] | None]:
    """Limits of the image, and what each band shows as black and white where that differs."""
    stretch = scene.stretch
    if scene._layout.negative and stretch is not None:
        kind = np.dtype(scene.dtype)
        top = np.iinfo(kind).max if kind.kind == "u" else 0
        stretch = tuple((float(top - high), float(top - low)) for low, high in stretch)
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
