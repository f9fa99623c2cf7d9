"""Pictures of objects: overlays, candidate thumbnails, and where truth and prediction differ.

Objects live in scene pixels; a picture shows a *view*, a window of the scene at some scale.
Filling is composed once over a map of owners, not once an object, so that a thousand objects
cost little more than ten.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError, RsamError
from rsam_core.objects import palette
from rsam_core.objects.checks import check_same_size, object_mask
from rsam_core.objects.crops import Crop, paste
from rsam_core.objects.instances import Instances
from rsam_core.objects.resample import Part, view_mask
from rsam_core.render.outlines import Stroke, draw_outlines
from rsam_core.render.squares import start_within
from rsam_core.render.style import OverlayStyle, legend
from rsam_core.runtime.courtesy import courteous

__all__ = [
    "OverlayStyle",
    "candidate_thumbnail",
    "confusion_legend",
    "confusion_picture",
    "legend",
    "overlay",
    "overlay_layer",
]

Picture = NDArray[np.uint8]

_FADE = 0.3


def overlay(
    image: ArrayLike,
    instances: Instances,
    style: OverlayStyle | None = None,
    *,
    origin: tuple[float, float] = (0.0, 0.0),
    scale: float = 1.0,
) -> Picture:
    """Draw objects onto an image.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
        The view.
    instances : Instances
        Objects in scene pixels; those outside the view are left out.
    style : OverlayStyle, optional
        How to draw; the defaults if not given.
    origin : (float, float)
        x and y, in scene pixels, of the view's top-left corner.
    scale : float
        View pixels a scene pixel: above 1 the view is enlarged, below 1 it is reduced.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        A new picture; `image` stays as it is.

    Notes
    -----
    Where objects overlap, the owner by :func:`rsam_core.objects.instances.resolve_overlap` is on
    top. In a reduced view an object is drawn with at least one pixel, however small it is.

    Raises
    ------
    RsamError
        If the image is not an RGB image of 8 bits, or the scale is not positive.
    """
    picture = _rgb(image).copy()
    return _drawn(picture, instances, style or OverlayStyle(), origin, scale)


def overlay_layer(
    shape: tuple[int, int],
    instances: Instances,
    style: OverlayStyle | None = None,
    *,
    origin: tuple[float, float] = (0.0, 0.0),
    scale: float = 1.0,
) -> Picture:
    """Draw objects onto nothing: a transparent layer to be laid over an image.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the layer.
    instances, style, origin, scale
        As for `overlay`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 4)
        Red, green, blue, and opacity; colours are not premultiplied.
    """
    layer = np.zeros((*shape, 4), np.uint8)
    layer = _drawn(layer, instances, style or OverlayStyle(), origin, scale)
    # Blending onto transparent black leaves colours weighted by their opacity.
    partly = (layer[..., 3] > 0) & (layer[..., 3] < 255)
    weighted = layer[partly].astype(np.uint16)
    opacity = weighted[:, 3:]
    weighted[:, :3] = np.minimum((weighted[:, :3] * 255 + opacity // 2) // opacity, 255)
    layer[partly] = weighted
    return layer


def _drawn(
    picture: Picture,
    instances: Instances,
    style: OverlayStyle,
    origin: tuple[float, float],
    scale: float,
) -> Picture:
    """Draw objects onto a picture of three channels, or a premultiplied layer of four."""
    if not (np.isfinite(scale) and scale > 0):
        raise RsamError(f"The scale of a view must be above 0, not {scale!r}.")
    height, width = picture.shape[:2]
    # An object cut by the edge of the view is not outlined along that edge: it is traced a
    # little beyond the view, where the false outline stays out of sight.
    margin = 2 * style.contour_width + 4
    region = (-margin, -margin, width + margin, height + margin)

    shown = _positions_in_view(instances, origin, scale, (height, width), margin)
    looks = _Looks(instances, style)
    parts = {
        index: view_mask(instances[index], origin, scale, region)
        for index in courteous(shown)
        if looks.alpha[index] > 0 or looks.line[index] > 0
    }
    _fill(picture, shown, parts, looks)
    jobs = [(parts[index], [looks.stroke(index)]) for index in shown if looks.line[index] > 0]
    selected = [index for index in shown if instances[index].id in set(style.highlight)]
    strokes = _highlight_strokes(style)
    jobs += [(view_mask(instances[index], origin, scale, region), strokes) for index in selected]
    return draw_outlines(picture, jobs) if jobs else picture


class _Looks:
    """Opacity, colour and line of each object; arrays over all objects."""

    def __init__(self, instances: Instances, style: OverlayStyle) -> None:
        count = len(instances)
        if style.fill == "random":
            self.color = palette.random_colors(instances.ids)
        elif style.fill == "class":
            self.color = palette.class_colors(item.label for item in instances)
            for name, color in style.class_colors:
                self.color[[item.label == name for item in instances]] = palette.to_rgb(color)
        else:
            self.color = np.tile(np.array(palette.to_rgb(style.color), np.uint8), (count, 1))
        self.alpha = np.full(count, 0.0 if style.fill == "none" else style.opacity)
        self.line = np.full(count, style.contour_width if style.contour else 0)
        self.line_color = self.color.copy()
        if style.contour_color != "match":
            self.line_color[:] = palette.to_rgb(style.contour_color)
        if style.large_area is not None:
            self._mark_large(instances.areas >= style.large_area, style)

    def stroke(self, index: int) -> Stroke:
        """Return colour and width of an object's outline."""
        red, green, blue = (int(value) for value in self.line_color[index])
        return (red, green, blue), int(self.line[index])

    def _mark_large(self, large: NDArray[np.bool_], style: OverlayStyle) -> None:
        if style.others == "hide":
            self.alpha[~large] = 0
            self.line[~large] = 0
        elif style.others == "fade":
            self.alpha[~large] *= _FADE
            self.line[~large] = 0
        if style.large_mode == "fill":
            self.color[large] = palette.to_rgb(style.large_color)
            self.alpha[large] = style.opacity
            if style.contour_color == "match":
                self.line_color[large] = palette.to_rgb(style.large_color)
        elif style.large_mode == "contour":
            self.alpha[large] = 0
            self.line[large] = style.contour_width
            self.line_color[large] = palette.to_rgb(style.large_color)


