"""Everything mode by proposals: a small model says where objects are, a large one outlines them.

A blind grid asks a large model about hundreds of points, most of which lie on the same few
objects. The embedded model's everything mode finds boxes instead; each prompts the large model
once.

References
----------
Zhang et al., *MobileSAMv2: Faster Segment Anything to Everything*, 2023, where a trained detector
proposes the boxes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError
from rsam_core.objects.boxes import distinct
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything import (
    EverythingSettings,
    EverythingState,
    MaskCollector,
    estimate_seconds,
    generate,
    initialize,
    settings_for,
)
from rsam_core.segment.segmenter import Segmenter

MOST = 320
"""Boxes at most, as in MobileSAMv2."""

_CHUNK = 8
"""Boxes between two reports, or more where there are many cores."""

_TRIALS = 2
"""Chunks decoded to estimate the time."""

_SAME_BOX = 0.9
"""Of two boxes with a higher IoU the later one is left out."""

_PROPOSING = 0.7
"""Share of the progress that belongs to the proposals: the small model is asked more often."""


def propose_boxes(
    segmenter: Segmenter,
    image: NDArray[np.uint8] | Embedding,
    most: int = MOST,
    settings: EverythingSettings | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.float64]:
    """Boxes around the objects that a small model finds by itself.

    Parameters
    ----------
    segmenter : Segmenter
        With the small model, such as ``rsam-tiny``.
    image : ndarray of uint8, shape (H, W, 3), or Embedding
        The view, or its embedding by the same segmenter.
    most : int
        Boxes to return at most.
    settings : EverythingSettings, optional
        Grid and thresholds of the small model.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        True ends the search; boxes found until then are returned.

    Returns
    -------
    ndarray of float, shape (N, 4)
        x0, y0, x1, y1 in view pixels, best first, near-duplicates removed.

    Raises
    ------
    PromptError
        If not even one box is asked for.
    """
    if most < 1:
        raise PromptError("At least one box must be allowed. Choose a larger number of proposals.")
    settings = settings or settings_for(segmenter.model.name)
    embedding = image if isinstance(image, Embedding) else segmenter.embed(image)
    state = initialize(segmenter, embedding, settings, progress=progress, cancelled=cancelled)
    boxes = np.array([item.bbox for item in generate(state, settings)], float).reshape(-1, 4)
    return boxes[distinct(boxes, _SAME_BOX)][:most]


def initialize_by_boxes(
    segmenter: Segmenter,
    embedding: Embedding,
    boxes: NDArray[np.float64],
    settings: EverythingSettings | None = None,
    *,
    multimask: bool = False,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EverythingState:
    """Prompt boxes in place of a grid of points, and keep what any threshold could want.

    Parameters
    ----------
    segmenter : Segmenter
        With the large model.
    embedding : Embedding
        By the same segmenter.
    boxes : ndarray of float, shape (N, 4)
        x0, y0, x1, y1 in view pixels, as from `propose_boxes`.
    settings : EverythingSettings, optional
        What to keep; the grid's spacing does not matter.
    multimask : bool
        Three masks a box in place of one.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between chunks; True ends the work and keeps what was found.

    Returns
    -------
    EverythingState
        For `rsam_core.segment.everything.generate`; its ``points`` are the boxes that were
        prompted.

    Raises
    ------
    PromptError
        If a box lies outside the view or has no area.
    """
    from rsam_core.models.parallel import cores

    settings = settings or settings_for(segmenter.model.name)
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    prompts = [Prompt(box=box).clipped(embedding.shape) for box in boxes]
    harvest = MaskCollector(segmenter, embedding, settings)
    # Each core gets work in each chunk.
    done, size = 0, max(_CHUNK, 4 * cores())
    while done < len(prompts) and not (cancelled is not None and cancelled()):
        chunk = prompts[done : done + size]
        harvest.add(chunk, multimask)
        done += len(chunk)
        if progress is not None:
            progress(done / len(prompts), f"{done} of {len(prompts)} boxes")
    return harvest.state(done, done == len(prompts))


def estimate_by_proposals(
    segmenter: Segmenter,
    embedding: Embedding,
    proposer: Segmenter,
    image: Embedding,
    proposing: EverythingSettings | None = None,
    most: int = MOST,
) -> float:
    """Longest expected time of `initialize_by_proposals` in seconds, from a few trials.

    Parameters
    ----------
    segmenter, embedding, proposer, image, proposing, most
        As for `initialize_by_proposals`; how many boxes there will be is not known before, so
        that as many as are allowed are counted.
    """
    proposing = proposing or settings_for(proposer.model.name)
    height, width = embedding.shape
    middle = Prompt(box=(0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height))
    times = []
    for _ in range(_TRIALS):
        began = time.perf_counter()
        segmenter.model.decode_many(embedding.features, [middle] * _CHUNK, False)
        times.append(time.perf_counter() - began)
    # The first trial may load what the others find loaded.
    boxes = min(times) / _CHUNK * most
    return estimate_seconds(proposer, image, proposing) + boxes


def initialize_by_proposals(
    segmenter: Segmenter,
    embedding: Embedding,
    proposer: Segmenter,
    image: NDArray[np.uint8] | Embedding,
    settings: EverythingSettings | None = None,
    *,
    most: int = MOST,
    proposing: EverythingSettings | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EverythingState:
    """`propose_boxes` by one model, then `initialize_by_boxes` by another; see there.

    Parameters
    ----------
    segmenter, embedding
        The large model, and what it made of the view.
    proposer, image
        The small model, and the view or what it made of it.
    settings, proposing : EverythingSettings, optional
        Of the large and of the small model.
    most : int
        Boxes at most.
    progress, cancelled
        As in `rsam_core.segment.everything.initialize`. What is cancelled while boxes are still
        being proposed has found nothing.
    """

    def part(first: float, share: float) -> Callable[[float, str], None] | None:
        if progress is None:
            return None
        return lambda done, text: progress(first + share * done, text)

    control = {"progress": part(0, _PROPOSING), "cancelled": cancelled}
    boxes = propose_boxes(proposer, image, most, proposing, **control)
    control["progress"] = part(_PROPOSING, 1 - _PROPOSING)
    state = initialize_by_boxes(segmenter, embedding, boxes, settings, **control)
    if progress is not None and not len(boxes):
        progress(1.0, "no proposals")
    return state
