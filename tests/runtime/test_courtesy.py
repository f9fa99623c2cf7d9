"""Long loops pause while a click is answered, and go on afterwards."""

from __future__ import annotations

import threading
import time

import pytest

from rsam_core.runtime import courtesy
from rsam_core.runtime.courtesy import answering, courteous, give_way

SOON = 60.0
"""Seconds after which a thread that should have ended is taken for stuck."""


class Loop(threading.Thread):
    """Walks through twenty numbers, looking up after the tenth."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: list[int] = []
        self.reached, self.done = threading.Event(), threading.Event()

    def run(self) -> None:
        for item in courteous(range(20), every=10):
            self.seen.append(item)
            if item == 9:
                self.reached.set()
        self.done.set()


@pytest.fixture
def patient(monkeypatch) -> None:
    """As if the loop had worked for long, and an answer might take for ever."""
    monkeypatch.setattr(courtesy, "GENEROSITY", 1e9)
    monkeypatch.setattr(courtesy, "YOUNG", SOON)


def test_all_items_come_in_their_order_when_nobody_clicks() -> None:
    assert list(courteous(range(1000), every=7)) == list(range(1000))


def test_a_loop_pauses_while_another_thread_answers(patient) -> None:
    loop = Loop()
    with answering():
        loop.start()
        assert loop.reached.wait(SOON)
        # It may be before its pause or in it, but not beyond.
        assert not loop.done.wait(0.05)
        assert len(loop.seen) == 10
    assert loop.done.wait(SOON)
    assert loop.seen == list(range(20))


def test_a_block_within_a_block_does_not_end_it(patient) -> None:
    loop = Loop()
    with answering():
        with answering():
            loop.start()
            assert loop.reached.wait(SOON)
        assert not loop.done.wait(0.05)
    assert loop.done.wait(SOON)


def test_a_loop_waits_for_the_last_of_two_who_answer(patient) -> None:
    loop, leave, left = Loop(), threading.Event(), threading.Event()
    inside = threading.Event()

    def other() -> None:
        with answering():
            inside.set()
            leave.wait(SOON)
        left.set()

    threading.Thread(target=other, daemon=True).start()
    assert inside.wait(SOON)
    with answering():
        loop.start()
        assert loop.reached.wait(SOON)
        leave.set()
        assert left.wait(SOON)
        assert not loop.done.wait(0.05)
    assert loop.done.wait(SOON)


def test_clicks_that_never_cease_do_not_stop_a_loop() -> None:
    loop = Loop()
    with answering():
        loop.start()
        assert loop.done.wait(SOON)
    assert loop.seen == list(range(20))


def test_what_takes_long_does_not_go_first_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(courtesy, "GENEROSITY", 1e9)
    monkeypatch.setattr(courtesy, "YOUNG", 0.0)
    loop = Loop()
    with answering():
        loop.start()
        assert loop.done.wait(SOON)


def test_who_answers_does_not_wait_for_itself(patient) -> None:
    began = time.monotonic()
    with answering():
        give_way(SOON)
        assert list(courteous(range(300))) == list(range(300))
    # A pause would have lasted a minute.
    assert time.monotonic() - began < SOON / 2


def test_an_answer_that_fails_is_over(patient) -> None:
    with pytest.raises(ValueError, match="gone wrong"), answering():
        raise ValueError("gone wrong")
    loop = Loop()
    loop.start()
    assert loop.done.wait(SOON / 2)
