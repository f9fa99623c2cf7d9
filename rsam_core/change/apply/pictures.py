"""Findings drawn on a part of the picture, for screens: quick, in the colours of the legend."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.answer import VERDICT, Answer
from rsam_core.change.apply.features import Features
from rsam_core.objects.palette import HIGHLIGHT, to_rgb
from rsam_core.scene.window import Window

Picture = NDArray[np.uint8]
_BITS = 4
_UNKNOWN = "#9AA5B1"


def drawn(
    answer: Answer,
    findings: Features,
    image: Picture,
    window: Window,
    selected: int | None = None,
    fill: float = 0.35,
) -> Picture:
    """Draw findings, and the layers beneath them, on the picture of a window.

    Parameters
    ----------
    answer : Answer
    findings : Features
        As `Answer.checked` gives them.
    image : ndarray of uint8, shape (h, w, 3)
        What the window shows, of any size.
    window : Window
        In pixels of the site.
    selected : int, optional
        Number of the finding to bring out.
    fill : float
        Opacity of areas.
    """
    import shapely

    scale = image.shape[1] / window.width
    frame = shapely.box(window.x, window.y, window.x + window.width, window.y + window.height)
    result = image.copy()
    for layer in answer.context:
        shapes = answer.site.pixels(layer.shapes)
        near = shapely.intersects(frame, shapes) if len(shapes) else np.zeros(0, bool)
        for shape in shapes[near]:
            _stroke(result, shape, window, scale, (255, 255, 255), 1)
    shapes = answer.site.pixels(findings.shapes)
    near = np.flatnonzero(shapely.intersects(frame, shapes)) if len(shapes) else []
    verdicts = findings.column(VERDICT)
    tones = {k: to_rgb(answer.colours.get(verdicts[k], _UNKNOWN)) for k in near}
    layer = result.copy()
    for k in near:
        _fill(layer, shapes[k], window, scale, tones[k])
    result = cv2.addWeighted(layer, fill, result, 1 - fill, 0)
    numbers = findings.column("id")
    for k in near:
        _stroke(result, shapes[k], window, scale, tones[k], 2)
    for k in near:
        if numbers[k] == selected:
            _stroke(result, shapes[k], window, scale, (16, 20, 24), 5)
            _stroke(result, shapes[k], window, scale, to_rgb(HIGHLIGHT), 3)
    return result


def at(answer: Answer, findings: Features, x: float, y: float) -> int | None:
    """Number of the smallest finding at a place in pixels of the site."""
    import shapely

    if not len(findings):
        return None
    point = answer.site.plane([shapely.Point(x, y)])[0]
    near = findings.tree.query(point, predicate="dwithin", distance=2 * answer.site.gsd)
    if not len(near):
        return None
    best = near[np.argmin(findings.areas[near])]
    return int(findings.table["id"].iloc[best])


def window_around(
    answer: Answer, shape: object, aspect: float = 1.0, margin: float = 2.0
) -> Window:
    """The window around a shape of the plane, with some ground about it, in the picture."""
    x0, y0, x1, y1 = answer.site.pixels([shape])[0].bounds
    rows, columns = answer.site.shape
    high = max((y1 - y0) * margin, (x1 - x0) * margin / aspect, 24.0)
    wide, high = min(high * aspect, columns), min(high, rows)
    left = min(max((x0 + x1 - wide) / 2, 0), columns - wide)
    top = min(max((y0 + y1 - high) / 2, 0), rows - high)
    return Window(int(left), int(top), max(int(wide), 1), max(int(high), 1))


def _rings(shape, window: Window, scale: float) -> list[NDArray[np.int32]]:  # type: ignore[no-untyped-def]
    import shapely

    rings = []
    for part in shapely.get_parts(shape):
        lines = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for line in lines:
            xy = (shapely.get_coordinates(line) - (window.x, window.y)) * scale
            xy = np.clip(xy, -20_000, 20_000)
            rings.append(np.round(xy * (1 << _BITS)).astype(np.int32))
    return rings


def _fill(image: Picture, shape, window: Window, scale: float, tone) -> None:  # type: ignore[no-untyped-def]
    import shapely

    if shapely.get_dimensions(shape) == 2:
        cv2.fillPoly(image, _rings(shape, window, scale), tone, cv2.LINE_AA, _BITS)


def _stroke(image: Picture, shape, window: Window, scale: float, tone, width: int) -> None:  # type: ignore[no-untyped-def]
    import shapely

    dimension = shapely.get_dimensions(shape)
    for ring in _rings(shape, window, scale):
        if dimension == 0:
            for x, y in (ring >> _BITS).tolist():
                cv2.circle(image, (x, y), 5, tone, -1, cv2.LINE_AA)
                cv2.circle(image, (x, y), 5, (16, 20, 24), 1, cv2.LINE_AA)
        else:
            cv2.polylines(image, [ring], dimension == 2, tone, width, cv2.LINE_AA, _BITS)
