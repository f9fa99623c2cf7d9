"""Canvas and program mean the same keys: types.js and canvas_events.py side by side."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NotRequired, get_origin, get_type_hints

import pytest

from rsam_core.prompts import canvas_events

TYPES = Path(__file__).parents[2] / "pages/parts/shared/canvas/component/types.js"

MIRRORS = {
    "Layer": canvas_events.LayerMessage,
    "Outlines": canvas_events.OutlinesMessage,
    "Proposed": canvas_events.ProposedMessage,
    "Mark": canvas_events.MarkMessage,
    "Place": canvas_events.PlaceMessage,
    "Data": canvas_events.CanvasData,
    "CanvasEvent": canvas_events.EventMessage,
    "Viewport": canvas_events.ViewportMessage,
    "Report": canvas_events.ReportMessage,
}


def documented() -> dict[str, dict[str, bool]]:
    """Keys of each type in types.js, and whether each must be there."""
    found = {}
    for block in re.findall(r"/\*\*(.*?)\*/", TYPES.read_text(encoding="utf-8"), re.DOTALL):
        if name := re.search(r"@typedef \{object\} (\w+)", block):
            keys = re.findall(r"@property \{.*\} (\[?)(\w+)\]?", block)
            found[name[1]] = {key: not optional for optional, key in keys}
    return found


def test_each_type_has_its_mirror():
    assert documented().keys() == MIRRORS.keys()


@pytest.mark.parametrize("name", MIRRORS)
def test_both_sides_have_the_same_keys(name: str):
    hints = get_type_hints(MIRRORS[name], include_extras=True)
    ours = {key: get_origin(hint) is not NotRequired for key, hint in hints.items()}
    assert ours == documented()[name]
