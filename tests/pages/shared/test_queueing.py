"""Waiting for the model on a page: one's place, the refusal, whose turn it is."""

from __future__ import annotations

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session, resources
from pages.parts.shared import model_queue as queueing
from rsam_core.models.queued import QueuedModel
from rsam_core.prompts.history import PromptHistory
from rsam_core.runtime.acting import as_session
from rsam_core.runtime.fair_queue import FairQueue
from rsam_core.segment.embedding import EmbeddingCache
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.pages import click, fine, opened, plain, put, table
from tests.helpers.waiting import PATIENCE, until

ONE = PromptHistory().add_box(20, 10, 60, 40)


@pytest.fixture
def queue(monkeypatch) -> FairQueue:
    fair = FairQueue(waiting=8)
    monkeypatch.setattr(queueing, "_queue", lambda: fair)
    return fair


@pytest.fixture
def fair(model, queue, monkeypatch) -> None:
    """The model behind the pages answers in turns."""

    def segmenter(name: str) -> Segmenter:
        whose = queueing.owner()
        return Segmenter(QueuedModel(model, lambda line: queueing.slot(whose, line)))

    cache = EmbeddingCache()
    monkeypatch.setattr(resources, "segmenter", segmenter)
    monkeypatch.setattr(
        resources,
        "embed",
        lambda image, key: cache.get(key, lambda: segmenter(key[1]).embed(image)),
    )


@pytest.mark.parametrize(
    ("place", "expected"),
    [(1, "**next**"), (2, "**second** in line"), (3, "**third** in line"),
     (9, "**ninth** in line"), (10, "**number 10** in line")],
)  # fmt: skip
def test_places_in_words(place, expected):
    assert expected in queueing.words(place)


def test_alone_nothing_is_said(segment, fair):
    at = segment(book=ONE)
    assert len(table(at)) == 1
    assert not at.toast


def waiting_page() -> None:
    """A page that asks for a turn, and notes what it has said when the turn came."""
    import streamlit as st

    from pages.parts.shared import model_queue as queueing

    said = []
    show = st.toast

    def spy(text, **settings):
        said.append(text)
        st.session_state["said"].set()
        return show(text, **settings)

    st.toast = spy
    try:
        with queueing.slot("me"):
            st.write("in turn: " + " / ".join(said))
    finally:
        st.toast = show


def held(queue: FairQueue, release: threading.Event) -> threading.Thread:
    """A thread that holds the only place until it is told."""
    entered = threading.Event()

    def hold() -> None:
        with queue.slot("somebody else"):
            entered.set()
            release.wait(PATIENCE)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert entered.wait(PATIENCE)
    return thread


def test_place_is_shown_while_waiting_and_taken_down(queue, monkeypatch):
    monkeypatch.setattr(queueing, "SHOWN_AFTER", 0.0)
    release = threading.Event()
    held(queue, release)
    at = AppTest.from_function(waiting_page, default_timeout=PATIENCE)
    # The other one goes as soon as something is said.
    at.session_state["said"] = release
    at.run()
    assert not at.exception
    assert [m.value for m in at.markdown] == [
        "in turn: Others use the model at the moment. You are **next**."
    ]
    # When the turn has come the note says so, and goes by itself.
    assert [toast.value for toast in at.toast] == ["It is your turn."]
    assert at.toast[0].proto.duration == 1
    assert (queue.running, len(queue)) == (0, 0)


def test_short_waits_are_not_worth_a_word(queue, monkeypatch):
    assert 0.5 <= queueing.SHOWN_AFTER <= 5
    # Whatever a busy machine makes of a moment.
    monkeypatch.setattr(queueing, "SHOWN_AFTER", PATIENCE)
    release = threading.Event()
    held(queue, release)
    at = AppTest.from_function(waiting_page, default_timeout=PATIENCE)
    at.session_state["said"] = threading.Event()

    def go() -> None:
        until(lambda: len(queue) == 1)
        time.sleep(0.2)
        release.set()

    threading.Thread(target=go, daemon=True).start()
    at.run()
    assert [m.value for m in at.markdown] == ["in turn:"]
    assert not at.session_state["said"].is_set()


