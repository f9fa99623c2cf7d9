"""Prompts as plain records for a project file, and back, checked as what comes from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rsam_core.errors import ProjectError, PromptError
from rsam_core.prompts.history import PromptedObject, PromptMark
from rsam_core.runtime.given import given
from rsam_core.scene.coordinates import Frame
from rsam_core.session.packed_objects import MAX_NUMBER

_DAMAGED = "The prompts in the project file are damaged ({}). Use an earlier save of the project."


class _Wrong(ValueError):
    """What is wrong with a record, in words."""


def to_records(entries: Iterable[PromptedObject]) -> list[dict[str, Any]]:
    """Entries of a prompt book as JSON data.

    Parameters
    ----------
    entries : iterable of PromptedObject

    Returns
    -------
    list of dict
        ``id``, ``marks`` (coordinates in scene pixels, and the view each was made in) and
        ``choices``; `from_records` reads them.
    """
    return [
        {
            "id": entry.id,
            "marks": [asdict(mark) for mark in entry.marks],
            "choices": [[count, list(chosen)] for count, chosen in entry.choices],
        }
        for entry in entries
    ]


def from_records(
    records: Iterable[dict[str, Any]], width: int, height: int
) -> tuple[PromptedObject, ...]:
    """Read entries from JSON data.

    Parameters
    ----------
    records : iterable of dict
        From `to_records`.
    width, height : int
        Size of the scene; marks must lie in it.

    Returns
    -------
    tuple of PromptedObject

    Raises
    ------
    ProjectError
        If anything is missing, of the wrong kind, outside the scene, or there twice.
    """
    entries = entries_from_records(records, width, height)
    ids = [entry.id for entry in entries]
    uids = [mark.uid for entry in entries for mark in entry.marks]
    if len(set(ids)) < len(ids) or len(set(uids)) < len(uids):
        raise ProjectError(_DAMAGED.format("a number occurs twice"))
    return entries


def entries_from_records(
    records: Iterable[dict[str, Any]], width: int, height: int
) -> tuple[PromptedObject, ...]:
    """As `from_records`, where a number may occur again: the entries are those of several times."""
    try:
        return tuple(_entry(record, width, height) for record in records)
    except _Wrong as error:
        raise ProjectError(_DAMAGED.format(error)) from error
    except (KeyError, TypeError, ValueError, OverflowError, PromptError) as error:
        raise ProjectError(_DAMAGED.format("something is missing, or is no such value")) from error


def _entry(record: dict[str, Any], width: int, height: int) -> PromptedObject:
    marks = tuple(_mark(mark, width, height) for mark in record["marks"])
    if not marks:
        raise _Wrong("an object without marks")
    choices = []
    for count, chosen in record["choices"]:
        numbers = tuple(_whole(k, 0) for k in chosen)
        if not numbers:
            raise _Wrong("an empty choice")
        choices.append((_whole(count, 1), numbers))
    return PromptedObject(_whole(record["id"], 1), marks, tuple(choices))


def _mark(record: dict[str, Any], width: int, height: int) -> PromptMark:
    kind = record["kind"]
    if kind not in ("point", "box"):
        raise _Wrong(f"there is no mark {given(kind)}")
    x, y, x1, y1 = (_number(record[name]) for name in ("x", "y", "x1", "y1"))
    if not (0 <= x <= x1 <= width and 0 <= y <= y1 <= height):
        raise _Wrong("a mark outside the image")
    label = 0 if _whole(record["label"], 0) == 0 else 1
    return PromptMark(_whole(record["uid"], 1), kind, x, y, x1, y1, label, _view(record["view"]))


def _view(record: dict[str, Any] | None) -> Frame | None:
    if record is None:
        return None
    window = [_number(record[name]) for name in ("x", "y", "width", "height")]
    columns, rows = (_whole(record[name], 1) for name in ("columns", "rows"))
    if columns * rows > 1 << 26:
        raise _Wrong("a view too large to be true")
    return Frame(*window, columns, rows)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        raise _Wrong(f"{given(value)} in place of a number")
    return float(value)


def _whole(value: Any, least: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= MAX_NUMBER:
        raise _Wrong(f"{given(value)} in place of a whole number from {least}")
    return value
