"""Everything a person did to a scene, with undo: prompts grouped by object, and edits of objects.

Immutable throughout: every action returns a new book, so that undo is a list of earlier states and
a page rerun can never leave a half-done change behind.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from rsam_core.errors import PromptError
from rsam_core.objects.edits import Edits
from rsam_core.prompts.prompt import Prompt
from rsam_core.scene.coordinates import Frame

UNDO_STEPS = 100


@dataclass(frozen=True)
class PromptMark:
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
    view : Frame or None
        What the model saw when the mark was made; None for the view that is present then.
    """

    uid: int
    kind: str
    x: float
    y: float
    x1: float
    y1: float
    label: int = 1
    view: Frame | None = None


@dataclass(frozen=True)
class PromptedObject:
    """One object: its marks in the order they were made, and the candidates chosen for it.

    Attributes
    ----------
    id : int
        The object's number, as in the table.
    marks : tuple of PromptMark
    choices : tuple of (int, tuple of int)
        After how many marks which candidates were chosen (their union is the mask); where
        nothing was chosen the best one stands.
    """

    id: int
    marks: tuple[PromptMark, ...] = ()
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


@dataclass(frozen=True, eq=False)
class Step:
    """A state to go back or forward to, and what led away from it.

    Attributes
    ----------
    entries, current, edits, extra
        As in `PromptHistory`.
    what : str
        The action, in a few words: "Smooth 42 objects".
    """

    entries: tuple[PromptedObject, ...]
    current: int | None
    edits: Edits
    extra: Any
    what: str


