"""Prompts in a project file: the same after a round trip, refused when damaged."""

from __future__ import annotations

import json

import pytest

from rsam_core.errors import ProjectError
from rsam_core.prompts.history import PromptHistory
from rsam_core.scene.coordinates import Frame
from rsam_core.session.prompt_records import from_records, to_records

VIEW = Frame(100, 0, 300, 200, 150, 100)
BOOK = (
    PromptHistory()
    .add_point(120.5, 30.25, view=VIEW)
    .add_point(130, 40, 0)
    .choose(1, [2, 0])
    .add_box(10, 20, 60, 70)
)


def records() -> list[dict]:
    return json.loads(json.dumps(to_records(BOOK.entries)))


def test_a_round_trip_changes_nothing():
    assert from_records(records(), 400, 300) == BOOK.entries
    assert from_records([], 400, 300) == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda r: r[0].pop("marks"),
        lambda r: r[0].update(marks=[]),
        lambda r: r[0].update(id="one"),
        lambda r: r[0].update(id=0),
        lambda r: r[1].update(id=1),
        lambda r: r[0]["marks"][0].update(x=None),
        lambda r: r[0]["marks"][0].update(x=True),
        lambda r: r[0]["marks"][0].update(x=-1),
        lambda r: r[1]["marks"][0].update(x1=401),
        lambda r: r[1]["marks"][0].update(x1=5),
        lambda r: r[0]["marks"][0].update(kind="lasso"),
        lambda r: r[0]["marks"][0].update(uid=2),
        lambda r: r[0]["marks"][0]["view"].update(width=0),
        lambda r: r[0]["marks"][0]["view"].update(columns=10**9),
        lambda r: r[0].update(choices=[[1, []]]),
        lambda r: r[0].update(choices=[1]),
        lambda r: r.append("object"),
        lambda r: r.append({"id": 9, "marks": 5, "choices": []}),
    ],
)
def test_damaged_records_are_refused(damage):
    broken = records()
    damage(broken)
    with pytest.raises(ProjectError, match="damaged"):
        from_records(broken, 400, 300)
