"""The small pictures of the lessons as files, so that the first visitor does not wait for them.

``python -m rsam_core.evaluate.learn.covers`` draws them anew after a lesson has changed what its
`cover` shows.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from rsam_core.evaluate.learn.catalog import LESSONS, lesson

FOLDER = Path(__file__).with_name("covers")
_QUALITY = 85


def cover(key: str) -> bytes:
    """The small picture of a lesson as JPEG; drawn if there is no file of it.

    Raises
    ------
    RsamError
        If there is no such lesson.
    """
    path = FOLDER / f"{key}.jpg"
    return path.read_bytes() if path.exists() else drawn(key)


def drawn(key: str) -> bytes:
    """The small picture of a lesson, drawn by the lesson, as JPEG."""
    out = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(lesson(key).cover()))
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def main() -> None:
    """Draw all of them anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.jpg"):
        old.unlink()
    for key in LESSONS:
        content = drawn(key)
        (FOLDER / f"{key}.jpg").write_bytes(content)
        print(f"{key}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
