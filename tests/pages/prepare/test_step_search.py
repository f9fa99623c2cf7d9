"""Steps are found by the words of people."""

from __future__ import annotations

import pytest

from pages.parts.prepare.steps import ALSO, matching
from rsam_core.prepare import load_steps
from rsam_core.prepare.step import STEPS


@pytest.fixture(autouse=True)
def _steps() -> None:
    load_steps()


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("sharpen", "unsharp-mask"),
        ("Blurry", "unsharp-mask"),
        ("fog", "haze"),
        ("tilt", "straighten"),
        ("salt pepper", "specks"),
        ("colour cast", "white-balance"),
    ],
)
def test_the_step_people_look_for_comes_first(wanted: str, first: str):
    assert matching(wanted)[0].key == first


def test_unknown_words_find_nothing_and_all_names_belong_to_steps():
    assert matching("hovercraft") == []
    assert set(ALSO) <= set(STEPS)
