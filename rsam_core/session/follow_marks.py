"""What a person marks in one frame of a series, and the outline that a model finds there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import FollowError
from rsam_core.objects.crops import Crop, cut_out
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter

_NEAR = 0.35
"""How far beside an outline, as a share of its size, a click still means it."""

Point = tuple[float, float, int]


@dataclass(frozen=True, eq=False)
class Marked:
    """Marks in one frame.

    Attributes
    ----------
    points : tuple of (x, y, label)
        In pixels of the frame; label 1 for the object, 0 for what is not.
    box : tuple of float or None
        x0, y0, x1, y1.
    base : Instance or None
        An outline that was there before, which the marks correct.
    choice : int
        Which of the outlines that a lone click may mean.
    outline : Instance or None
        What the model made of it; None until it was asked, or if it found nothing.
    score : float
    choices : int
        How many outlines there were to choose from.
    asked : bool
        Whether the model was asked.
    restored : bool
        Whether they come from a project: what they corrected is not known any more.
    """

    points: tuple[Point, ...] = ()
    box: tuple[float, float, float, float] | None = None
    base: Instance | None = None
    choice: int = 0
    outline: Instance | None = None
    score: float = 0.0
    choices: int = 1
    asked: bool = False
    restored: bool = False


def with_point(before: Marked | None, outline: Instance | None, point: Point) -> Marked:
    """The marks of a frame with a click more.

    Parameters
    ----------
    before : Marked or None
        The marks so far.
    outline : Instance or None
        The outline that is shown in the frame.
    point : (x, y, label)

    Raises
    ------
    FollowError
        The first click says what is not the object, where nothing is outlined.
    """
    if before is not None:
        if before.restored and before.outline is not None:
            return Marked((point,), base=before.outline)
        return Marked((*before.points, point), before.box, before.base, before.choice)
    if outline is not None and (not point[2] or _near(outline, point)):
        return Marked((point,), base=outline)
    if not point[2]:
        raise FollowError(
            "There is no outline in this frame to take something from. Click the object first, "
            "with “Include”."
        )
    return Marked((point,))


def _near(outline: Instance, point: Point) -> bool:
    x0, y0, x1, y1 = outline.bbox
    wide = _NEAR * max(x1 - x0, y1 - y0)
    return x0 - wide <= point[0] <= x1 + wide and y0 - wide <= point[1] <= y1 + wide


def answered(marked: Marked, segmenter: Segmenter, embedding: Embedding) -> Marked:
    """The marks with what a model makes of them.

    Each further click refines the answer before it.

    Raises
    ------
    PromptError
        A mark lies outside the frame.
    """
    base = None if marked.base is None else _mask_of(marked.base, embedding.shape)
    steps = _steps(marked, base)
    previous: Any = None
    answer, choice = None, 0
    for number, prompt in enumerate(steps):
        answer = segmenter.predict(embedding, prompt, None, previous)
        first = number == 0 and prompt.ambiguous
        choice = marked.choice % len(answer) if first else 0
        previous = answer.refinement[choice]
    assert answer is not None
    return replace(
        marked, outline=answer.instance(choice), score=float(answer.scores[choice]),
        choices=len(answer), asked=True,
    )  # fmt: skip


def _steps(marked: Marked, base: NDArray[np.bool_] | None) -> list[Prompt]:
    """One prompt a click; what stands before the first that names the object goes with it."""
    points = [(x, y) for x, y, _ in marked.points]
    labels = [label for _, _, label in marked.points]
    named = base is not None or marked.box is not None
    start = 1 if named else next((k + 1 for k, v in enumerate(labels) if v), len(labels))
    if not points:
        return [Prompt(box=marked.box, mask=base)]
    return [
        Prompt(points[:count], labels[:count], marked.box, base)
        for count in range(min(start, len(points)), len(points) + 1)
    ]


def _mask_of(item: Instance, shape: tuple[int, int]) -> NDArray[np.bool_]:
    return cut_out(Crop(item.mask, item.x, item.y), (0, 0, shape[1], shape[0]))
