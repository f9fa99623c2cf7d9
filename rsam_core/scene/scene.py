"""`Scene`: an image file opened for segmentation, with its place and scale on the ground."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rsam_core.errors import SceneError
from rsam_core.scene._default_view import choose_view, index_bands
from rsam_core.scene._facts import SceneFacts
from rsam_core.scene._opening import opened
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.raster_file import MAX_READ_BYTES
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow


@dataclass(frozen=True, eq=False)
class Scene(SceneFacts):
    """An opened image. Made by `open_scene`; immutable, cheap to keep, safe between threads.

    Only the header and the file's bytes (or its path) are held, and small overviews; pixels are
    read in windows on demand, each time through a handle of their own.

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
    attribution : str
        Whom the file names as its source or owner (copyright tag); empty if nobody.
    """

    def read_rgb(
        self,
        window: Window | None = None,
        max_size: int | None = None,
        *,
        progress: Callable[[float], None] | None = None,
    ) -> np.ndarray:
        """Read the view image: what people see and what the models see.

        Unless `with_view` said otherwise, three bands of uint8 come unchanged, and anything else
        is stretched linearly between its percentiles 2 and 98, band by band; these come once from
        a sample of the whole scene, so that all windows match. Pixels without data are black;
        transparent parts of a PNG or GIF are white.

        Parameters
        ----------
        window : Window, optional
            Part to read; the whole scene by default.
        max_size : int, optional
            Longest side of the result in pixels. A larger window is reduced by averaging areas,
            from overviews where the file has them; a smaller one is never enlarged.
        progress : callable, optional
            Is told the share that is done, from 0 to 1, strip by strip; what it raises ends the
            reading.

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
        shape = part.reduced_shape(max_size)
        self._check_memory(shape, 3)
        with self._reading(part) as (dataset, source):
            return self._chosen.view.rgb(dataset, source, shape, progress)

    def overview(
        self, max_size: int = 2048, *, progress: Callable[[float], None] | None = None
    ) -> np.ndarray:
        """Return the view image of the whole scene, reduced; kept in memory once it was read.

        Parameters
        ----------
        max_size : int
            Longest side of the result in pixels.
        progress : callable, optional
            As for `read_rgb`; not called if the picture is there already.

        Returns
        -------
        (H, W, 3) array of uint8
            Read only. The same as ``read_rgb(max_size=max_size)``, which a large file without
            overviews takes seconds to answer.

        Raises
        ------
        SceneError
            As for `read_rgb`.
        """
        return self._kept.get(
            ("overview", self.view_settings, max_size),
            lambda: self.read_rgb(max_size=max_size, progress=progress),
        )

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
        self._check_memory((part.height, part.width), self.count * np.dtype(self.dtype).itemsize)
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
        self._check_memory((part.height, part.width), 1)
        with self._reading(part) as (dataset, source):
            return self._chosen.view.valid(dataset, source)

    def index(self, name: str, window: Window | None = None) -> np.ndarray:
        """Compute a spectral index from the bands as stored.

        Parameters
        ----------
        name : str
            "ndvi" (vegetation, from near infrared and red) or "ndwi" (open water, from green and
            near infrared); see `rsam_core.scene.indices`.
        window : Window, optional
            Part to read; the whole scene by default.

        Returns
        -------
        (H, W) array of float32
            NaN where either band holds no measurement or both are 0.

        Raises
        ------
        SceneError
            A band that it needs is unknown; otherwise as for `read_rgb`.
        """
        part = self._checked(window)
        self._check_memory((part.height, part.width), 4)
        bands = index_bands(self.name, self.roles, name)
        nodata = tuple(self._layout.nodata[band - 1] for band in bands)
        view = replace(self._chosen.view, bands=bands, index=name, nodata=nodata, palette=None)
        with self._reading(part) as (dataset, source):
            return view.index_map(dataset, source)

    def with_view(self, settings: ViewSettings) -> Scene:
        """Return the same scene with other bands, stretch or gamma.

        Parameters
        ----------
        settings : ViewSettings
            What `read_rgb` shows from then on. `rsam_core.scene.bands.presets` lists usual ones.

        Raises
        ------
        SceneError
            The scene has no such band, or it is unknown which one an index needs, or it is empty.
        """
        if settings == self.view_settings:
            return self
        with self._file.open() as dataset:
            self._check_unchanged(dataset)
            chosen = choose_view(self.name, dataset, self._layout, settings, self._kept.get)
        return replace(self, _chosen=chosen)

    def _checked(self, window: Window | None) -> Window:
        """Return the window, or the whole scene, after checking that it lies inside."""
        return Window(0, 0, self.width, self.height).part(window)

    def _check_memory(self, shape: tuple[int, int], pixel_bytes: int) -> None:
        size = math.prod(shape) * pixel_bytes
        if size > MAX_READ_BYTES:
            raise SceneError(
                f"Reading this much of “{self.name}” at once takes {size / 1e9:.1f} GB. Read a "
                "smaller window, or a reduced view with max_size."
            )

    def _check_unchanged(self, dataset: DatasetReader) -> None:
        if dataset.shape != self.shape or dataset.count != self.count:
            raise SceneError(
                f"“{self.name}” has changed on disk since it was opened. Open it again."
            )

    @contextmanager
    def _reading(self, part: Window) -> Iterator[tuple[DatasetReader, RasterWindow]]:
        """Open the file for one read of a window."""
        from rasterio.windows import Window as RasterWindow

        with self._file.open() as dataset:
            self._check_unchanged(dataset)
            yield dataset, RasterWindow(part.x, part.y, part.width, part.height)


def open_scene(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    name: str | None = None,
    world_file: bytes | str | os.PathLike[str] | BinaryIO | None = None,
    crs: str | int | None = None,
    examine: bool | None = None,
) -> Scene:
    """Open an image for segmentation.

    Parameters
    ----------
    source : path, bytes or binary file object
        JPG, PNG, TIFF, GeoTIFF, JPEG 2000, BMP, WEBP or GIF. A path is read in windows where the
        format allows; an object such as an upload is read to its end and its bytes are kept.
    name : str, optional
        Name to show; by default that of the path or file object.
    world_file : bytes, path or binary file object, optional
        World file (.tfw, .jgw, .pgw, .wld, ...) that says where the pixels lie. One that lies
        beside a path is found without it. The image's own georeference comes first.
    crs : str or int, optional
        Coordinate system to use in place of the file's, as EPSG code or WKT.
    examine : bool, optional
        Whether a process of its own, with limits of time and memory, takes a first look at the
        file, so that one that was made to do harm does none here. By default for everything but
        paths.

    Returns
    -------
    Scene

    Raises
    ------
    SceneError
        The source cannot be opened, or the world file is broken or belongs to another image; the
        message names the file and the remedy.

    Notes
    -----
    Camera orientation is applied, CMYK and palettes become RGB, and of an animation the first
    frame is taken. Limits are checked in the header before anything is decoded. Nothing is read
    but the source, the world file, and overviews, masks, world files and projections that lie
    beside a path in the same folder, whatever the file names.
    """
    found = opened(source, name, world_file, crs, examine)
    return Scene(
        name=found.file.name,
        crs=found.place.crs,
        transform=found.place.transform,
        gsd=found.place.gsd,
        content_hash=found.content_hash,
        _file=found.file,
        _file_notes=found.notes,
        _place_notes=found.place.notes,
        _layout=found.layout,
        _chosen=found.chosen,
        **found.header,
    )
