"""When garbage is looked for: never while somebody waits, unless that lasts."""

from __future__ import annotations

import gc
import weakref

from rsam_core.runtime.idle_collector import IdleCollector, allocations


class Program:
    """Allocates as told, and counts how often its garbage was collected."""

    def __init__(self) -> None:
        self.allocated, self.collections = 0, 0

    def collect(self) -> None:
        self.collections += 1
        self.allocated += 1  # collecting allocates, too, and is no reason to collect again


def looked(allocated_in_each_second: list[int], longest: float = 30.0) -> list[int]:
    """Seconds in which garbage was collected."""
    program = Program()
    collector = IdleCollector(program.collect, longest, lambda: program.allocated)
    found = []
    for second, allocated in enumerate(allocated_in_each_second):
        program.allocated += allocated
        if collector.look(float(second)):
            found.append(second)
    assert program.collections == len(found)
    return found


def test_collected_once_when_it_has_become_quiet():
    assert looked([5, 3, 8, 0, 0, 0, 0]) == [3]
    assert looked([5, 0, 0, 4, 0, 0]) == [1, 4]


def test_an_idle_program_collects_nothing():
    assert looked([0] * 50) == []


def test_a_busy_program_collects_now_and_then():
    assert looked([7] * 70, longest=30.0) == [30, 61]


def test_circles_are_found_and_allocations_counted():
    class Node:
        pass

    node = Node()
    node.itself = node
    gone = weakref.ref(node)
    collector = IdleCollector()
    before = allocations()
    del node
    kept = [[number] for number in range(20_000)]
    assert allocations() > before, len(kept)
    gc.disable()
    try:
        while not collector.look(0.0):
            pass
    finally:
        gc.enable()
    assert gone() is None
