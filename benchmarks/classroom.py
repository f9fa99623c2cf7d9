"""A class of thirty at one computer: ``python -m benchmarks.classroom [--students 30]``.

Starts the app and simulates students by websocket sessions on loopback, without browsers: each
opens the app, uploads a picture of 1270 × 768 pixels of its own, and clicks ten times at random
moments. Told are the waits (from sending to what the browser would show), all errors, and the
memory of the server: before, at its peak, and after all have left. Needs Linux, no data.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import re
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.app_server import running_app
from benchmarks.classroom_student import Diary, Plan, attend
from rsam_core.samples import TownSample, render_town

WIDTH, HEIGHT = 1270, 768
GOAL_WAIT = 5.0
"""Seconds."""
GOAL_MEMORY = 0.10
NEW_EVERY = 3
"""Every third click starts a new object; the others correct it."""


def status(pid: int, name: str) -> int:
    """A size in bytes from what Linux tells about a process, such as VmRSS."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def picture(town: TownSample, seed: int) -> tuple[str, bytes]:
    """A file of its own: the town with noise, as JPEG or PNG."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    noise = rng.integers(-6, 7, town.image.shape, np.int16)
    image = Image.fromarray(np.clip(town.image + noise, 0, 255).astype(np.uint8))
    kind, stream = ("JPEG", "PNG")[seed % 2], io.BytesIO()
    image.save(stream, kind)
    return f"town-{seed}.{kind.lower()}", stream.getvalue()


def plans(
    count: int,
    clicks: int,
    seconds: float,
    arrive: float,
    towns: int,
    searching: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> list[Plan]:
    """What each student does: arrivals are spread evenly, clicks at random."""
    rendered = [render_town(*size, seed=300 + number) for number in range(towns)]
    found = []
    for number in range(count):
        rng, town = np.random.default_rng(number), rendered[number % towns]
        name, content = picture(town, number)
        arrives = arrive * number / count
        times = np.sort(rng.uniform(arrives + 2.0, max(seconds, arrives + 3.0), clicks))
        steps = []
        roofs = [label for label, kind in town.classes.items() if kind == "roof"]
        for index, when in enumerate(times):
            if index % NEW_EVERY == 0:
                rows, columns = np.nonzero(town.labels == rng.choice(roofs))
            pick = rng.integers(len(rows))
            x, y = float(columns[pick]) + 0.5, float(rows[pick]) + 0.5
            steps.append((float(when), x, y, index % NEW_EVERY == 0))
        found.append(Plan(name, content, *size, arrives, steps, number < searching))
    return found


async def lesson(address: str, pid: int, class_: list[Plan]) -> tuple[list[Diary], dict]:
    """All students at once; their diaries, and the memory and processor time of the server."""
    peak, start, cpu = 0, time.perf_counter(), cpu_seconds(pid)
    students = asyncio.gather(*(attend(address, plan, start + 0.2) for plan in class_))
    while not students.done():
        peak = max(peak, status(pid, "VmRSS"))
        await asyncio.wait([students], timeout=0.25)
    lasted = time.perf_counter() - start
    return students.result(), {
        "peak": peak, "seconds": lasted, "cpu share": (cpu_seconds(pid) - cpu) / lasted
    }  # fmt: skip


def settle(pid: int, seconds: float) -> list[tuple[float, int]]:
    """Memory over time after all have left."""
    start, course = time.perf_counter(), []
    while not course or course[-1][0] < seconds:
        course.append((time.perf_counter() - start, status(pid, "VmRSS")))
        time.sleep(1.0)
    return course


def report(diaries: list[Diary]) -> dict[str, dict[str, float]]:
    """Print and return the waits."""
    kinds: dict[str, list[float]] = {}
    for diary in diaries:
        for what, waits in diary.waits.items():
            kinds.setdefault(what, []).extend(waits)
    result = {}
    print(f"\n{'wait for, s':22s}{'count':>7s}{'p50':>8s}{'p95':>8s}{'max':>8s}")
    for what, waits in kinds.items():
        row = {
            "count": len(waits), "p50": float(np.median(waits)),
            "p95": float(np.percentile(waits, 95)), "max": max(waits),
        }  # fmt: skip
        result[what] = row
        print(f"{what:22s}{row['count']:7d}{row['p50']:8.2f}{row['p95']:8.2f}{row['max']:8.2f}")
    return result


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--clicks", type=int, default=10, help="of each student")
    parser.add_argument("--seconds", type=float, default=120.0, help="until the last click")
    parser.add_argument("--arrive", type=float, default=30.0, help="seconds in which all arrive")
    parser.add_argument("--searching", type=int, default=0, help="who also look for everything")
    parser.add_argument("--ttl", type=int, default=20, help="seconds a lost session is kept")
    parser.add_argument("--towns", type=int, default=3, help="rendered pictures to vary")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    class_ = plans(
        args.students, args.clicks, args.seconds, args.arrive, args.towns, args.searching
    )
    first = plans(2, args.clicks, 12.0, 2.0, 1)
    kept = {"server.disconnectedSessionTTL": args.ttl}
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder), kept) as app:
        address, pid, log = app.address, app.pid, app.log
        empty = status(pid, "VmRSS")
        # The first two load the model and libraries; what they leave is the start.
        loading, _ = asyncio.run(lesson(address, pid, first))
        # Lost sessions are closed somewhat before Streamlit would forget them.
        before = settle(pid, 1.5 * args.ttl)[-1][1]
        diaries, facts = asyncio.run(lesson(address, pid, class_))
        left = status(pid, "VmRSS")
        course = settle(pid, 1.5 * args.ttl)
        after = course[-1][1]
        trouble = re.findall(r"^.*(?:ERROR|Traceback|Error:).*$", log.read_text(), re.MULTILINE)
    print(
        f"{args.students} students arrive within {args.arrive:.0f} s and click {args.clicks} "
        f"times each until {args.seconds:.0f} s; server: {facts['cpu share']:.2f} cores busy"
    )
    waits = report(diaries)
    very_first = max(loading[0].waits["upload: picture"])
    print(f"\nthe very first picture, while the model is loaded: {very_first:.1f} s")
    searches = [seconds for diary in diaries for seconds in diary.searches]
    if searches:
        print(f"everything mode in the background: {', '.join(f'{s:.0f}' for s in searches)} s")
    errors = [error for diary in diaries for error in diary.errors]
    worst = max(row["max"] for row in waits.values())
    masks = sum(diary.masks for diary in diaries)
    sent = sum(diary.received for diary in diaries) / len(diaries)
    print(f"\nclicks answered by a picture of masks: {masks} of {args.students * args.clicks}")
    print(f"each student received {sent / 1e6:.1f} MB")
    print(f"errors: {len(errors)} on pages, {len(trouble)} in the log")
    for text in [*dict.fromkeys(errors), *dict.fromkeys(trouble)][:10]:
        print("   ", text[:200])
    toasts = [toast for diary in diaries for toast in diary.toasts]
    print(f"told their position in the queue: {len(toasts)} times")
    names = {"before anybody": empty, "start (two came and left)": before,
             "peak": facts["peak"], "as the last one leaves": left, "after": after}  # fmt: skip
    print("\nmemory of the server, MB")
    for name, value in names.items():
        print(f"{name:28s}{value / 1e6:8.0f}{value / before - 1:+8.1%}")
    for text, met in (
        (f"nobody waits more than {GOAL_WAIT:.0f} s (worst {worst:.1f})", worst <= GOAL_WAIT),
        ("no error", not errors and not trouble and masks == args.students * args.clicks),
        ("memory back within 10 %", after <= before * (1 + GOAL_MEMORY)),
    ):
        print(f"goal: {text}: {'met' if met else 'missed'}")
    if args.json:
        results = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        results |= {"settings": {k: v for k, v in vars(args).items() if k != "json"}}
        results |= {"waits": waits, "errors": errors + trouble, "memory": names, "facts": facts}
        results |= {"course": course, "toasts": toasts, "searches": searches}
        results |= {"first picture": very_first}
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
