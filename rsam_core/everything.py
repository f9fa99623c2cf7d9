"""Automatic mode: prompt a grid of points once, then choose objects by thresholds alone.

`initialize` decodes, which takes seconds; `generate` filters what was decoded, which takes
milliseconds, so that a slider in the app answers at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.embedding import Embedding
from rsam_core.errors import PromptError
from rsam_core.instance import Instance
from rsam_core.instances import Instances
from rsam_core.overlap import shared_pixels
from rsam_core.prompts import Prompt
from rsam_core.segmenter import Segmenter

_FLOOR = 0.25
"""Masks below this predicted IoU are not kept: no slider goes lower."""

_CHUNK = 16
"""Points decoded between two reports of progress."""

_TRIAL_POINTS = 6


@dataclass(frozen=True)
class EverythingSettings:
    """How densely to look and what to keep.

    Parameters
    ----------
    spacing : float
        Distance between grid points in view pixels. Objects much smaller than this are missed.
    min_quality : float
        Lowest predicted IoU, 0.25 to 1.
    min_stability : float
        Lowest stability, 0 to 1.
    max_overlap : float
        Of two masks whose IoU exceeds this, the one with the lower score is dropped.
    min_area : float
        Smallest object in pixels.
    max_share : float
        Largest object as a share of the view, 0 to 1: larger ones are background.
    """

    spacing: float = 32.0
    min_quality: float = 0.55
    min_stability: float = 0.75
    max_overlap: float = 0.6
    min_area: float = 30.0
    max_share: float = 0.4

    def __post_init__(self) -> None:
        if not math.isfinite(self.spacing) or self.spacing < 4:
            raise PromptError("Grid points must be at least 4 pixels apart. Choose a coarser grid.")
        for name in ("min_quality", "min_stability", "max_overlap", "max_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise PromptError(f"“{name.replace('_', ' ')}” must lie between 0 and 1.")
        if not self.min_area >= 0:
            raise PromptError("The smallest area cannot be negative.")


def settings_for(model_name: str, **changes: float) -> EverythingSettings:
    """Sane settings for a model.

    Official SAM is sure of itself (its published thresholds are 0.88 and 0.95); ``rsam-tiny``
    predicts lower, more spread scores.
    """
    base = EverythingSettings()
    if model_name != "rsam-tiny":
        base = replace(base, min_quality=0.88, min_stability=0.92)
    return replace(base, **changes)


@dataclass(frozen=True, eq=False)
class EverythingState:
    """What `initialize` found, before any threshold.

    Attributes
    ----------
    masks : tuple of Instance
        In view pixels, best score first; identical proposals are already merged.
    stability : ndarray of float32
        One value a mask.
    shape : tuple of int
        Height and width of the view.
    points : int
        Grid points decoded.
    complete : bool
        False if it was cancelled before the last point.
    """

    masks: tuple[Instance, ...]
    stability: NDArray[np.float32]
    shape: tuple[int, int]
    points: int
    complete: bool


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
    """Expected time of `initialize`, from a few points decoded for trial."""
    points = grid_points(embedding.shape, settings.spacing)
    trial = [Prompt(points=p[None]) for p in points[:_TRIAL_POINTS]]
    _decode(segmenter, embedding, trial[:1])
    began = time.perf_counter()
    _decode(segmenter, embedding, trial)
    return (time.perf_counter() - began) / len(trial) * len(points)


def _decode(segmenter: Segmenter, embedding: Embedding, prompts: list[Prompt]) -> list:
    return segmenter.model.decode_many(embedding.features, prompts, True, quick=True)


def initialize(
    segmenter: Segmenter,
    embedding: Embedding,
    settings: EverythingSettings | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EverythingState:
    """Prompt every grid point and keep all masks that any threshold could want.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
    settings : EverythingSettings, optional
        Only ``spacing`` matters here.
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
    masks: list[Instance] = []
    stability: list[float] = []
    seen: set[tuple[int, int, int, int, int]] = set()
    done, complete = 0, True
    for start in range(0, len(points), _CHUNK):
        if cancelled is not None and cancelled():
            complete = False
            break
        chunk = points[start : start + _CHUNK]
        for answer in _decode(segmenter, embedding, [Prompt(points=p[None]) for p in chunk]):
            for k, score in enumerate(answer.scores):
                if score < _FLOOR or not answer.masks[k].any():
                    continue
                found = Instance(answer.masks[k], answer.x, answer.y, float(score))
                identity = (*found.bbox, hash(found.mask.tobytes()))
                if identity not in seen:
                    seen.add(identity)
                    masks.append(found)
                    stability.append(float(answer.stability[k]))
        done += len(chunk)
        if progress is not None:
            progress(done / len(points), f"{done} of {len(points)} points")
    order = np.argsort([-m.score for m in masks], kind="stable")
    return EverythingState(
        tuple(masks[i] for i in order),
        np.array(stability, np.float32)[order],
        embedding.shape,
        done,
        complete,
    )


def generate(state: EverythingState, settings: EverythingSettings | None = None) -> Instances:
    """Choose objects by thresholds; nothing is decoded again.

    Parameters
    ----------
    state : EverythingState
        From `initialize`.
    settings : EverythingSettings, optional

    Returns
    -------
    Instances
        In view pixels, best score first, near-duplicates removed.
    """
    settings = settings or EverythingSettings()
    largest = settings.max_share * state.shape[0] * state.shape[1]
    chosen = [
        mask
        for mask, stability in zip(state.masks, state.stability)
        if mask.score >= settings.min_quality
        and stability >= settings.min_stability
        and settings.min_area <= mask.area <= largest
    ]
    kept = _suppress(chosen, settings.max_overlap)
    numbered = [replace(mask, id=i + 1, source="everything") for i, mask in enumerate(kept)]
    return Instances(numbered, state.shape)


def _suppress(masks: list[Instance], limit: float) -> list[Instance]:
    """Greedy non-maximum suppression on mask IoU; ``masks`` come best first."""
    if not masks:
        return []
    boxes = np.array([m.bbox for m in masks], float)
    areas = np.array([m.area for m in masks], float)
    alive = np.ones(len(masks), bool)
    for i, mask in enumerate(masks):
        if not alive[i]:
            continue
        low = np.maximum(boxes[i, :2], boxes[i + 1 :, :2])
        high = np.minimum(boxes[i, 2:], boxes[i + 1 :, 2:])
        common = np.clip(high - low, 0, None).prod(1)
        smaller = np.minimum(areas[i], areas[i + 1 :])
        larger = np.maximum(areas[i], areas[i + 1 :])
        # The shared area is at most the smaller mask and at most the boxes' common part.
        bound = np.minimum(common, smaller) / larger
        for j in np.flatnonzero(alive[i + 1 :] & (bound > limit)) + i + 1:
            shared = shared_pixels(mask, masks[j])
            if shared > limit * (areas[i] + areas[j] - shared):
                alive[j] = False
    return [mask for mask, keep in zip(masks, alive) if keep]
