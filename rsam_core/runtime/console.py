"""What the command lines share: one line of progress, and Ctrl+C."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable


def on_interrupt(stop: threading.Event) -> Callable | int | None:
    """Let Ctrl+C ask for a stop; a second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        return None
    before = signal.getsignal(signal.SIGINT)

    def ask(_signal: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, ask)
    return before


def show_any_name() -> None:
    """Let names of files be printed that have no letters in the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


class ProgressLine:
    """One line that is written over, or one line now and then where nobody watches."""

    def __init__(self, name: str, quiet: bool) -> None:
        self.name, self.quiet = name, quiet
        self.began = time.monotonic()
        self.last = -1e9
        self.live = sys.stderr.isatty()

    def __call__(self, share: float, text: str) -> None:
        now = time.monotonic()
        pause = 0.1 if self.live else 10
        if self.quiet or (now - self.last < pause and share < 1):
            return
        self.last = now
        spent = now - self.began
        left = f", about {spent / share * (1 - share):.0f} s left" if 0.02 < share < 1 else ""
        line = f"{self.name}: {share:4.0%}  {text}{left}"
        if self.live:
            print(
                f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}",
                end="",
                file=sys.stderr,
                flush=True,
            )
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self.live and not self.quiet:
            print(file=sys.stderr)
