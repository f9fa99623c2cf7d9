"""Reading in a process of its own: what comes back, and what ends it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from rsam_core.errors import MetricError
from rsam_core.runtime import limited_reading
from rsam_core.runtime.limited_reading import NICE, ReadingFailed, run_limited
from tests.helpers.waiting import PATIENCE


def give(number: int) -> dict:
    return {"squares": np.arange(number) ** 2, "words": ["a", "ä"], "process": os.getpid()}


def refuse(message: str) -> dict:
    raise MetricError(message)


def fail() -> dict:
    raise KeyError("nobody foresaw this")


def end() -> dict:
    os._exit(3)


def wait(seconds: float) -> dict:
    time.sleep(seconds)
    return {}


def fill(size: int) -> dict:
    return {"a": np.ones(size, np.uint8)}


def objects() -> dict:
    return {"a": np.array([print, None], dtype=object)}


def here() -> dict:
    Path("left").write_text("behind")
    return {"folder": str(Path.cwd()), "proxy": os.environ.get("HTTP_PROXY", "none")}


def test_arrays_and_plain_data_come_back_from_another_process():
    found = run_limited(give, 5)
    assert found["squares"].tolist() == [0, 1, 4, 9, 16]
    assert found["words"] == ["a", "ä"]
    assert found["process"] != os.getpid()


def test_our_own_errors_come_back_as_they_are():
    with pytest.raises(MetricError, match="Draw it again"):
        run_limited(refuse, "Draw it again.")


@pytest.mark.parametrize("function", [fail, end, objects])
def test_anything_else_is_damage(function):
    with pytest.raises(ReadingFailed) as caught:
        run_limited(function)
    assert caught.value.why == "damaged"


def compute() -> dict:
    while True:
        pass


def test_it_computes_no_longer_than_it_may():
    with pytest.raises(ReadingFailed) as caught:
        run_limited(compute, seconds=0.1)
    assert caught.value.why == "time"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of computing time")
def test_waiting_for_others_is_no_reason_to_stop_it(monkeypatch):
    monkeypatch.setattr(limited_reading, "PATIENCE", 1000.0)
    with pytest.raises(ReadingFailed) as caught:
        run_limited(compute, seconds=0.1)
    assert caught.value.why == "time"
    assert run_limited(wait, 0.3, seconds=0.1) == {}


def test_it_is_stopped_in_time(monkeypatch):
    monkeypatch.setattr(limited_reading, "PATIENCE", 1.0)
    began = time.monotonic()
    with pytest.raises(ReadingFailed) as caught:
        run_limited(wait, 300, seconds=2)
    assert caught.value.why == "time"
    assert time.monotonic() - began < PATIENCE


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_it_gets_no_more_memory():
    with pytest.raises(ReadingFailed) as caught:
        run_limited(fill, 2 << 30, memory=1 << 30)
    assert caught.value.why == "memory"


def test_it_works_in_an_empty_folder_that_goes_and_without_proxies(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    found = run_limited(here)
    assert not Path(found["folder"]).exists()
    assert found["proxy"] == "none"


def niceness() -> dict:
    return {"nice": os.nice(0)}


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such thing")
def test_it_gives_way_to_the_program_itself():
    assert run_limited(niceness)["nice"] == min(19, os.nice(0) + NICE)
