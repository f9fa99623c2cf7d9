"""Haze and shadow over somebody's own image, where the clear picture's answer is the measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lessons.pitfalls_hiding import hazy, outlined, shaded
from rsam_core.evaluate.metrics.counts import confusion
from rsam_core.evaluate.metrics.pixel import iou
from rsam_core.prompts.prompt import Prompt

if TYPE_CHECKING:
    from rsam_core.evaluate.learn.subject import Subject
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter

KINDS = ("haze", "shadow")
_MOST = 480, 320
"""Width and height of what is looked at, so that it is encoded while a slider moves."""


def part_of(subject: Subject) -> NDArray[np.uint8]:
    """The middle of an image, (H, W, 3)."""
    height, width = subject.shape
    w, h = min(width, _MOST[0]), min(height, _MOST[1])
    top, left = (height - h) // 2, (width - w) // 2
    return np.ascontiguousarray(subject.image[top : top + h, left : left + w])


def disturbed(image: NDArray[np.uint8], kind: str, amount: float) -> NDArray[np.uint8]:
    """An image under so much of one of `KINDS`; see `pitfalls_hiding.disturbed`."""
    if not amount:
        return image
    made = {"haze": hazy, "shadow": shaded}[kind](image, amount)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def answer(model: Segmenter, embedding: Embedding, x: float, y: float) -> NDArray[np.bool_]:
    """The best mask for a click, (H, W)."""
    return model.predict(embedding, Prompt([(x, y)])).masks[0]


@dataclass(frozen=True)
class Kept:
    """How much of the clear picture's answer is left.

    Attributes
    ----------
    iou : float
    area_share : float
        Area now, as a share of the clear picture's; 1 if both are empty.
    """

    iou: float
    area_share: float


def compared(clear: NDArray[np.bool_], now: NDArray[np.bool_]) -> Kept:
    """Compare the answer now with the clear picture's."""
    before = int(clear.sum())
    share = float(now.sum()) / before if before else float(not now.any())
    return Kept(iou(confusion(clear, now)), share)


def picture(
    image: NDArray[np.uint8], clear: NDArray[np.bool_], now: NDArray[np.bool_], scale: int
) -> NDArray[np.uint8]:
    """The image with the clear picture's outline in white, and the one now in colour."""
    return outlined(image, [clear], [now], scale)
