"""An uploaded project is opened once, and again where the browser interrupted the run."""

from __future__ import annotations

import types

import pytest

from pages.parts.shared import project_panel
from rsam_core.errors import ProjectError


class Interrupted(BaseException):
    """What Streamlit raises in a run that is replaced by another."""


@pytest.mark.parametrize(("ends_by", "marked"), [(ProjectError, 1), (Interrupted, 0)])
def test_only_a_run_that_ended_counts_as_tried(
    monkeypatch: pytest.MonkeyPatch, ends_by: type[BaseException], marked: int
) -> None:
    def load(content: bytes) -> None:
        raise ends_by("A reason.")

    monkeypatch.setattr(project_panel, "load_project", load)
    tried: list[bool] = []
    file = types.SimpleNamespace(getvalue=lambda: b"")
    try:
        project_panel.open_project(file, tried=lambda: tried.append(True))
    except Interrupted:
        assert ends_by is Interrupted
    assert len(tried) == marked


def test_a_project_that_opens_is_marked_before_the_page_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks: list[str] = []
    state = types.SimpleNamespace(image=b"image", scene_name="town.tif", pipeline=None)
    monkeypatch.setattr(project_panel, "load_project", lambda content: state)
    monkeypatch.setattr(project_panel.rsam, "open_scene", lambda image, name: "scene")
    opening = project_panel.opening
    session = types.SimpleNamespace(safekeeping=types.SimpleNamespace())
    monkeypatch.setattr(opening, "from_state", lambda *_, **__: marks.append("made") or session)
    monkeypatch.setattr(opening.current_session, "settings", dict)
    monkeypatch.setattr(opening.current_session, "enter", lambda made: marks.append("entered"))

    def go(page: str) -> None:
        marks.append("left the page")
        raise Interrupted

    monkeypatch.setattr(opening.destination, "go", go)
    file = types.SimpleNamespace(getvalue=lambda: b"")
    with pytest.raises(Interrupted):
        project_panel.open_project(file, tried=lambda: marks.append("tried"))
    assert marks == ["made", "entered", "tried", "left the page"]
