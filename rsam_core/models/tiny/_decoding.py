"""Many prompts decoded together: in rounds, each of windows as large as they have to be by then.

Windows of one size go in batches, whichever prompts they belong to. Which windows share a batch
does not depend on how many cores there are, so that neither do the answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from rsam_core.models.base import Decoded, PromptLike
from rsam_core.models.tiny._views import TinyFeatures, place_scaled
from rsam_core.models.tiny._windowed import (
    Lowres,
    box_limits,
    cut_off_many,
    finish,
    merge,
    stability_of,
)
from rsam_core.models.tiny._windows import (
    CELL,
    LEVELS,
    RUNGS,
    SCALED_LEVEL,
    SMALL_SIDES,
    is_single_click,
    level_for,
    place,
    prompt_span,
    small_rung,
)
from rsam_core.models.tiny.encoder import FeatureMaps
from rsam_core.models.tiny.prompt_maps import Guide, anchored

if TYPE_CHECKING:
    from rsam_core.models.tiny.model import TinyModel

_CELLS_AT_ONCE = 4096
"""Feature cells decoded at a time, four windows of 256 pixels: more fall out of the processor's
cache and gain nothing, fewer leave it waiting for the next operation."""

_MAX_AT_ONCE = 16

_LAST = len(LEVELS) - 1


@dataclass(frozen=True, eq=False)
class Request:
    """Prompts on one view, and how they are to be answered.

    Attributes
    ----------
    features : TinyFeatures
    prompts : sequence of PromptLike
    previous : sequence of Lowres or None
        For each prompt the earlier answer that it refines.
    multimask : bool
        Three masks a prompt in place of one.
    highest : int
        Index into `LEVELS` of the largest window that is looked at because a mask was cut off.
    guide : Guide, optional
        An example that all are to resemble.
    proposed : bool
        Boxes are guesses of a model, not drawn by a person.
    spare : int
        Masks to return beyond three, where there are three.
    """

    features: TinyFeatures
    prompts: Sequence[PromptLike]
    previous: Sequence[Lowres | None]
    multimask: bool
    highest: int = _LAST
    guide: Guide | None = None
    proposed: bool = False
    spare: int = 0


@dataclass(frozen=True)
class Batch:
    """Prompts whose windows of one size are decoded together; `rung` is an index into `RUNGS`."""

    rung: int
    prompts: tuple[int, ...]


@dataclass(frozen=True)
class _Look:
    """What one window gave: masks that are whole, those cut off, whether to look wider."""

    whole: Decoded | None
    cut: Decoded | None
    wider: bool


class Decoding:
    """One request on its way: take `batches`, `decode` each in any thread, then `note` what came.

    Parameters
    ----------
    model : TinyModel
    request : Request
    """

    def __init__(self, model: TinyModel, request: Request) -> None:
        self.model, self.request = model, request
        self.prompts = [anchored(prompt) for prompt in request.prompts]
        self.spans = [prompt_span(prompt) for prompt in self.prompts]
        self.limits = [box_limits(prompt, request.proposed) for prompt in self.prompts]
        features = request.features
        self.shape = (features.height, features.width)
        self.height = features.maps.image.shape[2] * CELL
        self.width = features.maps.image.shape[3] * CELL
        self._waiting: dict[int, list[int]] = defaultdict(list)
        self._seen: set[tuple[int, int]] = set()
        self._found: list[dict[int, Decoded]] = [{} for _ in self.prompts]
        self._cut: list[dict[int, Decoded]] = [{} for _ in self.prompts]
        self._open = [0] * len(self.prompts)
        self._answered: list[int] = []
        for i in range(len(self.prompts)):
            for rung in self._first_rungs(i):
                self._wait(rung, i)

    def _first_rungs(self, i: int) -> list[int]:
        """Where a prompt is looked at in any case."""
        request, prompt = self.request, self.prompts[i]
        first, earlier = level_for(self.spans[i], self.shape), request.previous[i]
        if earlier is not None:
            first = max(first, earlier.level)
        if request.proposed and prompt.box is not None and not first:
            small = small_rung(self.spans[i])
            if small is not None:
                return [small]
        rung = len(SMALL_SIDES) + first
        ambiguous = request.multimask and earlier is None and is_single_click(prompt)
        return [rung, rung + 1] if ambiguous and rung + 1 < len(RUNGS) else [rung]

    def _wait(self, rung: int, i: int) -> None:
        if (rung, i) not in self._seen:
            self._seen.add((rung, i))
            self._waiting[rung].append(i)
            self._open[i] += 1

    def batches(self) -> list[Batch]:
        """All windows of the next round; empty when there is nothing left to decode.

        Those that take longest come first, so that no core has to wait for another in the end. To
        be asked for again when all of them are noted.
        """
        batches = []
        for rung, now in sorted(self._waiting.items(), reverse=True):
            level, side = RUNGS[rung]
            pool = LEVELS[level][1]
            at_once = min(_CELLS_AT_ONCE // (side // pool // CELL) ** 2, _MAX_AT_ONCE)
            shares = _shares(len(now), 1 if self._is_scaled(level) else at_once)
            batches += [Batch(rung, tuple(now[start:stop])) for start, stop in shares]
        self._waiting.clear()
        return batches

    def _is_scaled(self, level: int) -> bool:
        # Under guidance the features must be those that the example was described by. Of many
        # proposals some share the picture reduced as a whole, see `_maps`.
        return level >= SCALED_LEVEL and self.request.guide is None and not self.request.proposed

    def _maps(self, level: int) -> FeatureMaps:
        """The view's maps at the scale of a level."""
        features, pool = self.request.features, LEVELS[level][1]
        if level >= SCALED_LEVEL and self.request.guide is None:
            return self.model.look_reduced(features, pool)
        return features.pooled(pool)

    @torch.inference_mode()
    def decode(self, batch: Batch) -> list[_Look]:
        """What the windows of a batch give, one a prompt; changes nothing."""
        request, chosen = self.request, batch.prompts
        level, side = RUNGS[batch.rung]
        pool, height, width = LEVELS[level][1], self.height, self.width
        asked, before = [self.prompts[i] for i in chosen], [request.previous[i] for i in chosen]
        if self._is_scaled(level):
            windows = [place_scaled(self.spans[i], side, pool, self.shape) for i in chosen]
            logits, quality = self.model.scaled_window(request.features, windows[0], asked, before)
        else:
            maps = self._maps(level)
            height, width = (n * CELL * pool for n in maps.image.shape[2:])
            windows = [place(self.spans[i], level, width, height, side) for i in chosen]
            logits, quality = self.model.windows(
                maps, windows, asked, before, request.guide, many=request.proposed
            )
        kept = slice(0, 3) if request.multimask else slice(3, 4)
        logits, scores = logits[:, kept], quality[:, kept].numpy()
        stability = stability_of(logits)
        cut = np.zeros(scores.shape, bool)
        if level < _LAST:
            cut = cut_off_many((logits > 0).numpy(), windows, width, height)
        looks = []
        for k, (i, window) in enumerate(zip(chosen, windows)):

            def answer(which: NDArray[np.bool_], k=k, i=i, window=window) -> Decoded | None:
                if not which.any():
                    return None
                # A copy, or whoever keeps this mask keeps those of the whole batch.
                mine = logits[k].clone() if which.all() else logits[k][torch.from_numpy(which)]
                return finish(
                    mine, scores[k, which], window, level, self.shape, self.limits[i],
                    stability[k, which],
                )  # fmt: skip

            whole = answer(~cut[k])
            spare = answer(cut[k]) if request.highest == _LAST else None
            wider = bool(cut[k, scores[k].argmax()]) and level < request.highest
            looks.append(_Look(whole, spare, wider))
        return looks

    def note(self, batch: Batch, looks: list[_Look]) -> None:
        """Take what a batch gave; larger windows may become wanted by it."""
        for i, look in zip(batch.prompts, looks):
            if look.whole is not None:
                self._found[i][batch.rung] = look.whole
            if look.cut is not None:
                self._cut[i][batch.rung] = look.cut
            if look.wider:
                # A small window grows to the usual one of its level.
                self._wait(max(batch.rung + 1, len(SMALL_SIDES)), i)
            self._open[i] -= 1
            if not self._open[i]:
                self._answered.append(i)

    def answered(self) -> list[tuple[int, Decoded]]:
        """Prompts that need no further look and were not given before, each with its answer."""
        count = 3 + self.request.spare if self.request.multimask else 1
        done, self._answered = self._answered, []
        return [(i, merge(_rising(self._found[i]), count, _rising(self._cut[i]))) for i in done]

    def answers(self) -> list[Decoded]:
        """All answers, worked out here and now."""
        while batches := self.batches():
            for batch in reversed(batches):
                self.note(batch, self.decode(batch))
        return [answer for _, answer in sorted(self.answered(), key=lambda pair: pair[0])]


def _rising(looks: dict[int, Decoded]) -> list[Decoded]:
    """Answers from the smallest window to the largest."""
    return [looks[rung] for rung in sorted(looks)]


def _shares(count: int, most: int) -> list[tuple[int, int]]:
    """Ends of shares of so many things: as few as can be of at most so many, all alike.

    There is an even number of them if there are as many things, so that two cores, or four, have
    the same to do.
    """
    shares = -(-count // most)
    shares = min(shares + shares % 2, count)
    edges = [k * count // shares for k in range(shares + 1)]
    return list(pairwise(edges))
