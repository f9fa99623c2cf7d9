"""What the small model that comes with RSAM finds for lesson 5: kinds, and all objects at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lessons.four_kinds_pieces import FINE, Named, crops_of, patches
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.segment.everything import (
    EverythingState,
    generate,
    initialize,
    settings_for,
)

if TYPE_CHECKING:
    from rsam_core.objects.instances import Instances
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter

_AT_ONCE = 256
"""Superpixels named at once: more take more memory, not less time."""
_PROPOSALS = 200
"""Places looked at: as many as there are objects in the picture, and a few more."""
LOWEST, HIGHEST = 0.4, 0.9
"""Limits of the quality that can be asked of outlines."""


def name_patches(segmenter: Segmenter, embedding: Embedding, subject: Subject) -> Named:
    """Cut a picture into superpixels and ask the model for the kind of each."""
    labels = patches(subject, FINE)
    crops = crops_of(labels)
    likely = [
        segmenter.model.name_objects(embedding.features, crops[start : start + _AT_ONCE])
        for start in range(0, len(crops), _AT_ONCE)
    ]
    return Named(labels, np.concatenate(likely))


@dataclass(frozen=True, eq=False)
class AllObjects:
    """Everything that the model found, before any limit.

    Attributes
    ----------
    state : EverythingState
    model : str
    seconds : float
        How long the search took on this computer.
    """

    state: EverythingState
    model: str
    seconds: float

    def choose(self, quality: float) -> Instances:
        """The outlines that the model expects to be at least so good, best first."""
        return generate(self.state, settings_for(self.model, min_quality=quality))


def find_all(segmenter: Segmenter, embedding: Embedding) -> AllObjects:
    """Look for every object of a picture; takes a second or two."""
    name = segmenter.model.name
    began = time.perf_counter()
    state = initialize(segmenter, embedding, settings_for(name, max_proposals=_PROPOSALS))
    return AllObjects(state, name, time.perf_counter() - began)


def kinds_of(
    segmenter: Segmenter, embedding: Embedding, objects: Instances
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Most likely kind of each object, as a number, and how likely it is."""
    if not len(objects):
        return np.empty(0, np.int64), np.empty(0, np.float32)
    likely = segmenter.model.name_objects(embedding.features, list(objects))
    return likely.argmax(axis=1), likely.max(axis=1)


def painted(objects: Instances, kinds: NDArray[np.int64], shape: tuple[int, int]) -> NDArray:
    """(H, W) int8 kind of the object on top at each pixel, -1 where there is none."""
    result = np.full(shape, -1, np.int8)
    # Small things stand on large ones.
    for index in np.argsort(-objects.areas, kind="stable"):
        item = objects[int(index)]
        height, width = item.mask.shape
        result[item.y : item.y + height, item.x : item.x + width][item.mask] = kinds[index]
    return result


def is_kind(kinds: NDArray[np.int64], name: str) -> NDArray[np.bool_]:
    """Which of the kinds are the one of that name."""
    return kinds == KINDS.index(name)
