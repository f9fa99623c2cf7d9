"""Work is kept against a lost tab: a moment after each change, the latest state always winning."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from rsam_core.session import autosave
from rsam_core.session.autosave import Autosave
from rsam_core.session.project import ProjectState

_LOG = logging.getLogger("rsam")


class Safekeeping:
    """Saves one opened image in the background, one save at a time.

    Attributes
    ----------
    kept : tuple
        The state that was last saved, or is about to be.
    offer_dismissed : bool
        Whether earlier work on this image was offered and answered.
    brought_back : Autosave or None
        The save from which this work was brought back.
    """

    def __init__(self) -> None:
        self.kept: tuple = ()
        self.offer_dismissed = False
        self.brought_back: Autosave | None = None
        # Tells this opened image from the same one in another tab.
        self._writer = uuid.uuid4().hex[:12]
        self._lock, self._saving = threading.Lock(), threading.Lock()
        self._number = self._done = 0
        self._timer: threading.Timer | None = None

    def keep(self, state: ProjectState, where: Path, delay: float) -> None:
        """Save a state in a moment; one that waits for its moment gives way.

        Parameters
        ----------
        state : ProjectState
        where : Path
            Folder.
        delay : float
            Seconds.
        """
        taken, writer = autosave.stamp(), self._writer
        self._after(
            delay,
            lambda: [
                autosave.save(state, where, taken=taken, writer=writer),
                autosave.tidy(where.parent),
            ],
        )

    def forget(self, scene_hash: str, where: Path, delay: float) -> None:
        """Remove what was saved in a moment: all of it was undone."""
        taken, back = autosave.stamp(), self.brought_back

        def remove() -> None:
            autosave.forget(where, scene_hash, self._writer, taken=taken)
            if back is not None:
                autosave.discard(back)

        self._after(delay, remove)

    def _after(self, delay: float, work: Callable[[], object]) -> None:
        with self._lock:
            self._number += 1
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(delay, self._do, (self._number, work))
            self._timer.daemon = True
            self._timer.start()

    def _do(self, number: int, work: Callable[[], object]) -> None:
        # `Timer.cancel` does not stop one that has begun: they wait for each other, and one that
        # comes too late does nothing.
        with self._saving:
            if number < self._done:
                return
            self._done = number
            try:
                work()
            except Exception:
                # Losing a safety copy must not disturb the work itself.
                _LOG.warning("work could not be kept", exc_info=True)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the latest state is saved."""
        with self._lock:
            timer = self._timer
        if timer is not None:
            timer.join(timeout)
