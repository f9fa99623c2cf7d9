"""Who has left for good, by a clock that is turned by hand; memory given back."""

from __future__ import annotations

import sys

import pytest

from rsam_core.runtime.presence import SessionMonitor, limit_malloc_arenas, trim_memory


class Room:
    """Who is here, and what time it is."""

    def __init__(self, *people: str) -> None:
        self.here, self.time = set(people), 0.0
        self.departures = SessionMonitor(self.here.__contains__, 60.0, lambda: self.time)
        for name in people:
            self.departures.note(name)

    def look(self, time: float) -> list[str]:
        self.time = time
        return self.departures.look()


def test_nobody_is_missed_while_all_are_here():
    room = Room("a", "b")
    assert [room.look(t) for t in (0, 100, 1000)] == [[], [], []]
    assert len(room.departures) == 2


def test_left_after_the_grace_and_told_once():
    room = Room("a", "b")
    room.here.remove("a")
    # Missed at 10; the grace of 60 s ends at 70.
    assert [room.look(t) for t in (10, 69.9, 70, 500)] == [[], [], ["a"], []]
    assert len(room.departures) == 1


def test_coming_back_in_time_is_forgiven_anew():
    room = Room("a")
    room.here.clear()
    assert room.look(0) == []
    room.here.add("a")
    assert room.look(50) == []
    room.here.clear()
    assert [room.look(t) for t in (55, 110, 115)] == [[], [], ["a"]]


def test_those_away_are_listed_the_longest_absent_first():
    room = Room("a", "b", "c")
    room.here.remove("b")
    room.look(1)
    room.here.remove("a")
    room.look(2)
    assert room.departures.away() == ["b", "a"]
    room.departures.dismiss("b")
    room.departures.dismiss("nobody we know")
    assert room.departures.away() == ["a"]
    assert room.look(1000) == ["a"]


def test_memory_is_given_back_where_that_is_possible():
    possible = sys.platform.startswith("linux") and trim_memory()
    assert limit_malloc_arenas(2) == possible
    if not possible:
        pytest.skip("this C library cannot give memory back on demand")
    before = _resident()
    kept = [bytearray(1000) for _ in range(60_000)]
    last = kept[-1]  # pins the end of the heap, so that only trimming gives back the rest
    full = _resident()
    del kept
    assert trim_memory()
    assert full - before > 40_000_000
    assert _resident() - before < 0.5 * (full - before)
    assert len(last) == 1000


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
