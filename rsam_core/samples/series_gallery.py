"""The series that a visitor is offered first: invented ones with exact truth, and a real one.

Their small pictures are kept beside this file; after a change to what is drawn,
``python -m rsam_core.samples.series_gallery`` draws them again. Sources and licences of the real
dates stand in ``SOURCES.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import SceneError
from rsam_core.runtime.language import N_
from rsam_core.samples.pairs import render_pair
from rsam_core.samples.places import FOLDER as PLACES_FOLDER
from rsam_core.samples.series import SeriesSample, render_series

FOLDER = Path(__file__).with_name("dates")
PICTURES = Path(__file__).with_name("pictures")
FRAMES, WIDTH, HEIGHT = 20, 640, 512
"""Of the invented series."""

PAIR_SEED = 17
PAIR: Mapping[str, Any] = MappingProxyType({"width": 720, "height": 540, "style": "suburb"})
"""How the invented pair of dates is drawn; see `rsam_core.samples.render_pair`."""

_SMALL = 480
_OUTLINE = (255, 40, 200)


@dataclass(frozen=True)
class SeriesEntry:
    """A series to begin with.

    Attributes
    ----------
    key : str
        Of an invented one also its kind, a key of `rsam_core.samples.SERIES`.
    title, caption : str
        For people.
    seed : int
        Of an invented one.
    files : tuple of Path
        Of a real one, by date.
    credit : str
        Whom to name on its card; the files name all.
    """

    key: str
    title: str
    caption: str
    seed: int = 0
    files: tuple[Path, ...] = ()
    credit: str = ""

    @property
    def contents(self) -> tuple[tuple[str, bytes], ...]:
        """Names and contents of the files of a real one."""
        return tuple((path.name, path.read_bytes()) for path in self.files)

    def render(self, **control) -> SeriesSample:
        """Draw an invented one; `control` as for `rsam_core.samples.render_series`."""
        return render_series(self.key, self.seed, FRAMES, width=WIDTH, height=HEIGHT, **control)


SERIES_GALLERY: tuple[SeriesEntry, ...] = (
    SeriesEntry("lake", N_("A lake that shrinks"), N_("20 summers; invented, 0.6 m a pixel."), 4),
    SeriesEntry("quarry", N_("A growing quarry"), N_("20 dates in five years; invented."), 2),
    SeriesEntry("field", N_("A field through its year"),
                N_("Ploughed, green, ripe, cut; invented."), 2),
    SeriesEntry("car", N_("A drone pans over a car"), N_("4 seconds, 0.1 m a pixel; invented."), 2),
    SeriesEntry("estate", N_("New houses, 2016 to 2020"), N_("Three real dates of Claremont."),
                files=(FOLDER / "claremont_new_houses_2016.tif",
                       FOLDER / "claremont_new_houses_2018.tif",
                       PLACES_FOLDER / "claremont_new_houses_2020.tif"),
                credit="USDA NAIP"),
)  # fmt: skip
"""Series, first the one that is shown first."""


def series_entry(key: str) -> SeriesEntry:
    """The series of that key.

    Raises
    ------
    SceneError
        If there is none.
    """
    for entry in SERIES_GALLERY:
        if entry.key == key:
            return entry
    names = ", ".join(entry.key for entry in SERIES_GALLERY)
    raise SceneError(f"There is no series “{key}”. Choose one of: {names}.")


def series_picture(key: str) -> bytes:
    """The small picture of a series, two of its frames side by side, as JPEG.

    Raises
    ------
    SceneError
        If there is no series of that key.
    """
    return (PICTURES / f"series-{series_entry(key).key}.jpg").read_bytes()


def pair_picture() -> bytes:
    """The small picture of the invented pair of dates, side by side, as JPEG."""
    return (PICTURES / "pair.jpg").read_bytes()


def drawn_series(entry: SeriesEntry) -> NDArray[np.uint8]:
    """Two frames side by side, the object outlined, (H, 480, 3) uint8."""
    if entry.files:
        pair = [_read(content) for _, content in (entry.contents[0], entry.contents[-1])]
    else:
        sample = entry.render()
        pair = []
        # A field looks at the end of its year as at the beginning.
        for k in (0, FRAMES // 2 if entry.key == "field" else -1):
            image = sample.images[k].copy()
            rings = cv2.findContours(
                sample.masks[k].astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )[0]
            cv2.drawContours(image, rings, -1, _OUTLINE, 4, cv2.LINE_AA)
            pair.append(image)
    return _beside(pair)


def _beside(pair: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    size = (_SMALL - 4) // 2, round((_SMALL - 4) / 2 * 0.8)
    small = [cv2.resize(_cut(image, size), size, interpolation=cv2.INTER_AREA) for image in pair]
    return np.hstack([small[0], np.full((size[1], 4, 3), 255, np.uint8), small[1]])


def _cut(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of an image in the shape of a size."""
    height, width = image.shape[:2]
    high = min(height, round(width * size[1] / size[0]))
    wide = min(width, round(high * size[0] / size[1]))
    top, left = (height - high) // 2, (width - wide) // 2
    return image[top : top + high, left : left + wide]


def _read(content: bytes) -> NDArray[np.uint8]:
    from rasterio.io import MemoryFile

    with MemoryFile(content) as memory, memory.open() as dataset:
        return np.ascontiguousarray(np.moveaxis(dataset.read([1, 2, 3]), 0, 2))


def drawn_pair() -> NDArray[np.uint8]:
    """Both dates of the invented pair side by side, (H, 480, 3) uint8."""
    pair = render_pair(PAIR_SEED, **PAIR)
    return _beside([pair.before.image, pair.after.image])


def _write() -> None:
    pictures = {f"series-{entry.key}": drawn_series(entry) for entry in SERIES_GALLERY}
    for name, picture in {"pair": drawn_pair(), **pictures}.items():
        bgr = np.ascontiguousarray(picture[..., ::-1])
        content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
        (PICTURES / f"{name}.jpg").write_bytes(content.tobytes())


if __name__ == "__main__":
    _write()