def test_full_queue_when_the_image_is_opened_offers_another_try(app, fair, queue):
    release = threading.Event()
    queue.waiting = 0
    thread = held(queue, release)
    put(app, current_session.load(plain(), "plain.png"))
    app.run()
    app.switch_page("pages/screens/segment.py").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "0 steps are waiting for the model already, as many as this computer takes. "
        "Your work is kept: wait half a minute, then try again."
    ]
    release.set()
    thread.join(PATIENCE)
    click(app, "Try again")
    assert not app.error
    assert app.segmented_control


def test_full_queue_at_a_click_keeps_the_click(segment, fair, queue):
    at = segment()
    release = threading.Event()
    queue.waiting = 0
    thread = held(queue, release)
    opened(at).update(lambda book: ONE)
    at.run()
    fine(at)
    assert len(table(at)) == 0
    assert any("Your click is kept" in item.value for item in [*at.warning, *at.caption])
    release.set()
    thread.join(PATIENCE)
    at.run()
    fine(at)
    assert len(table(at)) == 1


def test_what_belongs_together_is_one_turn(queue):
    order = []
    with queueing.hold_slot():
        assert queue.running == 0
        with queueing.slot("me"):
            order.append("first")
        other = threading.Thread(target=_take_turn, args=(queue, order))
        other.start()
        until(lambda: len(queue) == 1)
        with queueing.hold_slot(), queueing.slot("me"):
            order.append("second")
        # What another thread may have to do first is not waited for with a turn in hand.
        queueing.release_slot()
        other.join(PATIENCE)
        with queueing.slot("me"):
            order.append("third")
        assert queue.running == 1
    assert queue.running == 0
    assert order == ["first", "second", "other", "third"]


def test_error_ends_what_belongs_together(queue):
    with pytest.raises(ZeroDivisionError), queueing.hold_slot(), queueing.slot("me"):
        raise ZeroDivisionError
    assert queue.running == 0
    with queueing.slot("me"):
        assert queue.running == 1
    assert queue.running == 0


def _take_turn(queue: FairQueue, order: list[str]) -> None:
    with queue.slot("other"):
        order.append("other")


def test_long_jobs_let_pages_go_ahead(queue):
    order, release = [], threading.Event()
    held(queue, release)

    def job(name: str) -> None:
        with queueing.slot(name):
            order.append(name)

    long = threading.Thread(target=job, args=("long job",))
    long.start()
    until(lambda: len(queue) == 1)

    def awaited() -> None:
        with as_session("somebody", awaited=True):
            job("awaited")

    soon = threading.Thread(target=awaited)
    soon.start()
    until(lambda: len(queue) == 2)
    release.set()
    for thread in (long, soon):
        thread.join(PATIENCE)
    assert order == ["awaited", "long job"]


def test_long_jobs_give_way_while_a_page_is_drawn(queue, monkeypatch):
    heard, pauses = [], []
    monkeypatch.setattr(queueing.courtesy, "give_way", pauses.append)

    def job(**errand: bool) -> None:
        with as_session("somebody", **errand):
            for _ in range(2):
                with queueing.slot("job") as wanted:
                    heard.append(wanted())
                    # Until the clock has gone on, however coarse it is.
                    began = time.monotonic()
                    while time.monotonic() == began:
                        pass

    def work(**errand: bool) -> None:
        thread = threading.Thread(target=job, kwargs=errand)
        thread.start()
        thread.join(10)

    work()
    assert heard == [False, False]
    # No longer than a few times what it has worked since.
    assert pauses[0] == 0
    assert pauses[1] > 0
    with queueing.courtesy.answering():
        work()
        assert heard[2:] == [True, True]
        # Whoever is waited for does not.
        pauses.clear()
        work(awaited=True)
    assert heard[4:] == [False, False]
    assert pauses == []


def test_job_works_for_the_session_that_started_it():
    names = []

    def page() -> None:
        import streamlit as st

        from pages.parts.shared import current_session
        from pages.parts.shared import model_queue as queueing

        def work(progress, cancelled) -> None:
            st.names.append(queueing.owner())

        current_session.visit().jobs.start("any", work).wait(120)
        st.names.append(queueing.owner())

    import streamlit as st

    st.names = names
    try:
        at = AppTest.from_function(page, default_timeout=PATIENCE).run()
    finally:
        del st.names
    assert not at.exception
    assert len(names) == 2
    assert names[0] == names[1] is not None
    assert queueing.owner() is None
