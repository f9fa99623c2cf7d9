"""From `Raster` parts to a `Scene`: a GeoTIFF in memory, or on disk when it is large."""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import SceneError
from rsam_core.prepare.raster import Raster, placed
from rsam_core.scene.bands import ViewSettings

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

# Larger results go to a temporary file, which is deleted together with the scene.
MEMORY_BYTES = 2**28
BLOCK = 256


class SceneWriter:
    """Writes parts of a prepared image and opens the whole as a scene.

    Parameters
    ----------
    like : Raster
        First part, which tells bands, data type and place of the whole.
    width, height : int
        Size of the whole.
    x, y : int
        Where `like` lies in the whole.
    """

    def __init__(self, like: Raster, width: int, height: int, x: int = 0, y: int = 0) -> None:
        self._like, self._size = like, (width, height)
        self._transform = placed(like.transform, -x, -y)
        self._float = np.dtype(like.dtype).kind == "f"
        nbytes = width * height * like.count * np.dtype(like.dtype).itemsize
        handle, path = tempfile.mkstemp(prefix="rsam-prepared-", suffix=".tif")
        os.close(handle)
        self._path, self._keep = Path(path), nbytes > MEMORY_BYTES
        self._target = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> SceneWriter:
        import rasterio

        like = self._like
        width, height = self._size
        # Told outright, because GDAL takes a fourth band of 8 bits for transparency.
        colours = like.count == 3 and like.dtype == "uint8"
        options: dict[str, object] = {"photometric": "RGB" if colours else "MINISBLACK"}
        if min(width, height) >= BLOCK:
            options |= {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
        try:
            self._stack.enter_context(rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True))
            self._target = self._stack.enter_context(
                rasterio.open(
                    self._path,
                    "w",
                    driver="GTiff",
                    width=width,
                    height=height,
                    count=like.count,
                    dtype=like.dtype,
                    crs=None if like.crs is None else rasterio.CRS.from_user_input(like.crs),
                    transform=self._transform,
                    nodata=np.nan if self._float else None,
                    bigtiff="IF_SAFER",
                    **options,
                )
            )
        except BaseException:
            self.__exit__()
            raise
        for band, name in enumerate(like.band_names, start=1):
            # A name such as "band 4" says nothing, and would keep others from being presumed.
            if name != f"band {band}":
                self._target.set_band_description(band, name)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        if not self._keep:
            self._path.unlink(missing_ok=True)

    def write(self, part: Raster, x: int, y: int) -> None:
        """Write a part whose top-left pixel lies at column `x`, row `y` of the whole."""
        from rasterio.windows import Window as RasterWindow

        window = RasterWindow(x, y, part.width, part.height)
        self._target.write(np.moveaxis(self._stored(part), 2, 0), window=window)
        if not self._float:
            self._target.write_mask(part.valid, window=window)

    def finish(self, name: str) -> Scene:
        """Close the file and open it as a scene.

        Raises
        ------
        SceneError
            The result is not a usable scene; it holds no data, for example.
        """
        from rsam_core.scene.scene import open_scene

        self._stack.close()
        kept, self._keep = self._keep, False
        source = self._path if kept else self._path.read_bytes()
        scene = open_scene(source, name=name, examine=False)
        if kept:
            # The file lives as long as any scene that reads it.
            weakref.finalize(scene._file, self._path.unlink, missing_ok=True)
            self._keep = True
        return self._shown(scene)

    def _shown(self, scene: Scene) -> Scene:
        """The scene with the view of the raster, which its file alone does not tell."""
        like = self._like
        bands = tuple(band + 1 for band in like.view_bands)
        limits = tuple(like.shown[band] for band in like.view_bands)
        unchanged = like.dtype == "uint8" and set(limits) == {(0.0, 255.0)}
        if not (unchanged and bands == scene.view_bands and scene.stretch is None):
            scene = scene.with_view(ViewSettings(bands, limits=limits, gamma=like.view_gamma))
        elif like.view_gamma != 1:
            scene = scene.with_view(ViewSettings(bands, gamma=like.view_gamma))
        gsd = like.gsd
        if gsd is not None and (scene.gsd is None or abs(gsd - scene.gsd) > 1e-6 * gsd):
            with contextlib.suppress(SceneError):
                scene = scene.with_gsd(gsd)
        return scene

    def _stored(self, part: Raster) -> NDArray:
        """Values of a part in the data type of the file."""
        if self._float:
            return np.where(part.valid[..., None], part.values, np.float32(np.nan))
        info = np.iinfo(part.dtype)
        return np.clip(np.rint(part.values), info.min, info.max).astype(part.dtype)


def geotiff(scene: Scene) -> bytes:
    """The file of a prepared scene.

    Parameters
    ----------
    scene : Scene
        Made by `write_scene` or `Pipeline.run_scene`.

    Returns
    -------
    bytes
        A GeoTIFF.
    """
    source = scene._file.source
    return source if isinstance(source, bytes) else source.read_bytes()


def write_scene(raster: Raster, name: str) -> Scene:
    """Write the raster as an in-memory GeoTIFF and open it.

    Parameters
    ----------
    raster : Raster
    name : str
        File name of the scene.

    Returns
    -------
    Scene
        In `dtype` (values rounded and clipped), shown as `rgb` shows it; invalid pixels are
        masked, or NaN in decimal numbers.

    Raises
    ------
    SceneError
        The image is too small to be a scene, or no pixel is valid.
    """
    with SceneWriter(raster, raster.width, raster.height) as writer:
        writer.write(raster, 0, 0)
        return writer.finish(name)
