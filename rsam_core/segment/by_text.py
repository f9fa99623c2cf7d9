"""Objects that a model of words finds in a view, for sentences to choose among.

A model that gives outlines is taken at its word; where one gives boxes, the segmenter's model
outlines what is in each. Every object carries the word it was found for as its class, so that the
conditions of a sentence, such as a kind and an area, act on it as on any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.models.hub.text import TextFeatures, TextMatch, TextModel, checked_words
from rsam_core.objects.classify.rules import Condition, Relation, Rule
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything import EverythingSettings, EverythingState
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.words.query import WordsQuery

LOWEST = 0.15
"""Matches of a lower score are not kept, whatever a slider says later."""

_AT_ONCE = 16


def text_settings(**changes: float) -> EverythingSettings:
    """Thresholds that suit the scores of models of words; an area may fill the view."""
    usual = {
        "min_quality": 0.3,
        "min_stability": 0.0,
        "keep_quality": LOWEST,
        "keep_stability": 0.0,
        "max_share": 1.0,
        "min_area": 16.0,
    }
    return EverythingSettings(**{**usual, **changes})


def nouns(query: WordsQuery) -> list[str]:
    """What a model of words should look for, so that a sentence can choose among it.

    The kinds that its conditions speak of, those that others lie near included, and the words
    that were not understood: a model of words may know them.
    """
    found: list[str] = []

    def collect(item: object) -> None:
        if isinstance(item, Condition):
            if item.column == "kind":
                found.append(str(item.value))
        elif isinstance(item, Relation):
            for other in item.others:
                collect(other)
        elif isinstance(item, Rule):
            for part in item.items:
                collect(part)

    collect(query.conditions)
    return list(dict.fromkeys([*found, *query.unknown]))


def find_by_text(
    model: TextModel,
    image: NDArray[np.uint8],
    words: Sequence[str],
    segmenter: Segmenter,
    embedding: Callable[[], Embedding],
    *,
    turn: Callable[[], AbstractContextManager[Any]] = nullcontext,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EverythingState:
    """Find what words name in a view.

    Parameters
    ----------
    model : TextModel
        From `rsam_core.load_model`.
    image : ndarray of uint8, shape (H, W, 3)
        The view, RGB.
    words : sequence of str
        Words or short phrases.
    segmenter : Segmenter
        Outlines boxes, where the model of words gives these.
    embedding : callable
        Gives the view as the segmenter encoded it; asked only if there are boxes.
    turn : callable, optional
        Gives what is held while the model of words computes, such as a slot of a queue.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between words and boxes; True ends the search and keeps what was found.

    Returns
    -------
    EverythingState
        For `rsam_core.segment.everything.generate` with `text_settings`; scores are the model's
        confidence in the word, and each mask's label is the word.

    Raises
    ------
    WordsError
        If there are no words, or too many, or one is too long.
    ModelError
        If the model cannot see the picture.
    """
    wanted = checked_words(words)
    tell = progress or (lambda share, text: None)
    stop = cancelled or (lambda: False)
    tell(0.0, "looking at the view")
    with turn():
        features = model.encode(image)
    matches, asked = _matches(model, features, wanted, turn, tell, stop)
    bare = [match for match in matches if match.crop is None]
    found = [
        (Instance(m.crop.mask, m.crop.x, m.crop.y, m.score, label=m.word), 1.0)
        for m in matches
        if m.crop is not None and m.crop.mask.any()
    ]
    outlined = 0
    if bare and not stop():
        tell(0.6, f"outlining {len(bare)} boxes")
        view = embedding()
        for start in range(0, len(bare), _AT_ONCE):
            if stop():
                break
            some = bare[start : start + _AT_ONCE]
            found += _outlined(segmenter, view, some)
            outlined += len(some)
            tell(0.6 + 0.4 * outlined / len(bare), f"{outlined} of {len(bare)} boxes")
    found.sort(key=lambda pair: -pair[0].score)
    return EverythingState(
        tuple(item for item, _ in found),
        np.array([stable for _, stable in found], np.float32),
        image.shape[:2],
        asked,
        asked == len(wanted) and outlined == len(bare),
    )


def _matches(
    model: TextModel,
    features: TextFeatures,
    words: list[str],
    turn: Callable[[], AbstractContextManager[Any]],
    tell: Callable[[float, str], None],
    stop: Callable[[], bool],
) -> tuple[list[TextMatch], int]:
    """What words name; words together where the model answers them so, else one by one."""
    parts = [[word] for word in words] if model.outlines else [words]
    found: list[TextMatch] = []
    done = 0
    for part in parts:
        if stop():
            break
        tell(0.2 + 0.4 * done / len(words), f"looking for {', '.join(part)}")
        with turn():
            found += model.find(features, part, LOWEST)
        done += len(part)
    return found, done


def _outlined(
    segmenter: Segmenter, embedding: Embedding, matches: list[TextMatch]
) -> list[tuple[Instance, float]]:
    prompts = [Prompt(box=match.box).clipped(embedding.shape) for match in matches]
    answers = segmenter.model.decode_many(embedding.features, prompts, False, quick=True)
    found = []
    for match, answer in zip(matches, answers):
        if len(answer.masks) and answer.masks[0].any():
            item = Instance(answer.masks[0], answer.x, answer.y, match.score, label=match.word)
            found.append((item, float(answer.stability[0])))
    return found
