"""From mouse up to the mask on the screen: ``python -m benchmarks.clicks [--clicks 50]``.

Starts the app, drives headless Chromium over a rendered picture of 1270 × 768 pixels, and clicks
roofs: new objects and corrections, mixed; then it moves over outlines (`pointer.py`). Times are
taken in the page and, through `RSAM_TIMING`, on the server; both read the clock of this machine. A
last table is the way of a file from its bytes to the embedding. Needs Playwright and Chromium, no
data.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import pointer
from benchmarks.app_server import running_app
from rsam_core.samples import TownSample, render_town, write_geotiff

WIDTH, HEIGHT = 1270, 768
GOALS = {"p50": 300.0, "p95": 600.0, "fresh image": 1000.0}
"""Milliseconds."""
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATTERN = "ncncc"
"""New objects (n) and corrections of the present one (c), over and over."""
PATIENCE = 60_000

# What is noted in the page: milliseconds since 1970, as the server's marks.
WATCH_SOCKET = """
window.__now = () => performance.timeOrigin + performance.now();
window.__log = { up: [], socket: [], update: [], shown: {} };
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...settings) {
    super(...settings);
    this.addEventListener("message", (event) => {
      const at = window.__now();
      const bytes = event.data.byteLength ?? event.data.size;
      const whole = event.data.arrayBuffer ? event.data.arrayBuffer() : event.data;
      Promise.resolve(whole).then((content) => {
        const found = /"ack": ?(\\d+)/.exec(new TextDecoder("latin1").decode(content));
        window.__log.socket.push({ way: "in", at, bytes, ack: found && Number(found[1]) });
      });
    });
  }
  send(content) {
    window.__log.socket.push({ way: "out", at: window.__now(), bytes: content.byteLength });
    super.send(content);
  }
};
window.addEventListener("pointerup", () => window.__log.up.push(window.__now()), true);
"""
WATCH_CANVAS = """(stage) => {
  const log = window.__log;
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.attributeName === "data-ready" && stage.dataset.ready === "true") {
        log.update.push(window.__now());
      }
      if (change.attributeName === "data-shown") {
        const number = stage.dataset.shown;
        // The frame after the one in which the canvas was drawn.
        if (!(number in log.shown)) {
          log.shown[number] = null;
          requestAnimationFrame(() => { log.shown[number] = window.__now(); });
        }
      }
    }
  }).observe(stage, { attributes: true });
}"""

PARTS = {
    "canvas event": "mouse up to the server's callback",
    "before decoding": "callback to the decoding: first widgets of the page",
    "decode": "the model's answer",
    "table, list": "what stands before the canvas on the page",
    "overlay": "drawing and packing the layer of objects",
    "transfer": "canvas given away to the message in the browser",
    "browser": "message to the canvas's update (Streamlit's page)",
    "paint": "update to the frame after the painted one",
    "in all": "mouse up to painted",
    "rest of the run": "canvas given away to the end of the script (not waited for)",
}


@dataclass(frozen=True)
class Click:
    """One click: where, and what kind."""

    x: float
    y: float
    new: bool
    button: str = "left"


def middle(mask: np.ndarray) -> tuple[float, float]:
    """A point well inside a mask."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return float(column) + 0.5, float(row) + 0.5


def clicks_of(town: TownSample, count: int, seed: int = 0) -> list[Click]:
    """So many clicks on roofs; corrections are include clicks on them and exclude clicks beside."""
    rng = np.random.default_rng(seed)
    roofs = [label for label, kind in town.classes.items() if kind == "roof"]
    roofs = [label for label in roofs if (town.labels == label).sum() >= 200]
    rng.shuffle(roofs)
    found: list[Click] = []
    mask = np.zeros_like(town.labels, bool)
    while len(found) < count:
        new = PATTERN[len(found) % len(PATTERN)] == "n"
        if new:
            if not roofs:
                raise ValueError("The town has too few roofs for so many clicks.")
            mask = town.labels == roofs.pop()
            found.append(Click(*middle(mask), True))
            continue
        rows, columns = np.nonzero(mask)
        pick = rng.integers(len(rows))
        if len(found) % 2:
            found.append(Click(float(columns[pick]) + 0.5, float(rows[pick]) + 0.5, False))
        else:
            x, y = max(float(columns.min()) - 6, 1.0), max(float(rows.min()) - 6, 1.0)
            found.append(Click(x, y, False, "right"))
    return found


