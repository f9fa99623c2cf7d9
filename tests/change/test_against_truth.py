"""Figures against a drawn truth, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rsam_core.change import ArrayPicture
from rsam_core.change.against_truth import TrueChanges, against_truth, judgement_table
from rsam_core.change.metrics import TrueChange
from rsam_core.errors import MetricError
from rsam_core.objects.crops import Crop
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples import render_pair
from tests.helpers.dates import SHAPE, compared, house, pictures


@pytest.fixture
def found():
    first, second = pictures()
    return compared(ArrayPicture(first, gsd=0.5), ArrayPicture(second, gsd=0.5))


def crop(item: Instance) -> Crop:
    return Crop(item.mask, item.x, item.y)


def test_figures_by_hand(found):
    missed = Crop(np.ones((20, 20), bool), 120, 60)
    truth = TrueChanges.of_objects(
        Instances([house("gone", 0), house("new", 1), Instance(missed.mask, 120, 60)], SHAPE),
        "drawn",
    )
    assert not truth.kinds
    got = against_truth(found, truth)
    # Found: 600 gone, 576 new, and the 320 that the third house grew by, which the truth lacks.
    tp, fp, fn = 600 + 576, 16 * 20, 400
    assert got.pixels["precision"].value == pytest.approx(tp / (tp + fp))
    assert got.pixels["recall"].value == pytest.approx(tp / (tp + fn))
    assert got.pixels["f1"].low <= got.pixels["f1"].value <= got.pixels["f1"].high
    assert got.objects["precision"].value == pytest.approx(2 / 3)
    assert got.objects["recall"].value == pytest.approx(2 / 3)
    # One false find on 160 × 200 pixels of 0.25 m².
    assert got.alarms == pytest.approx(1 / (160 * 200 * 0.25 / 1e6))
    table = judgement_table({"ours": got})
    assert table["Recall (objects)"][0].startswith("0.67 [")


def test_kinds_and_what_is_not_judged(found):
    ends = (
        TrueChange("gone", (crop(house("gone", 0)),)),
        TrueChange("changed inside", (crop(house("new", 1)),)),
    )
    ignored = np.zeros(SHAPE, bool)
    ignored[95:140, 25:55] = True
    truth = TrueChanges("drawn", np.zeros(SHAPE, bool), ends, ignored)
    got = against_truth(found, truth)
    assert truth.kinds
    assert (got.kinds["gone"].tp, got.kinds["gone"].fp) == (1, 0)
    # The right place with the wrong verdict is missing for its kind.
    assert (got.kinds["changed inside"].tp, got.kinds["changed inside"].fn) == (0, 1)
    assert got.objects["precision"].value == 1.0
    none = against_truth(replace(found, changes=()), truth)
    assert none.objects["recall"].value == 0.0


def test_a_truth_of_another_size_is_refused(found):
    with pytest.raises(MetricError, match="200 × 160"):
        against_truth(found, TrueChanges("x", np.zeros((5, 5), bool), ()))


def test_truth_of_a_rendered_pair():
    pair = render_pair(4, ("built", "demolished", "cars"), width=160, height=128)
    truth = TrueChanges.of_sample(pair)
    assert {t.kind for t in truth.objects} <= {"new", "gone"}
    assert len(truth.objects) == sum(r.kind != "cars" for r in pair.records)
    assert not (truth.changed & ~pair.changed()).any()
