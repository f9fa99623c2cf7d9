"""Long loops over objects that pause while somebody's click is answered.

Python runs one thread at a time. A click's answer is hundreds of short steps outside the
interpreter, and after each of them it waits until the thread that runs inside lets go: beside one
busy loop an answer of 0.07 s takes 1 to 3 s. So whoever draws, measures or reads thousands of
objects walks through them by `courteous`, which pauses while others answer: no longer than a few
times what it has worked, so that it comes to its end where clicks never cease.

What takes long is no answer to a click: after `YOUNG` seconds it loses the right to go first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

EVERY = 32
"""Objects between two looks at whether somebody waits."""
YOUNG = 1.0
"""Seconds for which an answer goes first."""
GENEROSITY = 3.0
"""Seconds of pausing for each second of work, at most."""

_lock = threading.Condition()
_began: dict[int, float] = {}
"""When each thread that answers began, by its number."""


@contextmanager
def answering() -> Iterator[None]:
    """Have long loops of other threads pause during the block, in which a click is answered.

    A block within another is part of it.
    """
    me = threading.get_ident()
    if me in _began:
        yield
        return
    _began[me] = time.monotonic()
    try:
        yield
    finally:
        with _lock:
            del _began[me]
            _lock.notify_all()


def give_way(longest: float) -> None:
    """Pause while clicks are answered in other threads.

    Parameters
    ----------
    longest : float
        Seconds after which to go on in any case.
    """
    # An answer that begins just now is seen at the next look.
    if expected():
        with _lock:
            _lock.wait_for(lambda: not _others(), min(longest, YOUNG))


def expected() -> bool:
    """Whether a click is being answered in another thread, so that this one should give way."""
    return bool(_began) and _others()


def courteous(items: Iterable[Item], every: int = EVERY) -> Iterator[Item]:
    """Walk through items, giving way after each `every` of them."""
    began = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if number % every == 0:
            give_way(GENEROSITY * (time.monotonic() - began))
            began = time.monotonic()


def _others() -> bool:
    """Whether another thread began an answer a moment ago."""
    me, since = threading.get_ident(), time.monotonic() - YOUNG
    return any(began > since and thread != me for thread, began in list(_began.items()))
