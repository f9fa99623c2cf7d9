"""Automatic mode: look at proposals or a grid of points once, then choose by thresholds alone.

`initialize` decodes, which takes seconds; `generate` filters what was decoded, which takes
milliseconds, so that a slider in the app answers at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError
from rsam_core.models.base import Decoded, MaskFilter
from rsam_core.models.catalog import traits_of
from rsam_core.objects.crops import paste
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.suppression import suppress
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.dense_proposals import LOWEST, look_at_proposals
from rsam_core.segment.embedding import Embedding

if TYPE_CHECKING:
    from rsam_core.models.tiny.proposal_head import Proposals
    from rsam_core.segment.segmenter import Segmenter

_FLOOR = 0.25
"""Masks below this predicted IoU are not kept unless asked for: no slider goes lower."""

_CHUNK = 16
"""Points that the embedded model decodes between two reports: a fraction of a second."""

_HEAVY_CHUNK = 8
"""The same for the large models, which need up to a tenth of a second for a point."""

_COVER_REACH = 3.0
"""A mask makes the grid points on it superfluous up to the area of a square of so many spacings.

A larger one, such as a field, may hold cars. Twice the side left out more points (31 % in place
of 17 %), but found one village object in ten less.
"""

_TRIAL_POINTS, _TRIAL_BOXES = 6, 16

MAX_PROPOSALS = 500
"""Proposals that are looked at in a view, unless asked otherwise."""

_TWO_LOOKS = 1.7
"""Boxes decoded for each proposal: not every first outline gets a second look."""


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
        Largest object as a share of the view, 0 to 1: larger ones are background. Where a scene
        is worked through in tiles, it is a share of the tile.
    skip_covered : bool
        Leave out grid points that lie on a mask of moderate size found before that passes these
        thresholds: quicker by about a sixth, and a few objects are missed.
    propose : bool
        Look where the model itself proposes objects, in place of a grid, if it can: quicker, and
        more is found.
    look_between : bool
        After the proposals, prompt the grid points that no object found covers.
    max_proposals : int
        Proposals that are looked at in a view, at most.
    keep_quality, keep_stability : float
        `initialize` does not keep masks below these predicted IoUs and stabilities, so that the
        thresholds above can be lowered no further afterwards. With the large models, higher ones
        save up to a third of the time: what is not kept need not be drawn.
    """

    spacing: float = 32.0
    min_quality: float = 0.55
    min_stability: float = 0.75
    max_overlap: float = 0.6
    min_area: float = 30.0
    max_share: float = 0.4
    skip_covered: bool = False
    propose: bool = True
    look_between: bool = False
    max_proposals: int = MAX_PROPOSALS
    keep_quality: float = _FLOOR
    keep_stability: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.spacing) or self.spacing < 4:
            raise PromptError("Grid points must be at least 4 pixels apart. Choose a coarser grid.")
        for name in (
            "min_quality",
            "min_stability",
            "max_overlap",
            "max_share",
            "keep_quality",
            "keep_stability",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise PromptError(f"“{name.replace('_', ' ')}” must lie between 0 and 1.")
        if self.max_proposals < 1:
            raise PromptError("At least one proposal must be allowed. Choose a larger number.")
        if not self.min_area >= 0:
            raise PromptError("The smallest area cannot be negative.")


def settings_for(model_name: str, **changes: float) -> EverythingSettings:
    """Sane settings for a model.

    They follow the scores that the model gives; see `rsam_core.models.catalog.Traits`.
    """
    traits = traits_of(model_name)
    base = EverythingSettings(
        min_quality=traits.min_quality,
        min_stability=traits.min_stability,
        keep_quality=traits.keep_quality,
        keep_stability=traits.keep_stability,
    )
    return replace(base, **changes)


@dataclass(frozen=True, eq=False)
class EverythingState:
    """What `initialize` found, before any threshold.

    Attributes
    ----------
    masks : sequence of Instance
        In view pixels, best score first; identical proposals are already merged.
    stability : ndarray of float32
        One value a mask.
    shape : tuple of int
        Height and width of the view.
    points : int
        Proposals and grid points looked at.
    complete : bool
        False if it was cancelled before the last point.
    """

    masks: Sequence[Instance]
    stability: NDArray[np.float32]
    shape: tuple[int, int]
    points: int
    complete: bool

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """Pixel edges x0, y0, x1, y1 of each mask's bounding box, shape (N, 4)."""
        return np.array([mask.bbox for mask in self.masks], np.int64).reshape(-1, 4)

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each mask, shape (N,)."""
        return np.array([mask.area for mask in self.masks], np.int64)

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Predicted IoU of each mask, shape (N,)."""
        return np.array([mask.score for mask in self.masks], np.float64)

    def choose(self, settings: EverythingSettings) -> list[Instance]:
        """The masks that pass the thresholds, without near-duplicates, numbered best first."""
        largest = settings.max_share * self.shape[0] * self.shape[1]
        passed = np.flatnonzero(
            (self.scores >= settings.min_quality)
            & (self.stability >= settings.min_stability)
            & (self.areas >= settings.min_area)
            & (self.areas <= largest)
        )
        kept = suppress(
            lambda i: self.masks[passed[i]].mask,
            self.boxes[passed],
            self.areas[passed],
            settings.max_overlap,
        )
        return [
            replace(self.masks[i], id=number, source="everything")
            for number, i in enumerate(passed[kept], start=1)
        ]


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
        _decode(segmenter, embedding, trial[:1], settings, False)
        began = time.perf_counter()
        _decode(segmenter, embedding, trial, settings, False)
        each = (time.perf_counter() - began) / max(len(trial), 1)
        looks = _TWO_LOOKS * each * len(boxes)
        if not settings.look_between:
            return looks
        return looks + estimate_seconds(segmenter, embedding, replace(settings, propose=False))
    trial = [Prompt(points=p[None]) for p in points[:_TRIAL_POINTS]]
    _decode(segmenter, embedding, trial[:1], settings)
    began = time.perf_counter()
    _decode(segmenter, embedding, trial, settings)
    return (time.perf_counter() - began) / len(trial) * len(points)


def _decode(
    segmenter: Segmenter,
    embedding: Embedding,
    prompts: list[Prompt],
    settings: EverythingSettings,
    multimask: bool = True,
) -> list[Decoded]:
    wanted = MaskFilter(settings.keep_quality, settings.keep_stability)
    return segmenter.model.decode_many(embedding.features, prompts, multimask, quick=wanted)


class MaskCollector:
    """Collects the masks of one view's grid points, without exact repetitions.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
    settings : EverythingSettings
        What to keep, and what ``skip_covered`` needs.

    Attributes
    ----------
    masks : list of Instance
        In view pixels, in the order in which they were found.
    stability : list of float
    """

    def __init__(
        self, segmenter: Segmenter, embedding: Embedding, settings: EverythingSettings
    ) -> None:
        self.segmenter, self.embedding, self.settings = segmenter, embedding, settings
        self.masks: list[Instance] = []
        self.stability: list[float] = []
        self._seen: set[tuple[int, int, int, int, int]] = set()
        self._covered = np.zeros(embedding.shape, bool) if settings.skip_covered else None

    def work(
        self,
        points: NDArray[np.float64],
        report: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> int:
        """Prompt points (N, 2) one after another; return how many were dealt with.

        Parameters
        ----------
        points : ndarray of float, shape (N, 2)
            In view pixels.
        report : callable, optional
            Told after each chunk how many points are dealt with.
        cancelled : callable, optional
            Asked before each chunk; True ends the work.
        """
        from rsam_core.models.parallel import cores

        # Each core gets work in each chunk.
        light = traits_of(self.segmenter.model.name).light
        size = max(_CHUNK, 8 * cores()) if light else max(_HEAVY_CHUNK, 4 * cores())
        done = 0
        while done < len(points):
            if cancelled is not None and cancelled():
                break
            chunk: list[NDArray[np.float64]] = []
            while done < len(points) and len(chunk) < size:
                if not self._is_covered(points[done]):
                    chunk.append(points[done])
                done += 1
            self._prompt(chunk)
            if report is not None:
                report(done)
        return done

    def _is_covered(self, point: NDArray[np.float64]) -> bool:
        if self._covered is None:
            return False
        height, width = self._covered.shape
        return bool(self._covered[min(int(point[1]), height - 1), min(int(point[0]), width - 1)])

    def _prompt(self, chunk: list[NDArray[np.float64]]) -> None:
        self.add([Prompt(points=point[None]) for point in chunk])

    def add(self, prompts: list[Prompt], multimask: bool = True) -> None:
        """Prompt the model at once and keep what is worth it.

        Parameters
        ----------
        prompts : list of Prompt
            One an object.
        multimask : bool
            Three masks for each in place of one.
        """
        if not prompts:
            return
        self.keep(_decode(self.segmenter, self.embedding, prompts, self.settings, multimask))

    def keep(self, answers: Iterable[Decoded]) -> None:
        """Keep what is worth it of a model's answers."""
        settings = self.settings
        for answer in answers:
            for mask, score, stability in zip(answer.masks, answer.scores, answer.stability):
                if score < settings.keep_quality or stability < settings.keep_stability:
                    continue
                if not mask.any():
                    continue
                found = Instance(mask, answer.x, answer.y, float(score))
                identity = (*found.bbox, hash(found.mask.tobytes()))
                if identity not in self._seen:
                    self._seen.add(identity)
                    self.masks.append(found)
                    self.stability.append(float(stability))
                    self._cover(found, self.stability[-1])

    def is_open(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points (N, 2) lie on no object found so far that passes the thresholds."""
        covered = np.zeros(self.embedding.shape, bool)
        for item in self.state(0, True).choose(self.settings):
            paste(covered, item)
        rows = np.minimum(points[:, 1].astype(int), covered.shape[0] - 1)
        return ~covered[rows, np.minimum(points[:, 0].astype(int), covered.shape[1] - 1)]

    def state(self, points: int, complete: bool) -> EverythingState:
        """What was found, best score first, after so many prompts; `complete` if these were all."""
        order = np.argsort([-mask.score for mask in self.masks], kind="stable")
        return EverythingState(
            tuple(self.masks[i] for i in order),
            np.array(self.stability, np.float32)[order],
            self.embedding.shape,
            points,
            complete,
        )

    def _cover(self, found: Instance, stability: float) -> None:
        if self._covered is None:
            return
        settings = self.settings
        if (
            found.score >= settings.min_quality
            and stability >= settings.min_stability
            and settings.min_area <= found.area <= (_COVER_REACH * settings.spacing) ** 2
        ):
            paste(self._covered, found)


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
