"""A simulated student: opens the app, uploads a picture, clicks, and notes every wait."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field

from benchmarks.classroom_browser import IMAGE_FIELD, PATIENCE, Browser, Lost

ROOM = (1180, 900)
CANVAS = (1180, 700)
"""Width of the column and height of the window; size of the canvas, in CSS pixels."""


@dataclass(frozen=True)
class Plan:
    """What a student does, and when (seconds from the start).

    Attributes
    ----------
    name, content : str, bytes
        The image file.
    width, height : int
        Its size.
    arrives : float
    clicks : list of (float, float, float, bool)
        When, x, y, and whether it starts a new object.
    searches : bool
        Whether the student lets RSAM look for everything, too, before any click.
    """

    name: str
    content: bytes
    width: int
    height: int
    arrives: float
    clicks: list[tuple[float, float, float, bool]]
    searches: bool = False


@dataclass
class Diary:
    """How long a student waited, in seconds, by what for; and what went wrong.

    The time of `searches` is apart: one goes on with something else meanwhile.
    """

    waits: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    masks: int = 0
    received: int = 0

    def note(self, what: str, seconds: float) -> None:
        self.waits.setdefault(what, []).append(seconds)


async def attend(address: str, plan: Plan, start: float) -> Diary:
    """Do as planned; `start` in seconds of `time.perf_counter`."""
    browser, diary = Browser(address), Diary()
    try:
        await _sleep_until(start + plan.arrives)
        await _begin(browser, plan, diary)
        if plan.searches:
            await _search(browser, diary)
        await _click(browser, plan, diary, start)
    except Exception as error:
        diary.errors.append(f"{type(error).__name__}: {error}")
    finally:
        diary.errors += browser.errors
        diary.toasts, diary.received = browser.toasts, browser.received
        await browser.close()
    return diary


async def _begin(browser: Browser, plan: Plan, diary: Diary) -> None:
    """Open the app, upload the image, and see it on the Segment page."""
    began = time.perf_counter()
    await browser.open()
    diary.note("open the page", time.perf_counter() - began)
    await browser.run([browser.state("rsam_browser", {"id": uuid.uuid4().hex})])
    await browser.until(lambda seen: seen.finished)
    began = time.perf_counter()
    states = await browser.upload(IMAGE_FIELD, plan.name, plan.content)
    await browser.run(states)
    shown = await browser.until(lambda seen: seen.canvas is not None)
    await browser.fetch_pictures()
    diary.note("upload: picture", shown - began)
    # The script of the page ends, and the component in it reports how much room there is.
    await browser.until(lambda seen: seen.finished)
    began = time.perf_counter()
    look = {"canvas": "c", "events": [], "viewport": _viewport(plan), "stamp": 0.0}
    await browser.run(
        [
            browser.state("rsam_room", {"room": ROOM}),
            browser.state("rsam_canvas", {"report": look}),
        ]
    )
    await browser.until(lambda seen: seen.canvas is not None and seen.finished)
    diary.note("fit to the window", time.perf_counter() - began)


async def _search(browser: Browser, diary: Diary) -> None:
    """Let RSAM look for everything, and go back to points."""
    await browser.run([browser.choose("Mode", "Everything")])
    await browser.until(lambda seen: seen.finished)
    began = time.perf_counter()
    await browser.run([browser.press("Find everything")])
    while "Find everything again" not in browser.seen.widgets:
        await browser.until(lambda seen: seen.finished)
        if time.perf_counter() - began > 5 * PATIENCE:
            raise Lost("everything mode did not end")
        await asyncio.sleep(1.0)
        await browser.run([])
    await browser.until(lambda seen: seen.finished)
    diary.searches.append(time.perf_counter() - began)
    await browser.run([browser.choose("Mode", "Points")])
    await browser.until(lambda seen: seen.finished)


async def _click(browser: Browser, plan: Plan, diary: Diary, start: float) -> None:
    for number, (when, x, y, new) in enumerate(plan.clicks, start=1):
        await _sleep_until(start + when)
        if new and number > 1:
            began = time.perf_counter()
            await browser.run([browser.press("New object")])
            await browser.until(lambda seen: seen.finished)
            diary.note("new object", time.perf_counter() - began)
        event = {"n": number, "kind": "point", "x": x, "y": y, "label": 1}
        report = {"canvas": "c", "events": [event], "viewport": _viewport(plan), "stamp": when}
        began = time.perf_counter()
        await browser.run([browser.state("rsam_canvas", {"report": report})])
        shown = await browser.until(
            lambda seen, n=number: seen.canvas is not None and seen.canvas["ack"] >= n
        )
        diary.note("click: mask", shown - began)
        diary.masks += browser.seen.canvas["overlay"] is not None
        ended = await browser.until(lambda seen: seen.finished)
        diary.note("click: whole page", ended - began)


def _viewport(plan: Plan) -> dict[str, float]:
    scale = min(CANVAS[0] / plan.width, CANVAS[1] / plan.height)
    return {"x": 0.0, "y": 0.0, "scale": scale, "columns": CANVAS[0], "rows": CANVAS[1]}


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))
