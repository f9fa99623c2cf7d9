"""When somebody has left for good, and giving the memory back that they held."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable

ARENA_MAX = -8
"""The name of a setting of the GNU C library: how many arenas threads share."""


class SessionMonitor:
    """Notices who has been away for so long that they will not come back.

    Parameters
    ----------
    here : callable
        Whether an owner, by name, is connected now.
    grace : float
        Seconds of absence that are forgiven: a lost connection, a laptop that was closed.
    clock : callable
        Seconds; for tests.
    """

    def __init__(
        self,
        here: Callable[[str], bool],
        grace: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.here, self.grace, self.clock = here, grace, clock
        self._lock = threading.Lock()
        self._away: dict[str, float | None] = {}

    def __len__(self) -> int:
        return len(self._away)

    def note(self, owner: str) -> None:
        """Remember somebody who is here."""
        with self._lock:
            self._away[owner] = None

    def away(self) -> list[str]:
        """Who was not here at the last look and is still waited for, the longest absent first."""
        with self._lock:
            known = [(since, owner) for owner, since in self._away.items() if since is not None]
        return [owner for _, owner in sorted(known)]

    def look(self) -> list[str]:
        """Who has left for good since the last look; they are forgotten."""
        now, gone = self.clock(), []
        with self._lock:
            for owner, since in list(self._away.items()):
                if self.here(owner):
                    self._away[owner] = None
                elif since is None:
                    self._away[owner] = now
                elif now - since >= self.grace:
                    gone.append(owner)
                    del self._away[owner]
        return gone

    def dismiss(self, owner: str) -> None:
        """Forget somebody at once."""
        with self._lock:
            self._away.pop(owner, None)


def freeze_gc() -> None:
    """Collect garbage once more, and spare the collector what is left from now on.

    Hundreds of thousands of objects belong to loaded libraries and stay. To look through them
    takes 0.1 to 0.4 s, in which no other thread runs. `trim_memory` looks through all of them
    again.
    """
    gc.collect()
    gc.freeze()


def trim_memory() -> bool:
    """Give memory that is not used any more back to the operating system.

    Returns
    -------
    bool
        Whether the C library of this computer can do so (GNU); elsewhere it is left to itself.
    """
    gc.unfreeze()
    freeze_gc()
    library = _c_library()
    if library is None:
        return False
    library.malloc_trim(0)
    return True


def limit_malloc_arenas(count: int) -> bool:
    """Let all threads that start from now on share so many arenas of the C library.

    By default it makes up to eight arenas a core. Each script run of a page has a thread of its
    own, and what each leaves in an arena of its own adds up.

    Returns
    -------
    bool
        Whether the C library of this computer can do so (GNU).
    """
    library = _c_library()
    return library is not None and bool(library.mallopt(ARENA_MAX, count))


def _c_library() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "malloc_trim") else None
    except OSError:
        return None