def _positions_in_view(
    instances: Instances,
    origin: tuple[float, float],
    scale: float,
    shape: tuple[int, int],
    margin: int,
) -> list[int]:
    """Return the positions of the objects that meet the view, bottom first."""
    boxes = (instances.bboxes - np.array([*origin, *origin])) * scale
    x0, y0, x1, y1 = boxes.T
    inside = (x1 > -margin) & (y1 > -margin) & (x0 < shape[1] + margin) & (y0 < shape[0] + margin)
    return [int(index) for index in instances.paint_order if inside[index]]


def _fill(picture: Picture, shown: list[int], parts: dict[int, Part], looks: _Looks) -> None:
    """Blend the colour of each pixel's owner into the picture, in place."""
    height, width = picture.shape[:2]
    owners = np.zeros((height, width), dtype=np.int32)
    for index in shown:
        # An object that is not filled owns no pixel, or it would punch a hole into a filled one.
        if looks.alpha[index] > 0:
            paste(owners, Crop(*parts[index]), value=index + 1)
    filled = np.flatnonzero(owners)
    if not filled.size:
        return
    # Fixed-point blending: 8 bits of fraction are finer than the 8 bits that are shown.
    alpha = np.round(256 * looks.alpha).astype(np.uint16)[:, None]
    channels = picture.shape[2]
    tint = alpha * _opaque(looks.color, channels)
    owner = owners.ravel()[filled] - 1
    pixels = picture.reshape(-1, channels)
    blended = pixels[filled] * (256 - alpha[owner]) + tint[owner] + np.uint16(128)
    pixels[filled] = blended >> 8


