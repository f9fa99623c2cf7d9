"""The words study, with a model that finds known rectangles."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rsam_core.errors import Cancelled, EvaluationError
from rsam_core.evaluate.datasets import Sample
from rsam_core.evaluate.studies import STUDIES, WordsSettings, words_study
from rsam_core.models.base import PromptableModel
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instances import Instances
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, rectangle

SHAPE = (96, 160)
BOXES = ((8, 8, 24, 24), (40, 8, 56, 24), (72, 8, 88, 24), (8, 40, 72, 88), (88, 40, 152, 88))
"""Three small red squares, two large blue rectangles."""


def sample() -> Sample:
    labels = np.zeros(SHAPE, np.int32)
    image = np.full((*SHAPE, 3), 140, np.uint8)
    for k, (x0, y0, x1, y1) in enumerate(BOXES, start=1):
        labels[y0:y1, x0:x1] = k
        image[y0:y1, x0:x1] = (190, 60, 50) if k < 4 else (60, 80, 170)
    return Sample("a", image, Instances.from_label_map(labels))


class Knower(PromptableModel):
    """Answers with the rectangle under a click, in pixels of any size; nothing elsewhere."""

    name = "rsam-tiny"

    def encode(self, image):
        return type("Features", (), {"nbytes": 1, "shape": image.shape[:2]})()

    def decode(self, features, prompt, multimask, previous=None):
        scale = SHAPE[0] / features.shape[0]
        x, y = (
            prompt.points[-1]
            if prompt.box is None
            else ((prompt.box[0] + prompt.box[2]) / 2, (prompt.box[1] + prompt.box[3]) / 2)
        )
        for x0, y0, x1, y1 in BOXES:
            if x0 <= x * scale < x1 and y0 <= y * scale < y1:
                mask = rectangle(features.shape, *(int(v / scale) for v in (x0, y0, x1, y1)))
                return self._told(mask, 0.9, prompt, multimask)
        return self._told(rectangle(features.shape, 0, 0, 2, 2), 0.1, prompt, multimask)

    def _told(self, mask, score, prompt, multimask):
        return FakeModel(lambda p, m: ([mask], [score])).decode(None, prompt, multimask)


def value(result, condition, prompt, column):
    table = result.table
    return table[(table["condition"] == condition) & (table["prompt"] == prompt)][column].item()


def run(**settings):
    options = WordsSettings(**({"factors": (1, 2), "spacing": 8.0} | settings))
    return words_study(sample(), Segmenter(Knower()), options)


def test_a_model_that_finds_everything_makes_words_perfect():
    result = run(sentences=("red objects", "objects over 2000 pixels"), factors=(1,))
    for way in ("words", "box", "1 point"):
        assert value(result, 1, way, "f1") == 1, way
        assert value(result, 1, way, "mean") == 1, way
    assert set(result.table["prompt"]) == {"words", "box", "1 point", "one example"}
    assert len(result.rows.query("prompt == 'words'")) == 5
    assert "“red objects”" in result.method
    assert "words F1 1.00" in result.answer


def test_resolution_is_a_condition_and_a_size_in_pixels_then_means_something_else():
    result = run(sentences=("objects over 2000 pixels",))
    assert value(result, 1, "words", "f1") == 1
    # The large ones have 3,072 pixels, of twice the size only 768.
    assert value(result, 2, "words", "recall") == 0
    assert value(result, 2, "box", "f1") == 1
    assert "words loses most" in result.answer
    json.dumps(result.to_dict(), default=float)
    assert result.figure().axes[0].has_data()


def test_without_sentences_it_asks_for_sizes_shapes_and_frequent_colours():
    result = run(factors=(1,))
    assert "“red objects”" in result.method
    assert "“blue objects”" in result.method
    assert "“green objects”" not in result.method
    assert result.table.equals(run(factors=(1,)).table)


def test_classes_are_asked_for_where_kinds_can_be_told():
    labelled = sample()
    items = [
        type(item)(item.mask, item.x, item.y, 1, item.id, "truth", "car" if item.id < 4 else "pool")
        for item in labelled.truth
    ]
    named = Sample("a", labelled.image, Instances(items, SHAPE))

    def guess(segmenter, embedding, objects):
        shares = np.zeros((len(objects), len(KINDS)))
        shares[objects.areas < 1000, KINDS.index("car")] = 1
        shares[objects.areas >= 1000, KINDS.index("pool")] = 1
        return shares

    options = WordsSettings(factors=(1,), spacing=8.0)
    result = words_study(named, Segmenter(Knower()), options, guesser=guess)
    cars = result.rows[result.rows["object"].str.startswith("car:")]
    assert len(cars.query("prompt == 'words'")) == 3
    assert (cars.query("prompt == 'words'")["iou"] == 1).all()
    without = words_study(named, Segmenter(Knower()), options)
    assert not without.rows["object"].str.startswith("car:").any()


def test_what_makes_no_sense_is_refused_and_it_stops():
    with pytest.raises(EvaluationError, match="heliport"):
        WordsSettings(sentences=("heliport",))
    with pytest.raises(EvaluationError, match="factors"):
        WordsSettings(factors=(0.5,))
    with pytest.raises(EvaluationError, match="No sentence means"):
        run(sentences=("objects over 90000 pixels",))
    with pytest.raises(Cancelled):
        words_study(sample(), Segmenter(Knower()), cancelled=lambda: True)
    assert STUDIES["words"].run is words_study
