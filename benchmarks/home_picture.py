"""Draw the picture before and after that Home shows: a real place, outlined by RSAM itself.

``python -m benchmarks.home_picture`` writes both into ``pages/parts/home``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import rsam_core as rsam
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.samples.places import place

TARGET = Path(__file__).resolve().parents[1] / "pages" / "parts" / "home"
PLACE = "avenues"
SCALE = 2
"""Times by which the picture is enlarged, so that outlines are fine lines."""


def main() -> None:
    """Write both pictures."""
    entry = place(PLACE)
    scene = rsam.open_scene(entry.content, name=entry.file)
    picture = scene.read_rgb()
    segmenter = rsam.Segmenter(rsam.load_model())
    objects = segmenter.everything(segmenter.embed(picture))
    large = cv2.resize(picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    style = OverlayStyle(opacity=0.35, contour_width=2)
    for name, shown in (("before", large), ("after", overlay(large, objects, style, scale=SCALE))):
        bgr = np.ascontiguousarray(shown[..., ::-1])
        content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
        (TARGET / f"{name}.jpg").write_bytes(content)
        print(f"{name}.jpg: {len(content):,} bytes, {len(objects)} objects")


if __name__ == "__main__":
    main()
