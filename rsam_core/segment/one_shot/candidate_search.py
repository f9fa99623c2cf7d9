"""Search an image for objects like an example: decode once, then rank.

`search` outlines candidates, which takes seconds: everything on a grid, and more where the image
looks most like the example. `rsam_core.segment.one_shot.rank` compares them with the examples,
which takes milliseconds, so that a threshold, an accepted or a rejected object act at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.models.guided import ExampleGuidance, Guidance, Target
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import Overlaps, overlaps
from rsam_core.objects.resample import to_scene
from rsam_core.objects.suppression import suppress
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.progress import Progress, Stop
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.everything import (
    EverythingSettings,
    EverythingState,
    estimate_seconds,
    initialize,
)
from rsam_core.segment.features.pooling import EmbeddedView, embedded_tiles
from rsam_core.segment.one_shot.descriptors import Descriptions, describe
from rsam_core.segment.one_shot.examples import Example, check_examples, positives
from rsam_core.segment.one_shot.settings import OneShotSettings
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import initialize_tiled

_MIN_QUALITY = 0.35
_MIN_AREA = 30
_MAX_SHARE = 0.6
_DOUBLES = 0.85
"""Candidates must keep alternatives of one object apart, and leave out what is nearly the same."""

_OUTLINING = 0.9
"""Share of the time of a search that the grid takes; the rest goes to guided prompts."""

_APART = 3
"""Cells by which two places most like the example lie apart at least."""


@dataclass(frozen=True, eq=False)
class SearchCandidates:
    """Candidates of an image, described, before any comparison.

    Attributes
    ----------
    candidates : Instances
        In scene pixels, with predicted IoU as score.
    stability : ndarray of float32, shape (N,)
    descriptions : Descriptions
        Of the N candidates.
    similarity : ndarray of float32, shape (h, w), or None
        Largest cosine similarity of each feature cell with an example; None where the image was
        searched in tiles.
    view : Frame or None
        The view that was searched; None for the whole scene in tiles.
    image : str
        Name of the image.
    complete : bool
        False if the search was stopped early; what had been found is kept.
    base : SearchCandidates or None
        What does not depend on the examples, for another search of the same view.
    everything : EverythingState or None
        What everything mode found, in view pixels (scene pixels where it was done in tiles): what
        there is without any example.
    """

    candidates: Instances
    stability: NDArray[np.float32]
    descriptions: Descriptions
    similarity: NDArray[np.float32] | None
    view: Frame | None
    image: str = ""
    complete: bool = True
    base: SearchCandidates | None = None
    everything: EverythingState | None = None

    @cached_property
    def meetings(self) -> Overlaps:
        """The pairs of candidates that share pixels."""
        return overlaps(self.candidates, self.candidates)

    @property
    def quality(self) -> NDArray[np.float32]:
        """Predicted IoU and stability of each candidate, shape (N, 2)."""
        scores = np.array([item.score for item in self.candidates], np.float32)
        return np.stack([scores, self.stability], axis=1)


def search(
    segmenter: Segmenter,
    scene: Any,
    view: Frame,
    embedding: Any,
    examples: Sequence[Example],
    settings: OneShotSettings | None = None,
    *,
    earlier: SearchCandidates | None = None,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> SearchCandidates:
    """Outline and describe all candidates of a view.

    Parameters
    ----------
    segmenter : Segmenter
    scene : Scene
    view : Frame
        Part of the scene to search.
    embedding : Embedding
        Of that view.
    examples : sequence of Example
        From this or another image.
    settings : OneShotSettings, optional
    earlier : SearchCandidates, optional
        A search of the same view by the same model, with the same spacing, for other examples:
        only what depends on the examples is looked at again.
    progress, cancelled : callable, optional
        If `cancelled` says so while candidates are outlined, those found so far are used.

    Returns
    -------
    SearchCandidates

    Raises
    ------
    OneShotError
        If the examples do not suit the image or the model; see `check_examples`.
    Cancelled
        If stopped while candidates were described.
    """
    settings = settings or OneShotSettings()
    examples, _ = check_examples(examples, segmenter.model.name, getattr(scene, "gsd", None))
    targets = [example.target for example in positives(examples)]
    base = earlier.base if earlier is not None else None
    if base is None:
        base = _on_grid(segmenter, scene, view, embedding, settings, progress, cancelled)
    model = segmenter.model.guided()
    cells = similarity_of(model, embedding, targets)
    state = replace(base, similarity=cells, base=base)
    if not base.complete or not settings.peaks:
        return state
    report = _share(progress, _OUTLINING, 1 - _OUTLINING)
    found, complete = _at_peaks(model, embedding, targets, cells, settings.peaks, report, cancelled)
    masks = [item for item, _ in found]
    kept = worth_comparing(masks, embedding.shape)
    items = Instances([to_scene(masks[i], view) for i in kept], (scene.height, scene.width))
    fresh = np.ones(len(items), bool)
    met = overlaps(items, base.candidates)
    fresh[met.rows[met.ious > _DOUBLES]] = False
    items = Instances([item for item, new in zip(items, fresh) if new], items.shape)
    shown = [EmbeddedView(embedding, view.x, view.y, view.scale[0])]
    more = describe(items, scene, shown, segmenter.model.name, namer=segmenter.model)
    stability = np.array([found[i][1] for i in kept], np.float32)[fresh]
    return replace(
        state,
        candidates=Instances.concat([base.candidates, items]),
        stability=np.concatenate([base.stability, stability]),
        descriptions=base.descriptions.joined(more),
        complete=complete,
    )


def _on_grid(
    segmenter: Segmenter,
    scene: Any,
    view: Frame,
    embedding: Any,
    settings: OneShotSettings,
    progress: Progress | None,
    cancelled: Stop | None,
) -> SearchCandidates:
    """Candidates of everything mode, described."""
    state = initialize(
        segmenter,
        embedding,
        EverythingSettings(settings.spacing, propose=settings.propose),
        progress=_share(progress, 0.0, _OUTLINING),
        cancelled=cancelled,
    )
    kept = worth_comparing(state.masks, embedding.shape)
    items = [to_scene(state.masks[i], view) for i in kept]
    candidates = Instances(items, (scene.height, scene.width))
    descriptions = describe(
        candidates,
        scene,
        [EmbeddedView(embedding, view.x, view.y, view.scale[0])],
        segmenter.model.name,
        namer=segmenter.model,
        # What a stopped search found is to be seen: describing it is quick.
        cancelled=cancelled if state.complete else None,
    )
    return SearchCandidates(
        candidates,
        state.stability[kept],
        descriptions,
        None,
        view,
        _name(scene),
        state.complete,
        everything=state,
    )


def estimate_search(
    segmenter: Segmenter, embedding: Any, settings: OneShotSettings | None = None
) -> float:
    """Expected seconds of a first `search` of a view, from a few points decoded for trial.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
        Of the view.
    settings : OneShotSettings, optional
    """
    settings = settings or OneShotSettings()
    asked = EverythingSettings(settings.spacing, propose=settings.propose)
    return estimate_seconds(segmenter, embedding, asked) / _OUTLINING


def search_tiled(
    segmenter: Segmenter,
    scene: Any,
    examples: Sequence[Example],
    settings: OneShotSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> SearchCandidates:
    """Outline and describe all candidates of a whole large scene, tile by tile.

    As :func:`search`, without the prompts at the places most like the example.
    """
    settings = settings or OneShotSettings()
    check_examples(examples, segmenter.model.name, getattr(scene, "gsd", None))
    state = initialize_tiled(
        segmenter,
        scene,
        None,
        EverythingSettings(settings.spacing, propose=settings.propose),
        progress=_share(progress, 0.0, _OUTLINING),
        cancelled=cancelled,
    )
    loose = EverythingSettings(settings.spacing, _MIN_QUALITY, 0.0, _DOUBLES, _MIN_AREA, _MAX_SHARE)
    items = Instances(state.choose(loose), (scene.height, scene.width))
    # Each tile is embedded once more, which takes a while in a large scene.
    report = _share(progress, _OUTLINING, 1 - _OUTLINING)
    tiles = embedded_tiles(items, scene, segmenter, progress=report) if len(items) else []
    descriptions = describe(
        items,
        scene,
        tiles,
        segmenter.model.name,
        namer=segmenter.model,
        cancelled=cancelled if state.complete else None,
    )
    # What was joined across seams has no stability of its own: the usual one stands for all.
    stability = np.full(len(items), float(np.median(state.stability)) if len(items) else 0.0)
    return SearchCandidates(
        items,
        stability.astype(np.float32),
        descriptions,
        None,
        None,
        _name(scene),
        state.complete,
        everything=state,
    )


def zero_shot(state: SearchCandidates, settings: EverythingSettings) -> Instances:
    """What the same search gives without any example: everything, chosen by quality alone.

    Parameters
    ----------
    state : SearchCandidates
    settings : EverythingSettings
        Thresholds of everything mode.

    Returns
    -------
    Instances
        In scene pixels; empty where `state` holds no everything mode.
    """
    if state.everything is None:
        return Instances.empty(state.candidates.shape)
    chosen = state.everything.choose(settings)
    if state.view is not None:
        chosen = [to_scene(item, state.view) for item in chosen]
    return Instances(chosen, state.candidates.shape)


def similarity_of(
    model: ExampleGuidance, embedding: Any, targets: Sequence[Target]
) -> NDArray[np.float32]:
    """Largest similarity of each cell with any target, shape (h, w)."""
    return np.max([model.similarity(embedding.features, target) for target in targets], axis=0)


def peaks(cells: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Local maxima of a similarity map, highest first, as rows and columns, shape (K, 2)."""
    from skimage.feature import peak_local_max

    # Values may be negative throughout; a threshold at the mean keeps the better half.
    return peak_local_max(
        cells,
        min_distance=_APART,
        threshold_abs=float(cells.mean()),
        num_peaks=most,
        exclude_border=False,
    ).astype(np.int64)


