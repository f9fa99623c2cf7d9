"""The two pictures of lesson 4, a photograph and a view from above, and what is done to both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import SceneError
from rsam_core.evaluate.learn.lessons.four_kinds_pieces import sample
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects.refine.outline import rasterise, simplified, trace
from rsam_core.objects.refine.right_angles import regular_outline
from rsam_core.prepare.radiometric import stretch

COARSER = (1, 2, 4, 8, 16, 32)
"""How many pixels, across, become one."""
CUTS = (-1.0, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Percent of the darkest and of the brightest pixels that a stretch gives up; −1: no stretch."""
BITS = 12
_AIR = np.array([200.0, 250.0, 330.0], np.float32)
"""What the air adds to red, green and blue, in counts of the sensor."""
_GAIN = 3.0
"""Counts of the sensor for a step of the finished picture: the sun rarely fills its range."""

_CUP = (
    (173, 109), (175, 92), (183, 73), (200, 52), (222, 35), (250, 23), (284, 18), (320, 22),
    (352, 34), (378, 53), (396, 76), (407, 100), (409, 118), (406, 136), (402, 158), (392, 188),
    (381, 216), (368, 228), (355, 239), (340, 240), (328, 241), (319, 246), (318, 252), (323, 261),
    (316, 273), (303, 281), (288, 285), (266, 281), (258, 277), (253, 262), (257, 248), (247, 254),
    (241, 262), (234, 276), (229, 290), (225, 303), (218, 308), (204, 302), (196, 290), (197, 280),
    (202, 264), (212, 248), (220, 237), (206, 224), (197, 214), (187, 190), (178, 160), (173, 130),
)  # fmt: skip
_SPOON = (
    ((396, 72), (402, 68), (414, 67), (424, 74), (423, 82), (416, 104), (413, 116), (409, 128),
     (409, 112), (404, 90)),
    ((391, 192), (387, 212), (384, 224), (386, 238), (392, 248), (402, 262), (406, 280),
     (400, 298), (386, 316), (368, 324), (352, 323), (336, 314), (328, 298), (326, 284),
     (332, 268), (344, 254), (358, 242), (372, 236), (379, 224), (382, 212)),
)  # fmt: skip
_SAUCER = (
    (77, 208), (82, 168), (100, 136), (140, 96), (168, 78), (418, 105), (448, 138), (468, 172),
    (479, 224), (468, 280), (432, 336), (392, 364), (344, 382), (296, 389), (240, 380), (180, 362),
    (140, 338), (108, 296), (84, 248),
)  # fmt: skip
"""Outlines drawn by hand on the photograph, in its pixels; the saucer's rim is an ellipse."""
CUP, SAUCER, SPOON = 1, 2, 3


@lru_cache(maxsize=1)
def photo() -> Subject:
    """A cup of coffee, photographed by Rachel Michetti (CC0), which comes with scikit-image.

    Raises
    ------
    SceneError
        If it is not there.
    """
    import skimage

    file = Path(skimage.__file__).with_name("data") / "coffee.png"
    image = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), 1) if file.exists() else None
    if image is None:
        raise SceneError(
            "The photograph of a cup that comes with scikit-image is not there. Install RSAM again."
        )
    image = np.ascontiguousarray(image[..., ::-1])
    labels = np.zeros(image.shape[:2], np.int32)
    rim = cv2.fitEllipse(np.array(_SAUCER, np.float32))
    cv2.ellipse(labels, rim, SAUCER, -1)
    cv2.fillPoly(labels, [np.array(part, np.int32) for part in _SPOON], SPOON)
    cv2.fillPoly(labels, [np.array(_CUP, np.int32)], CUP)
    kinds = MappingProxyType({CUP: "cup", SAUCER: "saucer", SPOON: "spoon"})
    return Subject(
        "coffee", "Coffee", image, None, labels, kinds, credit="Rachel Michetti, scikit-image"
    )


def above() -> Subject:
    """The suburb from above."""
    return sample()


