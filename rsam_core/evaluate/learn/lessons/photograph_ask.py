"""What a model says about the two pictures of lesson 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.lessons.photograph_pair import above
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.prompts.prompt import Prompt

if TYPE_CHECKING:
    from rsam_core.objects.crops import Cropped
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter

ASKED = 3
"""Houses that are clicked to try a preparation: few, so that the slider answers at once."""
_TREATED = (450.5, 174.5)
"""A spot on the house whose outline is treated."""


def middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """The middle of the pixel of a mask that is farthest from its rim, as x and y."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return float(column + 0.5), float(row + 0.5)


def click_houses(segmenter: Segmenter, embedding: Embedding, subject: Subject) -> float:
    """Mean IoU of the largest houses, each outlined from one click in its middle."""
    masks = [subject.mask(number) for number in subject.numbers("roof")[:ASKED]]
    found = segmenter.predict(embedding, [Prompt([middle(mask)], [1]) for mask in masks])
    return asking.mean([asking.jaccard(a.masks[0], mask) for a, mask in zip(found, masks)])


def treated_house() -> NDArray[np.bool_]:
    """The true mask of the house whose outline is treated."""
    subject = above()
    return subject.mask(int(subject.labels[int(_TREATED[1]), int(_TREATED[0])]))


def outline_house(segmenter: Segmenter, embedding: Embedding) -> NDArray[np.bool_]:
    """The same house, outlined from a box around it."""
    rows, columns = np.nonzero(treated_house())
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return segmenter.predict(embedding, Prompt(box=box)).masks[0]


def guess(segmenter: Segmenter, embedding: Embedding, item: Cropped) -> tuple[str, float]:
    """The kind that the model takes an outline for, and how likely it finds that."""
    likely = segmenter.model.name_objects(embedding.features, [item])[0]
    best = int(likely.argmax())
    return KINDS[best], float(likely[best])
