"""Collecting the masks of one view before any threshold, and choosing among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.models.base import Decoded, MaskFilter
from rsam_core.models.catalog import traits_of
from rsam_core.objects.crops import paste
from rsam_core.objects.instance import Instance
from rsam_core.objects.suppression import suppress
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything_settings import EverythingSettings

if TYPE_CHECKING:
    from rsam_core.segment.segmenter import Segmenter

_CHUNK = 16
"""Points that the embedded model decodes between two reports: a fraction of a second."""

_HEAVY_CHUNK = 8
"""The same for the large models, which need up to a tenth of a second for a point."""

_COVER_REACH = 3.0
"""A mask makes the grid points on it superfluous up to the area of a square of so many spacings.

A larger one, such as a field, may hold cars. Twice the side left out more points (31 % in place
of 17 %), but found one village object in ten less.
"""


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


def decode_chunk(
    segmenter: Segmenter,
    embedding: Embedding,
    prompts: list[Prompt],
    settings: EverythingSettings,
    multimask: bool = True,
) -> list[Decoded]:
    """Answers to prompts, without those that no threshold will want."""
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
        self.keep(decode_chunk(self.segmenter, self.embedding, prompts, self.settings, multimask))

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
