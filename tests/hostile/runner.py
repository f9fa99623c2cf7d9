"""Tries hostile files in processes of its own: measures each, ends those that overrun."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.hostile.case import EITHER, Case, Trap

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
"""A case that takes longer is ended: generous, so that slow machines give the same verdict."""
MEMORY = 500 * 2**20
"""Bytes that a case may need beyond what its process had."""
_END_ABOVE = 4 * MEMORY
_LOOK_EVERY = 0.02
_START_SECONDS = 180.0

_PATHS = re.compile(
    r"/(?:vsi\w+|tmp|root|home|usr|var|proc|work|nowhere)/|site-packages|(?<![.\w])rsam-\w{6,}|"
    + re.escape(str(ROOT))
)
_JARGON = re.compile(
    r"GDAL|CPLE|rasterio|pyogrio|geopandas|shapely|numpy|Traceback|Errno|NoneType|"
    r"\w+Error\b|Exception|object at 0x|unpack requires|list indices|not subscriptable|"
    r"unhashable|positional argument|keyword argument|could not convert|invalid literal|"
    r"\bdtype\b|codec can't|Expecting value|not iterable|has no attribute|OverflowError|"
    r"must be real number|\bstruct\b|zlib|sqlite|libtiff|TIFFRead|<class|\\x[0-9a-f]{2}"
)
_LONGEST = 900


@dataclass(frozen=True)
class Result:
    """What came of a case.

    Attributes
    ----------
    case : Case
    outcome : str
        "refused", "opened", "raised", "crashed" or "overrun".
    message : str
        What the user would read, or what was raised.
    seconds : float
        By the clock.
    computing : float
        Seconds that the processors worked on it, however busy they are with other things.
    memory : int
        Bytes beyond what the processes had before; 0 where that cannot be known.
    problem : str
        What is wrong about it; empty if nothing is.
    """

    case: Case
    outcome: str
    message: str
    seconds: float
    computing: float
    memory: int
    problem: str


class Runner:
    """One process that tries uploads, started anew after each that it does not survive.

    Parameters
    ----------
    trap : Trap
        Notices files and addresses that are reached.
    seconds : float
        Limit of each case.
    """

    def __init__(self, trap: Trap, seconds: float = SECONDS) -> None:
        self._trap, self._seconds = trap, seconds
        self._folder = tempfile.TemporaryDirectory(prefix="hostile-")
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (kept open)
        self._process: subprocess.Popen | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._log.close()
        self._folder.cleanup()

    def run(self, case: Case) -> Result:
        """Make the file of a case and try it."""
        return self.judge(case, case.make(self._trap.lure))

    def judge(self, case: Case, content: bytes) -> Result:
        """Try a content as an upload of the case's kind."""
        if self._process is None:
            self._start()
        path = Path(self._folder.name, "upload")
        path.write_bytes(content)
        task = {"path": str(path), "kind": case.kind, "file": case.file}
        self._trap.visits()
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        began, meter, ended = time.perf_counter(), _Meter(self._process.pid), ""
        answer = None
        while answer is None:
            try:
                line = self._answers.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                line = ""
            if line == "begun\n":
                meter.reset()
            elif line:
                answer = json.loads(line)
            meter.look()
            if self._process.poll() is not None and self._answers.empty():
                ended = f"the process died with {self._process.returncode}"
            elif time.perf_counter() - began > self._seconds:
                ended = f"it took more than {self._seconds:.0f} s"
            elif meter.memory > _END_ABOVE:
                ended = f"it took more than {_END_ABOVE >> 20} MB"
            if ended and answer is None:
                self._end()
                break
        visits = self._trap.visits()
        if answer is None:
            what = "crashed" if "died" in ended else "overrun"
            took = time.perf_counter() - began
            return Result(case, what, "", took, took, meter.memory, ended)
        computing = meter.computing()
        memory = max(meter.memory, answer["peak"] - meter.before if answer["peak"] else 0)
        problem = _problem(case, answer, memory, visits)
        return Result(
            case,
            answer["outcome"],
            answer["message"],
            answer["seconds"],
            computing,
            memory,
            problem,
        )

    def _start(self) -> None:
        places = [str(ROOT / "tests"), str(ROOT)]
        surroundings = os.environ | {
            "PYTHONPATH": os.pathsep.join(places),
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env=surroundings,
        )
        self._answers = queue.Queue()
        threading.Thread(
            target=_pass_on, args=(self._process.stdout, self._answers), daemon=True
        ).start()
        try:
            first = self._answers.get(timeout=_START_SECONDS)
        except queue.Empty:
            first = ""
        if first != "ready\n":
            self._end()
            self._log.seek(0)
            raise RuntimeError("The process does not start: " + self._log.read()[-2000:])

    def _end(self) -> None:
        """End the process and all that it started."""
        if self._process is None:
            return
        family = _family(self._process.pid)
        for member in family:
            try:
                psutil.Process(member).kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait()
        self._process.stdin.close()
        self._process = None


