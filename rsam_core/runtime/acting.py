"""For whom the present thread works, and whether they still want it.

A page works for its session, which Streamlit knows. A thread in the background has to be told: its
steps wait in the queue under the session's name, what it encodes counts for the session, and a
stopped one gives its place in the queue back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Acting:
    """What a thread in the background knows about its errand.

    Attributes
    ----------
    owner : hashable
        The session that it works for.
    cancelled : callable or None
        Whether the work is no longer wanted.
    awaited : bool
        Whether somebody waits for the result, so that it goes ahead of long jobs.
    """

    owner: Hashable
    cancelled: Callable[[], bool] | None = None
    awaited: bool = False


_NOW: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting() -> Acting | None:
    """The errand of this thread; None in a thread that nobody sent."""
    return _NOW.get()


@contextmanager
def as_session(
    owner: Hashable, cancelled: Callable[[], bool] | None = None, *, awaited: bool = False
) -> Iterator[None]:
    """Work for somebody during the block; see `Acting`."""
    token = _NOW.set(Acting(owner, cancelled, awaited))
    try:
        yield
    finally:
        _NOW.reset(token)
