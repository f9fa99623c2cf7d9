"""`Scene`: an image file opened for segmentation, with its place and scale on the ground."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rsam_core import _pictures
from rsam_core._choose_view import choose_view
from rsam_core._georeference import georeference, measured_gsd
from rsam_core._raster_io import (
    MAX_READ_BYTES,
    PICTURE_DRIVERS,
    RasterFile,
    check_content,
    check_size,
    colours,
)
from rsam_core._sources import file_of
from rsam_core._view import View
from rsam_core.errors import SceneError
from rsam_core.window import Window

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow

MAX_GSD = 1000.0


@dataclass(frozen=True, eq=False)
class Scene:
    """An opened image. Made by `open_scene`; immutable, cheap to keep, safe between threads.

    Only the header and the file's bytes (or its path) are held; pixels are read in windows on
    demand, each time through a handle of their own.

    Attributes
    ----------
    name : str
        File name.
    width, height : int
        Size in pixels.
    count : int
        Number of bands, an alpha band included.
    dtype : str
        Data type of the bands ("uint8", "uint16", "float32", ...).
    nodata : float or None
        Value that means "nothing measured here" in the first band.
    crs : str or None
        Coordinate reference system as "EPSG:32637", or WKT where it has no code.
    transform : affine.Affine or None
        Pixel to map transform; None when the image is not georeferenced.
    gsd : float or None
        Ground sample distance in metres per pixel, true on the ground (not on the map).
    content_hash : str
        16 hexadecimal digits identifying the content: SHA-256 of the length and all bytes up to
        64 MiB; beyond that, of the length and 32 blocks of 1 MiB spread from start to end.
    band_names : tuple of str
        Name of each band, from the file where it has them.
    notes : tuple of str
        What the user should know about how the file was opened; may be empty.
    """

    name: str
    width: int
    height: int
    count: int
    dtype: str
    nodata: float | None
    crs: str | None
    transform: Affine | None
    gsd: float | None
    content_hash: str
    band_names: tuple[str, ...]
    notes: tuple[str, ...]
    _file: RasterFile = field(repr=False)
    _view: View = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    @property
    def view_bands(self) -> tuple[int, ...]:
        """Bands that `read_rgb` shows, counted from 1: one for grey, three for red, green, blue."""
        return self._view.bands

    @property
    def stretch(self) -> tuple[tuple[float, float], ...] | None:
        """Values shown as black and white, for each of `view_bands`; None if shown unchanged."""
        return self._view.stretch

    @property
    def pixel_area_m2(self) -> float | None:
        """Ground area of one pixel in square metres; None without a ground sample distance."""
        return None if self.gsd is None else self.gsd**2

    def read_rgb(self, window: Window | None = None, max_size: int | None = None) -> np.ndarray:
        """Read the view image: what people see and what the models see.

        Three bands of uint8 come unchanged. Anything else is stretched linearly between its
        percentiles 2 and 98, band by band; these come once from a sample of the whole scene, so
        that all windows match. Pixels without data are black; transparent parts of a PNG or GIF
        are white.

        Parameters
        ----------
        window : Window, optional
            Part to read; the whole scene by default.
        max_size : int, optional
            Longest side of the result in pixels. A larger window is reduced by averaging areas,
            from overviews where the file has them; a smaller one is never enlarged.

        Returns
        -------
        (H, W, 3) array of uint8

        Raises
        ------
        SceneError
            The window lies outside the scene, the result would not fit into memory, or the file
            is damaged.
        """
        part = self._checked(window)
        shape = _reduced_shape(part, max_size)
        with self._reading(part) as (dataset, source):
            return self._view.rgb(dataset, source, shape)

    def read_bands(self, window: Window | None = None) -> np.ndarray:
        """Read all bands as stored.

        Parameters
        ----------
        window : Window, optional
            Part to read; the whole scene by default.

        Returns
        -------
        (H, W, C) array
            In the data type of the file; a palette image gives its indices.

        Raises
        ------
        SceneError
            As for `read_rgb`.
        """
        part = self._checked(window)
        self._check_memory((part.height, part.width), self.count)
        with self._reading(part) as (dataset, source):
            return np.ascontiguousarray(np.moveaxis(dataset.read(window=source), 0, 2))

    def valid_mask(self, window: Window | None = None) -> np.ndarray:
        """Tell where the view shows a measurement.

        Parameters
        ----------
        window : Window, optional
            Part to read; the whole scene by default.

        Returns
        -------
        (H, W) array of bool
            False where a band shown is NaN or infinite, where all bands shown hold the nodata
            value, where the file's mask says so, and where the image is fully transparent.

        Raises
        ------
        SceneError
            As for `read_rgb`.
        """
        part = self._checked(window)
        with self._reading(part) as (dataset, source):
            return self._view.valid(dataset, source)

    def with_gsd(self, gsd: float) -> Scene:
        """Return the same scene with a ground sample distance that the user typed.

        Parameters
        ----------
        gsd : float
            Metres on the ground per pixel, above 0 and at most 1000. It replaces what the file
            says.

        Raises
        ------
        SceneError
            The value is not a number in that range.
        """
        try:
            metres = float(gsd)
        except (TypeError, ValueError):
            metres = math.nan
        if not 0 < metres <= MAX_GSD:
            raise SceneError(
                f"A ground distance of {gsd!r} metres per pixel is not possible. Type a number "
                f"above 0 and up to {MAX_GSD:,.0f}, for example 0.3 for a pixel of 30 cm."
            )
        return replace(self, gsd=metres)

    def pixel_to_map(self, x: float, y: float) -> tuple[float, float]:
        """Convert scene pixels to map coordinates of the CRS.

        Parameters
        ----------
        x, y : float or array
            Continuous pixel coordinates, origin at the top-left corner of the top-left pixel.

        Returns
        -------
        tuple of float or of arrays
            Easting and northing, or longitude and latitude.

        Raises
        ------
        SceneError
            The image is not georeferenced.
        """
        if self.transform is None:
            raise SceneError(
                f"“{self.name}” is not georeferenced, so its pixels have no map coordinates. Open "
                "a GeoTIFF, or an image with its world file beside it."
            )
        a, b, c, d, e, f = self.transform[:6]
        return a * x + b * y + c, d * x + e * y + f

    def _checked(self, window: Window | None) -> Window:
        """Return the window, or the whole scene, after checking that it lies inside."""
        whole = Window(0, 0, self.width, self.height)
        if window is None:
            return whole
        right, bottom = window.x + window.width, window.y + window.height
        if window.x < 0 or window.y < 0 or right > self.width or bottom > self.height:
            raise SceneError(
                f"The window from ({window.x}, {window.y}) to ({right}, {bottom}) reaches beyond "
                f"the image of {self.width} × {self.height} pixels. Choose one inside."
            )
        return window

    def _check_memory(self, shape: tuple[int, int], bands: int) -> None:
        size = math.prod(shape) * bands * np.dtype(self.dtype).itemsize
        if size > MAX_READ_BYTES:
            raise SceneError(
                f"Reading this much of “{self.name}” at once takes {size / 1e9:.1f} GB. Read a "
                "smaller window, or a reduced view with max_size."
            )

    @contextmanager
    def _reading(self, part: Window) -> Iterator[tuple[DatasetReader, RasterWindow]]:
        """Open the file for one read of a window."""
        from rasterio.windows import Window as RasterWindow

        with self._file.open() as dataset:
            if dataset.shape != self.shape or dataset.count != self.count:
                raise SceneError(
                    f"“{self.name}” has changed on disk since it was opened. Open it again."
                )
            yield dataset, RasterWindow(part.x, part.y, part.width, part.height)


def open_scene(
    source: str | os.PathLike[str] | bytes | BinaryIO, *, name: str | None = None
) -> Scene:
    """Open an image for segmentation.

    Parameters
    ----------
    source : path, bytes or binary file object
        JPG, PNG, TIFF, GeoTIFF, JPEG 2000, BMP, WEBP or GIF. A path is read in windows where the
        format allows; an object such as an upload is read to its end and its bytes are kept.
    name : str, optional
        Name to show; by default that of the path or file object.

    Returns
    -------
    Scene

    Raises
    ------
    SceneError
        The source cannot be opened; the message names the file and the remedy.

    Notes
    -----
    Camera orientation is applied, CMYK and palettes become RGB, and of an animation the first
    frame is taken. Limits are checked in the header before anything is decoded.
    """
    original = file_of(source, name)
    if original.size == 0:
        raise SceneError(
            f"“{original.name}” is empty (0 bytes): it was not saved or copied completely. "
            "Copy or download it again."
        )
    notes: list[str] = []
    driver = original.driver
    picture = driver in PICTURE_DRIVERS
    crs = transform = None
    if driver == "GIF":
        # Only Pillow composes the frames of a GIF, so GDAL never sees one.
        file, more = _pictures.prepared(original)
    else:
        with original.open() as dataset:
            check_size(original.name, dataset.width, dataset.height, picture=picture)
            check_content(original, dataset)
            crs, transform, notes = georeference(dataset)
            pages = len(dataset.subdatasets)
        if pages > 1:
            notes.append(f"The file holds {pages} images; the first one is shown.")
        file, more = _pictures.prepared(original)
    notes += more
    if file is not original and transform is not None:
        crs = transform = None
        notes.append("Its world file was left out, because it fits the photo before turning.")
    with file.open() as dataset:
        view, view_notes = choose_view(file.name, dataset, picture=picture)
        width, height = dataset.width, dataset.height
        fields = {
            "width": width,
            "height": height,
            "count": dataset.count,
            "dtype": dataset.dtypes[0],
            "nodata": dataset.nodata,
            "band_names": _band_names(dataset),
        }
    notes += view_notes
    gsd = None
    if crs is not None and transform is not None:
        gsd, gsd_notes = measured_gsd(transform, crs, width, height)
        notes += gsd_notes
    return Scene(
        name=file.name,
        crs=crs,
        transform=transform,
        gsd=gsd,
        content_hash=original.content_hash(),
        notes=tuple(notes),
        _file=file,
        _view=view,
        **fields,
    )


def _band_names(dataset: DatasetReader) -> tuple[str, ...]:
    """Return the description of each band, else its colour, else its number."""
    names = []
    for index, description, colour in zip(dataset.indexes, dataset.descriptions, colours(dataset)):
        told = colour.name if colour.name in ("red", "green", "blue", "alpha") else None
        names.append(description or told or f"band {index}")
    return tuple(names)


def _reduced_shape(part: Window, max_size: int | None) -> tuple[int, int]:
    """Return (height, width) of a window reduced to a longest side."""
    if max_size is None:
        return part.height, part.width
    if max_size < 1:
        raise SceneError(f"A view cannot be {max_size} pixels large. max_size is at least 1.")
    scale = min(1.0, max_size / max(part.width, part.height))
    return max(1, round(part.height * scale)), max(1, round(part.width * scale))
