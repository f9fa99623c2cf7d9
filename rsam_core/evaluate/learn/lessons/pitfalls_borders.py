"""How much a border that is a little off changes an area: much for what is small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rsam_core.evaluate.learn.lessons.pitfalls_hiding import houses, place
from rsam_core.evaluate.learn.subject import place_subject
from rsam_core.objects import palette
from rsam_core.prompts.prompt import Prompt
from rsam_core.render.outlines import draw_outlines

if TYPE_CHECKING:
    from rsam_core.segment.segmenter import Segmenter

KINDS = ("car", "roof", "field")
PIXELS = (0.3, 0.6, 1.0, 2.0)
"""Metres a pixel."""
FURTHEST = 2
"""Pixels by which a border can be off, to either side."""
_SHOWN = {"car": 12.0, "roof": 30.0, "field": 240.0}
"""Metres of ground that are shown with each."""
_FINER = {"car": 6, "roof": 3, "field": 2}
"""How many times finer than the truth the raster is on which outlines are moved."""
_SIDE = 320
"""Pixels of a picture."""


@dataclass(frozen=True, eq=False)
class Outlined:
    """A true object on a fine raster, with the ground around it.

    Attributes
    ----------
    image : (H, W, 3) ndarray of uint8
    truth : (H, W) ndarray of bool
    gsd : float
        Metres a pixel of this raster.
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    gsd: float

    @property
    def area(self) -> float:
        """Square metres."""
        return float(self.truth.sum()) * self.gsd**2


@lru_cache(maxsize=len(KINDS))
def object_of(kind: str) -> Outlined:
    """The largest object of a kind that has all the ground around it in its picture."""
    image, labels, numbers, gsd = _fields() if kind == "field" else _town(kind)
    half = round(_SHOWN[kind] / gsd / 2)
    for number in numbers:
        mask = labels == number
        boxes = [(index.min(), index.max() + 1) for index in np.nonzero(mask)]
        top, left = (
            int(np.clip((low + high) // 2 - half, 0, side - 2 * half))
            for (low, high), side in zip(boxes, mask.shape)
        )
        part = np.s_[top : top + 2 * half, left : left + 2 * half]
        touches = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        if not touches and mask[part].sum() == mask.sum():
            finer = _FINER[kind]
            size = (2 * half * finer, 2 * half * finer)
            return Outlined(
                cv2.resize(image[part], size, interpolation=cv2.INTER_NEAREST),
                np.repeat(np.repeat(mask[part], finer, 0), finer, 1),
                gsd / finer,
            )
    raise ValueError(f"No {kind} lies wholly in its picture.")


def _town(kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int32], list[int], float]:
    subject = place()
    return subject.image, subject.labels, subject.numbers(kind), subject.gsd


def _fields() -> tuple[NDArray[np.uint8], NDArray[np.int32], list[int], float]:
    from rsam_core.samples.places import place as real

    subject = place_subject("fields")
    content = np.frombuffer(real("fields").truth_content, np.uint8)
    labels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED).astype(np.int32)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return subject.image, labels, [int(n) for n in np.argsort(-sizes) if sizes[n]], subject.gsd


@lru_cache(maxsize=len(KINDS))
def _distance(kind: str) -> NDArray[np.float32]:
    """Metres from the outline, negative inside, with room around for the furthest border."""
    found = object_of(kind)
    pad = int(np.ceil(FURTHEST * PIXELS[-1] / found.gsd)) + 2
    wide = np.pad(found.truth, pad)
    # To the border between pixels, not to the centre of the next one.
    outside = ndimage.distance_transform_edt(~wide) - 0.5
    inside = ndimage.distance_transform_edt(wide) - 0.5
    return (np.where(wide, -inside, outside) * found.gsd).astype(np.float32)


def moved(kind: str, metres: float) -> NDArray[np.bool_]:
    """The object with its border so far outside the true one; inside below 0.

    With room around it, so that no part is cut off.
    """
    return _distance(kind) < metres


def share_of_area(kind: str, metres: float) -> float:
    """Its area with that border, as a share of the true one."""
    found = object_of(kind)
    return float(moved(kind, metres).sum()) * found.gsd**2 / found.area


def picture(kind: str, metres: float) -> NDArray[np.uint8]:
    """The object with its true outline in white and the moved one in colour, (320, 320, 3)."""
    found = object_of(kind)
    mask = moved(kind, metres)
    pad = (mask.shape[0] - found.truth.shape[0]) // 2
    mask = mask[pad:-pad, pad:-pad]
    shown = cv2.resize(found.image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    masks = (
        cv2.resize(m.astype(np.uint8), (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST) > 0
        for m in (found.truth, mask)
    )
    colours = ((255, 255, 255), 1), (palette.to_rgb(palette.FALSE_POSITIVE), 2)
    jobs = [
        ((m, 0, 0), [((16, 20, 24), width + 2), (colour, width)])
        for m, (colour, width) in zip(masks, colours)
        if m.any()
    ]
    return draw_outlines(shown, jobs)


def asked(model: Segmenter, gsd: float) -> Mapping[str, float]:
    """Area that the model finds at so many metres a pixel, as a share of the true one.

    Returns
    -------
    mapping of str to float
        ``"share"`` of the houses' true area, and ``"pixels"`` that a house has on the average.
    """
    subject = place()
    height, width = subject.shape
    scale = subject.gsd / gsd
    size = round(width * scale), round(height * scale)
    image = subject.image
    if scale < 1:
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    embedding = model.embed(image)
    found = model.predict(embedding, [Prompt([(h.x * scale, h.y * scale)]) for h in houses()])
    # A reduced picture has whole pixels, so its scale differs a little from the one wished for.
    square = (width * subject.gsd / image.shape[1]) * (height * subject.gsd / image.shape[0])
    area = sum(float(c.masks[0].sum()) for c in found) * square
    true = sum(float(h.truth.sum()) for h in houses()) * subject.gsd**2
    return {"share": area / true, "pixels": true / square / len(houses())}
