"""PerSAM and PerSAM-F on the lesson's place: one object a pass, each judged by the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects.instance import Instance
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.one_shot import PersamSettings, learn, repeat
from rsam_core.segment.one_shot.persam import Method
from rsam_core.segment.segmenter import Segmenter

METHODS: tuple[Method, ...] = ("persam", "persam-f")
PASSES = 8
"""Objects that are looked for."""
_RIGHT = 0.5


@dataclass(frozen=True, eq=False)
class Find:
    """An object that was found.

    Attributes
    ----------
    instance : Instance
    iou : float
        With the true object of the example's kind that it fits best.
    example : bool
        Whether it is the example itself, outlined again.
    """

    instance: Instance = field(repr=False)
    iou: float
    example: bool

    @property
    def right(self) -> bool:
        """Whether it is an object of the example's kind, with an IoU of 50 % or more."""
        return self.iou >= _RIGHT


@dataclass(frozen=True, eq=False)
class Run:
    """What a method found, in order.

    Attributes
    ----------
    finds : tuple of Find
    weights : (3,) ndarray of float or None
        Of the three masks of a prompt, from the smallest to the largest; only PerSAM-F tunes them.
    """

    finds: tuple[Find, ...]
    weights: NDArray[np.float32] | None


def run(
    segmenter: Segmenter, embedding: Embedding, subject: Subject, number: int, method: Method
) -> Run:
    """Learn from a true object, and look for more of its kind.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
        Of the subject's image.
    subject : Subject
        With truth.
    number : int
        Of the true object that is the example.
    method : {"persam", "persam-f"}

    Raises
    ------
    OneShotError
        If the object is too small to learn from.
    ModelError
        If the model cannot be shown an example.
    """
    learned = learn(segmenter, embedding, subject.mask(number), PersamSettings(method))
    finds = repeat(segmenter, embedding, learned, lowest=-1.0, most=PASSES)
    weights = None if learned.weights is None else learned.weights.all
    return Run(tuple(_judged(one.instance, subject, number) for one in finds), weights)


def _judged(item: Instance, subject: Subject, example: int) -> Find:
    kind = subject.kinds[example]
    x0, y0, x1, y1 = item.bbox
    under = np.bincount(subject.labels[y0:y1, x0:x1][item.mask])
    sizes = np.bincount(subject.labels.ravel())
    ious = {
        int(number): float(under[number] / (item.area + sizes[number] - under[number]))
        for number in np.flatnonzero(under)
        if subject.kinds.get(int(number)) == kind
    }
    best = max(ious, key=ious.__getitem__, default=0)
    iou = ious.get(best, 0.0)
    return Find(item, iou, best == example and iou >= _RIGHT)
