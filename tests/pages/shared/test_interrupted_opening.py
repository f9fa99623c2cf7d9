"""Whatever the browser asks meanwhile: a file that was given is opened, or said to be no image."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException

from pages.parts.follow import opening_series
from pages.parts.shared import banner, current_session, gallery, opening, project_panel
from rsam_core.errors import SceneError
from rsam_core.runtime.jobs import JobRegistry
from rsam_core.session.following import follow_state
from rsam_core.session.series_source import Series, series_of_files
from rsam_core.session.session import Session
from tests.helpers.boxes import plain
from tests.helpers.session import fresh
from tests.helpers.waiting import PATIENCE
from tests.session.test_following import FILES

LOOKS = range(30)
"""The look at the page's state at which the browser wants the next run."""


class State(MutableMapping):
    """What a page keeps; one look at it, as with Streamlit, ends the run."""

    def __init__(self, interrupted: int) -> None:
        self.kept: dict = {}
        self.left = interrupted

    def _look(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise RerunException(RerunData())

    def __getitem__(self, key):
        self._look()
        return self.kept[key]

    def __setitem__(self, key, value):
        self._look()
        self.kept[key] = value

    def __delitem__(self, key):
        self._look()
        del self.kept[key]

    def __iter__(self):
        return iter(self.kept)

    def __len__(self):
        return len(self.kept)


@pytest.fixture
def state(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> State:
    """The state of a page whose first run is interrupted at that look."""
    made = State(request.param)

    def switch_page(page: str) -> None:
        raise RerunException(RerunData(page_name=page))

    monkeypatch.setattr(st, "session_state", made)
    monkeypatch.setattr(st, "switch_page", switch_page)
    monkeypatch.setattr(st, "error", lambda *args, **settings: None)
    return made


def runs(state: State, page: Callable[[], object]) -> None:
    """Run a page, which is interrupted once, and again."""
    for _ in range(3):
        with suppress(RerunException):
            page()
    state.left = 0


@pytest.mark.parametrize("state", LOOKS, indirect=True)
@pytest.mark.parametrize("good", [True, False])
def test_an_image(state: State, good: bool) -> None:
    def page() -> None:
        if "tried" not in state.kept:
            gallery.open_and_go(
                plain() if good else b"Bring the ladder.", "notes.png",
                tried=lambda: state.update(tried=True),
            )  # fmt: skip

    runs(state, page)
    assert state.kept["tried"]
    if good:
        assert current_session.current().image.scene.name == "notes.png"
        assert state.kept["destination"] == gallery.SEGMENT
    else:
        assert "not an image" in banner.standing()["open-image"]


@pytest.mark.parametrize("state", LOOKS, indirect=True)
def test_a_project_that_is_none(state: State) -> None:
    def page() -> None:
        if "tried" not in state.kept:
            file = SimpleNamespace(getvalue=lambda: b"Bring the ladder.")
            project_panel.open_project(file, tried=lambda: state.update(tried=True))

    runs(state, page)
    assert "project" in banner.standing()[opening.ACTION]


@pytest.mark.parametrize("state", LOOKS, indirect=True)
@pytest.mark.parametrize("good", [True, False])
def test_a_project_that_was_opened_in_the_background(state: State, good: bool) -> None:
    session, jobs = fresh(), JobRegistry()

    def run(progress, cancelled) -> tuple[Session, opening.GoingOn | None]:
        if not good:
            raise SceneError("It is damaged.")
        return session, opening.GoingOn(Path("nowhere"), "a work", note="One save was damaged.")

    assert jobs.start(opening.JOB, run).wait(PATIENCE)
    left, state.left = state.left, 0
    current_session.visit().jobs = jobs
    state.left = left

    runs(state, lambda: jobs.get(opening.JOB) and opening.watch())
    if good:
        assert current_session.current() is session
    else:
        assert "It is damaged" in banner.standing()[opening.ACTION]


@pytest.mark.parametrize("state", LOOKS, indirect=True)
@pytest.mark.parametrize("good", [True, False])
def test_a_series_that_was_opened_in_the_background(state: State, good: bool) -> None:
    jobs = JobRegistry()

    def run(progress, cancelled) -> tuple[Session | None, Series]:
        if not good:
            raise SceneError("It is damaged.")
        return None, series_of_files(FILES)

    assert jobs.start(opening_series.JOB, run).wait(PATIENCE)
    left, state.left = state.left, 0
    current_session.visit().jobs = jobs
    state.left = left

    runs(state, lambda: jobs.get(opening_series.JOB) and opening_series.running(None))
    if good:
        assert len(follow_state(current_session.current()).frames) == len(FILES)
        assert state.kept["destination"] == opening_series.PAGE
    else:
        assert "It is damaged" in banner.standing()[opening_series.ACTION]
