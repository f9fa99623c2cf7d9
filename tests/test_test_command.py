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


def test_what_belongs_together_stays_together(request: pytest.FixtureRequest) -> None:
    items = request.session.items
    groups = {
        item.nodeid: {mark.args[0] for mark in item.iter_markers("xdist_group")} for item in items
    }
    assert all(len(names) == 1 for names in groups.values())
    apart = [item for item in items if item.get_closest_marker("server") is not None]
    assert all(groups[item.nodeid] == {"server"} for item in apart)
    # pytest-xdist goes by the group that it has written behind each name.
    if getattr(request.config.option, "loadgroup", False):
        assert all(item.nodeid.endswith(f"@{min(groups[item.nodeid])}") for item in items)
