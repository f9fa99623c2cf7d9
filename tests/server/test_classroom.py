"""Simulated students at a real server: what they get, and what their leaving gives back."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from benchmarks.app_server import Running
from benchmarks.classroom import picture, plans
from benchmarks.classroom_browser import IMAGE_FIELD, Browser
from benchmarks.classroom_student import Diary, Plan, attend
from tests.helpers.server import TTL, without_departures
from tests.helpers.towns import rendered
from tests.helpers.waiting import PATIENCE, until


@pytest.fixture
def address(served: Running) -> str:
    """The app, when it holds nothing of earlier visitors."""
    until_empty(served.address)
    return served.address


@pytest.fixture(scope="module")
def plan() -> Plan:
    """One small picture, a click on a roof, a correction, and another roof."""
    town = rendered(240, 180, seed=5)
    name, content = picture(town, 1)
    roofs = [label for label, kind in town.classes.items() if kind == "roof"]
    places = [np.argwhere(town.labels == label)[0] + 0.5 for label in (roofs[0], roofs[-1])]
    steps = [(0.0, x, y, new) for (y, x), new in zip((*places[:1], *places), (True, False, True))]
    return Plan(name, content, 240, 180, 0.0, steps)


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, run in a thread of its own.

    In this thread an event loop may be running: Playwright keeps one for all browser tests.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def uploaded_bytes(address: str) -> int:
    """What Streamlit itself says it holds of uploads."""
    url = f"{address}/_stcore/metrics?families=cache_memory_bytes"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    found = re.findall(r"^cache_memory_bytes\{.*UploadedFileManager.*\} (\d+)", text, re.MULTILINE)
    return sum(map(int, found))


def until_empty(address: str) -> None:
    """Wait until the app holds no uploads."""
    until(lambda: not uploaded_bytes(address))


def test_two_students_get_their_masks_and_leave_nothing(served, address, plan):
    before = len(served.log.read_text())

    async def both() -> list[Diary]:
        start = time.perf_counter()
        return await asyncio.gather(*(attend(address, plan, start) for _ in range(2)))

    diaries = finished(both())
    for diary in diaries:
        assert diary.errors == []
        assert diary.masks == 3
        assert len(diary.waits["click: mask"]) == 3
        assert len(diary.waits["new object"]) == 1
    assert "Traceback" not in without_departures(served.log.read_text()[before:])
    # Streamlit keeps the uploads of lost sessions until the next one is lost: RSAM does not.
    until_empty(address)


def test_uploads_stay_as_long_as_somebody_is_there(address, plan):
    async def stay() -> list[int]:
        browser, held = Browser(address), []
        await browser.open()
        try:
            await browser.run(await browser.upload(IMAGE_FIELD, plan.name, plan.content))
            await browser.until(lambda seen: seen.canvas is not None and seen.finished)
            for _ in range(3):
                await asyncio.sleep(TTL / 2)
                held.append(await asyncio.to_thread(uploaded_bytes, address))
            assert browser.errors == []
        finally:
            await browser.close()
        return held

    # Longer than a lost session would be kept.
    assert finished(stay())[-1] == len(plan.content)


def test_student_notices_what_goes_wrong(address):
    broken = Plan("broken.png", b"no picture", 240, 180, 0.0, [])

    async def fail() -> list[str]:
        browser = Browser(address)
        await browser.open()
        try:
            await browser.run(await browser.upload(IMAGE_FIELD, broken.name, broken.content))
            await browser.until(lambda seen: seen.finished and bool(seen.errors))
            return browser.errors
        finally:
            await browser.close()

    errors = finished(fail())
    assert len(errors) == 1
    assert "broken.png" in errors[0]


def test_plans_are_spread_and_lie_on_roofs():
    made = plans(4, 6, 60.0, 10.0, 1, size=(240, 180))
    assert [plan.arrives for plan in made] == [0.0, 2.5, 5.0, 7.5]
    assert len({plan.content for plan in made}) == 4
    town = rendered(240, 180, seed=300)
    roofs = [label for label, kind in town.classes.items() if kind == "roof"]
    for plan in made:
        times = [when for when, *_ in plan.clicks]
        assert times == sorted(times)
        assert plan.arrives + 2 <= times[0] <= times[-1] <= 60
        assert all(town.labels[int(y), int(x)] in roofs for _, x, y, _ in plan.clicks)
        assert [new for *_, new in plan.clicks] == [True, False, False] * 2
