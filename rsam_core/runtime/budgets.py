"""Memory budgets by owner and in total: what was not used for longest goes first.

`Store` keeps what can be made again, such as embeddings, and evicts it when room is needed. For
what only its owner can bring back, such as uploads, `choose_evictions` says what can go, or
refuses.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rsam_core.errors import BudgetError

Value = TypeVar("Value")

UNOWNED = None
"""In place of an owner: what nobody owns has no share and stays while there is room."""


@dataclass
class _Entry(Generic[Value]):
    value: Value
    nbytes: int
    owners: set[Hashable] = field(default_factory=set)


class Store(Generic[Value]):
    """Values by key within byte budgets; safe between threads.

    A value that several owners use counts for each of them, and in total once. An owner over the
    budget gives up what it did not use for longest; a value that nobody uses any more is dropped.
    In total, too, what nobody used for longest is dropped first. The value that came last stays
    even if it alone is too large.

    Parameters
    ----------
    total : int
        Bytes of all values together.
    each : int, optional
        Bytes of the values of one owner; no limit by default.
    """

    def __init__(self, total: int, each: int | None = None) -> None:
        self.total, self.each = total, each
        self._lock = threading.RLock()
        # The least recently used comes first, over all and for each owner.
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._claims: dict[Hashable, OrderedDict[Hashable, None]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        with self._lock:
            return sum(entry.nbytes for entry in self._entries.values())

    def held_by(self, owner: Hashable) -> int:
        """Bytes of the values that an owner uses."""
        with self._lock:
            return sum(self._entries[key].nbytes for key in self._claims.get(owner, ()))

    def get(self, key: Hashable, owner: Hashable = UNOWNED) -> Value | None:
        """The value of a key, now used by that owner, too; None if it is not held."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._use(key, entry, owner)
            return entry.value

    def put(self, key: Hashable, value: Value, nbytes: int, owner: Hashable = UNOWNED) -> None:
        """Keep a value, and let go of others if need be.

        Raises
        ------
        ValueError
            If the size is negative.
        """
        if nbytes < 0:
            raise ValueError(f"A value cannot hold {nbytes} bytes.")
        with self._lock:
            known = self._entries.get(key)
            entry = _Entry(value, nbytes, known.owners if known else set())
            self._entries[key] = entry
            self._use(key, entry, owner)
            total = self.nbytes
            while total > self.total and len(self._entries) > 1:
                total -= self._drop(next(iter(self._entries)))

    def release(self, owner: Hashable = UNOWNED) -> int:
        """Forget an owner, or let go of what nobody owns; the bytes that became free."""
        with self._lock:
            if owner is UNOWNED:
                return sum(self._drop(k) for k, e in list(self._entries.items()) if not e.owners)
            return sum(self._give_up(owner, key) for key in list(self._claims.get(owner, ())))

    def give_up(self, key: Hashable, owner: Hashable) -> int:
        """One owner uses a value no more, which goes if nobody does; the bytes that became free."""
        with self._lock:
            entry = self._entries.get(key)
            return self._give_up(owner, key) if entry and owner in entry.owners else 0

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._claims.clear()

    def _use(self, key: Hashable, entry: _Entry[Value], owner: Hashable) -> None:
        self._entries.move_to_end(key)
        if owner is UNOWNED:
            return
        entry.owners.add(owner)
        mine = self._claims.setdefault(owner, OrderedDict())
        mine[key] = None
        mine.move_to_end(key)
        if self.each is None:
            return
        held = self.held_by(owner)
        while held > self.each and len(mine) > 1:
            oldest = next(iter(mine))
            held -= self._entries[oldest].nbytes
            self._give_up(owner, oldest)

    def _give_up(self, owner: Hashable, key: Hashable) -> int:
        """One owner uses a value no more; the bytes that became free."""
        mine = self._claims.get(owner)
        if mine is not None:
            mine.pop(key, None)
            if not mine:
                del self._claims[owner]
        entry = self._entries[key]
        entry.owners.discard(owner)
        return 0 if entry.owners else self._drop(key)

    def _drop(self, key: Hashable) -> int:
        entry = self._entries.pop(key)
        for owner in entry.owners:
            mine = self._claims.get(owner)
            if mine is not None:
                mine.pop(key, None)
                if not mine:
                    del self._claims[owner]
        return entry.nbytes


@dataclass(frozen=True)
class Holding:
    """Something in memory that only its owner can bring back.

    Attributes
    ----------
    owner : hashable
    key : hashable
        Which of the owner's things it is.
    nbytes : int
    needed : bool
        Whether somebody would miss it: the owner is here and uses it.
    name : str
        What the owner calls it.
    """

    owner: Hashable
    key: Hashable
    nbytes: int
    needed: bool = True
    name: str = ""


def choose_evictions(held: Sequence[Holding], total: int, each: int, *, what: str) -> list[Holding]:
    """What has to go so that all is within its budgets.

    Parameters
    ----------
    held : sequence of Holding
        The least recently used first; the last one is what has just come. It never goes.
    total, each : int
        Bytes that all owners, and one owner, may hold.
    what : str
        What the last one is, for the message: "town.tif".

    Returns
    -------
    list of Held
        In the order in which they go; nothing that is needed.

    Raises
    ------
    BudgetError
        If that does not make room enough: the last one cannot be kept.
    """
    if not held:
        return []
    latest, gone = held[-1], []
    for own, limit in ((True, each), (False, total)):
        items = [i for i in held if i not in gone and (i.owner == latest.owner or not own)]
        excess = sum(item.nbytes for item in items) - limit
        for item in items[:-1]:
            if excess > 0 and not item.needed:
                gone.append(item)
                excess -= item.nbytes
        if excess > 0:
            raise BudgetError(_refusal(latest.nbytes, what, limit, own))
    return gone


def _refusal(nbytes: int, what: str, limit: int, own: bool) -> str:
    file = f"“{what}” ({megabytes(nbytes)})"
    if nbytes > limit:
        return (
            f"{file} is larger than the {megabytes(limit)} that this computer takes. Cut it into "
            "parts, or ask whoever runs RSAM to put it into the folder of images, from where "
            "files of any size can be opened."
        )
    if own:
        return (
            f"With {file} you would hold more than {megabytes(limit)} here. Remove files that you "
            "uploaded before (the cross behind each), then upload this one again."
        )
    return (
        f"There is no room for {file} at the moment: all people together may hold "
        f"{megabytes(limit)} on this computer. Try again when others have left, or use a smaller "
        "file."
    )


def megabytes(nbytes: int) -> str:
    """A size in words: "850 MB"."""
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{max(nbytes / 1e6, 1):,.0f} MB"


def setting(name: str, default: int) -> int:
    """A budget in bytes from an environment variable in MB, or the default (bytes)."""
    text = os.environ.get(name, "").strip()
    try:
        value = int(float(text)) if text else 0
    except (ValueError, OverflowError):
        value = 0
    return value << 20 if value > 0 else default


def share_of_memory(share: float, least: int) -> int:
    """So much of this computer's memory in bytes, at least `least`."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        # Windows does not tell this way.
        return least
    return max(int(share * whole), least)
