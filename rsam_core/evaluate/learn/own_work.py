"""Work on exercises without a board, so that a pupil who reloads goes on; in memory only."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.boards import LIFE, fingerprint

MOST = 300
"""Attempts that are kept; the longest untouched goes first."""


class OwnWork:
    """Attempts by browser and exercise, safe between threads.

    Parameters
    ----------
    clock : callable
        Seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, Attempt]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, who: str, exercise: str, attempt: Attempt) -> None:
        """Note how far somebody is."""
        now = self._clock()
        with self._lock:
            key = (fingerprint(who), exercise)
            self._kept[key] = (now, attempt)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
            while self._kept and now - next(iter(self._kept.values()))[0] > LIFE:
                self._kept.popitem(last=False)

    def find(self, who: str, exercise: str) -> Attempt | None:
        """How far somebody is; None if nothing was done, or long ago."""
        with self._lock:
            when, attempt = self._kept.get((fingerprint(who), exercise), (0.0, None))
        return attempt if attempt is not None and self._clock() - when <= LIFE else None

    def forget(self, who: str, exercise: str) -> None:
        """Begin anew."""
        with self._lock:
            self._kept.pop((fingerprint(who), exercise), None)
