"""From the pointer to the outline under it: a part of ``python -m benchmarks.clicks``.

Times are taken in the page: from the browser's event (pointer moved, button up) to the frame after
the one in which the outline was drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

GOALS = {"proposal": 30.0, "rest": 250.0, "taken": 150.0}
"""Milliseconds, of the median."""
TITLES = {
    "proposal": "pointer moved to the outline, where a proposal is",
    "rest": "pointer moved to the outline, where the model must answer",
    "taken": "click to the outline of the object, on a proposal",
}
WATCH = """(stage) => {
  const canvas = [...stage.querySelectorAll("canvas")].find((c) => "count" in c.dataset);
  const log = window.__pointer = { moved: 0, up: 0, shown: 0, accepted: 0 };
  window.addEventListener("pointermove", () => { log.moved = window.__now(); }, true);
  window.addEventListener("pointerup", () => { log.up = window.__now(); }, true);
  new MutationObserver((changes) => {
    const names = new Set(changes.map((change) => change.attributeName));
    requestAnimationFrame(() => {
      if (names.has("data-shown") && canvas.dataset.shown !== "") log.shown = window.__now();
      if (names.has("data-accepted") && canvas.dataset.accepted !== "") {
        log.accepted = window.__now();
      }
    });
  }).observe(canvas, { attributes: true });
}"""
_COUNT = """(stage) => Number(
  [...stage.querySelectorAll("canvas")].map((c) => c.dataset.count || 0).sort().at(-1))"""
_EMPTY = "() => window.__pointer"
SWITCH = "Outlines under the pointer"
AT_ONCE = 70
"""Milliseconds after which an outline came from the model's answer to the resting pointer."""
WAIT = 60
"""Seconds in which the proposals must be there."""


def pointer_times(
    page: Page, stage: Locator, places: np.ndarray, count: int, idle: str
) -> dict[str, list[float]]:
    """Milliseconds of each kind.

    Parameters
    ----------
    page, stage : Page, Locator
        With an image open in the mode of clicks.
    places : (N, 2) ndarray
        Where objects are, in pixels of the scene.
    count : int
        How many of each kind at most.
    idle : str
        Selector of a page that does not run.
    """
    page.get_by_text(SWITCH, exact=True).click()
    page.wait_for_selector(idle)
    for _ in range(WAIT * 2):
        if stage.evaluate(_COUNT) > 0:
            break
        page.wait_for_timeout(500)
    else:
        raise RuntimeError("No proposals came.")
    page.wait_for_timeout(1500)
    stage.evaluate(WATCH)
    box = stage.locator("canvas.picture").bounding_box()
    left, top, scale = map(float, stage.get_attribute("data-camera").split())
    height, width = box["height"] / scale, box["width"] / scale
    rng = np.random.default_rng(0)
    ground = np.column_stack([rng.uniform(20, width - 20, 60), rng.uniform(20, height - 20, 60)])
    found: dict[str, list[float]] = {name: [] for name in TITLES}

    def move(x: float, y: float, patience: int) -> float | None:
        page.mouse.move(box["x"] + 3, box["y"] + 3)
        page.wait_for_timeout(150)
        page.evaluate("() => Object.assign(window.__pointer, {moved: 0, shown: 0, accepted: 0})")
        page.mouse.move(box["x"] + (x - left) * scale, box["y"] + (y - top) * scale)
        page.wait_for_timeout(patience)
        noted = page.evaluate(_EMPTY)
        return noted["shown"] - noted["moved"] if noted["shown"] else None

    for x, y in places:
        if len(found["proposal"]) >= count:
            break
        took = move(x, y, AT_ONCE)
        if took is None:
            continue
        found["proposal"].append(took)
        page.mouse.down()
        page.mouse.up()
        page.wait_for_timeout(400)
        noted = page.evaluate(_EMPTY)
        if noted["accepted"]:
            found["taken"].append(noted["accepted"] - noted["up"])
        page.wait_for_selector(idle)
    for x, y in ground:
        if len(found["rest"]) >= count:
            break
        took = move(x, y, 1200)
        if took is not None and took > AT_ONCE:
            found["rest"].append(took)
    return found


def report(found: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Print and return the number, median and 95th percentile of each kind."""
    print("\nms                       n      p50     p95")
    result = {}
    for name, values in found.items():
        if not values:
            print(f"{name:20s}     0        –       –  {TITLES[name]}")
            continue
        p50, p95 = float(np.median(values)), float(np.percentile(values, 95))
        result[name] = {"n": len(values), "p50": p50, "p95": p95}
        met = "met" if p50 <= GOALS[name] else "missed"
        print(f"{name:20s}{len(values):6d}{p50:9.1f}{p95:8.1f}  {TITLES[name]}")
        print(f"goal: median of at most {GOALS[name]:.0f} ms: {met}")
    return result
