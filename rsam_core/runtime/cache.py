"""A small memory for arrays that are costly to read again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")

# Two overviews of 2048 × 2048 pixels and two samples of three 16-bit bands.
BUDGET = 48 * 2**20


class ArrayCache:
    """The latest arrays by key, up to a number of bytes; safe between threads.

    Parameters
    ----------
    budget : int
        Bytes; what is larger on its own is not kept.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._items: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key, made now if nothing is; its arrays become read only."""
        # Reading is slow and repeats what others wait for, so that one lock serves all.
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key][0]  # type: ignore[return-value]
            value = make()
            arrays = list(_arrays(value))
            for array in arrays:
                array.flags.writeable = False
            size = sum(array.nbytes for array in arrays)
            if size <= self._budget:
                self._items[key] = (value, size)
                while sum(taken for _, taken in self._items.values()) > self._budget:
                    self._items.popitem(last=False)
            return value


def _arrays(value: object) -> list[np.ndarray]:
    """Return an array itself, or those among the fields of a dataclass."""
    if isinstance(value, np.ndarray):
        return [value]
    if is_dataclass(value):
        parts = [getattr(value, part.name) for part in fields(value)]
        return [part for part in parts if isinstance(part, np.ndarray)]
    return []
