"""What was made from the session and need not be made again at the next run of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Memo:
    """The latest value of each name, with what it was made from; safe between threads."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[tuple, Any]] = {}

    def remember(self, name: str, key: tuple, make: Callable[[], Any]) -> Any:
        """The value of a name, made only when the key differs from the last one.

        Parameters
        ----------
        name : str
        key : tuple
            Everything that the value is made from: what `make` reads besides may have changed
            before the value is kept.
        make : callable
            Makes the value; two threads may do so side by side.
        """
        kept = self._latest.get(name)
        if kept is None or kept[0] != key:
            kept = self._latest[name] = (key, make())
        return kept[1]

    def forget(self, name: str) -> None:
        """Make the value of a name again next time."""
        self._latest.pop(name, None)