def coarse(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """A picture of which `factor` × `factor` pixels became one, their mean."""
    height, width = image.shape[:2]
    size = max(round(width / factor), 1), max(round(height / factor), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def typical_pixels(subject: Subject, kind: str, factor: int = 1) -> float:
    """Pixels of a middling object of a kind in a picture so many times coarser."""
    areas = np.bincount(subject.labels.ravel())
    own = [areas[number] for number in subject.numbers(kind)]
    return float(np.median(own)) / factor**2


@dataclass(frozen=True)
class Tally:
    """What a picture holds.

    Attributes
    ----------
    objects, kinds : int
    largest : float
        Share of the picture that its largest object covers.
    """

    objects: int
    kinds: int
    largest: float


def tally(subject: Subject, smallest: int = 30) -> Tally:
    """Count the true objects of at least so many pixels; roads are ground, not objects."""
    areas = np.bincount(subject.labels.ravel(), minlength=max(subject.kinds) + 1)
    counted = {
        number: kind
        for number, kind in subject.kinds.items()
        if kind != "road" and areas[number] >= smallest
    }
    largest = max(areas[number] for number in counted)
    return Tally(len(counted), len(set(counted.values())), float(largest / subject.labels.size))


def stored(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a sensor of 12 bits would store of a place: dark, and with the light of the air.

    Returns
    -------
    (H, W, 3) ndarray of float32
        Counts, 0 to 4095.
    """
    counts = np.rint(_AIR + _GAIN * image.astype(np.float32))
    return np.minimum(counts, 2**BITS - 1)


def finished(values: NDArray[np.float32], top: float, cut: float) -> NDArray[np.uint8]:
    """A picture to look at from stored values.

    Parameters
    ----------
    values : (H, W, 3) ndarray
    top : float
        Largest value that can be stored.
    cut : float
        Percent of the pixels of each band that become black, and as many white; below 0 the
        values are shown as they are.
    """
    if cut < 0:
        shown = values / top
    else:
        flat = values.reshape(-1, values.shape[2])
        low, high = np.percentile(flat, (cut, 100 - cut), axis=0).astype(np.float32)
        shown = stretch(values, low, high)
    return np.rint(255 * np.clip(shown, 0, 1)).astype(np.uint8)


@dataclass(frozen=True)
class Tones:
    """How a picture uses its range of brightness.

    Attributes
    ----------
    used : float
        Share of the range between black and white that the middle 98 % of the pixels span.
    lost : float
        Share of pixels that are wholly black or white in some band, so that nothing can be told
        apart in it.
    """

    used: float
    lost: float


def tones(image: NDArray[np.uint8]) -> Tones:
    """Measure a picture's brightness."""
    low, high = np.percentile(image.mean(axis=2), (1, 99))
    lost = np.any((image == 0) | (image == 255), axis=2).mean()
    return Tones(float((high - low) / 255), float(lost))


@dataclass(frozen=True, eq=False)
class Outline:
    """An outline after its treatment.

    Attributes
    ----------
    rings : tuple of ndarray
        (N, 2) each, x and y in pixels of the mask, the first point not repeated.
    area : float
        Square pixels within.
    agreement : float
        IoU with the truth.
    """

    rings: tuple[NDArray[np.float64], ...]
    area: float
    agreement: float

    @property
    def corners(self) -> int:
        """How many corners it has."""
        return sum(len(ring) for ring in self.rings)


def treated(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], tolerance: float, right_angles: bool = False
) -> Outline:
    """A mask's outline with fewer corners, judged by the truth.

    Parameters
    ----------
    mask, truth : (H, W) ndarray of bool
    tolerance : float
        Pixels by which the outline may move; 0 keeps each step of the pixels.
    right_angles : bool
        Whether to make all corners right; where none agrees well enough, they stay.
    """
    import shapely

    shape = simplified(mask, tolerance) if tolerance > 0 else trace(mask)
    if right_angles:
        shape = regular_outline(mask, 0.8) or shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    lines = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    rings = [np.array(ring.coords)[:-1] for ring in lines]
    drawn = rasterise(shape, mask.shape)
    union = np.count_nonzero(drawn | truth)
    agreement = np.count_nonzero(drawn & truth) / union if union else 1.0
    return Outline(tuple(rings), float(shape.area), float(agreement))
