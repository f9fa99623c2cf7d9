"""Opening a picture while its outlines are looked for: ``python -m benchmarks.background``.

Starts the app, opens rendered towns of 1024 × 1024 pixels one after the other in headless
Chromium with "Outlines under the pointer" switched on, and notes when the picture is there, when
the proposals have reached the browser, and how long a click takes that is made while they are
looked for; before, how long it takes with the search switched off. Processor seconds of the server
stand beside, for computers that do other work meanwhile. Needs Playwright and Chromium, no data.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.app_server import running_app
from benchmarks.clicks import FLAGS, PATIENCE, WATCH_CANVAS, WATCH_SOCKET, middle
from benchmarks.pointer import _COUNT as COUNT
from benchmarks.pointer import SWITCH
from rsam_core.samples import TownSample, render_town, write_geotiff

SIDE = 1024
STYLES = ("suburb", "estate", "town", "village")
GOALS = {"ready": 4.0, "click": 0.3}
"""Seconds: from the file to proposals in the browser; from the mouse button to the mask."""
TITLES = {
    "picture": "file given to the picture on the screen",
    "ready": "file given to its proposals in the browser",
    "server": "processor seconds of the server meanwhile",
    "click": "click to its mask, while proposals are looked for",
    "alone": "the same with nothing looked for",
}
_IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
_STAGE = ".stage[data-camera]"
_SHOWN = f'{_STAGE}[data-ready="true"]'
_TRIES = 1200


def processor_seconds(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def opened(page, name: str, content: bytes) -> float:
    """Give a file to the first page; when that was, and the picture is there on return."""
    page.locator('input[type="file"]').first.wait_for(state="attached")
    page.wait_for_selector(_IDLE)
    began = time.perf_counter()
    file = {"name": name, "mimeType": "image/tiff", "buffer": content}
    page.locator('input[type="file"]').first.set_input_files(file)
    page.locator(_SHOWN).wait_for()
    return began


def proposed(page) -> int:
    """How many proposals the browser has."""
    return page.locator(_STAGE).evaluate(COUNT)


def until_proposed(page) -> None:
    """Come back when the browser has proposals."""
    for _ in range(_TRIES):
        if proposed(page) > 0:
            return
        page.wait_for_timeout(50)
    raise RuntimeError("No proposals came.")


def click(page, town: TownSample) -> tuple[float, bool]:
    """Seconds from a click on the largest roof to its mask; whether it came before proposals."""
    stage = page.locator(_STAGE)
    stage.evaluate(WATCH_CANVAS)
    page.evaluate("() => Object.assign(window.__log, { up: [], shown: {} })")
    roofs = [town.labels == label for label, kind in town.classes.items() if kind == "roof"]
    column, row = middle(max(roofs, key=np.count_nonzero))
    box = stage.locator("canvas.picture").bounding_box()
    x, y, scale = map(float, stage.get_attribute("data-camera").split())
    page.mouse.click(box["x"] + (column - x) * scale, box["y"] + (row - y) * scale)
    # Each event of a canvas has a number; a fresh one counts from 1.
    page.wait_for_function("() => window.__log.shown[1]", polling=10)
    early = proposed(page) == 0
    shown, up = page.evaluate("() => [window.__log.shown[1], window.__log.up[0]]")
    return (shown - up) / 1000, early


def measure(app, towns: list[TownSample]) -> dict[str, list[float]]:
    """Seconds of each kind: a third of the towns without a search, then clicks on every second."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {name: [] for name in TITLES}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(viewport={"width": 1680, "height": 980}).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH_SOCKET)
        page.goto(app.address)
        page.wait_for_selector(_IDLE)
        # The app draws the page once more when it knows the browser.
        page.wait_for_function("localStorage.getItem('rsam-browser') !== null")
        page.wait_for_timeout(3000)
        # The first one loads the model, and is not counted.
        opened(page, "first.tif", write_geotiff(render_town(512, 512, seed=70)))
        page.wait_for_selector(_IDLE)
        for number, town in enumerate(towns):
            if number == len(towns) // 3:
                page.wait_for_selector(_IDLE)
                page.get_by_text(SWITCH, exact=True).click()
                until_proposed(page)
            page.wait_for_timeout(1500)
            page.get_by_test_id("stTopNavLink").filter(has_text="Open").first.click()
            page.locator(_STAGE).wait_for(state="detached")
            spent = processor_seconds(app.pid)
            began = opened(page, f"town-{number}.tif", write_geotiff(town))
            picture = time.perf_counter() - began
            if number < len(towns) // 3:
                page.wait_for_selector(_IDLE)
                found["alone"].append(click(page, town)[0])
                continue
            if number % 2:
                took, early = click(page, town)
                if early:
                    found["click"].append(took)
                continue
            until_proposed(page)
            found["picture"].append(picture)
            found["ready"].append(time.perf_counter() - began)
            found["server"].append(processor_seconds(app.pid) - spent)
        browser.close()
    return found


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towns", type=int, default=12)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    towns = [
        render_town(SIDE, SIDE, gsd=0.3, seed=300 + n, style=STYLES[n // 2 % len(STYLES)])
        for n in range(args.towns)
    ]
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as app:
        found = measure(app, towns)
    print("seconds       n  median  largest")
    for name, values in found.items():
        if not values:
            print(f"{name:10s}{0:5d}  {TITLES[name]}")
            continue
        median = float(np.median(values))
        print(f"{name:10s}{len(values):5d}{median:8.2f}{max(values):9.2f}  {TITLES[name]}")
        if name in GOALS:
            met = "met" if median <= GOALS[name] else "missed"
            print(f"goal: median of at most {GOALS[name]:g} s: {met}")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
