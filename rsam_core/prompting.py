"""From the marks of an object to its mask: replay the marks, refine step by step."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.coordinates import Frame
from rsam_core.embedding import Embedding
from rsam_core.instance import Instance
from rsam_core.models.base import crop_together
from rsam_core.promptbook import Entry
from rsam_core.segmenter import Candidates, Segmenter

_SAME = 0.93
"""Candidates with a higher IoU than this look alike; one is enough."""

MOST_CANDIDATES = 3
"""As many as SAM proposes for a click: more are hard to tell apart."""

_MEMORY = 400
"""Answers kept, so that a page rerun decodes nothing that was decoded before."""


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
    keep = keep[:MOST_CANDIDATES] or [0]
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
        In view pixels; the model's first choice comes first.
    chosen : tuple of int
        Candidates whose union is the mask.
    """

    candidates: Candidates
    chosen: tuple[int, ...]

    @property
    def score(self) -> float:
        """Predicted IoU of the (best) chosen candidate."""
        return float(max(self.candidates.scores[k] for k in self.chosen))

    def instance(self, entry: Entry, view: Frame) -> Instance | None:
        """The mask as an object in scene pixels, or None if it is empty."""
        union = self.candidates.crops[list(self.chosen)].any(axis=0)
        if not union.any():
            return None
        found = Instance(
            union, self.candidates.x, self.candidates.y, self.score, entry.id, entry.source
        )
        return to_scene(found, view)


def to_scene(instance: Instance, view: Frame) -> Instance:
    """An object in view pixels as an object in scene pixels.

    Where the view is smaller than its window, the mask is enlarged with a smooth outline.
    """
    if view.scale == (1.0, 1.0):
        return replace(instance, x=instance.x + round(view.x), y=instance.y + round(view.y))
    import cv2

    x0, y0, x1, y1 = instance.bbox
    sx, sy = view.scale
    # One pixel of margin lets the outline round off instead of ending at the crop.
    padded = np.pad(instance.mask, 1).astype(np.float32)
    left, right = (np.floor((x0 - 1) / sx + view.x), np.ceil((x1 + 1) / sx + view.x))
    top, bottom = (np.floor((y0 - 1) / sy + view.y), np.ceil((y1 + 1) / sy + view.y))
    left, top = max(int(left), round(view.x)), max(int(top), round(view.y))
    right = min(int(right), round(view.x + view.width))
    bottom = min(int(bottom), round(view.y + view.height))
    columns = (np.arange(left, right) + 0.5 - view.x) * sx - x0 + 1 - 0.5
    rows = (np.arange(top, bottom) + 0.5 - view.y) * sy - y0 + 1 - 0.5
    grid_x, grid_y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    large = cv2.remap(padded, grid_x, grid_y, cv2.INTER_LINEAR) > 0.5
    if not large.any():
        large[large.shape[0] // 2, large.shape[1] // 2] = True
    return replace(instance, mask=large, x=left, y=top)


class Prompter:
    """Answers the entries of a prompt book for one embedded view, remembering what it decoded.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
    view : Frame
        The window of the scene that was embedded.
    """

    def __init__(self, segmenter: Segmenter, embedding: Embedding, view: Frame) -> None:
        self.segmenter, self.embedding, self.view = segmenter, embedding, view
        self._known: OrderedDict[tuple, Candidates] = OrderedDict()

    def answer(self, entry: Entry) -> Answer:
        """Candidates for an object, replaying its marks one by one.

        Each further click refines the mask chosen before it, as the model was trained to do.
        Marks up to the first one that names the object are taken together.

        Raises
        ------
        PromptError
            If there is no include point or box yet, or a mark lies outside the view.
        """
        start = next(
            (i + 1 for i, m in enumerate(entry.marks) if m.kind == "box" or m.label == 1),
            len(entry.marks),
        )
        previous, candidates = None, None
        for count in range(start, len(entry.marks) + 1):
            candidates = self._candidates(entry, count, previous)
            previous = candidates.refinement[self._pick(entry, count, candidates)[0]]
        if candidates is None:
            # Raises the message for an entry without anything to find.
            entry.prompt()
            raise AssertionError("an entry with a usable prompt has candidates")
        return Answer(candidates, self._pick(entry, len(entry.marks), candidates))

    @staticmethod
    def _pick(entry: Entry, count: int, candidates: Candidates) -> tuple[int, ...]:
        chosen = tuple(k for k in entry.chosen(count) if k < len(candidates))
        return chosen or (0,)

    def _candidates(self, entry: Entry, count: int, previous: object) -> Candidates:
        marks = tuple((m.kind, m.x, m.y, m.x1, m.y1, m.label) for m in entry.marks[:count])
        key = (marks, tuple(entry.chosen(n) for n in range(1, count)))
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        prompt = self.view.prompt_from_scene(entry.prompt(count))
        predict, embedding = self.segmenter.predict, self.embedding
        candidates = predict(embedding, prompt, None, previous)
        if not prompt.ambiguous:
            candidates = join_candidates(candidates, predict(embedding, prompt, True, previous))
        self._known[key] = candidates
        if len(self._known) > _MEMORY:
            self._known.popitem(last=False)
        return candidates
