"""``python run.py test``: two processes, unless something else is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from run import workers
from tests.helpers.groups import GROUPS, LONGEST, group_of

HERE = Path(__file__).resolve().parents[1]

SERVERS = ("server", "second server")
TWO = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]


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


def test_what_needs_the_server_stays_together(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        served = item.get_closest_marker("server") is not None
        assert not served or group_of(item.nodeid) in SERVERS, item.nodeid


def test_groups_are_files_or_what_shares_something() -> None:
    assert group_of("tests/test_jobs.py::test_wait[a::b]") == "/tests/test_jobs.py"
    assert group_of("tests/browser/test_shell.py::test_pan") == "server"
    assert group_of("tests/browser/test_zoom.py::test_pan") == "second server"
    assert group_of("tests/server/test_classroom.py::test_two") == "server"
    assert group_of("tests/test_everything.py::test_grid") == "town"
    assert group_of("tests/segment/test_tiled_town.py::test_parts") == "town"
    assert group_of("tests/pages/test_browser_names.py::test_one") != "server"


def test_groups_name_files_that_are_there() -> None:
    paths = [f"/{path.relative_to(HERE.parent).as_posix()}" for path in HERE.rglob("test_*.py")]
    for parts in (*GROUPS.values(), LONGEST):
        for part in parts:
            assert any(part in path for path in paths), part
