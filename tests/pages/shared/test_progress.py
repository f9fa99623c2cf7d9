"""What runs in the background is shown in one way everywhere."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from rsam_core.runtime.jobs import Job, JobRegistry
from tests.helpers.waiting import PATIENCE


@pytest.fixture
def page() -> AppTest:
    """Two jobs beside each other; `taken` lists the results that the page took over."""

    def script() -> None:
        import streamlit as st

        from pages.parts.shared import progress

        jobs, taken = st.session_state["jobs"], st.session_state["taken"]

        def take() -> None:
            taken.append(jobs.take("first"))

        first = progress.shown(
            jobs, "first", "Looking…", key="stop-first", stop="Stop and keep it", take_over=take
        )
        second = progress.shown(jobs, "second", "Drawing…", key="stop-second", wide=True)
        st.caption(f"{first} {second}")

    at = AppTest.from_function(script, default_timeout=PATIENCE)
    at.session_state["jobs"], at.session_state["taken"] = JobRegistry(), []
    return at


def start(at: AppTest, name: str) -> tuple[Job, threading.Event]:
    """A job at a quarter of its way, which goes on when told to, or stops when asked to."""
    go, there = threading.Event(), threading.Event()

    def run(progress, cancelled):
        progress(0.25, "1 of 4 pieces")
        there.set()
        assert go.wait(PATIENCE)
        return "cut short" if cancelled() else "whole"

    job = at.session_state["jobs"].start(name, run, partial=True)
    assert there.wait(PATIENCE)
    return job, go


def bars(at: AppTest) -> list[tuple[int, str]]:
    assert not at.exception
    return [(bar.proto.value, bar.proto.text) for bar in at.get("progress")]


def test_nothing_is_shown_where_nothing_runs(page: AppTest) -> None:
    page.run()
    assert bars(page) == []
    assert not page.button
    assert page.caption[0].value == "False False"


def test_share_words_and_a_button_until_the_end_and_then_the_result(page: AppTest) -> None:
    job, go = start(page, "first")
    page.run()
    assert bars(page) == [(25, "Looking… 1 of 4 pieces")]
    assert [(b.key, b.label, b.disabled) for b in page.button] == [
        ("stop-first", "Stop and keep it", False)
    ]
    assert page.session_state["taken"] == []
    go.set()
    assert job.wait(PATIENCE)
    page.run()
    assert page.session_state["taken"] == [job]
    assert job.result == "whole"
    assert page.caption[0].value == "False False"
    assert not page.button


def test_stopping_is_said_and_what_was_found_is_taken_over(page: AppTest) -> None:
    job, go = start(page, "first")
    page.run()
    page.button(key="stop-first").click().run()
    assert job.cancelling
    assert [(b.label, b.disabled) for b in page.button] == [("Stopping…", True)]
    go.set()
    assert job.wait(PATIENCE)
    page.run()
    assert page.session_state["taken"] == [job]
    assert job.result == "cut short"


def test_two_jobs_stand_beside_each_other(page: AppTest) -> None:
    first, go_first = start(page, "first")
    second, go_second = start(page, "second")
    page.run()
    assert [text for _, text in bars(page)] == ["Looking… 1 of 4 pieces", "Drawing… 1 of 4 pieces"]
    page.button(key="stop-second").click().run()
    assert (first.cancelling, second.cancelling) == (False, True)
    for job, go in ((first, go_first), (second, go_second)):
        go.set()
        assert job.wait(PATIENCE)
