"""Undo and redo as plain data for a project, and back, checked as what comes from outside.

What the automatic mode found is written as objects that were added: the masks are kept, not the
thresholds by which they were chosen. What the model answered to earlier prompts is not kept; it is
asked again when somebody goes back that far.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rsam_core.errors import ProjectError, PromptError, RsamError
from rsam_core.objects.edits import Edits, ReplacedMask
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.prompts.history import UNDO_STEPS, PromptedObject, PromptHistory, Step
from rsam_core.session.packed_objects import MAX_NUMBER
from rsam_core.session.prompt_records import entries_from_records, to_records

MAX_OBJECTS = 20_000
"""Objects that all steps together may name; earlier steps are left out above that."""
MAX_PIXELS = 64_000_000
"""Pixels of their masks together."""
_MAX_LENGTH = 200

_BROKEN = "The undo steps in the project file are damaged ({}). Use an earlier save of the project."


@dataclass(frozen=True, eq=False)
class SavedSteps:
    """A book with its steps as a project keeps it.

    Attributes
    ----------
    facts : dict
        JSON data.
    items : tuple of Instance
        Objects that `facts` names by their place here; several may be the same object in another
        shape.
    """

    facts: dict[str, Any]
    items: tuple[Instance, ...]

    def facts_bytes(self) -> bytes:
        """The facts as JSON."""
        ids = [item.id for item in self.items]
        return json.dumps(self.facts | {"ids": ids}, allow_nan=False).encode()

    def objects(self, shape: tuple[int, int]) -> Instances:
        """The items, numbered by their place."""
        return Instances(
            (replace(item, id=place) for place, item in enumerate(self.items, 1)), shape
        )

    @classmethod
    def read(cls, facts: bytes, objects: Instances) -> SavedSteps:
        """What was written; see `facts_bytes` and `objects`.

        Raises
        ------
        ProjectError
            If it is damaged.
        """
        try:
            found = json.loads(facts)
            ids = found.pop("ids")
            if len(ids) != len(objects) or not all(map(_is_number, ids)):
                raise ProjectError(_BROKEN.format("its objects are not there"))
            return cls(found, tuple(replace(item, id=id) for id, item in zip(ids, objects)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ProjectError(_BROKEN.format("they are not readable")) from error


class _Writer:
    """Collects entries, edits and objects, each once."""

    def __init__(self, numbers: Mapping[Hashable, int]) -> None:
        self._numbers = numbers
        self._places: dict[tuple, int] = {}
        # Kept alive, because places go by identity.
        self.entries: list[PromptedObject] = []
        self.items: list[Instance] = []
        self.edits: list[dict[str, Any]] = []
        self._alive: list[Any] = []
        self.named = self.pixels = 0

    def entry(self, entry: PromptedObject) -> int:
        return self._place(("entry", id(entry)), entry, self.entries)

    def item(self, item: Instance, number: int | None = None) -> int:
        number = item.id if number is None else number
        place = self._places.get(("item", id(item), number))
        if place is None:
            self.pixels += item.mask.size
            named = item if number == item.id else replace(item, id=number)
            self._alive.append(item)
            place = self._place(("item", id(item), number), named, self.items)
        return place

    def edit(self, edits: Edits, extra: Any) -> int:
        place = self._places.get(("edits", id(edits), id(extra)))
        if place is None:
            self._alive += [edits, extra]
            record = self._edits(edits, extra)
            place = self._place(("edits", id(edits), id(extra)), record, self.edits)
        return place

    def _place(self, key: tuple, value: Any, among: list[Any]) -> int:
        if key not in self._places:
            self._places[key] = len(among)
            among.append(value)
        return self._places[key]

    def _edits(self, edits: Edits, extra: Any) -> dict[str, Any]:
        automatic = {} if extra is None else self._automatic(edits, extra)
        reshaped = [
            [id, [int(v) for v in change.of], self.item(change.item)]
            for id, change in edits.reshaped.items()
            if id not in automatic
        ]
        added = [place for place in automatic.values() if place is not None]
        added += [self.item(item) for item in edits.added]
        self.named += len(reshaped) + len(added)
        return {
            "removed": sorted(edits.removed - automatic.keys()),
            "reshaped": reshaped,
            "added": added,
            "labels": [[id, label] for id, label in edits.labels.items()],
        }

    def _automatic(self, edits: Edits, extra: Any) -> dict[int, int | None]:
        """Places of the automatic objects as edited, by number; None for those removed."""
        known = [(self._numbers[k], k, i) for k, i in extra.distinct if k in self._numbers]
        found: dict[int, int | None] = {}
        for number, key, item in known:
            change = edits.reshaped.get(number)
            if number in edits.removed:
                found[number] = None
            elif change is not None and change.of == _identity(key):
                found[number] = self.item(change.item)
            else:
                found[number] = self.item(item, number)
        return found


def _identity(key: Hashable) -> Hashable:
    """Box and area in what tells an automatic object from the others."""
    while isinstance(key, tuple) and isinstance(key[0], tuple):
        key = key[0]
    return key


def to_steps(book: PromptHistory, found: Instances) -> SavedSteps:
    """A book with as many of its latest steps as fit.

    Parameters
    ----------
    book : PromptHistory
    found : Instances
        What its prompts give, before any edit.
    """
    writer = _Writer(book.numbers)
    by_number = {item.id: item for item in found}
    now = {
        "entries": [writer.entry(entry) for entry in book.entries],
        "current": book.current,
        "edits": writer.edit(book.edits, book.extra),
        "next_uid": book.next_uid,
        "next_id": max(book.next_id, found.next_id),
    }
    answers = [
        [writer.entry(entry), writer.item(by_number[entry.id])]
        for entry in book.entries
        if entry.id in by_number
    ]
    past, future = _steps(writer, book.past), _steps(writer, book.future)
    facts = {
        "now": now,
        "answers": answers,
        "past": past,
        "future": future,
        "edits": writer.edits,
        "entries": to_records(writer.entries),
    }
    return SavedSteps(facts, tuple(writer.items))


def _steps(writer: _Writer, steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """Steps as records, the latest last."""
    records: list[dict[str, Any]] = []
    for step in reversed(steps):
        if writer.named > MAX_OBJECTS or writer.pixels > MAX_PIXELS:
            break
        record = {
            "entries": [writer.entry(entry) for entry in step.entries],
            "current": step.current,
            "edits": writer.edit(step.edits, step.extra),
            "what": step.what,
        }
        records.append(record)
    return records[::-1]


def from_steps(
    saved: SavedSteps, width: int, height: int
) -> tuple[PromptHistory, dict[PromptedObject, Instance]]:
    """The book as it was, and what the model had answered to its present prompts.

    Parameters
    ----------
    saved : SavedSteps
    width, height : int
        Size of the scene.

    Raises
    ------
    ProjectError
        If something in it is damaged.
    """
    try:
        return _Reader(saved, width, height).book()
    except ProjectError:
        raise
    except (RsamError, PromptError) as error:
        raise ProjectError(_BROKEN.format(str(error).rstrip("."))) from error
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ProjectError(_BROKEN.format("something is missing, or is no such value")) from error


class _Reader:
    def __init__(self, saved: SavedSteps, width: int, height: int) -> None:
        self._facts, self._items = saved.facts, saved.items
        self._entries = entries_from_records(saved.facts["entries"], width, height)
        self._edits = [self._edit(record) for record in saved.facts["edits"]]

    def book(self) -> tuple[PromptHistory, dict[PromptedObject, Instance]]:
        now = self._facts["now"]
        entries = self._chosen(now["entries"])
        marks = [mark.uid for entry in self._entries for mark in entry.marks]
        numbers = [entry.id for entry in self._entries] + [item.id for item in self._items]
        book = PromptHistory(
            entries,
            self._current(now["current"], entries),
            max(_whole(now["next_uid"]), 1 + max(marks, default=0)),
            max(_whole(now["next_id"]), 1 + max(numbers, default=0)),
            _at(self._edits, now["edits"]),
            past=self._steps("past"),
            future=self._steps("future"),
        )
        answers = {
            _at(self._entries, entry): _at(self._items, item)
            for entry, item in self._facts["answers"]
        }
        if any(entry.id != item.id for entry, item in answers.items()):
            raise ProjectError(_BROKEN.format("an answer belongs to another object"))
        return book, {entry: answers[entry] for entry in entries if entry in answers}

    def _chosen(self, places: Iterable[Any]) -> tuple[PromptedObject, ...]:
        entries = tuple(_at(self._entries, place) for place in places)
        if len({entry.id for entry in entries}) < len(entries):
            raise ProjectError(_BROKEN.format("a number occurs twice"))
        return entries

    def _current(self, id: Any, entries: tuple[PromptedObject, ...]) -> int | None:
        return id if any(entry.id == id for entry in entries) else None

    def _steps(self, name: str) -> tuple[Step, ...]:
        steps = []
        for record in self._facts[name][-UNDO_STEPS:]:
            entries = self._chosen(record["entries"])
            current = self._current(record["current"], entries)
            edits = _at(self._edits, record["edits"])
            steps.append(Step(entries, current, edits, None, str(record["what"])[:_MAX_LENGTH]))
        return tuple(steps)

    def _edit(self, record: dict[str, Any]) -> Edits:
        reshaped = {
            _whole(id): ReplacedMask(tuple(_whole(v, 0) for v in of), _at(self._items, place))
            for id, of, place in record["reshaped"]
        }
        if any(id != change.item.id or len(change.of) != 5 for id, change in reshaped.items()):
            raise ProjectError(_BROKEN.format("a shape belongs to another object"))
        added = tuple(_at(self._items, place) for place in record["added"])
        if len({item.id for item in added}) < len(added):
            raise ProjectError(_BROKEN.format("a number occurs twice"))
        labels = {_whole(id): None if it is None else str(it) for id, it in record["labels"]}
        return Edits(
            frozenset(_whole(id) for id in record["removed"]),
            MappingProxyType(reshaped),
            added,
            MappingProxyType(labels),
        )


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value <= MAX_NUMBER


def _at(among: Any, place: Any) -> Any:
    """What lies at a place; never counted from the end."""
    return among[_whole(place, 0)]


def _whole(value: Any, least: int = 1) -> int:
    if type(value) is not int or not least <= value <= MAX_NUMBER:
        raise ValueError(value)
    return value
