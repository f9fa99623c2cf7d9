"""Objects found by words, with models whose answers are known."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from rsam_core.errors import WordsError
from rsam_core.models.hub.text import TextFeatures, TextMatch
from rsam_core.objects.crops import Crop
from rsam_core.segment.by_text import find_by_text, nouns, text_settings
from rsam_core.segment.everything import generate
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.words.query import words as understood
from tests.helpers.models import FakeModel, rectangle

SHAPE = (60, 80)
IMAGE = np.zeros((*SHAPE, 3), np.uint8)


class FakeWords:
    """Finds two houses of different size and confidence, and a lake that fills half the view."""

    name = "fake-words"

    def __init__(self, outlines: bool) -> None:
        self.outlines = outlines
        self.asked: list[tuple[list[str], float]] = []

    def encode(self, image):
        return TextFeatures(None, image.shape[:2], 0)

    def find(self, features, words, lowest=0.3):
        self.asked.append((list(words), lowest))
        known = {
            "building": [(0.9, (10, 10, 30, 20)), (0.2, (40, 10, 44, 15)), (0.5, (11, 10, 30, 20))],
            "water": [(0.7, (0, 30, 80, 60))],
        }
        found = []
        for word in words:
            for score, (x0, y0, x1, y1) in known.get(word, []):
                crop = Crop(np.ones((y1 - y0, x1 - x0), bool), x0, y0) if self.outlines else None
                found.append(TextMatch(word, score, np.array([x0, y0, x1, y1], float), crop))
        return sorted(found, key=lambda match: -match.score)


def in_box(prompt, multimask):
    x0, y0, x1, y1 = np.rint(prompt.box).astype(int)
    return [rectangle(SHAPE, x0, y0, x1, y1)], [0.6]


@pytest.fixture
def segmenter() -> Segmenter:
    return Segmenter(FakeModel(in_box))


def search(model, segmenter, words, **more):
    return find_by_text(model, IMAGE, words, segmenter, lambda: segmenter.embed(IMAGE), **more)


@pytest.mark.parametrize("outlines", [True, False])
def test_each_object_has_its_word_as_class_and_the_models_confidence(segmenter, outlines):
    state = search(FakeWords(outlines), segmenter, ["building", "water"])
    assert state.complete
    assert [(i.label, i.score) for i in state.masks] == [
        ("building", 0.9),
        ("water", 0.7),
        ("building", 0.5),
        ("building", 0.2),
    ]
    chosen = generate(state, text_settings())
    # The weak one is below the threshold, the second of two alike is dropped, the lake stays.
    assert [(i.label, i.bbox) for i in chosen] == [
        ("building", (10, 10, 30, 20)),
        ("water", (0, 30, 80, 60)),
    ]
    assert len(generate(state, text_settings(min_quality=0.15))) == 3


def test_outlines_need_no_other_model(segmenter):
    def never():
        raise AssertionError("nothing to outline")

    state = find_by_text(FakeWords(True), IMAGE, ["building"], segmenter, never)
    assert len(state.masks) == 3
    assert segmenter.model.calls == []


def test_sentences_choose_among_what_was_found(segmenter):
    found = generate(search(FakeWords(True), segmenter, ["building", "water"]), text_settings())
    assert [i.label for i in understood("buildings").select(found)] == ["building"]
    large = understood("objects over 1000 pixels").select(found)
    assert [i.label for i in large] == ["water"]


def test_progress_and_turns(segmenter):
    told, turns = [], []

    @contextmanager
    def turn():
        turns.append("in")
        yield

    model = FakeWords(True)
    control = {"progress": lambda share, text: told.append((share, text)), "turn": turn}
    search(model, segmenter, ["building", "water"], **control)
    assert [words for words, _ in model.asked] == [["building"], ["water"]]
    assert len(turns) == 3
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert told[1][1] == "looking for building"


def test_stopping_keeps_what_was_found(segmenter):
    model = FakeWords(True)
    state = search(model, segmenter, ["building", "water"], cancelled=lambda: len(model.asked) >= 1)
    assert not state.complete
    assert {i.label for i in state.masks} == {"building"}


def test_no_words(segmenter):
    with pytest.raises(WordsError, match="Say what to look for"):
        search(FakeWords(True), segmenter, [" "])


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("large buildings near water, not next to a road", {"building", "water", "road"}),
        ("red cars", {"car"}),
        ("heliport near buildings", {"building", "heliport"}),
        ("objects over 200 m²", set()),
    ],
)
def test_what_a_sentence_speaks_of(sentence, expected):
    assert set(nouns(understood(sentence))) == expected


def test_a_word_that_was_not_known_becomes_one(segmenter):
    model = FakeWords(True)
    model.find = lambda features, words, lowest: [
        TextMatch(w, 0.8, np.zeros(4), Crop(np.ones((9, 9), bool), 5, 5)) for w in words
    ]
    query = understood("large heliport")
    assert "heliport" in query.unknown
    found = generate(search(model, segmenter, nouns(query)), text_settings())
    again = understood("large heliport", classes=[i.label for i in found])
    assert not again.unknown
    assert again.conditions is not None
