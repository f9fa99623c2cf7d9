"""Every hostile file ends by one clear message, or opens sensibly, and harms nobody.

The limit of time is generous here, so that a slow machine gives the same verdict;
``python -m benchmarks.hostile`` tells how long each kind took.
"""

from __future__ import annotations

import collections
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile import seeds
from tests.hostile.case import KINDS, OPENED, REFUSED, Case, trap
from tests.hostile.corpus import corpus
from tests.hostile.runner import MEMORY, SECONDS, Result, Runner, run_all, unclear

_PROCESSES = max(1, min(4, os.cpu_count() or 1))
_LEAST = 200
_EACH = 11
"""One file in so many is tried here, and all of them by ``benchmarks.hostile``."""


def test_the_corpus_holds_files_of_every_kind() -> None:
    kinds = collections.Counter(case.kind for case in corpus())
    assert sum(kinds.values()) >= _LEAST
    assert set(kinds) == set(KINDS)
    names = collections.Counter(case.name for case in corpus())
    assert names.most_common(1)[0][1] == 1


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    with trap(tmp_path / "bait") as laid:
        for case in corpus()[::97]:
            assert case.make(laid.lure) == case.make(laid.lure), case.name


def test_no_file_harms(tmp_path: Path) -> None:
    chosen = corpus()[::_EACH]
    assert {case.kind for case in chosen} == set(KINDS)
    shares = [chosen[first::_PROCESSES] for first in range(_PROCESSES)]

    def tried(number: int) -> list[Result]:
        with trap(tmp_path / f"bait-{number}") as laid:
            return run_all(shares[number], laid)

    with ThreadPoolExecutor(_PROCESSES) as threads:
        results = [result for share in threads.map(tried, range(_PROCESSES)) for result in share]
    assert len(results) == len(chosen) >= _LEAST
    wrong = [f"{result.case.name}: {result.problem}" for result in results if result.problem]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(results)}:", *wrong])


# --- the runner itself -------------------------------------------------------------------


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory):
    with trap(tmp_path_factory.mktemp("bait")) as laid, Runner(laid) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "name", "content", "outcome"),
    [
        ("image", "town.png", seeds.picture("PNG"), "opened"),
        ("image", "town.tif", seeds.geotiff(), "opened"),
        ("image", "town.png", b"words", "refused"),
        ("world file", "town.pgw", b"1\n0\n0\n-1\n0\n0\n", "opened"),
        ("truth", "plain.png", seeds.mask(), "opened"),
        ("data set", "town.zip", seeds.packed({"a.png": seeds.mask()}), "refused"),
    ],
)
def test_sound_files_open_and_words_are_refused(
    runner: Runner, kind: str, name: str, content: bytes, outcome: str
) -> None:
    result = runner.judge(Case("x", kind, name, lambda lure: b""), content)
    assert (result.outcome, result.problem) == (outcome, "")
    assert 0 <= result.memory < MEMORY


def test_what_ought_to_be_refused_and_opens_is_told(runner: Runner) -> None:
    case = Case("x", "image", "town.png", lambda lure: b"", REFUSED)
    assert "opened in place of refused" in runner.judge(case, seeds.picture("PNG")).problem
    case = Case("x", "image", "town.png", lambda lure: b"", OPENED)
    assert "refused in place of opened" in runner.judge(case, b"words").problem


def test_an_overrun_is_ended_and_the_next_case_goes_on(tmp_path: Path) -> None:
    content = seeds.picture("PNG")
    case = Case("x", "image", "town.png", lambda lure: b"")
    with trap(tmp_path / "bait") as laid, Runner(laid, seconds=0.0) as hasty:
        result = hasty.judge(case, content)
        assert result.outcome == "overrun"
        assert "more than 0 s" in result.problem
        hasty._seconds = SECONDS
        assert hasty.judge(case, content).outcome == "opened"


def test_a_visit_to_the_trap_is_noticed(tmp_path: Path) -> None:
    import socket

    with trap(tmp_path / "bait") as laid:
        assert laid.visits() == []
        Path(laid.lure.words).read_text()
        port = int(laid.lure.address.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port)).close()
        seen = laid.visits()
    assert "the port" in seen
    assert laid._notices is None or Path(laid.lure.words).name in seen


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", "empty"),
        ("Cannot open /home/x/a.tif.", "path"),
        ("GDAL failed to open the file.", "programmer"),
        ("could not convert string to float: 'x'.", "programmer"),
        ("It is damaged", "does not end"),
        ("x" * 2000 + ".", "2001 characters"),
        ("A \x1b[31mred\x1b[0m word.", "unprintable"),
        ("“a.tif” is damaged. Copy it again.", ""),
    ],
)
def test_unclear_messages_are_told(message: str, told: str) -> None:
    assert told in unclear(message)
    assert bool(told) == bool(unclear(message))
