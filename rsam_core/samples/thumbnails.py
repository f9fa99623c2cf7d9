"""Small pictures of the samples, drawn once and kept beside this file.

To draw all samples takes seconds, which the first visitor of a started server would wait for.
After a change to what is drawn, ``python -m rsam_core.samples.thumbnails`` draws them again.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import SceneError
from rsam_core.samples.gallery import GALLERY, gallery_sample

PICTURES = Path(__file__).with_name("pictures")
WIDTH = 480
_QUALITY = 85


def thumbnail(key: str) -> bytes:
    """Return the small picture of an entry of the gallery, 480 pixels wide, as JPEG.

    Raises
    ------
    SceneError
        If there is no entry of that name.
    """
    if key not in {entry.key for entry in GALLERY}:
        names = ", ".join(entry.key for entry in GALLERY)
        raise SceneError(f"There is no sample “{key}”. Choose one of: {names}.")
    return (PICTURES / f"{key}.jpg").read_bytes()


def drawn(key: str) -> NDArray[np.uint8]:
    """Draw an entry of the gallery, reduced to the width of a small picture.

    Returns
    -------
    (H, 480, 3) array of uint8
    """
    image = gallery_sample(key).image
    height = round(image.shape[0] * WIDTH / image.shape[1])
    return cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)


def _write() -> None:
    PICTURES.mkdir(exist_ok=True)
    for entry in GALLERY:
        bgr = np.ascontiguousarray(drawn(entry.key)[..., ::-1])
        _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        (PICTURES / f"{entry.key}.jpg").write_bytes(content.tobytes())


if __name__ == "__main__":
    _write()
