"""Two versions of RSAM side by side: import, start-up, click and everything mode.

``python -m benchmarks.paired OLD NEW`` takes two checkouts and measures them in turns, each time
in a process of its own, so that whatever else the computer does slows down both alike. It prints
medians by the clock and in processor seconds, and their ratios. One thread each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rsam_core.samples import render_town

IMPORT = """
import sys
import rsam_core
assert "torch" not in sys.modules
"""

SEGMENT = """
import dataclasses, json, os, time
import numpy as np
import rsam_core as rsam
import torch
torch.set_num_threads(1)
try:
    from rsam_core.segment import everything as module
except ImportError:
    from rsam_core import everything as module

def timed(work, repeats):
    found = []
    for _ in range(repeats):
        clock, computing = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - clock, time.process_time() - computing))
    return [sorted(column)[repeats // 2] for column in zip(*found)]

image = np.load(os.environ["PAIRED_IMAGE"])
segmenter = rsam.Segmenter(rsam.load_model("rsam-tiny"))
embedding = segmenter.embed(image)
places = iter([(40 + 37 * k % 360, 30 + 53 * k % 260) for k in range(100)])

def click():
    segmenter.predict(embedding, rsam.Prompt(points=[next(places)], labels=[1], box=None))

# Grid points, which both versions know, with the same thresholds.
settings = module.EverythingSettings(spacing=24)
if "propose" in {field.name for field in dataclasses.fields(settings)}:
    settings = dataclasses.replace(settings, propose=False)

def grid():
    module.generate(module.initialize(segmenter, embedding, settings), settings)

click(), click()
print(json.dumps({
    "encode": timed(lambda: segmenter.embed(image), 3),
    "click, decoded": timed(click, 21),
    "everything, same settings": timed(grid, 1),
    "everything, as each version sets it": timed(lambda: segmenter.everything(embedding), 1),
}))
"""

START = """
import json, shutil, tempfile, time
from pathlib import Path
import psutil
from playwright.sync_api import sync_playwright
from benchmarks.app_server import running_app

def computed(pid):
    server = psutil.Process(pid)
    family = [server, *server.children(recursive=True)]
    return sum(sum(one.cpu_times()[:4]) for one in family)

ready = (
    '[data-testid="stApp"][data-test-script-state="notRunning"]'
    '[data-test-connection-state="CONNECTED"]'
)
folder = tempfile.mkdtemp()
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
        args=["--no-sandbox", "--disable-gpu"],
    )
    page = browser.new_page()
    clock = time.perf_counter()
    with running_app(Path(folder)) as app:
        page.goto(app.address)
        page.wait_for_selector(ready, timeout=120_000)
        page.get_by_test_id("stImage").last.wait_for(timeout=120_000)
        page.wait_for_selector(ready, timeout=120_000)
        print(json.dumps({"first page": [time.perf_counter() - clock, computed(app.pid)]}))
    browser.close()
shutil.rmtree(folder, ignore_errors=True)
"""


def run(folder: Path, code: str) -> dict[str, list[float]]:
    """Run a piece of Python in a checkout and return what it prints, or its own times."""
    before, clock = os.times(), time.perf_counter()
    surroundings = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder, env=surroundings, capture_output=True, text=True, check=True,
    )  # fmt: skip
    took, after = time.perf_counter() - clock, os.times()
    if done.stdout.strip():
        return json.loads(done.stdout.strip().splitlines()[-1])
    computing = sum(after[2:4]) - sum(before[2:4])
    return {"import": [took, computing]}


def measure(versions: dict[str, Path], rounds: int) -> dict[str, dict[str, list[list[float]]]]:
    """Times by what was measured and by version, each a pair: by the clock, of the processors."""
    found: dict[str, dict[str, list[list[float]]]] = {}
    for number in range(rounds):
        turns = list(versions.items())
        for version, checkout in turns if number % 2 == 0 else reversed(turns):
            for code in (IMPORT, IMPORT, SEGMENT, START):
                for what, times in run(checkout, code).items():
                    found.setdefault(what, {}).setdefault(version, []).append(times)
    return found


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    town = render_town(448, 320, gsd=0.3, seed=7, style="estate")
    with tempfile.TemporaryDirectory() as kept:
        image = Path(kept, "town.npy")
        np.save(image, town.image)
        os.environ["PAIRED_IMAGE"] = str(image)
        versions = {"old": options.old.resolve(), "new": options.new.resolve()}
        found = measure(versions, options.rounds)
    print("| what | before: clock, processor | now: clock, processor | ratio: clock, processor |")
    print("|---|---|---|---|")
    for what, times in found.items():
        middle = {v: [statistics.median(c) for c in zip(*t)] for v, t in times.items()}
        told = [", ".join(f"{1000 * s:,.0f} ms" for s in middle[v]) for v in ("old", "new")]
        ratios = ", ".join(f"{b / a:.2f}" for a, b in zip(middle["old"], middle["new"]))
        print(f"| {what} | {told[0]} | {told[1]} | {ratios} |")


if __name__ == "__main__":
    main()