def _at_peaks(
    model: ExampleGuidance,
    embedding: Any,
    targets: Sequence[Target],
    cells: NDArray[np.float32],
    most: int,
    progress: Progress | None,
    cancelled: Stop | None,
) -> tuple[list[tuple[Instance, float]], bool]:
    """Guided masks at the places most like the examples, and whether all were looked at."""
    height, width = embedding.shape
    per_row, per_column = height / cells.shape[0], width / cells.shape[1]
    found: list[tuple[Instance, float]] = []
    each = [model.similarity(embedding.features, target) for target in targets]
    places = peaks(cells, most)
    for number, (row, column) in enumerate(places):
        if cancelled is not None and cancelled():
            return found, False
        if progress is not None:
            progress(number / len(places), f"{number} of {len(places)} places most like it")
        x, y = (column + 0.5) * per_column, (row + 0.5) * per_row
        prompt = Prompt(points=[(min(x, width - 0.5), min(y, height - 0.5))])
        which = int(np.argmax([one[row, column] for one in each]))
        answer = model.decode(
            embedding.features, prompt, targets[which], each[which], Guidance(), True
        )
        for k, score in enumerate(answer.scores):
            if answer.masks[k].any():
                item = Instance(answer.masks[k], answer.x, answer.y, float(score))
                found.append((item, float(answer.stability[k])))
    return found, True


def worth_comparing(masks: Sequence[Instance], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Positions of the masks worth comparing, best predicted IoU first."""
    scores = np.array([item.score for item in masks])
    areas = np.array([item.area for item in masks], np.int64)
    passed = (scores >= _MIN_QUALITY) & (areas >= _MIN_AREA)
    passed &= areas <= _MAX_SHARE * shape[0] * shape[1]
    order = np.argsort(-scores, kind="stable")
    order = order[passed[order]]
    boxes = np.array([masks[i].bbox for i in order], np.int64).reshape(-1, 4)
    return order[suppress(lambda i: masks[order[i]].mask, boxes, areas[order], _DOUBLES)]


def _name(scene: Any) -> str:
    return getattr(scene, "name", "")


def _share(progress: Progress | None, start: float, length: float) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction, text: progress(start + length * fraction, text)
