"""A comparison as plain data: it comes back whole, and damage is told."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from rsam_core.change import ArrayPicture
from rsam_core.change.radiometry import ToneCurve
from rsam_core.change.records import comparison_of, comparison_record
from rsam_core.errors import ChangeError
from tests.helpers.dates import compared, pictures


@pytest.fixture
def dates() -> tuple[ArrayPicture, ArrayPicture]:
    first, second = pictures()
    return ArrayPicture(first, "a 2016"), ArrayPicture(second, "b 2020")


def test_a_comparison_comes_back_with_its_threshold(dates):
    made = compared(*dates)
    clouds = np.zeros((40, 50), bool)
    clouds[:7, :9] = True
    table = np.stack([np.arange(256)[::-1]] * 3, 1).astype(np.uint8)
    alignment = replace(
        made.alignment, shift=(1.5, -2.0), residual_px=0.4, model="shift", notes=("a note",),
        tone=ToneCurve(table), _clouds=clouds,
    )  # fmt: skip
    made = replace(made, alignment=alignment)
    record, outlines = comparison_record(made)
    back = comparison_of(json.loads(json.dumps(record, allow_nan=False)), outlines, *dates)
    assert [(c.change, c.outline.bbox) for c in back.changes] == [
        (c.change, c.outline.bbox) for c in made.changes
    ]
    assert {c.change for c in back.changes} == {"new", "gone", "enlarged", "unchanged"}
    for one, other in zip(back.alignment.read(), alignment.read()):
        assert np.array_equal(one, other)
    assert (back.alignment.shift, back.alignment.notes) == ((1.5, -2.0), ("a note",))
    # What did not count is there as well, so that the threshold can be moved.
    assert [c.change for c in back.with_threshold(0.92).changes].count("gone") == 0
    assert np.isnan(
        comparison_of(*comparison_record(compared(*dates)), *dates).alignment.residual_px
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: r.pop("rows"),
        lambda r: r["rows"][0].__setitem__(0, 99),
        lambda r: r["rows"][0].__setitem__(2, [2.0, 0, 0, 0]),
        lambda r: r["growths"][0].__setitem__(0, -1),
        lambda r: r["growths"][0].__setitem__(2, 7),
        lambda r: r["alignment"].__setitem__("after", [[1, 0], [0, 1]]),
        lambda r: r["alignment"].__setitem__("tone", "eJw="),
        lambda r: r["alignment"].__setitem__("clouds", {"shape": [9999, 9999], "bits": ""}),
        lambda r: r["settings"].__setitem__("align", {"nonsense": 1}),
        lambda r: r.__setitem__("settings", {**r["settings"], "smallest": "many"}),
    ],
)
def test_damage_is_told(dates, spoil):
    record, outlines = comparison_record(compared(*dates))
    record = copy.deepcopy(record)
    spoil(record)
    with pytest.raises(ChangeError, match="damaged"):
        comparison_of(record, outlines, *dates)


def test_pictures_of_another_size_are_refused(dates):
    record, outlines = comparison_record(compared(*dates))
    first = ArrayPicture(dates[0].image[:100], "a")
    with pytest.raises(ChangeError, match="another size"):
        comparison_of(record, outlines, first, dates[1])
