"""What tells objects apart: numbers on shape, colour, texture and the model's own features.

They are the input of :mod:`rsam_core.objects.classify.by_example`. Every object is looked at in its
own small part of the scene, so that the size of the scene does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, ClassifyError
from rsam_core.objects.appearance import APPEARANCE, appearance, extra_bands
from rsam_core.objects.classify.feature_table import Features
from rsam_core.objects.instances import Instance, Instances
from rsam_core.runtime.progress import Progress
from rsam_core.scene.window import Window
from rsam_core.segment.features.pooling import EmbeddedView, embedded_tiles, pool

__all__ = [
    "EmbeddedView",
    "FeatureSettings",
    "embedded_tiles",
    "extract",
    "shape_features",
]

SHAPE = (
    "log_area",
    "log_perimeter",
    "compactness",
    "solidity",
    "extent",
    "rectangularity",
    "elongation",
    "log_short_side",
    "log_long_side",
    "log_thickness",
    "holes",
)
"""Names of the shape features, in order."""

_MARGIN = 6
_MAX_PART = 1024
_READ_AT_ONCE = 36_000_000


@dataclass(frozen=True)
class FeatureSettings:
    """Which groups of features to use.

    Parameters
    ----------
    shape, appearance, embedding : bool
        Region properties; colour and texture of the object and what is around it; the model's
        features, where they are given.

    Raises
    ------
    ClassifyError
        If none is chosen.
    """

    shape: bool = True
    appearance: bool = True
    embedding: bool = True

    def __post_init__(self) -> None:
        if not (self.shape or self.appearance or self.embedding):
            raise ClassifyError("Choose at least one kind of feature to learn from.")


def extract(
    instances: Instances,
    scene: Any,
    views: Iterable[EmbeddedView] = (),
    settings: FeatureSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Features:
    """Describe objects by numbers.

    Parameters
    ----------
    instances : Instances
        N objects in scene pixels.
    scene : Scene
        Its pixels are read around each object.
    views : iterable of EmbeddedView
        Encoded parts of the scene. If some object lies outside all of them, the model's features
        are left out for all, because objects must be compared by the same numbers.
    settings : FeatureSettings, optional
    progress, cancelled : callable, optional
        As everywhere: ``progress(fraction, text)`` and ``cancelled()``.

    Returns
    -------
    Features

    Raises
    ------
    ClassifyError
        If objects and scene do not have the same size, or no feature is left.
    Cancelled
        If `cancelled` said so.
    """
    settings = settings or FeatureSettings()
    if instances.shape != (scene.height, scene.width):
        raise ClassifyError("The objects belong to an image of another size. Open that image.")
    blocks: list[NDArray[np.float32]] = []
    names: list[str] = []
    if settings.shape:
        blocks.append(shape_features(instances))
        names += SHAPE
    if settings.appearance:
        values, more = _appearances(instances, scene, progress, cancelled)
        blocks.append(values)
        names += more
    if settings.embedding:
        pooled = pool(instances, views, cancelled)
        if pooled is not None:
            blocks.append(pooled)
            names += [f"model_{index}" for index in range(pooled.shape[1])]
    if not blocks:
        raise ClassifyError(
            "The model has not seen all objects, so there is nothing to learn from. Use shape or "
            "colour as well."
        )
    values = np.concatenate(blocks, axis=1)
    return Features(np.nan_to_num(values, posinf=0, neginf=0), tuple(names), instances.ids)


def shape_features(instances: Instances) -> NDArray[np.float32]:
    """Return the numbers of :data:`SHAPE` for each object, shape (N, 11).

    Lengths are in pixels and, like areas, logarithmic. Compactness is 4πA / P² with the length
    P of the outline; rectangularity compares the area with that of the smallest rotated
    rectangle, whose sides also give elongation (1 − short / long); thickness is the largest
    distance from the border.
    """
    rows = [_shape(item) for item in instances]
    return np.array(rows, dtype=np.float32).reshape(-1, len(SHAPE))


def _shape(item: Instance) -> list[float]:
    import cv2

    mask = np.pad(item.mask, 1).astype(np.uint8)
    contours, levels = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer = [c for c, level in zip(contours, levels[0]) if level[3] < 0]
    holes = len(contours) - len(outer)
    # Contours run through pixel centres; corners of the pixels are half a pixel farther out.
    points = np.concatenate(outer)[:, 0].astype(np.float32)
    corners = np.concatenate(
        [points + np.float32((dx, dy)) for dx in (-0.5, 0.5) for dy in (-0.5, 0.5)]
    )
    hull = cv2.contourArea(cv2.convexHull(corners))
    short, long = sorted(cv2.minAreaRect(corners)[1])
    perimeter = sum(cv2.arcLength(contour, True) for contour in contours) + 4 * len(outer)
    thickness = float(cv2.distanceTransform(mask, cv2.DIST_L2, 3).max())
    area = item.area
    return [
        np.log(area),
        np.log(perimeter),
        min(4 * np.pi * area / perimeter**2, 1.5),
        area / max(hull, 1.0),
        area / item.mask.size,
        area / max(short * long, 1.0),
        1 - short / max(long, 1e-6),
        np.log(max(short, 1.0)),
        np.log(max(long, 1.0)),
        np.log(max(thickness, 0.5)),
        np.log1p(holes),
    ]


def _appearances(
    instances: Instances,
    scene: Any,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[NDArray[np.float32], list[str]]:
    """Return colour and texture of each object, and the names of the columns."""
    bands = extra_bands(scene)
    pixels = _Pixels(scene)
    rows = []
    for index, item in enumerate(instances):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        if progress is not None and index % 16 == 0:
            progress(index / len(instances), f"object {index + 1:,} of {len(instances):,}")
        rows.append(_appearance_of(item, pixels, bands))
    names = [*APPEARANCE, *(f"band_{band + 1}_mean" for band in bands)]
    return np.array(rows, dtype=np.float32).reshape(-1, len(names)), names


class _Pixels:
    """The scene's pixels: all at once where they fit, since compressed files open slowly."""

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self.width, self.height = scene.width, scene.height
        self.small = self.width * self.height <= _READ_AT_ONCE
        self._rgb: NDArray[np.uint8] | None = None
        self._bands: NDArray | None = None

    def rgb(self, window: Window) -> NDArray[np.uint8]:
        """The view image of a window, reduced if it is very large."""
        if not self.small:
            return self.scene.read_rgb(window, max_size=_MAX_PART)
        if self._rgb is None:
            self._rgb = self.scene.read_rgb()
        return self._rgb[_slices(window)]

    def bands(self, window: Window) -> NDArray:
        """All bands of a window."""
        if not self.small:
            return self.scene.read_bands(window)
        if self._bands is None:
            self._bands = self.scene.read_bands()
        return self._bands[_slices(window)]


def _slices(window: Window) -> tuple[slice, slice]:
    return (
        slice(window.y, window.y + window.height),
        slice(window.x, window.x + window.width),
    )


def _appearance_of(item: Instance, pixels: _Pixels, bands: tuple[int, ...]) -> list[float]:
    x0, y0, x1, y1 = item.bbox
    left, top = max(x0 - _MARGIN, 0), max(y0 - _MARGIN, 0)
    right, bottom = min(x1 + _MARGIN, pixels.width), min(y1 + _MARGIN, pixels.height)
    window = Window(left, top, right - left, bottom - top)
    mask = np.zeros((window.height, window.width), dtype=bool)
    mask[y0 - top : y1 - top, x0 - left : x1 - left] = item.mask
    rgb = pixels.rgb(window)
    seen = mask if rgb.shape[:2] == mask.shape else _reduced(mask, rgb.shape[:2])
    row = appearance(rgb, seen)
    if bands:
        values = pixels.bands(window)[mask]
        row += [float(np.nanmean(values[:, band])) for band in bands]
    return row


def _reduced(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    import cv2

    share = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    return share >= min(0.5, float(share.max()))