def drive(address: str, town: TownSample, clicks: list[Click], pause: float, hovers: int) -> dict:
    """Click in the browser, then move over outlines; what the page noted."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(viewport={"width": 1680, "height": 980}).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH_SOCKET)
        page.goto(address)
        idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        page.wait_for_selector(idle)
        page.locator('input[type="file"]').first.set_input_files(
            {"name": "town.tif", "mimeType": "image/tiff", "buffer": write_geotiff(town)}
        )
        stage = page.locator(".stage[data-camera]")
        stage.wait_for()
        page.wait_for_selector(idle)
        page.wait_for_timeout(2000)
        stage.evaluate(WATCH_CANVAS)
        button = page.get_by_test_id("stMain").locator("button").filter(has_text="New object").first
        for number, click in enumerate(clicks, start=1):
            if click.new and number > 1:
                button.click()
                page.wait_for_timeout(300)
                page.wait_for_selector(idle)
            box = stage.locator("canvas.picture").bounding_box()
            x, y, scale = map(float, stage.get_attribute("data-camera").split())
            page.wait_for_timeout(1000 * pause)
            page.mouse.move(box["x"] + (click.x - x) * scale, box["y"] + (click.y - y) * scale)
            page.mouse.down(button=click.button)
            page.mouse.up(button=click.button)
            page.wait_for_function("(number) => window.__log.shown[number]", arg=number)
            page.wait_for_selector(idle)
        page.wait_for_timeout(500)
        noted = page.evaluate("window.__log")
        middles = [middle(town.labels == n) for n, kind in town.classes.items() if kind == "roof"]
        noted["pointer"] = pointer.pointer_times(page, stage, np.array(middles), hovers, idle)
        noted["canvas"] = [box["width"], box["height"]]
        browser.close()
    return noted


def split(noted: dict, marks: list[dict], clicks: list[Click]) -> list[dict[str, float]]:
    """Milliseconds of each part of each click."""
    # The buttons of the page are clicked, too: a click of the canvas is the last one before its
    # mask. All times are in milliseconds.
    at = [{**mark, "time": mark["time"] * 1000} for mark in marks]
    rows = []
    for number in range(1, len(clicks) + 1):
        shown = noted["shown"][str(number)]
        up = max(time for time in noted["up"] if time < shown)
        coming = [e for e in noted["socket"] if e["way"] == "in" and e["ack"] == number]
        received = next(e for e in coming if e["at"] > up)
        update = min(time for time in noted["update"] if time >= received["at"])

        def first(name: str, after: float, before: float = shown) -> float:
            times = [m["time"] for m in at if m["name"] == name and m["time"] >= after]
            return min((time for time in times if time < before), default=float("nan"))

        event = first("event", up)
        begun, decoded = first("decode", event), first("decode-end", event)
        drawing, drawn = first("overlay", decoded), first("overlay-end", decoded)
        sent = first("sent", decoded)
        if np.isnan(drawing):
            drawing = drawn = sent
        parts = {
            "canvas event": event - up,
            "before decoding": begun - event,
            "decode": decoded - begun,
            "table, list": (drawing - decoded) + (sent - drawn),
            "overlay": drawn - drawing,
            "transfer": received["at"] - sent,
            "browser": update - received["at"],
            "paint": shown - update,
            "in all": shown - up,
            "rest of the run": first("end", sent, float("inf")) - sent,
            "kilobytes": received["bytes"] / 1000,
        }
        rows.append({**parts, "new": clicks[number - 1].new})
    return rows


def report(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Print and return median and 95th percentile of each part."""
    print(f"\n{len(rows)} clicks, ms          p50     p95")
    result = {}
    for name in [*PARTS, "kilobytes"]:
        values = [row[name] for row in rows]
        result[name] = {
            "p50": float(np.nanmedian(values)), "p95": float(np.nanpercentile(values, 95))
        }  # fmt: skip
        print(
            f"{name:20s}{result[name]['p50']:9.1f}{result[name]['p95']:8.1f}  {PARTS.get(name, '')}"
        )
    for new, title in ((True, "new objects"), (False, "corrections")):
        values = [row["in all"] for row in rows if row["new"] == new]
        result[title] = {"p50": float(np.median(values)), "p95": float(np.percentile(values, 95))}
        print(f"{title:20s}{result[title]['p50']:9.1f}{result[title]['p95']:8.1f}  in all")
    for name in ("p50", "p95"):
        met = "met" if result["in all"][name] < GOALS[name] else "missed"
        print(f"goal: {name} below {GOALS[name]:.0f} ms: {met}")
    return result


