"""How long pupils wait in Learn: ``python -m benchmarks.learn [LESSON …]``.

Each lesson is opened in a process of its own, by Streamlit's test driver, which does all that the
server does and nothing of the browser. Before it, the cards are shown and the model is loaded, as
the server does while nobody asks for anything. Then each of the lesson's parts is opened and each
slider moved to three places where it has not been. Goals on two quiet cores: the first picture in
2 s, a move of a slider in 0.3 s.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

APP = Path(__file__).resolve().parents[1] / "app.py"
FIRST, MOVE = 2.0, 0.3
"""Seconds that somebody should wait at most for the first picture, and after a move."""
PLACES = (0.3, 0.8, 0.55)
"""Where sliders are moved to, as shares of their way."""


def main() -> None:
    """Measure the lessons in turns, and print a table."""
    from rsam_core.evaluate.learn.catalog import LESSONS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", default=list(LESSONS), metavar="LESSON")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.lessons[0])))
        return
    print("seconds by the clock (of the processor)")
    print(
        "| lesson | first picture | another part, worst | a move, median | a move, worst | moves |"
    )
    print("|---|---|---|---|---|---|")
    for key in args.lessons:
        command = [sys.executable, "-m", "benchmarks.learn", "--one", key]
        done = subprocess.run(command, capture_output=True, text=True, cwd=APP.parent)
        if done.returncode:
            sys.exit(done.stderr)
        print(row(key, json.loads(done.stdout.splitlines()[-1])), flush=True)


def row(key: str, told: dict[str, list[list[float]]]) -> str:
    """A line of the table; what takes longer than it should is marked."""
    parts, moves = told["parts"], told["moves"]
    return " | ".join(
        (
            f"| {key}", said(told["first"][0], FIRST), said(max(parts), FIRST) if parts else "none",
            said([statistics.median(column) for column in zip(*moves)], MOVE) if moves else "none",
            said(max(moves), MOVE) if moves else "none", f"{len(moves)} |",
        )
    )  # fmt: skip


def said(times: list[float], most: float) -> str:
    """Seconds by the clock and of the processor."""
    return f"{times[0]:.2f} ({times[1]:.2f}){' **over**' if times[0] > most else ''}"


def measure(key: str) -> dict[str, list[list[float]]]:
    """Open a lesson and move all that can be moved."""
    import torch
    from streamlit.testing.v1 import AppTest

    from pages.parts.shared import resources
    from rsam_core.models.catalog import DEFAULT_MODEL

    torch.set_num_threads(2)
    offered = remember_options()
    page = AppTest.from_file(str(APP), default_timeout=300)
    page.switch_page("pages/screens/learn.py").run()
    resources.segmenter(DEFAULT_MODEL)
    page.query_params["lesson"] = key
    told = {"first": [timed(page.run)], "parts": [], "moves": []}
    prefix, moved = f"learn-{key}-", set()
    move_all(page, prefix, offered, moved, told["moves"])
    for name in [group.key for group in page.button_group if group.key.startswith(prefix)]:
        for option in offered[name]:
            group = next((one for one in page.button_group if one.key == name), None)
            if group is None or option == group.value:
                continue
            group.set_value(option)
            told["parts"].append(timed(page.run))
            move_all(page, prefix, offered, moved, told["moves"])
    if page.exception:
        raise RuntimeError(page.exception[0].value)
    return told


def remember_options() -> dict[str, list[Any]]:
    """Note what choices offer, by their keys: the test driver knows only how it is written."""
    import streamlit as st
    from streamlit.delta_generator import DeltaGenerator

    offered: dict[str, list[Any]] = {}

    def noting(real: Callable[..., Any], method: bool) -> Callable[..., Any]:
        def call(*args: Any, **words: Any) -> Any:
            # After the label, and after the container where it is a method.
            offered[words.get("key")] = list(args[2 if method else 1])
            return real(*args, **words)

        return call

    for name in ("select_slider", "segmented_control", "pills"):
        setattr(st, name, noting(getattr(st, name), False))
        setattr(DeltaGenerator, name, noting(getattr(DeltaGenerator, name), True))
    return offered


def move_all(
    page: Any, prefix: str, offered: dict[str, list[Any]], moved: set[str], times: list[list[float]]
) -> None:
    """Move each slider that was not moved yet to three places."""

    def sliders() -> dict[str, Any]:
        found = (*page.slider, *page.select_slider)
        return {one.key: one for one in found if (one.key or "").startswith(prefix)}

    for name in sliders():
        if name in moved:
            continue
        moved.add(name)
        for share in PLACES:
            slider = sliders().get(name)
            if slider is None:
                break
            slider.set_value(place(slider, offered.get(name), share))
            times.append(timed(page.run))


def place(slider: Any, options: list[Any] | None, share: float) -> Any:
    """A value at that share of a slider's way."""
    if options is not None:
        return options[round(share * (len(options) - 1))]
    low, high, step = slider.min, slider.max, slider.step
    return type(low)(low + round(share * (high - low) / step) * step)


def timed(act: Callable[[], object]) -> list[float]:
    """Seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    act()
    return [time.perf_counter() - clock, time.process_time() - processor]


if __name__ == "__main__":
    main()
