"""Work of a model on several prompts side by side, each on one core.

PyTorch divides single operations among the cores by itself, and then waits for the slowest core
some hundred times per prompt. Beside any other busy program that waiting costs more than it gains:
decoding was five to eight times slower on two cores than on one. So whole prompts are divided
instead, and each core works on its own without waiting for others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _WorkerPool:
    """The workers of this process, engaged when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._size: int | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def size(self) -> int:
        with self._lock:
            if self._size is None:
                self._size = torch.get_num_threads()
            return self._size

    @property
    def pool(self) -> ThreadPoolExecutor:
        size = self.size
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(
                    size, "rsam", initializer=lambda: torch.set_num_threads(1)
                )
            return self._pool


_crew = _WorkerPool()


def cores() -> int:
    """Cores that PyTorch may use, as they were set when a model first computed.

    ``OMP_NUM_THREADS`` limits them, as does `torch.set_num_threads` before that.
    """
    return _crew.size


def side_by_side(
    work: Callable[[Sequence[Item]], list[Answer]], items: Sequence[Item], share: int
) -> list[Answer]:
    """Do work on portions of some items, one portion a core at a time.

    Parameters
    ----------
    work : callable
        From a portion of the items to as many answers. It must not call this function.
    items : sequence
    share : int
        Items in a portion.

    Returns
    -------
    list
        The answers, in the order of the items.
    """
    portions = [items[start : start + share] for start in range(0, len(items), share)]
    if cores() == 1 or len(portions) < 2:
        return [answer for portion in portions for answer in work(portion)]
    return [answer for part in _crew.pool.map(work, portions) for answer in part]


def while_time(
    work: Callable[[Item], Answer], items: Sequence[Item], enough: Callable[[], bool]
) -> list[Answer]:
    """Do a piece of work for each of the first items, until it is enough.

    Each core works on one item at a time, and takes the next as soon as it is free.

    Parameters
    ----------
    work : callable
        From one item to its answer. It must not call this function, nor `side_by_side`.
    items : sequence
        At least the first is worked on.
    enough : callable
        Asked before each further item; True leaves the rest.

    Returns
    -------
    list
        The answers for as many items from the first on as were worked on, in their order.
    """
    if cores() == 1:
        answers: list[Answer] = []
        for item in items:
            if answers and enough():
                break
            answers.append(work(item))
        return answers
    # Also a single item goes to a worker: PyTorch would divide its operations here, and the answer
    # might differ in the last digit from that of a computer with one core.
    started: list[Future[Answer]] = []
    running: set[Future[Answer]] = set()
    for item in items:
        if len(running) == cores():
            running = wait(running, return_when=FIRST_COMPLETED).not_done
        if started and enough():
            break
        started.append(_crew.pool.submit(work, item))
        running.add(started[-1])
    return [each.result() for each in started]


@contextmanager
def all_cores() -> Iterator[None]:
    """Let PyTorch divide single operations among all cores: for few and large ones."""
    with _threads(cores()):
        yield


@contextmanager
def _threads(wanted: int) -> Iterator[None]:
    before = torch.get_num_threads()
    if before == wanted:
        yield
        return
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
