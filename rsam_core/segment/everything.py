"""Automatic mode: look at proposals or a grid of points once, then choose by thresholds alone.

`initialize` decodes, which takes seconds; `generate` filters what was decoded, which takes
milliseconds, so that a slider in the app answers at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instances import Instances
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.dense_proposals import LOWEST, look_at_proposals
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything_settings import MAX_PROPOSALS, EverythingSettings, settings_for
from rsam_core.segment.mask_collector import EverythingState, MaskCollector, decode_chunk

if TYPE_CHECKING:
    from rsam_core.models.tiny.proposal_head import Proposals
    from rsam_core.segment.segmenter import Segmenter

__all__ = [
    "MAX_PROPOSALS",
    "EverythingSettings",
    "EverythingState",
    "MaskCollector",
    "estimate_seconds",
    "generate",
    "grid_points",
    "initialize",
    "propose",
    "settings_for",
]

_TRIAL_POINTS, _TRIAL_BOXES = 6, 16

_TWO_LOOKS = 1.7
"""Boxes decoded for each proposal: not every first outline gets a second look."""


def grid_points(shape: tuple[int, int], spacing: float) -> NDArray[np.float64]:
    """Points (N, 2) on a regular grid, centred, in an order that covers the view evenly.

    A cancelled run has then looked a little everywhere, not at the top rows only.
    """
    height, width = shape
    columns, rows = max(1, round(width / spacing)), max(1, round(height / spacing))
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return points[np.random.default_rng(0).permutation(len(points))]


def estimate_seconds(
    segmenter: Segmenter, embedding: Embedding, settings: EverythingSettings
) -> float:
    """Expected time of `initialize`, from a few prompts decoded for trial."""
    points = grid_points(embedding.shape, settings.spacing)
    if by_proposals(segmenter, settings):
        boxes = [Prompt(box=b) for b in propose(segmenter, embedding, settings).boxes]
        trial = boxes[:: max(len(boxes) // _TRIAL_BOXES, 1)][:_TRIAL_BOXES]
        decode_chunk(segmenter, embedding, trial[:1], settings, False)
        began = time.perf_counter()
        decode_chunk(segmenter, embedding, trial, settings, False)
        each = (time.perf_counter() - began) / max(len(trial), 1)
        looks = _TWO_LOOKS * each * len(boxes)
        if not settings.look_between:
            return looks
        return looks + estimate_seconds(segmenter, embedding, replace(settings, propose=False))
    trial = [Prompt(points=p[None]) for p in points[:_TRIAL_POINTS]]
    decode_chunk(segmenter, embedding, trial[:1], settings)
    began = time.perf_counter()
    decode_chunk(segmenter, embedding, trial, settings)
    return (time.perf_counter() - began) / len(trial) * len(points)


def initialize(
    segmenter: Segmenter,
    embedding: Embedding,
    settings: EverythingSettings | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EverythingState:
    """Look at every proposal, or grid point, and keep all masks that any threshold could want.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
    settings : EverythingSettings, optional
        Only ``propose``, ``look_between``, ``max_proposals``, ``spacing`` and what is to be kept
        matter here, and ``skip_covered`` with the thresholds it goes by.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between chunks; True ends the work and keeps what was found.

    Returns
    -------
    EverythingState
    """
    settings = settings or settings_for(segmenter.model.name)
    points = grid_points(embedding.shape, settings.spacing)
    harvest = MaskCollector(segmenter, embedding, settings)
    looked = 0
    if by_proposals(segmenter, settings):
        proposals = propose(segmenter, embedding, settings)
        share = 0.5 if settings.look_between else 1.0

        def told(part: float) -> None:
            if progress is not None:
                progress(share * part, f"{round(part * len(proposals))} of {len(proposals)} places")

        looked, finished = look_at_proposals(harvest, proposals, told, cancelled)
        if not finished or not settings.look_between:
            return harvest.state(looked, finished)
        points = points[harvest.is_open(points)]

    def report(done: int) -> None:
        if progress is not None and len(points):
            first = 0.5 if looked else 0.0
            share = first + (1 - first) * done / len(points)
            progress(share, f"{done} of {len(points)} points")

    done = harvest.work(points, report, cancelled)
    return harvest.state(looked + done, done == len(points))


def by_proposals(segmenter: Segmenter, settings: EverythingSettings) -> bool:
    """Whether everything mode goes by the model's own proposals rather than by the grid."""
    return settings.propose and segmenter.model.proposes


def propose(segmenter: Segmenter, embedding: Embedding, settings: EverythingSettings) -> Proposals:
    """The places that everything mode looks at, in view pixels."""
    return segmenter.model.propose(embedding.features, settings.max_proposals, LOWEST)


def generate(state: EverythingState, settings: EverythingSettings | None = None) -> Instances:
    """Choose objects by thresholds; nothing is decoded again.

    Parameters
    ----------
    state : EverythingState
        From `initialize`, or from `rsam_core.segment.tiles.run.initialize_tiled`.
    settings : EverythingSettings, optional

    Returns
    -------
    Instances
        In view pixels (in scene pixels where the scene was worked through in tiles), best score
        first, near-duplicates removed.
    """
    return Instances(state.choose(settings or EverythingSettings()), state.shape)
