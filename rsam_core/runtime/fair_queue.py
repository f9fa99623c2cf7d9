"""A fair queue in front of a shared resource, such as a model.

Whoever comes first is served first, but nobody twice while others wait: between owners the turns
go round, and each owner's own are served in their order. Turns are meant to be short. Long work
takes one for each of its steps, so that it gives way between them.

There are three lines: clicks, which are answered in a moment, go ahead of images that are looked
at for the first time, and both ahead of work in the background; though not for ever.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rsam_core.errors import Cancelled, QueueFull

PULSE = 0.5
"""Seconds after which whoever waits looks up."""

INTERACTIVE, ENCODE, BACKGROUND = range(3)
"""The lines, in the order in which they are served."""


@dataclass(eq=False)
class _Ticket:
    """One turn that is waited for."""

    owner: Hashable
    called: threading.Event = field(default_factory=threading.Event)


class _Line:
    """Tickets that wait, served owner by owner in turn."""

    def __init__(self) -> None:
        # The owner who is next comes first.
        self._owners: OrderedDict[Hashable, deque[_Ticket]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._owners.values()))

    def of(self, owner: Hashable) -> int:
        """How many tickets an owner holds."""
        return len(self._owners.get(owner, ()))

    def join(self, ticket: _Ticket) -> None:
        self._owners.setdefault(ticket.owner, deque()).append(ticket)

    def pop(self) -> _Ticket:
        owner, tickets = self._owners.popitem(last=False)
        ticket = tickets.popleft()
        if tickets:
            self._owners[owner] = tickets
        return ticket

    def leave(self, ticket: _Ticket) -> None:
        tickets = self._owners[ticket.owner]
        tickets.remove(ticket)
        if not tickets:
            del self._owners[ticket.owner]

    def before(self, ticket: _Ticket) -> int:
        """How many tickets are served before this one."""
        round_of_mine = self._owners[ticket.owner].index(ticket)
        count, passed = 0, False
        for owner, tickets in self._owners.items():
            if owner == ticket.owner:
                count, passed = count + round_of_mine, True
            else:
                # Owners ahead of this one in the round have had one turn more by then.
                count += min(len(tickets), round_of_mine + (not passed))
        return count


class FairQueue:
    """Lets a few in at a time, in a fair order; safe between threads.

    Parameters
    ----------
    running : int
        Turns that run side by side, at least 1.
    waiting : int
        Turns that may wait, of all owners together.
    waiting_each : int
        Turns that may wait of one owner.
    patience : int
        Turns of other lines that may go ahead of one that waits; then its line is served.

    Raises
    ------
    ValueError
        If a number is too small.
    """

    def __init__(
        self, running: int = 1, waiting: int = 200, waiting_each: int = 16, patience: int = 4
    ) -> None:
        if running < 1 or waiting < 0 or waiting_each < 0 or patience < 0:
            raise ValueError("At least one turn must run, and no number may be negative.")
        self.limit, self.waiting, self.waiting_each = running, waiting, waiting_each
        self.patience = patience
        self._lock = threading.Lock()
        self._running = 0
        self._lines = [_Line() for _ in (INTERACTIVE, ENCODE, BACKGROUND)]
        self._passed = [0 for _ in self._lines]
        self._mine = threading.local()

    def __len__(self) -> int:
        """How many turns wait now."""
        with self._lock:
            return sum(map(len, self._lines))

    @property
    def running(self) -> int:
        """How many turns run now."""
        with self._lock:
            return self._running

    @contextmanager
    def slot(
        self,
        owner: Hashable,
        *,
        line: int = INTERACTIVE,
        waiting: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Callable[[], bool]]:
        """Wait for a turn, and hold it during the block.

        A thread that holds a turn already goes on at once. The block is given a function that
        tells, in any thread, whether anybody waits in a line that is served first: long work may
        then end its turn early.

        Parameters
        ----------
        owner : hashable
            Whose turn it is, for example the name of a session.
        line : int
            `INTERACTIVE`, `ENCODE` or `BACKGROUND`.
        waiting : callable, optional
            Called in this thread with the position (1 is next) when one has to wait, and again
            every `PULSE`. What it raises ends the waiting.
        cancelled : callable, optional
            Whether to stop waiting.

        Raises
        ------
        QueueFull
            If too many wait already.
        Cancelled
            If `cancelled` said so before the turn came.
        """

        def wanted() -> bool:
            with self._lock:
                return any(self._lines[:line])

        if getattr(self._mine, "holds", False):
            yield wanted
            return
        self._enter(owner, line, waiting, cancelled)
        self._mine.holds = True
        try:
            yield wanted
        finally:
            self._mine.holds = False
            with self._lock:
                self._leave()

    def _enter(
        self,
        owner: Hashable,
        line: int,
        waiting: Callable[[int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        """Come back when it is one's turn."""
        with self._lock:
            # When a place is free nobody waits: whoever leaves hands it on.
            if self._running < self.limit:
                self._running += 1
                return
            count = sum(map(len, self._lines))
            if count >= self.waiting:
                raise QueueFull(
                    f"{count} steps are waiting for the model already, as many as this computer "
                    "takes. Your work is kept: wait half a minute, then try again."
                )
            if sum(each.of(owner) for each in self._lines) >= self.waiting_each:
                raise QueueFull(
                    "You have started as many things at once as RSAM takes from one person. "
                    "Your work is kept: wait until one of them is done, then try again."
                )
            ticket = _Ticket(owner)
            self._lines[line].join(ticket)
        try:
            self._wait(ticket, line, waiting, cancelled)
        except BaseException:
            with self._lock:
                if ticket.called.is_set():
                    self._leave()
                else:
                    self._lines[line].leave(ticket)
            raise

    def _wait(
        self,
        ticket: _Ticket,
        line: int,
        waiting: Callable[[int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        while not ticket.called.is_set():
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped while waiting for the model.")
            if waiting is not None:
                place = self._place(ticket, line)
                if place is not None:
                    waiting(place)
            ticket.called.wait(PULSE)

    def _place(self, ticket: _Ticket, line: int) -> int | None:
        """Position in the queue, 1 is next; None if the turn has just come."""
        with self._lock:
            if ticket.called.is_set():
                return None
            return 1 + sum(map(len, self._lines[:line])) + self._lines[line].before(ticket)

    def _leave(self) -> None:
        """Hand the place on, or leave it free. The lock is held."""
        wait = [number for number, line in enumerate(self._lines) if line]
        if not wait:
            self._running -= 1
            return
        overdue = [number for number in wait if self._passed[number] >= self.patience]
        chosen = max(overdue, key=self._passed.__getitem__) if overdue else wait[0]
        for number in range(len(self._lines)):
            passed = number in wait and number != chosen
            self._passed[number] = self._passed[number] + 1 if passed else 0
        self._lines[chosen].pop().called.set()


def model_slots() -> int:
    """How many steps of a model shall run side by side on this computer.

    ``RSAM_TURNS`` says; by default one for every two cores, because a first look at an image
    uses several by itself.
    """
    text = os.environ.get("RSAM_TURNS", "").strip()
    if text.isdecimal() and int(text) > 0:
        return int(text)
    return max(1, (os.cpu_count() or 1) // 2)
