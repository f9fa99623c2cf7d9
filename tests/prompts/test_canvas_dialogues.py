"""Canvas and program side by side: tests/js/event_queue.test.mjs plays the browser's part."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

import pytest

from rsam_core.prompts.canvas_events import Acknowledged, read_events

DIALOGUES = json.loads(
    (Path(__file__).parents[1] / "data" / "canvas_dialogues.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=[d["name"] for d in DIALOGUES])
def test_the_program_takes_what_the_browser_tells(dialogue: dict):
    known = Acknowledged()
    if "heard" in dialogue:
        known = known.up_to(*dialogue["heard"])
    answers = [known.latest]
    for step in dialogue["steps"]:
        if "report" in step and not step.get("lost"):
            report = {"canvas": "one", "events": step["report"]}
            events, known = read_events(report, known, 400, 300)
            assert [list(astuple(event))[:7] for event in events] == step["taken"]
            answers.append(known.latest)
        if "acknowledge" in step:
            # An answer may be late, but never one that the program did not give.
            assert tuple(step["acknowledge"]) in answers
