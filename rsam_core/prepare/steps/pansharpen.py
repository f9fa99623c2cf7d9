"""The step that sharpens with a panchromatic image, and how the two are laid on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare._reading import read_raster
from rsam_core.prepare.pansharpen import pan_sharpen
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.resampling import resize
from rsam_core.prepare.step import ImageFile, Step, choice, image, register
from rsam_core.prepare.steps.resolution import finer

_SAME_SHAPE = 0.01
_MAX_RATIO = 16


@register
@dataclass(frozen=True)
class PanSharpen(Step):
    """Detail from a panchromatic image."""

    key = "pan-sharpen"
    title = "Pan-sharpen"
    group = "Resolution"
    help = (
        "Many satellites take a fine grey (panchromatic) image together with coarser colour "
        "bands. This step gives the colour bands the detail of the grey image. Both must show "
        "the same place at the same time."
    )

    pan: ImageFile | None = image(  # noqa: RUF009 (a field)
        "Panchromatic image",
        "One grey band with finer pixels. It is laid on this image by its georeference; without "
        "one it must show exactly the same frame.",
    )
    method: str = choice(
        "Method",
        "gram-schmidt",
        (
            ("gram-schmidt", "Gram-Schmidt, adaptive (keeps colours best)"),
            ("brovey", "Brovey (keeps ratios of bands, strongest contrast)"),
        ),
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Sharpen the raster; it gets the pixel size of the panchromatic image."""
        if self.pan is None:
            return raster
        pan, pan_valid = aligned_pan(self.pan, raster)
        values, valid = pan_sharpen(raster.values, raster.valid, pan, pan_valid, method=self.method)
        return finer(raster, values, valid)


def aligned_pan(file: ImageFile, raster: Raster) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read a panchromatic image onto the frame of a raster.

    Parameters
    ----------
    file : ImageFile
    raster : Raster
        The coarse bands, perhaps a reduced copy; the panchromatic image is reduced with it.

    Returns
    -------
    pan : (h, w) array of float32
        The corners of the frame are those of `raster`.
    valid : (h, w) array of bool

    Raises
    ------
    PrepareError
        The image is not grey, is not finer, or does not show the frame.
    SceneError
        It cannot be opened.
    """
    scene = file.open()
    by_map = None not in (raster.transform, raster.crs, scene.transform, scene.crs)
    if not by_map:
        ratio = (
            scene.height / (raster.height * raster.scale),
            scene.width / (raster.width * raster.scale),
        )
        if abs(ratio[0] / ratio[1] - 1) > _SAME_SHAPE + 1 / min(raster.height, raster.width):
            raise PrepareError(
                f"“{file.name}” ({scene.width:,} × {scene.height:,} pixels) has another shape "
                "than this image, and without the georeference of both RSAM cannot tell how they "
                "lie on each other. Use georeferenced files, or crop both to the same frame."
            )
        _check_ratio(min(ratio), file.name)
        shape = tuple(round(v * r) for v, r in zip(raster.valid.shape, ratio))
        fine = read_raster(scene, max_size=max(shape))
        values, valid = resize(_grey(fine, file.name), fine.valid, shape, kernel="area")
        return values[..., 0], valid
    ratio = _map_ratio(raster, scene)
    _check_ratio(ratio, file.name)
    shape = tuple(max(1, round(v * ratio)) for v in raster.valid.shape)
    # No more pixels than the frame needs, in a preview above all.
    most = math.ceil(max(scene.width, scene.height) / raster.scale)
    fine = read_raster(scene, max_size=most)
    return _warped(fine, _grey(fine, file.name), raster, shape, file.name)


def _map_ratio(raster: Raster, scene: Any) -> float:
    """Pixels of the panchromatic image along one full pixel of the raster."""
    from rsam_core.scene.ground_distance import ground_sample_distance

    coarse = ground_sample_distance(raster.transform, raster.crs, raster.width, raster.height)
    fine = ground_sample_distance(scene.transform, scene.crs, scene.width, scene.height)
    if not coarse or not fine:
        raise PrepareError(
            "The georeference of one of the two images cannot be measured in metres. Use the "
            "same, common CRS for both."
        )
    return coarse / raster.scale / fine


def _check_ratio(ratio: float, name: str) -> None:
    if ratio < 1.2:
        raise PrepareError(
            f"“{name}” is not finer than this image ({ratio:.2f} of its pixels to one of these), "
            "so it has no detail to give. Choose the panchromatic image with smaller pixels."
        )
    if ratio > _MAX_RATIO:
        raise PrepareError(
            f"“{name}” has {ratio:.0f} pixels to one of this image; up to {_MAX_RATIO} make "
            "sense. Reduce it first with “Resample to a pixel size”."
        )


def _grey(pan: Raster, name: str) -> NDArray[np.float32]:
    """The one band, (H, W, 1); a grey picture stored as colour counts as one band."""
    values = pan.values
    if pan.count > 1:
        spread = np.abs(values - values[..., :1])[pan.valid]
        if spread.size and spread.max() > 0.02 * max(pan.span, 1e-12):
            raise PrepareError(
                f"“{name}” has {pan.count} different bands, so it is no panchromatic image. "
                "Choose the file with the single fine grey band."
            )
    return values.mean(axis=2, keepdims=True)


def _warped(
    fine: Raster, values: NDArray[np.float32], raster: Raster, shape: tuple[int, int], name: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    import rasterio.warp
    from rasterio.enums import Resampling

    frame = raster.transform * type(raster.transform).scale(
        raster.width / shape[1], raster.height / shape[0]
    )
    target = np.full(shape, np.nan, np.float32)
    rasterio.warp.reproject(
        np.where(fine.valid, values[..., 0], np.nan).astype(np.float32),
        target,
        src_transform=fine.transform,
        src_crs=fine.crs,
        src_nodata=np.nan,
        dst_transform=frame,
        dst_crs=raster.crs,
        dst_nodata=np.nan,
        resampling=Resampling.cubic,
    )
    valid = np.isfinite(target)
    if not valid.any():
        raise PrepareError(
            f"“{name}” shows another place than this image. Choose the panchromatic image of the "
            "same place."
        )
    return np.where(valid, target, 0), valid
