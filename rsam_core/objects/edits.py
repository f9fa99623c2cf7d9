"""What a person changed about objects after they were found: removed, reshaped, added, labelled.

Prompts and the automatic mode give the objects as found; edits lie on top of them. Both can change
in any order: a threshold that is moved later neither brings a removed object back nor undoes a
smoothed outline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances

Identity: TypeAlias = tuple[int, int, int, int, int]


def identity(item: Instance) -> Identity:
    """What tells an object as found from others: its bounding box and its area."""
    return (*item.bbox, item.area)


def same_mask(first: Instance, second: Instance) -> bool:
    """Whether two objects cover the same pixels."""
    if first.mask is second.mask and first.bbox == second.bbox:
        return True
    return identity(first) == identity(second) and np.array_equal(first.mask, second.mask)


@dataclass(frozen=True)
class ReplacedMask:
    """An object with another mask than the one that was found.

    Attributes
    ----------
    of : Identity
        The object as found; when it is prompted again and its mask changes, the edit lapses.
    item : Instance
        What stands in its place.
    """

    of: Identity
    item: Instance


def _empty() -> Mapping:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Edits:
    """Changes to objects, by their numbers; immutable.

    Attributes
    ----------
    removed : frozenset of int
        Found objects that are not wanted.
    reshaped : mapping of int to ReplacedMask
    added : tuple of Instance
        Objects that were not found but made: by splitting, drawing, or from a file.
    labels : mapping of int to (str or None)
        Classes that were given or taken.
    """

    removed: frozenset[int] = frozenset()
    reshaped: Mapping[int, ReplacedMask] = field(default_factory=_empty)
    added: tuple[Instance, ...] = ()
    labels: Mapping[int, str | None] = field(default_factory=_empty)

    def __bool__(self) -> bool:
        return bool(self.removed or self.reshaped or self.added or self.labels)

    @property
    def highest(self) -> int:
        """The highest number that any edit names; 0 if there is none."""
        named = {*self.removed, *self.reshaped, *self.labels, *(item.id for item in self.added)}
        return max(named, default=0)

    def apply(self, found: Instances) -> Instances:
        """The objects as they are to be shown.

        Parameters
        ----------
        found : Instances
            As found by prompts and the automatic mode.

        Returns
        -------
        Instances
            `found` itself where there is nothing to change.
        """
        if not self:
            return found
        items = []
        for item in found:
            if item.id in self.removed:
                continue
            change = self.reshaped.get(item.id)
            if change is not None and change.of == identity(item):
                item = change.item
            items.append(self._labelled(item))
        items += [self._labelled(item) for item in self.added]
        return Instances(items, found.shape, next_id=max(found.next_id, self.highest + 1))

    def _labelled(self, item: Instance) -> Instance:
        if item.id not in self.labels or self.labels[item.id] == item.label:
            return item
        return replace(item, label=self.labels[item.id])

    def between(self, found: Instances, wanted: Instances) -> Edits:
        """The edits that turn the objects as found into the wanted ones.

        Parameters
        ----------
        found : Instances
            As found.
        wanted : Instances
            Objects with a number of `found` are that object, changed or not; the others are new.

        Returns
        -------
        Edits
            Edits of objects that are out of sight at the moment, because a threshold hides
            them, stay as they are.
        """
        base = {item.id: item for item in found}
        after = {item.id: item for item in wanted}
        labels = dict(self.labels)
        reshaped = {id: change for id, change in self.reshaped.items() if id not in base}
        added = []
        for id, item in after.items():
            origin = base.get(id)
            if origin is None:
                added.append(item)
            elif not same_mask(origin, item):
                reshaped[id] = ReplacedMask(identity(origin), replace(item, label=origin.label))
            if item.label != (origin.label if origin is not None else item.label):
                labels[id] = item.label
            else:
                labels.pop(id, None)
        hidden = frozenset(id for id in self.removed if id not in base)
        removed = hidden | (base.keys() - after.keys())
        return Edits(removed, MappingProxyType(reshaped), tuple(added), MappingProxyType(labels))
