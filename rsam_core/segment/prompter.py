"""From the marks of an object to its mask: replay the marks, refine step by step."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, clip, crop_together, cut_out, union
from rsam_core.objects.instance import Instance
from rsam_core.objects.resample import to_scene, view_mask
from rsam_core.prompts.history import PromptedObject
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.budgets import Store
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Candidates, Segmenter

_SAME = 0.93
"""Candidates with a higher IoU than this look alike; one is enough."""

MAX_CANDIDATES = 3
"""As many as SAM proposes for a click: more are hard to tell apart."""

_MEMORY = 64 << 20
"""Bytes of answers that a prompter keeps where it is given no store, so that a page that is run
again decodes nothing that was decoded before."""


_MAX_KNOWN = 20_000
"""Finished masks kept: small, and asked for at every run of a page."""

_NUMBERS = itertools.count(1)


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def join_candidates(first: Candidates, second: Candidates) -> Candidates:
    """All masks of two answers to one prompt, without those that look alike."""
    parts = [(m, c.x, c.y) for c in (first, second) for m in c.crops]
    crops, x, y = crop_together(parts)
    keep: list[int] = []
    for k in range(len(crops)):
        if crops[k].any() and all(_overlap(crops[k], crops[j]) < _SAME for j in keep):
            keep.append(k)
    keep = keep[:MAX_CANDIDATES] or [0]
    scores = np.concatenate([first.scores, second.scores])
    stability = np.concatenate([first.stability, second.stability])
    refinement = [*first.refinement, *second.refinement]
    return Candidates(
        crops[keep],
        x,
        y,
        scores[keep],
        stability[keep],
        first.shape,
        [refinement[k] for k in keep],
    )


@dataclass(frozen=True, eq=False)
class Answer:
    """An object's candidates and the mask that stands.

    Attributes
    ----------
    candidates : Candidates
        In pixels of `view`; the model's first choice comes first.
    chosen : tuple of int
        Candidates whose union is the mask.
    view : Frame
        What the model saw.
    beyond : Instance or None
        What an earlier answer found outside `view`, in scene pixels: it belongs to the object.
    """

    candidates: Candidates
    chosen: tuple[int, ...]
    view: Frame
    beyond: Instance | None = None

    @property
    def score(self) -> float:
        """Predicted IoU of the (best) chosen candidate."""
        return float(max(self.candidates.scores[k] for k in self.chosen))

    def joined_mask(self) -> NDArray[np.bool_] | None:
        """The union of the chosen candidates as a mask of the view, (H, W); None if it is empty."""
        joined = self.candidates.crops[list(self.chosen)].any(axis=0)
        if not joined.any():
            return None
        found = Crop(joined, self.candidates.x, self.candidates.y)
        return cut_out(found, (0, 0, self.view.columns, self.view.rows))

    def instance(self, entry: PromptedObject) -> Instance | None:
        """The mask as an object in scene pixels, or None if it is empty."""
        joined = self.candidates.crops[list(self.chosen)].any(axis=0)
        if not joined.any():
            found = self.beyond
        else:
            found = Instance(joined, self.candidates.x, self.candidates.y, self.score)
            found = to_scene(found, self.view)
            if self.beyond is not None:
                found = _joined(found, self.beyond)
        if found is None:
            return None
        return replace(found, score=self.score, id=entry.id, source=entry.source)


def _joined(first: Instance, second: Instance) -> Instance:
    """Both masks as one object."""
    mask, x, y = union((first, second))
    return replace(first, mask=mask, x=x, y=y)


def _beyond(item: Instance | None, view: Frame) -> Instance | None:
    """The part of an object that lies outside a view's window, if there is any."""
    if item is None or view.contains(*item.bbox):
        return None
    mask = item.mask.copy()
    clip(Crop(mask, item.x, item.y), [round(v) for v in view.bounds]).mask[...] = False
    return replace(item, mask=mask) if mask.any() else None


def _in_view(item: Instance | None, view: Frame) -> NDArray[np.bool_] | None:
    """An object as a mask of a view's picture; None where nothing of it is in the view."""
    if item is None:
        return None
    region = (0, 0, view.columns, view.rows)
    part, x, y = view_mask(item, (view.x, view.y), view.scale[0], region)
    if not part.any():
        return None
    return cut_out(Crop(part, x, y), region)


