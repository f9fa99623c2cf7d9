"""How long one session waits for its clicks while another uploads the hostile corpus."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.app_server import running_app
from benchmarks.classroom import plans, status
from benchmarks.classroom_browser import IMAGE_FIELD, Browser, Lost
from benchmarks.classroom_student import Plan, _begin, _viewport
from tests.hostile import seeds
from tests.hostile.case import Case, Lure, trap
from tests.hostile.corpus import corpus

WIDGETS = {
    "image": ("", IMAGE_FIELD),
    "world file": ("", IMAGE_FIELD),
    "project": ("", "Or a project that RSAM saved"),
    "truth": ("evaluate", "Upload a file"),
    "recipe": ("prepare", "Load a recipe"),
    "data set": ("evaluate", "A data set as ZIP archive"),
}
"""Page and field of each kind of upload that the app takes; batches are run by the command line."""
REMOVE = "Change or remove"
PAUSE = 0.5
"""Seconds between two clicks."""
QUIET = 20
"""Clicks before anything hostile is uploaded."""


@dataclass
class Clicks:
    """Waits for clicks, in seconds, before and during the uploads."""

    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    """When each of the latter was made, in seconds of `time.time`."""
    errors: list[str] = field(default_factory=list)


async def _victim(address: str, plan: Plan, ready: asyncio.Event, over: asyncio.Event) -> Clicks:
    """Click all the time, on a picture of one's own."""
    from benchmarks.classroom_student import Diary

    browser, diary, clicks = Browser(address), Diary(), Clicks()
    try:
        await _begin(browser, plan, diary)
        number = 0
        while not over.is_set():
            number += 1
            _, x, y, _ = plan.clicks[number % len(plan.clicks)]
            event = {"n": number, "kind": "point", "x": x, "y": y, "label": number % 5 != 0}
            report = {"canvas": "c", "events": [event], "viewport": _viewport(plan)}
            began = time.perf_counter()
            await browser.run([browser.state("rsam_canvas", {"report": report | {"stamp": began}})])
            shown = await browser.until(
                lambda seen, n=number: seen.canvas is not None and seen.canvas["ack"] >= n
            )
            (clicks.during if ready.is_set() else clicks.before).append(shown - began)
            if ready.is_set():
                clicks.moments.append(time.time() - (shown - began))
            await browser.until(lambda seen: seen.finished)
            if number == QUIET:
                ready.set()
            await asyncio.sleep(PAUSE)
    except Exception as error:
        clicks.errors.append(f"{type(error).__name__}: {error}")
    finally:
        ready.set()
        clicks.errors += browser.errors
        await browser.close()
    return clicks


class _Stranger(Browser):
    """A browser that goes to pages and uploads several files into a field."""

    async def go(self, page: str) -> None:
        """Open a page by its address, as a link of the menu does."""
        self.page = self.pages[page]
        self.seen.widgets.clear()
        await self.run([])
        await self.until(lambda seen: seen.finished)

    async def open_tab(self, title: str) -> None:
        """Go to a tab of the page, if it has any."""
        if "tabs" in self.seen.widgets:
            await self.run([WidgetState(id=self.seen.widgets["tabs"], string_value=title)])
            await self.until(lambda seen: seen.finished)

    async def put(self, label: str, files: Sequence[tuple[str, bytes]]) -> None:
        """Upload files into the field of a label and wait until the page is drawn."""
        states: list[WidgetState] = []
        for name, content in files:
            (state,) = await self.upload(label, name, content)
            if states:
                infos = state.file_uploader_state_value.uploaded_file_info
                states[0].file_uploader_state_value.uploaded_file_info.extend(infos)
            else:
                states.append(state)
        await self.run(states)
        await self.until(lambda seen: seen.finished)