def contents(town: TownSample) -> dict[str, bytes]:
    """The picture as files of three kinds."""
    from PIL import Image

    files = {}
    for kind in ("JPEG", "PNG"):
        stream = io.BytesIO()
        Image.fromarray(town.image).save(stream, kind)
        files[kind] = stream.getvalue()
    return {**files, "GeoTIFF": write_geotiff(town)}


def fresh_images(threads: int, repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds from a file's bytes to the embedding of the picture."""
    import torch

    import rsam_core as rsam

    torch.set_num_threads(threads)
    segmenter = rsam.Segmenter(rsam.load_model("rsam-tiny"))
    towns = [render_town(WIDTH, HEIGHT, seed=90 + number) for number in range(2)]
    print(f"\nfresh image, ms, {threads} threads     open  picture    embed   in all")
    result = {}
    for kind in ("JPEG", "PNG", "GeoTIFF"):
        rows = []
        for number in range(repeats + 1):
            content = contents(towns[number % 2])[kind]
            times = [time.perf_counter()]
            scene = rsam.open_scene(content, name="town")
            times.append(time.perf_counter())
            picture = scene.overview(max(scene.width, scene.height))
            times.append(time.perf_counter())
            segmenter.embed(picture)
            times.append(time.perf_counter())
            rows.append(1000 * np.append(np.diff(times), times[-1] - times[0]))
        # The first one is kept apart: it also loads what the others find loaded.
        medians = np.median(rows[1:], axis=0)
        names = ("open", "picture", "embed", "in all")
        result[kind] = dict(zip(names, map(float, medians))) | {"first": float(rows[0][-1])}
        print(f"{kind:27s}" + "".join(f"{value:9.1f}" for value in medians))
    worst = max(row["in all"] for row in result.values())
    met = "met" if worst < GOALS["fresh image"] else "missed"
    print(f"goal: below {GOALS['fresh image']:.0f} ms: {met}")
    return result


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=50)
    parser.add_argument("--warm-up", type=int, default=5, help="clicks before those that count")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds before each click")
    parser.add_argument("--hovers", type=int, default=25, help="outlines under the pointer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7, help="openings of each kind of file")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    town = render_town(WIDTH, HEIGHT, seed=3)
    clicks = clicks_of(town, args.warm_up + args.clicks)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "marks.jsonl"
        with running_app(Path(folder), RSAM_TIMING=file) as app:
            noted = drive(app.address, town, clicks, args.pause, args.hovers)
        marks = [json.loads(line) for line in file.read_text().splitlines()]
    print(f"canvas of {noted['canvas'][0]:.0f} × {noted['canvas'][1]:.0f} CSS pixels")
    rows = split(noted, marks, clicks)[args.warm_up :]
    results = {"machine": platform.processor() or platform.machine(), "canvas": noted["canvas"]}
    results |= {"clicks": report(rows), "pointer": pointer.report(noted["pointer"])}
    results["fresh"] = fresh_images(args.threads, args.repeats)
    if args.json:
        args.json.write_text(json.dumps({**results, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