def _pass_on(lines: Iterable[str], to: queue.Queue[str]) -> None:
    for line in lines:
        to.put(line)


class _Meter:
    """The memory of a process and its children beyond what they had."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._highest: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self.reset()

    @property
    def before(self) -> int:
        """What the process itself had, in bytes."""
        return self._before.get(self._pid, 0)

    @property
    def memory(self) -> int:
        """Sum of what each took at most, in bytes."""
        return sum(max(0, most - self._before.get(pid, 0)) for pid, most in self._highest.items())

    def reset(self) -> None:
        """Begin anew."""
        self._before = dict(self._now())
        self._highest = {}
        self._computed = _computed(self._pid)

    def computing(self) -> float:
        """Processor seconds since."""
        return max(0.0, _computed(self._pid) - self._computed)

    def look(self) -> None:
        """Note what they have at this moment."""
        mine = _command(self._pid)
        for pid, size in self._now():
            # A process that has just begun shares all memory of the one that starts it until it
            # loads its own program, and would be counted as if it had as much again.
            if pid == self._pid or _command(pid) != mine:
                self._highest[pid] = max(size, self._highest.get(pid, 0))

    def _now(self) -> Iterator[tuple[int, int]]:
        for pid in _family(self._pid):
            try:
                yield pid, psutil.Process(pid).memory_info().rss
            except psutil.NoSuchProcess:
                continue


def _computed(pid: int) -> float:
    """Return the processor seconds of a process and its family, the ended ones included."""
    total = 0.0
    for member in _family(pid):
        try:
            total += sum(psutil.Process(member).cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def _command(pid: int) -> bytes:
    """The command line of a process; empty where it cannot be known."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for member in found:
        try:
            # Linux knows; to look through all processes takes a hundred times as long.
            for task in Path(f"/proc/{member}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    if len(found) == 1 and not Path("/proc").is_dir():
        try:
            found += [child.pid for child in psutil.Process(pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return found
    return found


def _problem(case: Case, answer: dict, memory: int, visits: list[str]) -> str:
    """Tell what is wrong about an outcome; empty if nothing is."""
    outcome, message = answer["outcome"], answer["message"]
    if visits:
        return f"it reached {', '.join(sorted(set(visits)))}"
    if answer["alive"] is not True:
        return f"a sound image cannot be read afterwards: {answer['alive']}"
    if outcome == "raised":
        return f"{answer['type']} of another library: {message}"
    if memory > MEMORY:
        return f"it took {memory >> 20} MB"
    if outcome == "refused":
        told = unclear(message)
        if told:
            return f"{told}: {message}"
    if case.kind == "data set":
        # Failures of single images are told, a line each.
        for line in message.splitlines():
            told = unclear(line.removeprefix("refused: ")) if line.startswith("refused: ") else ""
            if told:
                return f"{told}: {line}"
    if case.expect not in (EITHER, outcome):
        return f"{outcome} in place of {case.expect}: {message[:200]}"
    return ""


def unclear(message: str) -> str:
    """Tell what a person would not understand about a message; empty if nothing."""
    if not message.strip():
        return "an empty message"
    if len(message) > _LONGEST:
        return f"a message of {len(message)} characters"
    if found := _PATHS.search(message):
        return f"a path of the server ({found[0]})"
    if found := _JARGON.search(message):
        return f"words of a programmer ({found[0]})"
    if not message.rstrip().endswith((".", "”", ")", "?")):
        return "a message that does not end"
    if any(not (c.isprintable() or c == "\n") for c in message):
        return "unprintable characters in the message"
    return ""


def run_all(cases: Iterable[Case], trap: Trap, seconds: float = SECONDS) -> list[Result]:
    """Try all cases one after the other."""
    with Runner(trap, seconds) as runner:
        return [runner.run(case) for case in cases]