def _opaque(color: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Return RGB colours, shape (N, 3), with full opacity as a fourth channel if there is one."""
    return np.pad(color, ((0, 0), (0, channels - 3)), constant_values=255)


def _highlight_strokes(style: OverlayStyle) -> list[Stroke]:
    """Return a bright line over a wider dark one, which shows on any ground."""
    width = style.contour_width + 1
    return [
        (palette.to_rgb(palette.CASING), width + 2),
        (palette.to_rgb(style.highlight_color), width),
    ]


def candidate_thumbnail(
    image: ArrayLike,
    mask: ArrayLike,
    *,
    x: int = 0,
    y: int = 0,
    size: int = 160,
    color: str = palette.SINGLE,
    frame: tuple[float, float, float, float] | None = None,
) -> Picture:
    """Draw one candidate mask on the part of the image around it.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
    mask : array_like of bool, shape (h, w)
        The candidate; an empty one shows the image alone.
    x, y : int
        Column and row, in pixels of `image`, of the top-left pixel of `mask`.
    size : int
        Side of the square thumbnail in pixels.
    color : str
        ``"#RRGGBB"``.
    frame : (x0, y0, x1, y1), optional
        Box to show in place of the mask's own, so that several candidates can be compared at
        one scale.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
    """
    import cv2

    image = _rgb(image)
    mask = object_mask(mask)
    objects = Instances.empty(image.shape[:2])
    if mask.any():
        objects = objects.add(mask, origin=(x, y))
    height, width = image.shape[:2]
    if frame is None and len(objects):
        frame = objects[0].bbox
    x0, y0, x1, y1 = frame or (0, 0, width, height)
    side = min(max(24, int(np.ceil(1.4 * max(x1 - x0, y1 - y0)))), max(height, width))
    # Moved inward at the edge of the image; what the image cannot fill stays dark.
    left = start_within(round((x0 + x1 - side) / 2), side, width)
    top = start_within(round((y0 + y1 - side) / 2), side, height)
    view = np.full((side, side, 3), palette.to_rgb(palette.CASING), dtype=np.uint8)
    a, b = max(left, 0), max(top, 0)
    part = image[b : top + side, a : left + side]
    view[b - top :, a - left :][: part.shape[0], : part.shape[1]] = part
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    view = cv2.resize(view, (size, size), interpolation=method)
    style = OverlayStyle(fill="single", color=color, opacity=0.4, contour_width=2)
    return overlay(view, objects, style, origin=(left, top), scale=size / side)


def confusion_picture(
    image: ArrayLike,
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    valid: ArrayLike | None = None,
    opacity: float = 0.7,
) -> Picture:
    """Colour where truth and prediction agree and differ; :func:`confusion_legend` explains.

    The image is shown grey and dimmed, so that its own colours are not taken for a finding and
    the three colours stay apart for colour-blind readers too.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
        The image, or a reduced one of the same proportions; masks are then reduced to it.
    truth, prediction : array_like of bool or int, shape (H, W)
        Masks or label maps; every value other than 0 is object.
    valid : array_like of bool, shape (H, W), optional
        Where they are compared; everywhere if not given.
    opacity : float
        Opacity of the colours, from 0 to 1.

    Returns
    -------
    ndarray of uint8, shape of `image`

    Raises
    ------
    MetricError
        If the sizes do not fit together.
    """
    image = _rgb(image)
    truth = object_mask(truth, "ground truth")
    prediction = object_mask(prediction, "prediction")
    check_same_size(truth.shape, prediction.shape)
    masks = [truth & prediction, prediction & ~truth, truth & ~prediction]
    if valid is not None:
        valid = object_mask(valid, "valid area")
        check_same_size(truth.shape, valid.shape, "valid area")
        masks = [mask & valid for mask in masks]
    grey = image @ np.array([0.299, 0.587, 0.114]) * 0.42 + 18
    picture = np.repeat(grey[..., None], 3, axis=2)
    for mask, (_, color) in zip(masks, confusion_legend()):
        where = _fit(mask, image.shape[:2])
        picture[where] = (1 - opacity) * picture[where] + opacity * np.array(palette.to_rgb(color))
    return np.round(picture).astype(np.uint8)


def confusion_legend() -> list[tuple[str, str]]:
    """Return label and colour of true positives, false positives and false negatives."""
    return [
        ("found, and right (true positive)", palette.TRUE_POSITIVE),
        ("marked, but wrong (false positive)", palette.FALSE_POSITIVE),
        ("missed (false negative)", palette.FALSE_NEGATIVE),
    ]


def _fit(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a mask at the size of a picture of the same proportions (nearest pixel)."""
    if mask.shape == shape:
        return mask
    height, width = mask.shape
    if abs(height * shape[1] - width * shape[0]) > max(height, width):
        raise MetricError(
            f"The picture has {shape[1]} × {shape[0]} pixels but the masks have {width} × "
            f"{height}. Use the image that the masks belong to."
        )
    rows = ((np.arange(shape[0]) + 0.5) * height / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * width / shape[1]).astype(int)
    return mask[np.ix_(rows, columns)]


def _rgb(image: ArrayLike) -> Picture:
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise RsamError(
            "A picture must have three colours of 8 bits each (rows, columns, 3); this one has "
            f"shape {image.shape} and type {image.dtype}. Read it with read_rgb()."
        )
    return image
