"""How many at once at the model, and on how many threads: ``python -m benchmarks.classroom_turns``.

Many come at the same moment, each in a thread of its own as Streamlit runs pages: some with a
picture of 1270 × 768 pixels to be looked at, the others with a click. Compared are the turns that
run side by side (without a queue: all) and the threads torch uses for each. Needs no data.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path

import numpy as np

from rsam_core import Segmenter, load_model
from rsam_core.models.queued import QueuedModel
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.fair_queue import FairQueue
from rsam_core.samples import render_town

WIDTH, HEIGHT = 1270, 768
EVERYBODY = 10_000


def rush(segmenter: Segmenter, image: np.ndarray, looks: int, clicks: int) -> dict[str, float]:
    """All come at once; seconds until each kind is served, and in all."""
    seen = segmenter.embed(image)
    rng = np.random.default_rng(0)
    places = rng.uniform((50, 50), (WIDTH - 50, HEIGHT - 50), (clicks, 2))
    gate = threading.Barrier(looks + clicks + 1)
    waits: dict[str, list[float]] = {"look": [], "click": []}

    def look() -> None:
        gate.wait()
        start = time.perf_counter()
        segmenter.embed(image)
        waits["look"].append(time.perf_counter() - start)

    def click(place: np.ndarray) -> None:
        gate.wait()
        start = time.perf_counter()
        segmenter.predict(seen, Prompt(points=[tuple(place)]))
        waits["click"].append(time.perf_counter() - start)

    threads = [threading.Thread(target=look) for _ in range(looks)]
    threads += [threading.Thread(target=click, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return {
        "all": time.perf_counter() - start,
        "look p50": float(np.median(waits["look"])), "look max": max(waits["look"]),
        "click p50": float(np.median(waits["click"])), "click max": max(waits["click"]),
    }  # fmt: skip


def price(repeats: int = 20_000) -> float:
    """Microseconds that a turn costs when nobody waits."""
    queue = FairQueue()
    start = time.perf_counter()
    for _ in range(repeats):
        with queue.slot("alone"):
            pass
    return 1e6 * (time.perf_counter() - start) / repeats


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--looks", type=int, default=6)
    parser.add_argument("--clicks", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    image, model, cores = render_town(WIDTH, HEIGHT, seed=3).image, load_model(), os.cpu_count()
    print(f"{args.looks} pictures and {args.clicks} clicks at once on {cores} cores, s")
    names = ["all", "look p50", "look max", "click p50", "click max"]
    print(f"{'turns at once':14s}{'torch threads':>14s}" + "".join(f"{n:>11s}" for n in names))
    settings = [(EVERYBODY, cores), (EVERYBODY, 1), (cores, 1), (1, 1), (1, cores)]
    rows: dict[tuple[int, int], list[dict[str, float]]] = {}
    for _ in range(args.repeats):
        # In turn, so that whatever else the machine does meets all alike.
        for running, threads in dict.fromkeys(settings):
            torch.set_num_threads(threads)
            queue = FairQueue(running, waiting=EVERYBODY)
            fair = QueuedModel(
                model, lambda line, q=queue: q.slot(threading.get_ident(), line=line)
            )
            found = rush(Segmenter(fair), image, args.looks, args.clicks)
            rows.setdefault((running, threads), []).append(found)
    results = []
    for (running, threads), found in rows.items():
        middle = {name: float(np.median([row[name] for row in found])) for name in names}
        results.append({"running": running, "threads": threads, **middle})
        title = "all (no queue)" if running == EVERYBODY else str(running)
        print(f"{title:14s}{threads:14d}" + "".join(f"{middle[n]:11.2f}" for n in names))
    cost = price()
    print(f"a turn when nobody waits: {cost:.1f} µs")
    if args.json:
        args.json.write_text(json.dumps({"rows": results, "turn µs": cost}, indent=1) + "\n")


if __name__ == "__main__":
    main()
