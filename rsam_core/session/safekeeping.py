"""Work is kept against a lost tab: a moment after each change, the latest state always winning."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rsam_core.errors import RsamError
from rsam_core.session import autosave, kept_images, works
from rsam_core.session.project import ProjectState
from rsam_core.session.work_cards import Card, fresh_id
from rsam_core.session.works import Shelf

COPYING, TIDYING = "copy of an image", "tidying what is kept"
"""Names of the threads that keep images, and that remove what is too much."""
TIDY_EVERY = 600.0
"""Seconds between two rounds through what all browsers have kept."""

_LOG = logging.getLogger("rsam")
_lock = threading.Lock()
_alive: weakref.WeakSet[Safekeeping] = weakref.WeakSet()
_holders: weakref.WeakValueDictionary[tuple[Path, str], Safekeeping] = weakref.WeakValueDictionary()
_tidied = -TIDY_EVERY


class Safekeeping:
    """Saves one opened image in the background, one save at a time.

    Attributes
    ----------
    work : str
        Id of the work that this is; see `rsam_core.session.works`.
    kept : tuple
        The state that was last saved, or is about to be.
    offer_dismissed : bool
        Whether earlier work on this image was offered and answered.
    problem : str
        Why the latest state could not be saved; empty if it was.
    image_problem : str
        Why the image is not kept; empty if it is.
    page : str
        Address of the page that was noted last.
    source : bytes, Path or None
        The file of the image as it was opened, until it is kept.
    place : str
        Path of an image that is opened where it lies.
    """

    def __init__(self) -> None:
        self.work = fresh_id()
        self.kept: tuple = ()
        self.offer_dismissed = False
        self.problem = self.image_problem = self.page = self.place = ""
        self.source: bytes | Path | None = None
        self._images: set[str] = set()
        self._lock, self._saving = threading.Lock(), threading.Lock()
        self._number = self._done = 0
        self._timer: threading.Timer | None = None
        self._waiting: Callable[[], None] | None = None
        self._folders: set[Path] = set()
        with _lock:
            _alive.add(self)

    # ------------------------------------------------------------------ whose work it is

    def go_on(self, where: Path, work: str) -> None:
        """Go on with a work of before; whoever held it before saves under a new id from now on.

        Parameters
        ----------
        where : Path
            Folder.
        work : str
            Its id.
        """
        self.work = work
        with _lock:
            _holders[where, work] = self
        self._folders.add(where)

    def hold(self, where: Path) -> bool:
        """Hold the work, or begin one of its own if another tab has gone on with it.

        Returns
        -------
        bool
            Whether it is the same work as before.
        """
        with _lock:
            holder = _holders.setdefault((where, self.work), self)
            same = holder is self
            if not same:
                self.work = fresh_id()
                _holders[where, self.work] = self
        self._folders.add(where)
        return same

    # ------------------------------------------------------------------ saving

    def keep(
        self,
        state: ProjectState,
        where: Path,
        delay: float,
        card: Card | None = None,
        picture: Callable[[], bytes] | None = None,
    ) -> None:
        """Save a state in a moment; one that waits for its moment gives way.

        Parameters
        ----------
        state : ProjectState
        where : Path
            Folder.
        delay : float
            Seconds.
        card : Card, optional
            What to tell of it.
        picture : callable, optional
            Makes the small picture, in the background.
        """
        self.hold(where)
        taken, work = autosave.stamp(), self.work

        def save() -> None:
            autosave.save(state, where, taken=taken, writer=work)
            if card is not None:
                told = replace(card, id=work, time=taken / 1e6)
                Shelf(where).note(told, None if picture is None else picture())

        self._after(delay, save)
        _tidy_sometimes(where.parent)

    def forget(self, scene_hash: str, where: Path, delay: float) -> None:
        """Remove what was saved in a moment: all of it was undone."""
        self.hold(where)
        taken, work = autosave.stamp(), self.work

        def remove() -> None:
            autosave.forget(where, scene_hash, work, taken=taken)
            shelf = Shelf(where)
            known = shelf.get(work)
            if known is not None:
                shelf.note(replace(known.card, objects=0))

        self._after(delay, remove)

    def note(self, where: Path, card: Card, picture: Callable[[], bytes] | None = None) -> None:
        """Tell of a work of which nothing needs to be saved: it was opened, or looked at."""
        self.hold(where)
        told = replace(card, id=self.work, time=time.time())
        try:
            Shelf(where).note(told, None if picture is None else picture())
        except RsamError:
            _LOG.warning("a work could not be noted", exc_info=True)

    def keep_image(self, scene_hash: str, where: Path) -> None:
        """Keep the file of the image, in the background; nothing if there is none to keep."""
        source, self.source = self.source, None
        self._images.add(scene_hash)
        if source is not None:
            self._keep_file(scene_hash, where, lambda: source)

    def keep_second(self, scene_hash: str, where: Path, content: Callable[[], bytes]) -> None:
        """Keep the file of a second date, too, in the background; once.

        Parameters
        ----------
        scene_hash : str
        where : Path
        content : callable
            Reads the file.
        """
        if scene_hash not in self._images:
            self._images.add(scene_hash)
            self._keep_file(scene_hash, where, content)

    def _keep_file(self, scene_hash: str, where: Path, content: Callable[[], bytes | Path]) -> None:
        if kept_images.TOTAL == 0:
            return

        def copy() -> None:
            try:
                kept_images.keep(where, scene_hash, content(), used=open_images)
                self.image_problem = ""
            except RsamError as error:
                self.image_problem = str(error)
            except Exception:
                _LOG.warning("an image could not be kept", exc_info=True)

        threading.Thread(target=copy, name=COPYING, daemon=True).start()

    def release(self) -> None:
        """The image is closed: its file may go when room is needed."""
        self._images.clear()

    def _after(self, delay: float, work: Callable[[], object]) -> None:
        with self._lock:
            self._number += 1
            number = self._number
            if self._timer is not None:
                self._timer.cancel()
            self._waiting = lambda: self._do(number, work)
            self._timer = threading.Timer(delay, self._waiting)
            self._timer.daemon = True
            self._timer.start()

    def _do(self, number: int, work: Callable[[], object]) -> None:
        # `Timer.cancel` does not stop one that has begun: they wait for each other, and one that
        # comes too late does nothing.
        with self._saving:
            if number <= self._done:
                return
            self._done = number
            try:
                work()
                self.problem = ""
            except RsamError as error:
                self.problem = str(error)
                _LOG.warning("work could not be kept", exc_info=True)
            except Exception:
                # Losing a safety copy must not disturb the work itself.
                self.problem = (
                    "Your work could not be saved automatically. Save the project yourself."
                )
                _LOG.warning("work could not be kept", exc_info=True)

    def flush(self) -> None:
        """Save now what waits for its moment."""
        with self._lock:
            timer, waiting = self._timer, self._waiting
        if timer is not None and waiting is not None:
            timer.cancel()
            waiting()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the latest state is saved."""
        with self._lock:
            timer = self._timer
        if timer is not None:
            timer.join(timeout)


def flush(where: Path | None = None) -> None:
    """Save now what waits for its moment: all of it, or that of one folder.

    To be called before works are listed: who reloads a page shall find what was done a second ago.
    """
    with _lock:
        found = [one for one in _alive if where is None or where in one._folders]
    for one in found:
        one.flush()


def open_images() -> set[str]:
    """Hashes of the images that are open now."""
    with _lock:
        return {scene_hash for one in _alive for scene_hash in one._images}


def _tidy_sometimes(root: Path) -> None:
    """Go through everything that is kept, now and then, in the background."""
    global _tidied
    with _lock:
        if time.monotonic() - _tidied < TIDY_EVERY:
            return
        _tidied = time.monotonic()

    def tidy() -> None:
        try:
            works.tidy(root, open_images())
        except Exception:
            _LOG.warning("what is kept could not be tidied", exc_info=True)

    threading.Thread(target=tidy, name=TIDYING, daemon=True).start()


# Whoever stops the server in the middle of somebody's work loses none of it.
atexit.register(flush)
