"""Sound files with their headers changed at random, the same ones each time.

``python -m benchmarks.hostile fuzz --minutes 60`` goes on with others, for as long as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.hostile.case import Case, trap
from tests.hostile.fuzzing import targets
from tests.hostile.runner import Runner


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with trap(tmp_path_factory.mktemp("bait")) as laid, Runner(laid) as made:
        yield made


@pytest.mark.parametrize("name", targets())
def test_changed_headers_end_by_a_message_or_open(runner: Runner, name: str) -> None:
    target = targets()[name]
    case = Case(name, target.kind, target.file, lambda lure: b"")

    @settings(
        max_examples=target.examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.contents)
    def tried(content: bytes) -> None:
        result = runner.judge(case, content)
        assert not result.problem, f"{result.problem} ({len(content)} bytes)"

    tried()
