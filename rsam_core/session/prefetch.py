"""Work ahead of what is asked: one piece at a time, of which only the latest counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rsam_core.errors import RsamError
from rsam_core.runtime.acting import as_session
from rsam_core.runtime.jobs import JobRegistry


class Latest:
    """Does in the background what was asked last; what was asked before it is given up.

    Whoever pans over thirty views wants the last one. There is one thread at most, and its place
    in the queue is given back as soon as something else is asked.

    Parameters
    ----------
    jobs : JobRegistry
        Owns the thread.
    name : str
        Of the job there.
    """

    def __init__(self, jobs: JobRegistry, name: str) -> None:
        self._jobs, self._name = jobs, name
        self._lock = threading.Lock()
        self._wanted: Callable[[], Any] | None = None
        self._working = False

    def ask(self, work: Callable[[], Any]) -> None:
        """Do this next, and stop waiting for whatever was asked before.

        Its errors are not told: whoever needs the result asks for it again, and is told then.
        """
        with self._lock:
            self._wanted = work
            if self._working:
                return
            self._working = True
        job = self._jobs.start(self._name, self._run, latest=True)
        if job.state == "cancelled":
            # The session is closed.
            with self._lock:
                self._working, self._wanted = False, None

    def _run(self, progress: Callable[..., None], cancelled: Callable[[], bool]) -> None:
        owner = self._jobs.owner

        def overtaken() -> bool:
            return cancelled() or self._wanted is not None

        while True:
            with self._lock:
                work, self._wanted = self._wanted, None
                if work is None or cancelled():
                    self._working = False
                    return
            try:
                # Somebody looks at it: it goes ahead of long jobs.
                with as_session(owner, overtaken, awaited=True):
                    work()
            except RsamError:
                pass
            except BaseException:
                with self._lock:
                    self._working = False
                raise
