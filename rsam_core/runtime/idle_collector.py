"""Looking for garbage while nobody waits for an answer."""

from __future__ import annotations

import gc
from collections.abc import Callable

QUIET = 1.0
"""Seconds between two looks; without allocations from one to the next, nobody waits."""
LONGEST = 30.0
"""Seconds after which garbage is collected although the program is busy."""


def allocations() -> int:
    """A number that grows while Python allocates objects, and stands still while nothing runs."""
    return gc.get_stats()[0]["collections"]


class IdleCollector:
    """Collects garbage when the program has been quiet, or after a long busy time.

    A full collection stops every thread, for a third of a second where thirty people work. After
    each answer that is what all the others wait for; once all are answered nobody notices.

    Parameters
    ----------
    collect : callable
        Collects garbage.
    longest : float
        Seconds between two collections of a busy program.
    allocated : callable
        See `allocations`.
    """

    def __init__(
        self,
        collect: Callable[[], object] = gc.collect,
        longest: float = LONGEST,
        allocated: Callable[[], int] = allocations,
    ) -> None:
        self._collect, self._longest, self._allocated = collect, longest, allocated
        self._seen = self._collected = allocated()
        self._since: float | None = None

    def look(self, now: float) -> bool:
        """Collect if it is time to; to be called about every `QUIET` seconds.

        Parameters
        ----------
        now : float
            Seconds of any clock that does not go back.

        Returns
        -------
        bool
            Whether garbage was collected.
        """
        count = self._allocated()
        quiet, self._seen = count == self._seen, count
        if count == self._collected:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        if not quiet and now - self._since < self._longest:
            return False
        self._collect()
        self._seen = self._collected = self._allocated()
        self._since = None
        return True
