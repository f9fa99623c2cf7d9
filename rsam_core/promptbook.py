"""The prompts of a session, grouped by object, with undo: what the canvas writes into.

Immutable throughout: every action returns a new book, so that undo is a list of earlier ones and
a page rerun can never leave a half-done change behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rsam_core.coordinates import CanvasMark, Frame, compare_marks
from rsam_core.errors import PromptError
from rsam_core.prompts import SMALLEST_BOX, Prompt

UNDO_STEPS = 50


@dataclass(frozen=True)
class Mark:
    """One click or box of an object, in scene pixels.

    Attributes
    ----------
    uid : int
        Number of the mark, unique in its book.
    kind : str
        ``"point"`` or ``"box"``.
    x, y, x1, y1 : float
        The click (twice), or the box's corners.
    label : int
        1 include, 0 exclude.
    """

    uid: int
    kind: str
    x: float
    y: float
    x1: float
    y1: float
    label: int = 1

    def on_canvas(self, canvas: Frame) -> CanvasMark:
        """The mark in canvas pixels."""
        (x, y), (x1, y1) = canvas.from_scene([(self.x, self.y), (self.x1, self.y1)])
        return CanvasMark(self.kind, float(x), float(y), float(x1), float(y1), self.label)


@dataclass(frozen=True)
class Entry:
    """One object: its marks in the order they were made, and the candidates chosen for it.

    Attributes
    ----------
    id : int
        The object's number, as in the table.
    marks : tuple of Mark
    choices : tuple of (int, tuple of int)
        After how many marks which candidates were chosen (their union is the mask); where
        nothing was chosen the best one stands.
    """

    id: int
    marks: tuple[Mark, ...] = ()
    choices: tuple[tuple[int, tuple[int, ...]], ...] = ()

    @property
    def source(self) -> str:
        """``"box"``, ``"point"`` or ``"box+point"``."""
        kinds = {mark.kind for mark in self.marks}
        return "box+point" if len(kinds) == 2 else next(iter(kinds), "point")

    def prompt(self, count: int | None = None) -> Prompt:
        """The first ``count`` marks (all by default) as a prompt in scene pixels."""
        marks = self.marks[:count]
        points = [(m.x, m.y) for m in marks if m.kind == "point"]
        labels = [m.label for m in marks if m.kind == "point"]
        boxes = [(m.x, m.y, m.x1, m.y1) for m in marks if m.kind == "box"]
        return Prompt(points, labels, boxes[-1] if boxes else None)

    def chosen(self, count: int | None = None) -> tuple[int, ...]:
        """Candidates chosen after ``count`` marks (all by default); the best by default."""
        wanted = len(self.marks) if count is None else count
        return dict(self.choices).get(wanted, (0,))


@dataclass(frozen=True)
class Book:
    """All prompts of a scene.

    Attributes
    ----------
    entries : tuple of Entry
    current : int or None
        Number of the object that further points go to; None starts a new one.
    next_uid, next_id : int
        Numbers to give next.
    past, future : tuple of (entries, current)
        For undo and redo.
    shown : tuple of (int, CanvasMark)
        Marks that the canvas holds: uid and how it reported or was given them.
    generation : int
        Changes whenever the canvas must be drawn anew from the book.
    """

    entries: tuple[Entry, ...] = ()
    current: int | None = None
    next_uid: int = 1
    next_id: int = 1
    past: tuple[tuple[tuple[Entry, ...], int | None], ...] = ()
    future: tuple[tuple[tuple[Entry, ...], int | None], ...] = ()
    shown: tuple[tuple[int, CanvasMark], ...] = field(default=(), compare=False)
    generation: int = 0

    def entry(self, id: int | None) -> Entry | None:
        """The object of that number, if there is one."""
        return next((e for e in self.entries if e.id == id), None)

    def _step(self, **changes: object) -> Book:
        """A change that can be undone."""
        past = (*self.past, (self.entries, self.current))[-UNDO_STEPS:]
        return replace(self, past=past, future=(), **changes)

    def _with_entry(self, entry: Entry) -> tuple[Entry, ...]:
        if self.entry(entry.id) is None:
            return (*self.entries, entry)
        return tuple(entry if e.id == entry.id else e for e in self.entries)

    def redrawn(self) -> Book:
        """The same book, to be shown on a fresh canvas."""
        return replace(self, generation=self.generation + 1, shown=())

    def add_point(self, x: float, y: float, label: int = 1, *, own_object: bool = False) -> Book:
        """Add a click to the current object, or start a new object with it."""
        mark = Mark(self.next_uid, "point", x, y, x, y, label)
        return self._add(mark, None if own_object else self.current)

    def add_box(self, x0: float, y0: float, x1: float, y1: float) -> Book:
        """Start a new object with a box; it becomes the current one.

        Raises
        ------
        PromptError
            If the box has no area.
        """
        box = Prompt(box=(x0, y0, x1, y1)).box
        return self._add(Mark(self.next_uid, "box", *(float(v) for v in box)), None)

    def _add(self, mark: Mark, owner: int | None) -> Book:
        entry = self.entry(owner)
        next_id = self.next_id
        if entry is None:
            entry, next_id = Entry(next_id), next_id + 1
        entry = replace(entry, marks=(*entry.marks, mark))
        return self._step(
            entries=self._with_entry(entry),
            current=entry.id,
            next_uid=self.next_uid + 1,
            next_id=next_id,
        )

    def choose(self, id: int, candidates: Sequence[int]) -> Book:
        """Take one candidate of an object, or the union of several.

        Raises
        ------
        PromptError
            If none is chosen or there is no such object.
        """
        entry = self.entry(id)
        if entry is None or not candidates:
            raise PromptError("Choose at least one of the proposed masks.")
        choices = dict(entry.choices) | {len(entry.marks): tuple(sorted(candidates))}
        return self._step(entries=self._with_entry(replace(entry, choices=tuple(choices.items()))))

    def remove_mark(self, uid: int) -> Book:
        """Remove one click or box; an object without marks goes too."""
        return self._without_marks({uid}).redrawn()

    def _without_marks(self, uids: set[int]) -> Book:
        entries = []
        for entry in self.entries:
            marks = tuple(m for m in entry.marks if m.uid not in uids)
            if marks == entry.marks:
                entries.append(entry)
            elif marks:
                # Choices made for other sets of marks no longer mean anything.
                entries.append(replace(entry, marks=marks, choices=()))
        current = self.current if any(e.id == self.current for e in entries) else None
        return self._step(entries=tuple(entries), current=current)

    def remove(self, id: int) -> Book:
        """Remove an object with all its marks."""
        entries = tuple(e for e in self.entries if e.id != id)
        current = None if self.current == id else self.current
        return self._step(entries=entries, current=current).redrawn()

    def new_object(self) -> Book:
        """Let the next click start a new object."""
        return replace(self, current=None).redrawn()

    def select(self, id: int) -> Book:
        """Make an object the current one, so that clicks refine it."""
        return replace(self, current=id if self.entry(id) else None).redrawn()

    def clear(self) -> Book:
        """Remove all objects; can be undone."""
        return self._step(entries=(), current=None).redrawn() if self.entries else self

    def undo(self) -> Book:
        """Take back the last change."""
        if not self.past:
            return self
        entries, current = self.past[-1]
        future = (*self.future, (self.entries, self.current))
        return replace(
            self, entries=entries, current=current, past=self.past[:-1], future=future
        ).redrawn()

    def redo(self) -> Book:
        """Do again what was taken back."""
        if not self.future:
            return self
        entries, current = self.future[-1]
        past = (*self.past, (self.entries, self.current))
        return replace(
            self, entries=entries, current=current, past=past, future=self.future[:-1]
        ).redrawn()

    def to_show(self, canvas: Frame) -> Book:
        """The book with ``shown`` filled for a fresh canvas: the marks of the current object."""
        entry = self.entry(self.current)
        marks = entry.marks if entry else ()
        return replace(self, shown=tuple((m.uid, m.on_canvas(canvas)) for m in marks))

    def read(self, marks: list[CanvasMark], canvas: Frame, *, own_objects: bool = False) -> Book:
        """Take over what the user did on the canvas since it was last read.

        Parameters
        ----------
        marks : list of CanvasMark
            From :func:`rsam_core.coordinates.read_canvas`.
        canvas : Frame
            The canvas the marks are on.
        own_objects : bool
            Every click is an object of its own.

        Returns
        -------
        Book
            The same book if nothing changed.
        """
        # Small boxes that the book itself put there were typed, and stay.
        known = [mark for _, mark in self.shown]
        marks = [m for m in marks if not m.slip or any(m.near(old) for old in known)]
        change = compare_marks(known, marks)
        book = self
        owner = {j: self.shown[i][0] for i, j in change.kept}
        if change.removed:
            book = book._without_marks({self.shown[i][0] for i in change.removed})
        moved = {
            self.shown[i][0]: marks[j]
            for i, j in change.kept
            if not self.shown[i][1].near(marks[j])
        }
        if moved:
            book = book._moved(moved, canvas)
        for j in change.added:
            mark = marks[j]
            x, y, x1, y1 = _in_scene(mark, canvas)
            owner[j] = book.next_uid
            if mark.kind == "point":
                book = book.add_point(x, y, mark.label, own_object=own_objects)
            else:
                book = book.add_box(x, y, x1, y1)
        shown = tuple((owner[j], mark) for j, mark in enumerate(marks) if j in owner)
        return replace(book, shown=shown) if shown != self.shown or book is not self else self

    def _moved(self, moved: dict[int, CanvasMark], canvas: Frame) -> Book:
        entries = []
        for entry in self.entries:
            marks = []
            for mark in entry.marks:
                new = moved.get(mark.uid)
                if new is not None:
                    x, y, x1, y1 = _in_scene(new, canvas)
                    mark = replace(mark, x=x, y=y, x1=x1, y1=y1)
                marks.append(mark)
            same = tuple(marks) == entry.marks
            entries.append(entry if same else replace(entry, marks=tuple(marks), choices=()))
        return self._step(entries=tuple(entries))


def _in_scene(mark: CanvasMark, canvas: Frame) -> tuple[float, float, float, float]:
    """A canvas mark in scene pixels, inside the window that the canvas shows.

    On a canvas much larger than its window a box may be drawn within one pixel; it then means
    that pixel.
    """
    low = np.array([canvas.x, canvas.y], float)
    high = low + np.array([canvas.width, canvas.height])
    corners = np.clip(canvas.to_scene([(mark.x, mark.y), (mark.x1, mark.y1)]), low, high)
    if mark.kind == "box":
        short = corners[1] - corners[0] < SMALLEST_BOX
        first = np.minimum(np.floor(corners.mean(0)), high - SMALLEST_BOX)
        corners = np.where(short, [first, first + SMALLEST_BOX], corners)
    (x, y), (x1, y1) = corners.tolist()
    return x, y, x1, y1
