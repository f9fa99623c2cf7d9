"""Pictures of an evaluation: what is right and wrong on the image, as RGB arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError
from rsam_core.objects.checks import check_same_size
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import confusion_legend, confusion_picture, overlay
from rsam_core.render.squares import start_within
from rsam_core.render.style import OverlayStyle

if TYPE_CHECKING:
    pass

__all__ = [
    "confusion_legend",
    "confusion_picture",
    "contour_legend",
    "contour_picture",
    "crop_window",
    "iou_color",
    "iou_legend",
    "iou_picture",
    "object_crop",
]

Picture = NDArray[np.uint8]

TRUTH_COLOR = "#FFE600"
PREDICTION_COLOR = "#00C2FF"

_LEVELS: tuple[tuple[float, str, str], ...] = (
    (0.9, "#1B4F9C", "IoU 0.90 and more"),
    (0.75, "#3F9BD4", "0.75 to 0.90"),
    (0.5, "#F2E27A", "0.50 to 0.75"),
    (1e-9, "#F28E2B", "below 0.50"),
    (-1.0, "#C2185B", "not found"),
)
"""Lowest IoU, colour and name of each step, best first: blue is good, red is missed."""


def contour_picture(
    image: ArrayLike,
    truth: Instances,
    prediction: Instances,
    *,
    scale: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
    width: int = 2,
) -> Picture:
    """Draw the outlines of the truth and, on top of them, of the prediction.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
        The view.
    truth, prediction : Instances
        In scene pixels.
    scale, origin
        Where the view lies; see :func:`rsam_core.render.overlays.overlay`.
    width : int
        Width of the lines in view pixels.

    Returns
    -------
    ndarray of uint8, shape of `image`
        :func:`contour_legend` explains the colours.
    """
    picture = np.asarray(image)
    for objects, color, line in (
        (truth, TRUTH_COLOR, width + 1),
        (prediction, PREDICTION_COLOR, width),
    ):
        style = OverlayStyle(fill="none", contour=True, contour_color=color, contour_width=line)
        picture = overlay(picture, objects, style, scale=scale, origin=origin)
    return picture


def contour_legend() -> list[tuple[str, str]]:
    """Label and colour of the two outlines."""
    return [("truth", TRUTH_COLOR), ("prediction", PREDICTION_COLOR)]


def iou_picture(
    image: ArrayLike,
    truth: Instances,
    ious: ArrayLike,
    *,
    scale: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
    opacity: float = 0.65,
) -> Picture:
    """Colour each true object by how well it was found.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
    truth : Instances
        N objects in scene pixels.
    ious : array_like of float, shape (N,)
        IoU of each with the object that fits it best; 0 if there is none.
    scale, origin
        Where the view lies; see :func:`rsam_core.render.overlays.overlay`.
    opacity : float
        Of the colours.

    Returns
    -------
    ndarray of uint8, shape of `image`
        :func:`iou_legend` explains the colours; the image itself is shown grey.

    Raises
    ------
    MetricError
        If there is not one IoU for each object.
    """
    ious = np.asarray(ious, dtype=float)
    if ious.shape != (len(truth),):
        raise MetricError(f"{len(truth)} objects need as many values, not {ious.size}.")
    image = np.asarray(image)
    grey = image @ np.array([0.299, 0.587, 0.114]) * 0.55 + 30
    picture = np.repeat(grey[..., None], 3, axis=2).round().astype(np.uint8)
    colors = np.array([iou_color(value) for value in ious])
    # Worst last, so that a missed object inside a found one stays in sight.
    for _, color, _ in _LEVELS:
        of_level = truth.select(colors == color) if len(truth) else truth
        if len(of_level):
            style = OverlayStyle(
                fill="single", color=color, opacity=opacity, contour=True, contour_width=1
            )
            picture = overlay(picture, of_level, style, scale=scale, origin=origin)
    return picture


def iou_color(value: float) -> str:
    """Colour of an IoU, as in :func:`iou_legend`."""
    return next(color for low, color, _ in _LEVELS if value >= low - 1e-12)


def iou_legend() -> list[tuple[str, str]]:
    """Label and colour of each step of IoU, best first."""
    return [(text, color) for _, color, text in _LEVELS]


def crop_window(
    box: tuple[float, float, float, float], shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Part of a scene that :func:`object_crop` shows.

    Parameters
    ----------
    box : (x0, y0, x1, y1)
        The object, in scene pixels.
    shape : (int, int)
        Height and width of the scene.

    Returns
    -------
    tuple of int
        x, y, width and height of a window inside the scene.
    """
    left, top, side = _square(box, shape)
    x, y = max(left, 0), max(top, 0)
    return x, y, min(left + side, shape[1]) - x, min(top + side, shape[0]) - y


def object_crop(
    image: ArrayLike,
    truth: Instances,
    prediction: Instances,
    box: tuple[float, float, float, float],
    size: int = 200,
) -> Picture:
    """Show one place with both outlines, as a square picture.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
        The window of :func:`crop_window` at full resolution.
    truth, prediction : Instances
        Of the whole scene.
    box : (x0, y0, x1, y1)
        What to show, in scene pixels; it is enlarged by a margin.
    size : int
        Side of the picture.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)

    Raises
    ------
    MetricError
        If the image is not that window.
    """
    import cv2

    image = np.asarray(image)
    x, y, width, height = crop_window(box, truth.shape)
    check_same_size((height, width), image.shape[:2], "picture", reference="window")
    left, top, side = _square(box, truth.shape)
    view = np.full((side, side, 3), 24, dtype=np.uint8)
    view[y - top :, x - left :][:height, :width] = image
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    view = cv2.resize(view, (size, size), interpolation=method)
    return contour_picture(view, truth, prediction, scale=size / side, origin=(left, top))


def _square(box: tuple[float, float, float, float], shape: tuple[int, int]) -> tuple[int, int, int]:
    """Left, top and side of the square around a box, moved inward at the edge of the scene."""
    x0, y0, x1, y1 = box
    side = int(min(max(32, np.ceil(1.5 * max(x1 - x0, y1 - y0))), max(shape)))
    left = start_within(round((x0 + x1 - side) / 2), side, shape[1])
    top = start_within(round((y0 + y1 - side) / 2), side, shape[0])
    return left, top, side
