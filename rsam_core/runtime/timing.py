"""When things happened on the server, for benchmarks; off unless ``RSAM_TIMING`` names a file.

With it, each mark is a line of JSON: its name, the time (seconds since 1970, as browsers count,
too) and the processor seconds of its thread.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FILE = os.environ.get("RSAM_TIMING") or None
"""Where the marks are written; None writes nothing."""

_LOCK = threading.Lock()


def mark(name: str) -> None:
    """Note that something happened now.

    Parameters
    ----------
    name : str
        What.
    """
    if FILE is None:
        return
    line = {"name": name, "time": time.time(), "cpu": time.thread_time()}
    with _LOCK, open(FILE, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@contextmanager
def span(name: str) -> Iterator[None]:
    """Note when a block begins and ends, as ``name`` and ``name-end``.

    Parameters
    ----------
    name : str
        What the block does.
    """
    mark(name)
    try:
        yield
    finally:
        mark(f"{name}-end")
