"""One person's visit: the image that is open, and what runs or stays without any image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from rsam_core.runtime.budgets import UNOWNED
from rsam_core.runtime.jobs import JobRegistry
from rsam_core.session.session import Session


class Visit:
    """What one open tab holds; safe between threads.

    Parameters
    ----------
    owner : hashable, optional
        Whose it is; jobs wait and count under this name.

    Attributes
    ----------
    jobs : JobRegistry
        What runs whether an image is open or not: opening a project, evaluating a data set.
    """

    def __init__(self, owner: Hashable = UNOWNED) -> None:
        self.jobs = JobRegistry(owner)
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._attached: dict[type, Any] = {}

    @property
    def session(self) -> Session | None:
        """The image that is open."""
        return self._session

    def open(self, session: Session | None) -> None:
        """Open another image; everything that runs for the one of before is stopped.

        A search in the background that nobody can see any more would only keep others waiting.
        """
        with self._lock:
            before, self._session = self._session, session
        if before is not None and before is not session:
            before.close()

    def attached(self, kind: type[Any], make: Callable[[], Any] | None = None) -> Any:
        """What one screen keeps over a change of the image, made when it is first wanted."""
        with self._lock:
            if kind not in self._attached:
                self._attached[kind] = (make or kind)()
            return self._attached[kind]

    def close(self) -> None:
        """Stop everything: the person has left."""
        self.jobs.close()
        self.open(None)