class Prompter:
    """Answers the entries of a prompt book, remembering what it decoded; safe between threads.

    Parameters
    ----------
    segmenter : Segmenter
    embed : callable
        Gives the embedding of a view of the scene; called only when something has to be decoded.
    view : Frame
        View of the marks that name none.
    answers : Store, optional
        Where to keep what was decoded, within the budget of all sessions and of each; a small one
        of its own by default. What had to go is decoded again when it is wanted.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        embed: Callable[[Frame], Embedding],
        view: Frame,
        answers: Store[Candidates] | None = None,
    ) -> None:
        self.segmenter, self.embed, self.view = segmenter, embed, view
        self._known = Store(_MEMORY) if answers is None else answers
        # Its share of the store; the numbers of others are others.
        self._owner = ("prompter", next(_NUMBERS))
        weakref.finalize(self, self._known.release, self._owner)
        self._lock = threading.Lock()
        self._forgotten = False
        self._known_masks: OrderedDict[PromptedObject, Instance | None] = OrderedDict()

    def instance(self, entry: PromptedObject) -> Instance | None:
        """The object of an entry in scene pixels, or None if nothing was found.

        Raises
        ------
        PromptError
            As for `answer`.
        """
        with self._lock:
            if entry in self._known_masks:
                return self._known_masks[entry]
        found = self.answer(entry).instance(entry)
        self.set_mask(entry, found)
        return found

    def set_mask(self, entry: PromptedObject, instance: Instance | None) -> None:
        """Make it known what an entry gave, for example when a saved project is opened."""
        with self._lock:
            self._known_masks[entry] = instance
            if len(self._known_masks) > _MAX_KNOWN:
                self._known_masks.popitem(last=False)

    def take_over(self, other: Prompter) -> None:
        """Keep the objects that another prompter found, until their prompts change."""
        with other._lock:
            known = dict(other._known_masks)
        with self._lock:
            self._known_masks.update(known)

    @property
    def held(self) -> int:
        """Bytes of the answers that are kept for it."""
        return self._known.held_by(self._owner)

    def forget(self) -> None:
        """Let go of what was decoded, and keep nothing more: another prompter is in its place."""
        with self._lock:
            self._forgotten = True
            self._known.release(self._owner)

    def answer(self, entry: PromptedObject) -> Answer:
        """Candidates for an object, replaying its marks one by one.

        Each further click refines the mask chosen before it, as the model was trained to do.
        Marks up to the first one that names the object are taken together. Each mark is decoded
        in the view in which it was made; where that changed, the mask found so far goes along
        as a mask prompt, and what lies outside the new view stays as it is.

        Raises
        ------
        PromptError
            If there is no include point or box yet, or a mark lies outside its view.
        """
        start = next(
            (i + 1 for i, m in enumerate(entry.marks) if m.kind == "box" or m.label == 1),
            len(entry.marks),
        )
        before: Answer | None = None
        for count in range(start, len(entry.marks) + 1):
            before = self._step(entry, count, before)
        if before is None:
            # Raises the message for an entry without anything to find.
            entry.prompt()
            raise AssertionError("an entry with a usable prompt has candidates")
        return before

    def _step(self, entry: PromptedObject, count: int, before: Answer | None) -> Answer:
        """The answer after ``count`` marks, given the one before."""
        view = entry.marks[count - 1].view or self.view
        same = before is not None and before.view == view
        earlier = None if before is None or same else before.instance(entry)
        joined = same and len(before.chosen) > 1
        # A refinement carries on one proposal; several that were joined go along as one mask.
        mask = before.joined_mask() if joined else _in_view(earlier, view)
        prompt = self._prompt(entry, count, view, mask)
        if prompt is None:
            # Nothing in this view names the object: the mark says nothing about it.
            assert before is not None
            return before
        previous = None
        if same and not joined:
            previous = before.candidates.refinement[before.chosen[0]]
        candidates = self._candidates(entry, count, view, prompt, previous)
        chosen = tuple(k for k in entry.chosen(count) if k < len(candidates)) or (0,)
        beyond = before.beyond if same else _beyond(earlier, view)
        return Answer(candidates, chosen, view, beyond)

    @staticmethod
    def _prompt(
        entry: PromptedObject, count: int, view: Frame, mask: NDArray[np.bool_] | None
    ) -> Prompt | None:
        """The first marks in view pixels; those that lie outside the view are left out.

        None if an earlier mark named the object elsewhere and nothing of it is in the view.
        """
        marks = entry.marks[:count]
        seen = [m for m in marks if m.view in (view, None) or view.contains(m.x, m.y, m.x1, m.y1)]
        named = any(m.kind == "box" or m.label == 1 for m in seen)
        if not named and mask is None and len(seen) < len(marks):
            return None
        points = [m for m in seen if m.kind == "point"]
        boxes = [view.from_scene([(m.x, m.y), (m.x1, m.y1)]) for m in seen if m.kind == "box"]
        return Prompt(
            [view.from_scene((m.x, m.y)) for m in points],
            [m.label for m in points],
            boxes[-1].ravel() if boxes else None,
            mask,
        )

    def _candidates(
        self, entry: PromptedObject, count: int, view: Frame, prompt: Prompt, previous: object
    ) -> Candidates:
        marks = tuple((m.kind, m.x, m.y, m.x1, m.y1, m.label, m.view) for m in entry.marks[:count])
        key = (view, marks, tuple(entry.chosen(n) for n in range(1, count)))
        kept = self._known.get((self._owner, key), self._owner)
        if kept is not None:
            return kept
        predict, embedding = self.segmenter.predict, self.embed(view)
        candidates = predict(embedding, prompt, None, previous)
        if not prompt.ambiguous:
            candidates = join_candidates(candidates, predict(embedding, prompt, True, previous))
        with self._lock:
            # A thread may come to its end after the session is closed.
            if not self._forgotten:
                self._known.put((self._owner, key), candidates, _size(candidates), self._owner)
        return candidates


def _size(candidates: Candidates) -> int:
    """Bytes that an answer holds, what refines it included."""
    own = candidates.crops.nbytes + candidates.scores.nbytes + candidates.stability.nbytes
    return own + sum(map(_bytes, candidates.refinement))


def _bytes(value: Any) -> int:
    """Bytes of a model's own data: arrays, tensors, or such things in a row."""
    if isinstance(value, (list, tuple)):
        return sum(map(_bytes, value))
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    if is_dataclass(value) and not hasattr(value, "nbytes"):
        return sum(_bytes(getattr(value, field.name)) for field in fields(value))
    return int(getattr(value, "nbytes", 64))
