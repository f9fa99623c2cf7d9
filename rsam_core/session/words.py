"""What was asked in words on the open scene, and what is known of its objects."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from rsam_core.errors import RsamError, WordsError
from rsam_core.objects.instances import Instances
from rsam_core.segment.kinds import Kinds
from rsam_core.segment.words.chips import joined, pieces, with_numbers
from rsam_core.segment.words.description import Description, KindGuesser, describe
from rsam_core.segment.words.grammar import Item
from rsam_core.segment.words.ground import Ground, asks_for_ground
from rsam_core.segment.words.query import WordsQuery, chosen, met, words


class WordsState:
    """The sentence on the open scene; safe between threads.

    Attributes
    ----------
    text : str
        The sentence as typed.
    query : WordsQuery or None
    items : tuple
        The pieces of the conditions as they are now, changed by hand or not.
    version : int
        Grows with each sentence, so that widgets start anew.
    place : tuple of float or None
        A point or box that narrows it, in scene pixels.
    problem : RsamError or None
        Why the sentence cannot be read.
    guesser : KindGuesser or None
        Tells what objects without a class are; asked each time, so it answers at once.
    surroundings : callable or None
        Tells what the ground is where some objects are, as far as that is known.
    settled : bool
        Whether "large" and "small" have become areas.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.text = ""
        self.query: WordsQuery | None = None
        self.items: tuple[Item, ...] = ()
        self.version = 0
        self.place: tuple[float, ...] | None = None
        self.problem: RsamError | None = None
        self.guesser: KindGuesser | None = None
        self.surroundings: Callable[[Instances], Ground | None] | None = None
        self.settled = True
        self._known: tuple[Any, Description] | None = None

    def ask(self, text: str, classes: Sequence[str] = ()) -> None:
        """Read a sentence; what it says replaces what was said before."""
        with self._lock:
            self.text, self.version = text, self.version + 1
            self.query, self.items, self.problem = None, (), None
            self.settled = False
            if not text.strip():
                return
            try:
                self.query = words(text, classes=classes)
                self.items = pieces(self.query.conditions)
            except WordsError as error:
                self.problem = error

    @property
    def asks_for_kinds(self) -> bool:
        """Whether the sentence names kinds, such as buildings."""
        conditions = self.query.conditions if self.query is not None else None
        return conditions is not None and "kind" in conditions.columns

    @property
    def asks_for_ground(self) -> bool:
        """Whether the sentence speaks of roads, water or fields beside what it looks for."""
        return asks_for_ground(self.query.conditions if self.query is not None else None)

    def describe(self, objects: Instances, scene: Any) -> Description:
        """What is known of these objects, measured once.

        Raises
        ------
        SceneError
            If the picture cannot be read.
        """
        with self._lock:
            kinds = self.guesser(objects) if self.guesser is not None else None
            ground = self.surroundings(objects) if self.surroundings is not None else None
            key = (objects, scene, kinds, ground)
            if self._known is None or any(a is not b for a, b in zip(self._known[0], key)):
                given = {} if kinds is None else _given(kinds)
                self._known = (key, describe(objects, scene, ground=ground, **given))
            return self._known[1]

    def settle(self, known: Description) -> None:
        """Say "large" and "small" by the areas that they mean here."""
        with self._lock:
            self.items, self.settled = with_numbers(self.items, known), True

    def change(self, position: int, item: Item) -> None:
        """Put another piece in the place of one."""
        with self._lock:
            if 0 <= position < len(self.items):
                self.items = (*self.items[:position], item, *self.items[position + 1 :])

    def remove(self, position: int) -> None:
        """Leave a piece out."""
        with self._lock:
            self.items = tuple(i for k, i in enumerate(self.items) if k != position)
            self.version += 1

    def found(self, known: Description) -> Instances:
        """The objects that are meant.

        Raises
        ------
        WordsError
            As :meth:`rsam_core.segment.words.query.WordsQuery.select`.
        """
        if self.query is not None and not self.items and pieces(self.query.conditions):
            # All pieces were taken away by hand.
            return known.objects if self.place is None else self._all(known)
        hits = chosen(known, joined(self.items), self.query, self.place)
        return known.objects.select(hits.tolist())

    def _all(self, known: Description) -> Instances:
        return known.objects.select(met(known.objects, self.place).tolist())


def _given(kinds: Kinds) -> dict[str, Any]:
    return {"probabilities": kinds.probabilities, "sure": kinds.sure}