def _nothing() -> Mapping:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class PromptHistory:
    """All prompts and edits of a scene.

    Attributes
    ----------
    entries : tuple of PromptedObject
    current : int or None
        Number of the object that further points go to; None starts a new one.
    next_uid, next_id : int
        Numbers to give next.
    edits : Edits
        Changes that lie on top of what the prompts and the automatic mode find.
    extra : Any
        Something immutable that undo shall bring back as well, such as what the automatic mode
        found.
    numbers : mapping
        Numbers of automatic objects by what tells them apart. They stay whatever the thresholds,
        and undo takes none back, so that no number is ever given to two objects.
    past, future : tuple of Step
        For undo and redo.
    """

    entries: tuple[PromptedObject, ...] = ()
    current: int | None = None
    next_uid: int = 1
    next_id: int = 1
    edits: Edits = field(default_factory=Edits)
    extra: Any = None
    numbers: Mapping[Hashable, int] = field(default_factory=_nothing)
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    def entry(self, id: int | None) -> PromptedObject | None:
        """The object of that number, if it was prompted."""
        return next((e for e in self.entries if e.id == id), None)

    def _state(self, what: str) -> Step:
        return Step(self.entries, self.current, self.edits, self.extra, what)

    def step(self, what: str, **changes: Any) -> PromptHistory:
        """A change that can be undone.

        Parameters
        ----------
        what : str
            The action in a few words, for the undo button.
        **changes
            Attributes to replace.
        """
        past = (*self.past, self._state(what))[-UNDO_STEPS:]
        return replace(self, past=past, future=(), **changes)

    def _with_entry(self, entry: PromptedObject) -> tuple[PromptedObject, ...]:
        if self.entry(entry.id) is None:
            return (*self.entries, entry)
        return tuple(entry if e.id == entry.id else e for e in self.entries)

    def add_point(
        self,
        x: float,
        y: float,
        label: int = 1,
        *,
        own_object: bool = False,
        view: Frame | None = None,
    ) -> PromptHistory:
        """Add a click to the current object, or start a new object with it."""
        mark = PromptMark(self.next_uid, "point", x, y, x, y, label, view)
        return self._add(mark, None if own_object else self.current)

    def add_box(
        self, x0: float, y0: float, x1: float, y1: float, *, view: Frame | None = None
    ) -> PromptHistory:
        """Start a new object with a box; it becomes the current one.

        Raises
        ------
        PromptError
            If the box has no area.
        """
        x0, y0, x1, y1 = (float(v) for v in Prompt(box=(x0, y0, x1, y1)).box)
        return self._add(PromptMark(self.next_uid, "box", x0, y0, x1, y1, view=view), None)

    def _add(self, mark: PromptMark, owner: int | None) -> PromptHistory:
        entry = self.entry(owner)
        next_id = self.next_id
        if entry is None:
            entry, next_id = PromptedObject(next_id), next_id + 1
        entry = replace(entry, marks=(*entry.marks, mark))
        return self.step(
            f"{'Box' if mark.kind == 'box' else 'Click'} for object {entry.id}",
            entries=self._with_entry(entry),
            current=entry.id,
            next_uid=self.next_uid + 1,
            next_id=next_id,
        )

    def choose(self, id: int, candidates: Sequence[int]) -> PromptHistory:
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
        entry = replace(entry, choices=tuple(choices.items()))
        return self.step(f"Proposal for object {id}", entries=self._with_entry(entry))

    def prefer(self, id: int, candidates: Sequence[int]) -> PromptHistory:
        """Let other candidates of an object stand where nobody has chosen; no step of its own."""
        entry = self.entry(id)
        if entry is None or len(entry.marks) in dict(entry.choices):
            return self
        choices = (*entry.choices, (len(entry.marks), tuple(candidates)))
        return replace(self, entries=self._with_entry(replace(entry, choices=choices)))

    def remove_mark(self, uid: int) -> PromptHistory:
        """Remove one click or box; an object without marks goes too."""
        entries = []
        for entry in self.entries:
            marks = tuple(m for m in entry.marks if m.uid != uid)
            if marks == entry.marks:
                entries.append(entry)
            elif marks:
                # Choices made for other sets of marks no longer mean anything.
                entries.append(replace(entry, marks=marks, choices=()))
        current = self.current if any(e.id == self.current for e in entries) else None
        return self.step("Remove a mark", entries=tuple(entries), current=current)

    def move_mark(self, uid: int, owner: int) -> PromptHistory:
        """Let a click belong to another object.

        Parameters
        ----------
        uid : int
            Number of the mark.
        owner : int
            The object, which becomes the current one. If there is none of that number, the mark
            begins it.

        Returns
        -------
        PromptHistory
            This very one if there is no such mark, or it belongs there already.
        """
        before = next((e for e in self.entries if any(m.uid == uid for m in e.marks)), None)
        if before is None or before.id == owner:
            return self
        mark = next(m for m in before.marks if m.uid == uid)
        left = tuple(m for m in before.marks if m.uid != uid)
        entries = [replace(e, marks=left, choices=()) if e is before else e for e in self.entries]
        book = replace(self, entries=tuple(e for e in entries if e.marks))
        target = book.entry(owner) or PromptedObject(owner)
        moved = replace(target, marks=(*target.marks, mark))
        return self.step(
            f"Click to object {owner}",
            entries=book._with_entry(moved),
            current=owner,
            next_id=max(self.next_id, owner + 1),
        )

    def remove(self, ids: int | Iterable[int]) -> PromptHistory:
        """Remove prompted objects with all their marks."""
        gone = {ids} if isinstance(ids, int) else set(ids)
        what = f"Remove object {min(gone)}" if len(gone) == 1 else f"Remove {len(gone)} objects"
        return self.step(what, **self._without(gone))

    def _without(self, gone: set[int]) -> dict[str, Any]:
        entries = tuple(e for e in self.entries if e.id not in gone)
        return {"entries": entries, "current": None if self.current in gone else self.current}

    def edited(self, edits: Edits, what: str, *, gone: Iterable[int] = ()) -> PromptHistory:
        """Put other edits in place.

        Parameters
        ----------
        edits : Edits
        what : str
            The action in a few words.
        gone : iterable of int
            Objects that no longer exist; their prompts go with them.
        """
        next_id = max(self.next_id, edits.highest + 1)
        return self.step(what, edits=edits, next_id=next_id, **self._without(set(gone)))

    def numbered(self, found: Iterable[Hashable]) -> PromptHistory:
        """Give numbers to automatic objects that have none yet; no step of its own.

        Parameters
        ----------
        found : iterable of hashable
            What tells each from the others.

        Returns
        -------
        PromptHistory
            This very one if all have their numbers.
        """
        fresh = [key for key in dict.fromkeys(found) if key not in self.numbers]
        if not fresh:
            return self
        start = max(self.next_id, self.edits.highest + 1)
        numbers = {**self.numbers, **{key: start + k for k, key in enumerate(fresh)}}
        return replace(self, numbers=MappingProxyType(numbers), next_id=start + len(fresh))

    def new_object(self) -> PromptHistory:
        """Let the next click start a new object."""
        return replace(self, current=None)

    def select(self, id: int) -> PromptHistory:
        """Make an object the current one, so that clicks refine it."""
        return replace(self, current=id if self.entry(id) else None)

    def clear(self) -> PromptHistory:
        """Remove all prompts; can be undone.

        Where nothing else has a number, the next object is the first again.
        """
        if not self.entries:
            return self
        bare = not self.numbers and self.edits.highest == 0
        start = 1 if bare else self.next_id
        return self.step("Clear", entries=(), current=None, next_id=start)

    def undo(self) -> PromptHistory:
        """Take back the last change."""
        if not self.past:
            return self
        step = self.past[-1]
        future = (*self.future, self._state(step.what))
        return self._at(step, past=self.past[:-1], future=future)

    def redo(self) -> PromptHistory:
        """Do again what was taken back."""
        if not self.future:
            return self
        step = self.future[-1]
        past = (*self.past, self._state(step.what))
        return self._at(step, past=past, future=self.future[:-1])

    def _at(self, step: Step, **changes: Any) -> PromptHistory:
        # Numbers that begin again after a "Clear" must not meet those that come back.
        highest = max((entry.id for entry in step.entries), default=0)
        return replace(
            self,
            entries=step.entries,
            current=step.current,
            edits=step.edits,
            extra=step.extra,
            next_id=max(self.next_id, highest + 1),
            **changes,
        )