async def _attack(address: str, cases: Iterable[Case], lure: Lure) -> dict[str, list[str]]:
    """Upload one case after the other; a new session where the page is lost."""
    told: dict[str, list[str]] = {
        "uploaded": [],
        "refused": [],
        "not reached": [],
        "lost": [],
        "at": [],
    }
    browser: _Stranger | None = None
    for case in cases:
        page, label = WIDGETS[case.kind]
        try:
            if browser is None:
                browser = _Stranger(address)
                await browser.open()
                await browser.put(IMAGE_FIELD, [("town.tif", seeds.geotiff())])
            await browser.go(page)
            await browser.open_tab("Data sets" if case.kind == "data set" else "This image")
            if label not in browser.seen.widgets and REMOVE in browser.seen.widgets:
                # The field is there only as long as there is no truth.
                await browser.run([browser.press(REMOVE)])
                await browser.until(lambda seen: seen.finished)
            if label not in browser.seen.widgets:
                told["not reached"].append(case.name)
                continue
            files = [(Path(case.file).name, case.make(lure))]
            if case.kind == "world file":
                files.append(("town.png", seeds.picture("PNG")))
            said = len(browser.errors)
            told["at"].append(f"{time.time():.2f} {case.name}")
            await browser.put(label, files)
            told["uploaded"].append(case.name)
            told["refused"] += browser.errors[said:][:1]
        except (Lost, OSError) as error:
            told["lost"].append(f"{case.name}: {error}")
            if browser is not None:
                await browser.close()
            browser = None
    if browser is not None:
        await browser.close()
    return told


def attack(address: str, names: Sequence[str], lure: Lure) -> dict[str, list[str]]:
    """Upload the cases of these names; for a process of its own."""
    wanted = set(names)
    cases = [case for case in corpus() if case.name in wanted]
    return asyncio.run(_attack(address, cases, lure))


def _about(told: dict[str, list[str]], moment: float, wait: float) -> list[str]:
    """What was uploaded during a click, and last before it."""
    times = [(float(when), name) for when, _, name in (at.partition(" ") for at in told["at"])]
    before = [name for when, name in times if when <= moment][-2:]
    return [*before, "|", *(name for when, name in times if moment < when < moment + wait)]


async def sessions(cases: Sequence[Case], goal: float, file: Path | None) -> None:
    """Start the app, let one session click and another upload; print what was measured."""
    cases = [case for case in cases if case.kind in WIDGETS]
    (plan,) = plans(1, 40, 60.0, 0.0, 1)
    with (
        tempfile.TemporaryDirectory() as folder,
        trap(Path(folder, "bait")) as laid,
        running_app(Path(folder)) as app,
    ):
        ready, over = asyncio.Event(), asyncio.Event()
        victim = asyncio.create_task(_victim(app.address, plan, ready, over))
        await ready.wait()
        laid.visits()
        before, began = status(app.pid, "VmRSS"), time.perf_counter()
        # In a process of its own: making the files must not delay the clicks that are measured.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as strangers:
            told = await asyncio.get_running_loop().run_in_executor(
                strangers, attack, app.address, [case.name for case in cases], laid.lure
            )
        lasted = time.perf_counter() - began
        over.set()
        clicks = await victim
        peak, visits = status(app.pid, "VmHWM"), laid.visits()
        log = app.log.read_text()
    trouble = re.findall(r"^.*(?:ERROR|Traceback|Error:).*$", log, re.MULTILINE)
    print(
        f"{len(told['uploaded'])} of {len(cases)} files uploaded in {lasted:.0f} s, "
        f"{len(told['refused'])} refused at once"
    )
    for what in ("not reached", "lost"):
        print(f"{what}: {len(told[what])}", *told[what][:5], sep="\n    ")
    print(f"{'clicks':10s}{'count':>7s}{'p50':>8s}{'p95':>8s}{'max':>8s}")
    for name, waits in (("before", clicks.before), ("during", clicks.during)):
        if waits:
            p50, p95 = np.percentile(waits, (50, 95))
            print(f"{name:10s}{len(waits):7d}{p50:8.2f}{p95:8.2f}{max(waits):8.2f}")
    print(f"memory of the server: {before / 2**20:.0f} MB before, {peak / 2**20:.0f} MB at most")
    print(f"errors of the clicking session: {len(clicks.errors)}", *clicks.errors[:5], sep="\n    ")
    print(f"in the log: {len(trouble)}", *dict.fromkeys(trouble[:5]), sep="\n    ")
    worst = max(clicks.during, default=float("inf"))
    late = sum(wait > goal for wait in clicks.during)
    for text, met in (
        (f"no click waits {goal:g} s (worst {worst:.2f} s, {late} later)", worst < goal),
        (f"nothing else is reached ({', '.join(visits) or 'nothing'})", not visits),
        ("no error", not clicks.errors and not told["lost"]),
    ):
        print(f"goal: {text}: {'met' if met else 'missed'}")
    for moment, wait in zip(clicks.moments, clicks.during):
        if wait > goal:
            print(f"waited {wait:.1f} s while another uploaded:", *_about(told, moment, wait))
    if file is not None:
        facts = {"before": clicks.before, "during": clicks.during, "told": told, "peak": peak}
        facts |= {"log": log[-20_000:]}
        file.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
