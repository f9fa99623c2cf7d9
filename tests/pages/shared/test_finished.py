"""What ends while one looks at something else says so, once."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session, finished
from pages.parts.shared.menu import SCREENS
from rsam_core.session import evaluation, learning, one_shot, refining, search
from tests.helpers.pages import plain
from tests.helpers.waiting import PATIENCE


@pytest.fixture
def page() -> AppTest:
    def script() -> None:
        import streamlit as st

        from pages.parts.shared import current_session, finished

        if "session" in st.session_state and current_session.current() is None:
            current_session.enter(st.session_state["session"])
        finished.watch(st.session_state.get("shown", "Segment"))

    at = AppTest.from_function(script, default_timeout=PATIENCE)
    at.session_state["session"] = current_session.load(plain(), "plain.png")
    return at


def start(at: AppTest, name: str, error: Exception | None = None):
    go = threading.Event()

    def run(progress, cancelled):
        assert go.wait(PATIENCE)
        if error is not None:
            raise error
        return 1

    return at.session_state["session"].jobs.start(name, run), go


def ended(job, go: threading.Event) -> None:
    go.set()
    assert job.wait(PATIENCE)


def toasts(at: AppTest) -> list[str]:
    assert not at.exception
    return [toast.value for toast in at.toast]


@pytest.mark.parametrize(
    ("name", "shown", "mode", "told"),
    [
        (search.JOB, "Segment", "Points", True),
        (search.JOB, "Segment", "Everything", False),
        (search.JOB, "Objects", "Everything", True),
        (one_shot.HERE, "One-shot", "Points", False),
        (one_shot.HERE, "Home", "Points", True),
        (one_shot.OTHERS, "Models", "Points", True),
    ],
)
def test_told_where_it_is_not_shown(page, name: str, shown: str, mode: str, told: bool) -> None:
    page.session_state["shown"], page.session_state["mode"] = shown, mode
    job, go = start(page, name)
    assert toasts(page.run()) == []
    ended(job, go)
    said = toasts(page.run())
    assert len(said) == told
    assert all("has finished" in text for text in said)
    assert toasts(page.run()) == [], "once"


@pytest.mark.parametrize("name", [evaluation.IMAGE, evaluation.STUDY, learning.JOB, refining.JOB])
def test_long_work_of_other_pages_is_told(page: AppTest, name: str) -> None:
    page.session_state["shown"] = "Segment"
    job, go = start(page, name)
    page.run()
    ended(job, go)
    assert ["has finished. See the" in text for text in toasts(page.run())] == [True]


def test_the_evaluation_of_a_data_set_is_told_without_an_image(page: AppTest) -> None:
    del page.session_state["session"]
    page.session_state["shown"] = "Home"
    page.run()
    go = threading.Event()
    jobs = page.session_state["visit"].jobs
    job = jobs.start(evaluation.DATASET, lambda progress, cancelled: go.wait(PATIENCE))
    page.run()
    ended(job, go)
    assert ["evaluation of a data set" in text for text in toasts(page.run())] == [True]


def test_a_failure_is_told_too(page: AppTest) -> None:
    page.session_state["shown"] = "Home"
    job, go = start(page, one_shot.HERE, ValueError("x"))
    page.run()
    ended(job, go)
    assert ["failed" in text for text in toasts(page.run())] == [True]


def test_every_page_named_is_a_page() -> None:
    titles = {title for title, _ in SCREENS.values()}
    assert {work.page for work in finished.WORKS} <= titles
