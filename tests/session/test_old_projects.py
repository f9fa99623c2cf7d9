"""Projects and autosaves of the first format, saved before the session was redrawn, still open.

``town.rsam.zip`` holds a rendered town of 176 × 128 pixels with its preparation, three boxes, a
point that was refined, automatic objects, a removed one, a reshaped one, a painted one, and two
classes; ``town.json`` says what was on the screen when it was saved. The autosave is the same
without the image.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session import autosave
from rsam_core.session.project import ProjectState, load_project
from rsam_core.session.project_state import from_state
from tests.helpers.models import FakeModel

FOLDER = Path(__file__).parents[1] / "data" / "projects"
EXPECTED = json.loads((FOLDER / "town.json").read_text())


def never(prompt, multimask):
    raise AssertionError("what was saved needs no model")


def kept(tmp_path: Path) -> ProjectState:
    """The autosave, found as the app finds it."""
    for file in FOLDER.glob("*-*.rsam.zip"):
        shutil.copy(file, tmp_path)
    (entry,) = autosave.entries(tmp_path)
    assert entry.time.isoformat() == "2026-01-05T12:00:00+00:00"
    return autosave.load(entry)


@pytest.mark.parametrize("kind", ["project", "autosave"])
def test_everything_that_was_saved_is_there(kind, tmp_path):
    project = load_project((FOLDER / "town.rsam.zip").read_bytes())
    scene = rsam.open_scene(project.image, name=project.scene_name)
    state = project if kind == "project" else kept(tmp_path)
    assert (state.image is None) == (kind == "autosave")
    assert state.scene_hash == scene.content_hash
    work = from_state(replace(state, image=None), scene)
    segmenter = Segmenter(FakeModel(never))
    work.answers.use(Prompter(segmenter, segmenter.embed, work.image.overview))
    shown = work.shown()
    objects, problems = shown.objects, shown.problems
    facts = [
        [i.id, *i.bbox, i.area, i.label, round(float(i.score), 4), i.source]
        for i in sorted(objects, key=lambda item: item.id)
    ]
    assert problems == {}
    assert facts == EXPECTED["objects"]
    assert work.marks.book.next_id == EXPECTED["next_id"]
    assert work.marks.book.current == EXPECTED["current"]
    assert [[e.id, len(e.marks)] for e in work.marks.book.entries] == EXPECTED["entries"]
    assert work.marks.classes.to_json() == EXPECTED["classes"]
    assert json.loads(work.image.pipeline.to_json()) == EXPECTED["pipeline"]
    assert (work.image.scene.gsd, work.image.scene.crs) == (EXPECTED["gsd"], EXPECTED["crs"])
    assert np.allclose(work.image.shown.mean((0, 1)), EXPECTED["picture"], atol=0.5)
