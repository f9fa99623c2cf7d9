"""Waiting in tests for what must come: it costs nothing when it comes at once."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds to wait for anything at most: on a busy machine a moment may last half a minute."""


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is the case.

    Raises
    ------
    AssertionError
        If it is not after that many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it was not the case within {seconds:.0f} s"
        time.sleep(0.005)
