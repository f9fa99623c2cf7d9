"""How ten thousand objects feel: ``python -m benchmarks.many_objects [COUNT]``.

Times what the Objects page does, on drawn ellipses and blocks in a scene of 8,000 × 8,000 pixels:
the table (first time, and again after one object changed), the layer over the picture, a filter,
and what takes longer and is only done when asked for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from rsam_core.objects.combine import covered_area
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import histogram, measure, summary
from rsam_core.objects.neighbours import neighbour_table
from rsam_core.objects.refine import RefineSettings, refine
from rsam_core.render.overlays import overlay_layer
from rsam_core.render.style import OverlayStyle

SIDE = 8000
SCREEN = (720, 1000)


def drawn_objects(count: int) -> Instances:
    """Ellipses and blocks, turned anyhow, on a grid with a little disorder."""
    random = np.random.default_rng(0)
    columns = int(np.ceil(np.sqrt(count)))
    cell = SIDE // columns
    items = []
    for index in range(count):
        long, short = random.uniform(0.15, 0.42, 2) * cell
        canvas = np.zeros((cell, cell), np.uint8)
        middle, angle = (cell / 2, cell / 2), float(random.uniform(0, 180))
        if index % 2:
            cv2.ellipse(canvas, (middle, (2 * long, 2 * short), angle), 1, -1)
        else:
            corners = cv2.boxPoints((middle, (1.4 * long, 1.4 * short), angle))
            cv2.fillPoly(canvas, [corners.astype(np.int32)], 1)
        x, y = (index % columns) * cell, (index // columns) * cell
        items.append(Instance(canvas, x, y, float(random.uniform(0.5, 1))))
    return Instances(items, (SIDE, SIDE))


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of one call, which other work on the machine does not change."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    count = parser.parse_args().count
    found = drawn_objects(count)
    rows: dict[str, float] = {}
    rows["table with shape, first time"] = seconds(lambda: measure(found, shape=True))
    changed = found.replace(replace(found[5], mask=found[5].mask[:-3]))
    rows["table with shape, one object changed"] = seconds(lambda: measure(changed, shape=True))
    table = measure(found, shape=True)
    rows["summary and histogram"] = seconds(
        lambda: (summary(table, found.shape), histogram(table["area"]))
    )
    limit = float(np.median(found.areas))
    rows["filter by area"] = seconds(lambda: found.filter_area(min=limit))
    ids = found.ids[::7].tolist()
    rows["select 1,400 by number"] = seconds(lambda: found.select(ids))
    fit = min(SCREEN[0] / SIDE, SCREEN[1] / SIDE)
    whole = (round(SIDE * fit), round(SIDE * fit))
    style = OverlayStyle()
    fresh = drawn_objects(count)
    rows["overlay of all, first time"] = seconds(
        lambda: overlay_layer(whole, fresh, style, scale=fit)
    )
    marked = replace(style, highlight=tuple(ids[:50]))
    rows["overlay of all, other selection"] = seconds(
        lambda: overlay_layer(whole, fresh, marked, scale=fit)
    )
    rows["overlay of a tenth of the scene, 1:1"] = seconds(
        lambda: overlay_layer(SCREEN, fresh, style, origin=(2000, 2000))
    )
    rows["covered area"] = seconds(lambda: covered_area(found))
    rows["nearest neighbours (on demand)"] = seconds(lambda: neighbour_table(found))
    rows["refine all, default steps (in the background)"] = seconds(lambda: refine(found))
    straight = RefineSettings.none(regularise=True)
    some = found[: max(count // 10, 1)]
    rows["straighten a tenth of them (in the background)"] = seconds(lambda: refine(some, straight))
    print(f"{count:,} objects in {SIDE:,} × {SIDE:,} pixels\n")
    print("| what | processor seconds |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value:.2f} |")


if __name__ == "__main__":
    main()
