"""The queue in front of the model: orders worked out by hand, limits, ways to leave."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from rsam_core.errors import Cancelled, QueueFull
from rsam_core.runtime.fair_queue import (
    BACKGROUND,
    ENCODE,
    INTERACTIVE,
    FairQueue,
    model_slots,
)
from tests.helpers.waiting import PATIENCE, until


class Desk:
    """A queue whose place is taken, until `open` lets the others in, one after the other."""

    def __init__(self, **limits: int) -> None:
        self.queue = FairQueue(**limits)
        self.served: list[str] = []
        self.threads: list[threading.Thread] = []
        self._close, self._closed = threading.Event(), threading.Event()
        self._start(self._hold)
        assert self._closed.wait(PATIENCE)

    def _start(self, job: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=job, daemon=True))
        self.threads[-1].start()

    def _hold(self) -> None:
        with self.queue.slot("clerk"):
            self._closed.set()
            self._close.wait(PATIENCE)

    def add(self, name: str, **settings) -> None:
        """``a1`` is the first wish of owner ``a``; it waits when this returns."""

        def job() -> None:
            with self.queue.slot(name[0], **settings):
                self.served.append(name)

        before = len(self.queue)
        self._start(job)
        until(lambda: len(self.queue) == before + 1)

    def open(self) -> list[str]:
        self._close.set()
        for thread in self.threads:
            thread.join(PATIENCE)
        assert (len(self.queue), self.queue.running) == (0, 0)
        return self.served


def test_first_come_first_served():
    desk = Desk()
    for name in ("c1", "a1", "b1"):
        desk.add(name)
    assert desk.open() == ["c1", "a1", "b1"]


def test_many_wishes_of_one_owner_do_not_starve_others():
    desk = Desk()
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        desk.add(name)
    # One each in a round, in the order in which the owners came.
    assert desk.open() == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_whoever_was_served_goes_behind_those_who_wait():
    queue, served, ready = FairQueue(), [], threading.Event()

    def long() -> None:
        for step in range(3):
            with queue.slot("long"):
                ready.set()
                if not step:
                    until(lambda: len(queue) == 1)
                served.append("long")

    def click() -> None:
        ready.wait(PATIENCE)
        with queue.slot("click"):
            served.append("click")

    threads = [threading.Thread(target=job) for job in (long, click)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert served == ["long", "click", "long", "long"]


def test_clicks_go_first_then_images_then_the_background():
    desk = Desk()
    for name, line in (
        ("x1", BACKGROUND),
        ("l1", ENCODE),
        ("m1", ENCODE),
        ("a1", INTERACTIVE),
        ("b1", INTERACTIVE),
    ):
        desk.add(name, line=line)
    assert desk.open() == ["a1", "b1", "l1", "m1", "x1"]


def test_a_line_lets_others_ahead_but_not_for_ever():
    desk = Desk(patience=2)
    desk.add("x1", line=BACKGROUND)
    for name in ("a1", "b1", "c1", "d1"):
        desk.add(name)
    desk.add("y1", line=BACKGROUND)
    # Two go ahead, then one of the background; again two; then there is nobody else.
    assert desk.open() == ["a1", "b1", "x1", "c1", "d1", "y1"]


def test_lines_that_were_passed_as_often_are_served_in_order():
    desk = Desk(patience=1)
    desk.add("x1", line=BACKGROUND)
    desk.add("l1", line=ENCODE)
    for name in ("a1", "b1", "c1"):
        desk.add(name)
    # a passes l and x; l is overdue and passes x; x was passed twice; then the clicks.
    assert desk.open() == ["a1", "l1", "x1", "b1", "c1"]


def test_whoever_holds_a_place_is_told_whether_somebody_waits_who_goes_first():
    queue, met = FairQueue(), threading.Event()
    heard: list[bool] = []

    def join(line: int) -> threading.Thread:
        def wait() -> None:
            with queue.slot("other", line=line):
                met.set()

        before = len(queue)
        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        until(lambda: len(queue) == before + 1)
        return thread

    with queue.slot("me", line=ENCODE) as wanted:
        heard.append(wanted())
        threads = [join(ENCODE), join(BACKGROUND)]
        heard.append(wanted())
        threads.append(join(INTERACTIVE))
        heard.append(wanted())
        # A place within the place tells the same.
        with queue.slot("me", line=ENCODE) as inner:
            heard.append(inner())
    for thread in threads:
        thread.join(PATIENCE)
    assert heard == [False, False, True, True]
    assert met.is_set()
    assert not wanted()


def test_positions_are_told():
    desk, heard = Desk(patience=9), {}

    def listen(name: str) -> Callable[[int], None]:
        return heard.setdefault(name, []).append

    for name in ("a1", "a2", "b1", "a3", "b2"):
        desk.add(name, waiting=listen(name))
    desk.add("z1", waiting=listen("z1"), line=BACKGROUND)
    until(lambda: len(heard) == 6 and all(heard.values()))
    # By hand: a1, b1, a2, b2, a3, and the background last. b1 came third, but goes second.
    until(lambda: [heard[n][-1] for n in ("a1", "b1", "a2", "b2", "a3", "z1")] == [*range(1, 7)])
    assert desk.open() == ["a1", "b1", "a2", "b2", "a3", "z1"]


def test_nobody_hears_a_position_who_need_not_wait():
    heard = []
    with FairQueue().slot("a", waiting=heard.append):
        pass
    assert heard == []


def test_as_many_run_as_may_and_no_more():
    queue, most, now, lock = FairQueue(running=3), [0], [0], threading.Lock()

    def job(owner: int) -> None:
        with queue.slot(owner):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            until(lambda: most[0] == 3)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=job, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (most[0], now[0], queue.running, len(queue)) == (3, 0, 0, 0)


def test_full_queue_is_said_clearly():
    desk = Desk(waiting=2)
    desk.add("a1")
    desk.add("b1", line=BACKGROUND)
    message = r"2 steps are waiting .* Your work is kept: wait"
    with pytest.raises(QueueFull, match=message), desk.queue.slot("c"):
        raise AssertionError("there was no place")
    assert desk.open() == ["a1", "b1"]


def test_one_owner_cannot_fill_the_queue():
    desk = Desk(waiting=10, waiting_each=2)
    desk.add("a1")
    desk.add("a2")
    with pytest.raises(QueueFull, match="from one person"), desk.queue.slot("a"):
        raise AssertionError("there was no place")
    desk.add("b1")
    assert desk.open() == ["a1", "b1", "a2"]


def test_cancelling_while_waiting_leaves_the_others_in_order():
    desk, stop, outcome = Desk(), threading.Event(), []

    def impatient() -> None:
        try:
            with desk.queue.slot("b", cancelled=stop.is_set):
                outcome.append("served")
        except Cancelled:
            outcome.append("cancelled")

    desk.add("a1")
    thread = threading.Thread(target=impatient)
    thread.start()
    until(lambda: len(desk.queue) == 2)
    desk.add("c1")
    stop.set()
    thread.join(PATIENCE)
    assert (outcome, len(desk.queue)) == (["cancelled"], 2)
    assert desk.open() == ["a1", "c1"]


def test_what_the_listener_raises_ends_the_waiting():
    desk = Desk()

    def leave(position: int) -> None:
        raise KeyboardInterrupt(position)

    with pytest.raises(KeyboardInterrupt, match="1"), desk.queue.slot("a", waiting=leave):
        raise AssertionError("it never was its turn")
    assert len(desk.queue) == 0
    assert desk.open() == []


def test_error_in_a_turn_gives_the_place_back():
    queue = FairQueue()
    with pytest.raises(ZeroDivisionError), queue.slot("a"):
        raise ZeroDivisionError
    assert queue.running == 0
    with queue.slot("b"):
        assert queue.running == 1


def test_turn_within_a_turn_goes_on():
    queue = FairQueue(waiting=0)
    with queue.slot("a"):
        with queue.slot("a"), queue.slot("b"):
            assert queue.running == 1
        # The inner ones did not give the place away.
        assert queue.running == 1
    assert queue.running == 0


@pytest.mark.parametrize(
    "limits", [{"running": 0}, {"waiting": -1}, {"waiting_each": -1}, {"patience": -1}]
)
def test_senseless_limits_are_refused(limits):
    with pytest.raises(ValueError, match="At least one turn"):
        FairQueue(**limits)


@pytest.mark.parametrize(
    ("text", "cores", "expected"),
    [
        ("5", 2, 5),
        (" 1 ", 64, 1),
        ("", 2, 1),
        ("", 16, 8),
        ("0", 1, 1),
        ("-3", 4, 2),
        ("many", 6, 3),
    ],
)
def test_model_slots(monkeypatch, text, cores, expected):
    monkeypatch.setenv("RSAM_TURNS", text)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert model_slots() == expected
