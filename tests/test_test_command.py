"""``python run.py test``: two processes, unless something else is asked for."""

from __future__ import annotations

import pytest

from run import workers

TWO = ["-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["tests/test_jobs.py"], ["--durations=20"], ["-m", "not browser"], ["-k", "names", "-x"]],
)
def test_tests_run_in_two_processes(arguments: list[str]) -> None:
    assert workers(arguments) == TWO


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "4"],
        ["-n0"],
        ["-nauto"],
        ["--numprocesses=3"],
        ["--dist", "load"],
        ["-p", "no:xdist"],
        ["-pno:xdist"],
        ["tests", "--pdb"],
    ],
)
def test_who_says_how_many_gets_as_many(arguments: list[str]) -> None:
    assert workers(arguments) == []
