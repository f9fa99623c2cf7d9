"""Script in names does nothing in any report, and the names are there to read.

What each name does in each part of a report is tried in ``tests/render/test_html.py``; here a few
of them stand in every text of whole reports.
"""

from __future__ import annotations

import pytest

from tests.helpers.hostile_names import found_in, shown
from tests.helpers.reports import PAGES

NAMES = ("'\"><script>alert(1)</script>", "w" * 5000, "a\u202egpj.exe $\\frac{ $ \u200f")

# So many places at least show the name. Session: title, heading, line below, legend, classes,
# settings (2), header, label and a further column of three objects. Scene: title, heading,
# methods, two notes, settings (2). Evaluation: those of its texts, and of ten tables.
PLACES = {"session": 14, "scene": 7, "evaluation": 45}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("report", PAGES)
def test_a_name_is_text_in_every_place_of_a_report(report: str, name: str) -> None:
    tags = found_in(PAGES[report](name))
    assert tags.text.count(shown(name)) >= PLACES[report]
