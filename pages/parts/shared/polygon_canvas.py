"""A canvas on which outlines are drawn corner by corner."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pages.parts.shared import resources
from rsam_core.formats.truth_drawn import drawn_polygons
from rsam_core.runtime.language import N_
from rsam_core.scene.window import Window
from rsam_core.session.session import Session

HOW = N_(
    "Click corner after corner, and the **first corner** again to close the outline. Then "
    "draw the next one. A click on another corner takes that corner away."
)
_COLOUR = (255, 230, 0)


def polygon_canvas(
    session: Session,
    picture: Callable[[], NDArray[np.uint8]],
    window: Window,
    size: tuple[int, int],
    key: str,
    known: Hashable = None,
    before: Sequence[NDArray[np.float64]] = (),
) -> list[NDArray[np.float64]]:
    """Show a canvas and return what was drawn on it.

    Parameters
    ----------
    session : Session
    picture : callable
        Gives the part of the scene to draw on, of any size, (h, w, 3) uint8.
    window : Window
        That part, in scene pixels.
    size : (int, int)
        Width and height of the canvas.
    key : str
        Of the canvas; another one begins empty.
    known : hashable
        What the picture depends on beside the scene and the window.
    before : sequence of ndarray, shape (N, 2)
        Outlines in scene pixels that are shown on the picture.

    Returns
    -------
    list of ndarray of float64, shape (N, 2)
        Corners of each closed outline in scene pixels.
    """
    # The component registers itself with a running app.
    from streamlit_drawable_canvas import st_canvas

    factor, origin = window.width / size[0], np.array([window.x, window.y], float)

    def ground() -> bytes:
        image = picture()
        way = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
        image = np.ascontiguousarray(cv2.resize(image, size, interpolation=way))
        rings = [np.round((ring - origin) / factor).astype(np.int32) for ring in before]
        cv2.polylines(image, rings, True, _COLOUR, 2, cv2.LINE_AA)
        return resources.jpeg(image, 90)

    drawn = st_canvas(
        background_image=session.memo.remember(
            "polygon-ground", (session.image.scene, window, size, known, len(before)), ground
        ),
        drawing_mode="polygon",
        stroke_width=2,
        stroke_color="#{:02X}{:02X}{:02X}".format(*_COLOUR),
        fill_color="rgba(255, 230, 0, 0.25)",
        width=size[0],
        height=size[1],
        key=key,
    )
    found = drawn_polygons(drawn.json_data if drawn else None, factor)
    return [ring + origin for ring in found]


def fitting(
    width: float, height: float, most: tuple[int, int], enlarge: bool = True
) -> tuple[int, int]:
    """Width and height of a canvas for a part of that size, in proportion."""
    scale = min(most[0] / width, most[1] / height)
    scale = scale if enlarge else min(scale, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)
