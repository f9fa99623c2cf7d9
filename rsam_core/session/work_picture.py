"""The small picture by which a work is recognised: its image with the outlines of its objects."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.session.image import OpenImage

WIDTH, HEIGHT = 320, 220
_STYLE = OverlayStyle(contour_width=1)


def work_picture(image: OpenImage, objects: Instances) -> Callable[[], bytes]:
    """A function that draws the picture, so that it can be drawn in the background.

    Parameters
    ----------
    image : OpenImage
        As it is now; the picture is of this moment, whatever is opened later.
    objects : Instances
        In scene pixels.

    Returns
    -------
    callable
        Gives a JPEG of 320 × 220 pixels at most.
    """
    scene, whole = image.scene, image.overview
    picture = image.picture(whole, scene)

    def draw() -> bytes:
        height, width = picture.shape[:2]
        scale = min(WIDTH / width, HEIGHT / height, 1.0)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
        drawn = overlay(small, objects, _STYLE, scale=size[0] / scene.width)
        bgr = np.ascontiguousarray(drawn[..., ::-1])
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()

    return draw
