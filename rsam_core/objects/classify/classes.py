"""The classes that objects can belong to: names and colours, presets and one's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rsam_core.errors import ClassifyError, RsamError
from rsam_core.objects import palette
from rsam_core.objects.instances import Instances

MAX_NAME = 60
MAX_CLASSES = 254
"""A class map of 8 bits has room for these and for "no class"."""


def _checked_name(name: object) -> str:
    text = " ".join(unicodedata.normalize("NFC", name).split()) if isinstance(name, str) else ""
    if not text:
        raise ClassifyError("A class needs a name. Type one, for example “greenhouse”.")
    if len(text) > MAX_NAME:
        raise ClassifyError(f"The name of a class has at most {MAX_NAME} letters. Shorten it.")
    if not text.isprintable():
        raise ClassifyError("The name of a class has an unprintable character. Type it again.")
    return text


def clean_label(value: object) -> str | None:
    """Return a class that a file names as one that can be kept; None if it names none.

    Whole numbers count as names; what is too long is cut, what cannot be printed is left out.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)[:MAX_NAME]
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFC", value[: 10 * MAX_NAME])
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:MAX_NAME].strip() or None


@dataclass(frozen=True)
class ObjectClass:
    """One class.

    Parameters
    ----------
    name : str
        What `Instance.label` holds; surrounding blanks are dropped.
    color : str
        ``"#RRGGBB"``.

    Raises
    ------
    ClassifyError
        If the name is empty, longer than 60 characters or not printable, or the colour is none.
    """

    name: str
    color: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _checked_name(self.name))
        try:
            color = palette.to_hex(palette.to_rgb(self.color))
        except RsamError as error:
            raise ClassifyError(str(error)) from error
        object.__setattr__(self, "color", color)


PRESETS: tuple[ObjectClass, ...] = tuple(
    ObjectClass(name, color) for name, color in palette.CLASSES.items()
)
"""Building, road, vegetation, water, bare soil, vehicle, field, other."""


@dataclass(frozen=True)
class ClassList:
    """Classes in the order in which they are shown; every method returns a new list.

    Parameters
    ----------
    items : tuple of ObjectClass
        The presets if not given.

    Raises
    ------
    ClassifyError
        If two classes have one name (upper and lower case count as the same), or there are more
        than 254.
    """

    items: tuple[ObjectClass, ...] = field(default=PRESETS)

    def __post_init__(self) -> None:
        items = tuple(self.items)
        if len(items) > MAX_CLASSES:
            raise ClassifyError(f"At most {MAX_CLASSES} classes are possible. Remove some first.")
        seen: set[str] = set()
        for item in items:
            if item.name.casefold() in seen:
                raise ClassifyError(f"There is a class “{item.name}” already. Choose another name.")
            seen.add(item.name.casefold())
        object.__setattr__(self, "items", items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[ObjectClass]:
        return iter(self.items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.position(name) is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(item.name for item in self.items)

    @property
    def colors(self) -> dict[str, str]:
        """Colour by name."""
        return {item.name: item.color for item in self.items}

    def get(self, name: str) -> ObjectClass:
        """Return the class of a name, upper or lower case.

        Raises
        ------
        ClassifyError
            If there is none.
        """
        position = self.position(name)
        if position is None:
            raise ClassifyError(f"There is no class “{name}”. Add it to the classes first.")
        return self.items[position]

    def color(self, name: str | None) -> str:
        """Return the colour of a label, ``"#RRGGBB"``; one that is not listed keeps its own."""
        position = None if not name else self.position(name)
        if position is not None:
            return self.items[position].color
        return palette.to_hex(palette.class_color(name))

    def add(self, name: str, color: str | None = None) -> ClassList:
        """Append a class; without a colour it gets one that is not in use."""
        name = _checked_name(name)
        if name in self:
            raise ClassifyError(f"There is a class “{name}” already. Choose another name.")
        return replace(
            self, items=(*self.items, ObjectClass(name, color or self._free_color(name)))
        )

    def remove(self, name: str) -> ClassList:
        """Drop a class; objects that carry the name keep it."""
        gone = self.get(name)
        return replace(self, items=tuple(item for item in self.items if item is not gone))

    def rename(self, name: str, new_name: str) -> ClassList:
        """Change a name in place; see :func:`relabel` for the objects."""
        old = self.get(name)
        changed = ObjectClass(new_name, old.color)
        return replace(self, items=tuple(changed if item is old else item for item in self.items))

    def recolor(self, name: str, color: str) -> ClassList:
        """Change the colour of a class."""
        old = self.get(name)
        changed = ObjectClass(old.name, color)
        return replace(self, items=tuple(changed if item is old else item for item in self.items))

    def including(self, labels: Iterable[str | None]) -> ClassList:
        """Append the labels that are in use but not listed, in alphabetical order."""
        result = self
        for label in sorted({label for label in labels if label}):
            if label not in result:
                result = result.add(label)
        return result

    def to_json(self) -> list[dict[str, str]]:
        """Return plain data that :meth:`from_json` reads."""
        return [{"name": item.name, "color": item.color} for item in self.items]

    @classmethod
    def from_json(cls, data: Any) -> ClassList:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ClassifyError
            If it is something else.
        """
        if not isinstance(data, list) or not all(isinstance(row, Mapping) for row in data):
            raise ClassifyError("The list of classes is not readable. Save it again.")
        return cls(tuple(ObjectClass(row.get("name", ""), row.get("color", "")) for row in data))

    def position(self, name: str) -> int | None:
        """Return the place of a class in the list, from 0; None if it is not listed."""
        wanted = " ".join(name.split()).casefold()
        for index, item in enumerate(self.items):
            if item.name.casefold() == wanted:
                return index
        return None

    def _free_color(self, name: str) -> str:
        """Return the colour farthest from those in use, of a few well-distinguishable ones."""
        used = np.array([palette.to_rgb(item.color) for item in self.items], float).reshape(-1, 3)
        own = palette.to_hex(palette.class_color(name))
        if name.casefold() in palette.CLASSES or not len(used):
            return own
        choices = palette.random_colors(np.arange(1, 25)).astype(float)
        distance = np.linalg.norm(choices[:, None] - used[None], axis=2).min(axis=1)
        return palette.to_hex(choices[int(distance.argmax())])


def relabel(instances: Instances, changes: Mapping[str, str | None]) -> Instances:
    """Replace labels, for example after a class was renamed or removed (None takes it away)."""
    items = (
        replace(item, label=changes[item.label]) if item.label in changes else item
        for item in instances
    )
    return Instances(items, instances.shape, next_id=instances.next_id)


def set_label(instances: Instances, ids: Iterable[int], label: str | None) -> Instances:
    """Give a class to the objects with these numbers; numbers that do not exist are ignored."""
    chosen = set(ids)
    name = None if label is None else _checked_name(label)
    items = (
        replace(item, label=name) if item.id in chosen and item.label != name else item
        for item in instances
    )
    return Instances(items, instances.shape, next_id=instances.next_id)


def set_labels(instances: Instances, labels: Mapping[int, str | None]) -> Instances:
    """Give each object of a mapping from number to label its class."""
    items = (
        replace(item, label=labels[item.id])
        if item.id in labels and item.label != labels[item.id]
        else item
        for item in instances
    )
    return Instances(items, instances.shape, next_id=instances.next_id)
