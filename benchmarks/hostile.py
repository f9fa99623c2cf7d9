"""Hostile files: ``python -m benchmarks.hostile [table | sessions | fuzz]``.

``table`` tries the whole corpus of ``tests/hostile`` and prints a line for each kind of upload:
how many files, refused and opened, the longest time and the largest memory, and every file that
did harm. ``sessions`` starts the app and measures how long one session waits for its clicks while
another uploads the corpus. ``fuzz`` changes headers at random for as long as one likes; files that
do harm are written to a folder. Needs Linux for the memory, no data.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from tests.hostile.case import KINDS, Case, trap
from tests.hostile.corpus import corpus
from tests.hostile.fuzzing import Target, targets
from tests.hostile.runner import MEMORY, Result, Runner

GOAL_SECONDS = 5.0
GOAL_CLICK = 1.0


@dataclass(frozen=True)
class Row:
    """One kind of upload.

    Attributes
    ----------
    kind : str
    files, refused, opened, harmful : int
        The last are those with a problem of any sort.
    longest : float
        Seconds by the clock.
    computing : float
        Processor seconds, at most.
    slowest : str
        The file that took them.
    largest : int
        Bytes beyond what the processes had.
    heaviest : str
        The file that took them.
    """

    kind: str
    files: int
    refused: int
    opened: int
    harmful: int
    longest: float
    computing: float
    slowest: str
    largest: int
    heaviest: str


def rows(results: Iterable[Result]) -> list[Row]:
    """Sum up by kind, and all kinds in a last row."""
    by_kind: dict[str, list[Result]] = {kind: [] for kind in KINDS}
    for result in results:
        by_kind[result.case.kind].append(result)
    by_kind["all"] = [result for found in by_kind.values() for result in found]
    made = []
    for kind, found in by_kind.items():
        if not found:
            continue
        slowest = max(found, key=lambda result: result.seconds)
        heaviest = max(found, key=lambda result: result.memory)
        outcomes = collections.Counter(result.outcome for result in found)
        made.append(
            Row(
                kind,
                len(found),
                outcomes["refused"],
                outcomes["opened"],
                sum(bool(result.problem) for result in found),
                slowest.seconds,
                max(result.computing for result in found),
                slowest.case.name,
                heaviest.memory,
                heaviest.case.name,
            )
        )
    return made


def table(words: list[str], file: Path | None) -> None:
    """Try the corpus, or the cases whose name holds one of the words."""
    cases = [c for c in corpus() if not words or any(word in c.name for word in words)]
    results = []
    with tempfile.TemporaryDirectory() as folder, trap(Path(folder)) as laid, Runner(laid) as one:
        for number, case in enumerate(cases, start=1):
            results.append(one.run(case))
            print(f"\r{number} of {len(cases)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    found = rows(results)
    print(
        f"{'upload':14s}{'files':>7s}{'refused':>9s}{'opened':>8s}{'longest':>9s}"
        f"{'computing':>11s}{'memory':>9s}"
    )
    for row in found:
        print(
            f"{row.kind:14s}{row.files:7d}{row.refused:9d}{row.opened:8d}{row.longest:8.1f}s"
            f"{row.computing:10.1f}s{row.largest / 2**20:6.0f} MB"
        )
    late = [result for result in results if result.seconds > GOAL_SECONDS]
    for result in late:
        print(
            f"more than {GOAL_SECONDS:.0f} s: {result.case.name}: {result.seconds:.1f} s, "
            f"of which computing {result.computing:.1f} s"
        )
    wrong = [result for result in results if result.problem]
    for result in wrong:
        print(f"harm: {result.case.name}: {result.problem[:300]}")
    largest = max(result.memory for result in results)
    for text, met in (
        ("every file ends by a clear message or opens, and reaches nothing else", not wrong),
        (f"within {GOAL_SECONDS:.0f} s", not late),
        (f"within {MEMORY >> 20} MB", largest <= MEMORY),
    ):
        print(f"goal: {text}: {'met' if met else 'missed'}")
    if file is not None:
        told = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        told |= {"rows": [asdict(row) for row in found]}
        told |= {"harm": {result.case.name: result.problem for result in wrong}}
        told |= {"late": {result.case.name: result.seconds for result in late}}
        file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


class Fuzzing:
    """What came of files whose headers were changed at random.

    Parameters
    ----------
    runner : Runner
    keep : Path
        Folder for the shortest file of each harm.
    end : float
        When to stop, in seconds of `time.monotonic`.
    """

    def __init__(self, runner: Runner, keep: Path, end: float) -> None:
        self._runner, self._keep, self._end = runner, keep, end
        self.tried: collections.Counter[str] = collections.Counter()
        self.slow: collections.Counter[str] = collections.Counter()
        self.harms: dict[tuple[str, str], int] = {}

    def judge(self, name: str, target: Target, content: bytes) -> None:
        """Try one file, unless the time is over."""
        if time.monotonic() > self._end:
            return
        result = self._runner.judge(Case(name, target.kind, target.file, lambda lure: b""), content)
        self.tried[name] += 1
        self.slow[name] += result.seconds > GOAL_SECONDS
        # What was raised and where, without the numbers of this one.
        what = "".join(sign for sign in result.problem[:120] if not sign.isdigit())
        if not what or len(content) >= self.harms.get((name, what), 1 << 60):
            return
        if (name, what) not in self.harms:
            print(f"{name}: {result.problem[:300]}", flush=True)
        self.harms[name, what] = len(content)
        number = list(self.harms).index((name, what))
        (self._keep / f"{number:03d}-{name.replace(' ', '-')}").write_bytes(content)


def fuzz(minutes: float, keep: Path, only: list[str]) -> None:
    """Change headers at random until the time is over; keep the shortest file of each harm."""
    keep.mkdir(parents=True, exist_ok=True)
    chosen = {n: t for n, t in targets().items() if not only or any(w in n for w in only)}
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder, trap(Path(folder)) as laid, Runner(laid) as one:
        fuzzing = Fuzzing(one, keep, end)
        while time.monotonic() < end:
            for name, target in chosen.items():
                _some(fuzzing, name, target)
    for name, count in fuzzing.tried.items():
        harmful = sum(1 for found, _ in fuzzing.harms if found == name)
        print(f"{name:20s}{count:8,} files, {harmful} kinds of harm, {fuzzing.slow[name]} slow")
    total = sum(fuzzing.tried.values())
    print(f"{total:,} files in {minutes:g} minutes, {len(fuzzing.harms)} kinds of harm")


def _some(fuzzing: Fuzzing, name: str, target: Target) -> None:
    """Try some files of a target, others each time."""

    @settings(
        max_examples=2 * target.examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.contents)
    def tried(content: bytes) -> None:
        fuzzing.judge(name, target, content)

    tried()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="what")
    part = kinds.add_parser("table")
    part.add_argument("words", nargs="*", help="only cases whose names hold one of these")
    part.add_argument("--json", type=Path)
    part = kinds.add_parser("fuzz")
    part.add_argument("only", nargs="*", help="only targets whose names hold one of these")
    part.add_argument("--minutes", type=float, default=60.0)
    part.add_argument("--keep", type=Path, default=Path("fuzzed"), help="folder for what did harm")
    part = kinds.add_parser("sessions")
    part.add_argument("--every", type=int, default=1, help="only each of so many files")
    part.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.what == "fuzz":
        fuzz(args.minutes, args.keep, args.only)
    elif args.what == "sessions":
        from benchmarks.hostile_sessions import sessions

        asyncio.run(sessions(corpus()[:: args.every], GOAL_CLICK, args.json))
    else:
        table(getattr(args, "words", []), getattr(args, "json", None))


if __name__ == "__main__":
    main()
