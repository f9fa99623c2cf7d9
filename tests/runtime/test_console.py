"""The frame of the command lines: what is printed, how it ends, and Ctrl+C."""

from __future__ import annotations

import io
import signal
import sys
import threading
from types import SimpleNamespace

import pytest

from rsam_core.errors import Cancelled, SceneError
from rsam_core.runtime import console
from rsam_core.runtime.console import (
    GOOD,
    SOME_FAILED,
    STOPPED,
    WRONG,
    ProgressLine,
    interruptible,
    run_command,
)


def _raises(error: Exception):
    def work(stop: threading.Event) -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("work", "code", "printed"),
    [
        (lambda stop: GOOD, GOOD, ""),
        (lambda stop: SOME_FAILED, SOME_FAILED, ""),
        (lambda stop: STOPPED, STOPPED, "Go on with --again.\n"),
        (_raises(Cancelled()), STOPPED, "\nGo on with --again.\n"),
        (_raises(SceneError("It is no image. Choose another.")), WRONG,
         "\nrsam: It is no image. Choose another.\n"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_printed_and_told_by_the_code(work, code, printed, capsys) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run_command("rsam", work, when_stopped="Go on with --again.") == code
    assert capsys.readouterr().err == printed
    assert signal.getsignal(signal.SIGINT) is before


def test_a_fault_of_rsam_is_not_hidden() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        run_command("rsam", _raises(ZeroDivisionError()))
    assert signal.getsignal(signal.SIGINT) is before


def test_the_exit_codes_are_those_that_are_documented() -> None:
    assert (GOOD, SOME_FAILED, WRONG, STOPPED) == (0, 1, 2, 130)


def test_ctrl_c_asks_and_a_second_one_ends_at_once() -> None:
    with interruptible() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_in_a_thread_ctrl_c_is_left_alone() -> None:
    before, codes = signal.getsignal(signal.SIGINT), []
    thread = threading.Thread(target=lambda: codes.append(run_command("rsam", lambda stop: GOOD)))
    thread.start()
    thread.join()
    assert codes == [GOOD]
    assert signal.getsignal(signal.SIGINT) is before


def test_any_name_of_a_file_can_be_printed(monkeypatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)

    def work(stop: threading.Event) -> int:
        print("Łódź\udcff.tif")
        return GOOD

    assert run_command("rsam", work) == GOOD
    stream.flush()
    assert stream.buffer.getvalue() == b"\\u0141\\xf3d\\u017a\\udcff.tif\n"


def test_progress_is_printed_now_and_then_where_nobody_watches(capsys, monkeypatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: clock.now))
    line = ProgressLine("town", quiet=False)
    for clock.now, share in ((100.0, 0.1), (104.0, 0.2), (110.0, 0.5), (111.0, 1.0)):
        line(share, "tiles")
    line.end()
    assert capsys.readouterr().err.splitlines() == [
        "town:  10%  tiles, about 0 s left",
        "town:  50%  tiles, about 10 s left",
        "town: 100%  tiles",
    ]
    quiet = ProgressLine("town", quiet=True)
    quiet(1.0, "tiles")
    quiet.end()
    assert capsys.readouterr().err == ""
