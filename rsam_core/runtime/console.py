"""What the command lines share: their frame, their exit codes, one line of progress, Ctrl+C."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rsam_core.errors import Cancelled, RsamError

GOOD, SOME_FAILED, WRONG, STOPPED = 0, 1, 2, 130
"""Exit codes: all is well; some could not be used; nothing could be done as asked; Ctrl+C."""


def run_command(
    name: str, work: Callable[[threading.Event], int], *, when_stopped: str = "Stopped."
) -> int:
    """Do the work of a command line: say what went wrong, and end with an exit code.

    Parameters
    ----------
    name : str
        Of the program, before what went wrong.
    work : callable
        Takes the event that Ctrl+C sets, and returns an exit code. It may raise `Cancelled`, or
        return `STOPPED` where it has more to say first.
    when_stopped : str
        Said last after Ctrl+C: how to go on.

    Returns
    -------
    int
        Exit code.
    """
    _show_any_name()
    with interruptible() as stop:
        try:
            code = work(stop)
        except Cancelled:
            # The line of progress has no end yet.
            print(file=sys.stderr)
            code = STOPPED
        except RsamError as error:
            print(f"\n{name}: {error}", file=sys.stderr)
            return WRONG
    if code == STOPPED:
        print(when_stopped, file=sys.stderr)
    return code


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Let Ctrl+C ask for a stop by setting an event; a second one ends at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(_signal: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _show_any_name() -> None:
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
