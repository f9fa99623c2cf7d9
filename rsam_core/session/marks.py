"""Prompts, edits, the selection and the classes of a session: what a person can undo or lose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from rsam_core.objects.classify.classes import ClassList
from rsam_core.prompts.history import PromptHistory
from rsam_core.segment.automatic import Automatic

Change = Callable[[PromptHistory], PromptHistory]


class Marks:
    """The book of a session, changed in one step or not at all; safe between threads.

    Parameters
    ----------
    lock : RLock
        Of the session.

    Attributes
    ----------
    classes : ClassList or None
        The classes that objects can be given; None until the first is wanted.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._book = PromptHistory()
        self._selected: frozenset[int] = frozenset()
        self.classes: ClassList | None = None

    @property
    def book(self) -> PromptHistory:
        """Prompts and edits, with undo; its ``extra`` is what the automatic mode found."""
        return self._book

    @property
    def automatic(self) -> Automatic | None:
        """What the automatic mode found."""
        return self._book.extra

    @property
    def selected(self) -> frozenset[int]:
        """Numbers of the objects that are selected in the picture or the table."""
        return self._selected

    def update(self, change: Change) -> PromptHistory:
        """Change the book as it is now, whatever another thread has just made of it.

        Parameters
        ----------
        change : callable
            From the present book to the next one. It is quick, and changes nothing else: other
            threads wait for it.

        Returns
        -------
        PromptHistory
            As it is now.
        """
        with self._lock:
            self._book = change(self._book)
            return self._book

    def swap(self, expected: PromptHistory, fresh: PromptHistory) -> bool:
        """Put a book in place of the expected one, unless another came in between.

        Returns
        -------
        bool
            Whether it is in place; otherwise begin again with the present one.
        """
        with self._lock:
            if self._book is not expected:
                return False
            self._book = fresh
            return True

    def undo(self) -> None:
        """Take back the last change."""
        self.update(PromptHistory.undo)

    def redo(self) -> None:
        """Do again what was taken back."""
        self.update(PromptHistory.redo)

    def change_classes(self, change: Callable[[ClassList], ClassList]) -> ClassList:
        """Change the list of classes as it is now; the presets at first."""
        with self._lock:
            self.classes = change(self.classes or ClassList())
            return self.classes

    def select(self, ids: Iterable[int]) -> None:
        """Select these objects and no others."""
        self._selected = frozenset(ids)

    def toggle(self, ids: Iterable[int]) -> None:
        """Select those of these objects that are not selected, and no longer those that are."""
        with self._lock:
            self._selected = self._selected.symmetric_difference(ids)

    def keep_selected(self, ids: Iterable[int]) -> None:
        """Of the selection, keep only these objects."""
        with self._lock:
            self._selected &= frozenset(ids)

    def reset(self) -> None:
        """Forget all prompts, edits and the selection; numbers start again."""
        with self._lock:
            self._book, self._selected = PromptHistory(), frozenset()
