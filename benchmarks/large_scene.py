"""Everything mode over 12,000 × 12,000 pixels: ``python -m benchmarks.large_scene``.

Rendered towns of eight styles are put side by side in a GeoTIFF, which is opened as the app opens
it. Each of four sizes runs in a process of its own, so that its peak memory is its own; a line is
fitted to the processor time by area. In a last process the largest run is stopped at several
moments. ``--grid`` looks at grid points in place of the model's proposals. Takes about five minutes
on two cores; needs no data.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.tiled import BLOCK, STYLES

SIDES = (1500, 3000, 6000, 12_000)
SPACING = 64.0
GOALS = {"memory": 2000.0, "stop": 2.0}
"""Megabytes, seconds."""


def write(path: Path, side: int) -> None:
    """A mosaic of rendered towns as GeoTIFF, block by block."""
    import rasterio
    from rasterio.windows import Window

    from rsam_core.samples import render_town

    towns = [
        render_town(BLOCK, BLOCK, gsd=0.3, seed=40 + kind, style=style).image.transpose(2, 0, 1)
        for kind, style in enumerate(STYLES)
    ]
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=3, dtype="uint8",
        crs="EPSG:32737", transform=rasterio.Affine(0.3, 0, 500_000, 0, -0.3, 9_300_000),
        tiled=True, blockxsize=512, blockysize=512, compress="deflate", zlevel=1,
    ) as dataset:  # fmt: skip
        for row in range(0, side, BLOCK):
            for column in range(0, side, BLOCK):
                width, height = min(BLOCK, side - column), min(BLOCK, side - row)
                # Each row begins with another style, so that the quarters of the scene differ.
                town = towns[(row // BLOCK * 3 + column // BLOCK) % len(towns)]
                window = Window(column, row, width, height)
                dataset.write(town[:, :height, :width], window=window)


def open_all(path: str, grid: bool = False):
    """Scene, segmenter and settings."""
    import rsam_core as rsam
    from rsam_core.segment.everything import EverythingSettings

    scene = rsam.open_scene(Path(path))
    return scene, rsam.Segmenter(rsam.load_model()), EverythingSettings(SPACING, propose=not grid)


def measure(path: str, side: int, grid: bool) -> dict[str, float]:
    """Everything mode over the upper left square of a scene, in this process."""
    import rsam_core as rsam
    from rsam_core.scene.window import Window
    from rsam_core.segment.tiles.run import initialize_tiled

    scene, segmenter, settings = open_all(path, grid)
    before = peak_mb()
    began, worked = time.perf_counter(), time.process_time()
    state = initialize_tiled(segmenter, scene, Window(0, 0, side, side), settings)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    began = time.perf_counter()
    found = rsam.generate(state, settings)
    return {
        "side": side, "points": state.points, "masks": len(state.masks), "objects": len(found),
        "seconds": seconds, "cpu": cpu, "choose": time.perf_counter() - began,
        "before": before, "peak": peak_mb(),
    }  # fmt: skip


def stopped(path: str, runs: int, grid: bool) -> dict[str, float]:
    """Seconds from asking for the end to having what was found until then."""
    from rsam_core.segment.tiles.run import initialize_tiled

    scene, segmenter, settings = open_all(path, grid)
    waits = []
    for run in range(runs):
        stop, ended = threading.Event(), []

        def work(stop: threading.Event = stop, ended: list[float] = ended) -> None:
            initialize_tiled(segmenter, scene, None, settings, cancelled=stop.is_set)
            ended.append(time.perf_counter())

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(3 + 1.7 * run)
        asked = time.perf_counter()
        stop.set()
        thread.join()
        waits.append(ended[0] - asked)
    return {"median": float(np.median(waits)), "worst": max(waits), "runs": runs}


def peak_mb() -> float:
    """Largest memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(*arguments: object) -> dict[str, float]:
    """Run a part of this module in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.large_scene", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="*", default=list(SIDES))
    parser.add_argument("--stops", type=int, default=5)
    parser.add_argument("--grid", action="store_true", help="grid points, no proposals")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", nargs=3, metavar=("WHAT", "FILE", "NUMBER"), help="internal")
    args = parser.parse_args()
    if args.part:
        what, path, number = args.part
        print(json.dumps({"area": measure, "stop": stopped}[what](path, int(number), args.grid)))
        return
    rows, how = [], ["--grid"] if args.grid else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.tif"
        write(path, max(args.sides))
        print(f"{'side':>6s}{'points':>8s}{'objects':>9s}{'seconds':>9s}{'CPU s':>8s}"
              f"{'choose s':>10s}{'peak MB':>9s}")  # fmt: skip
        for side in args.sides:
            row = apart("--part", "area", path, side, *how)
            rows.append(row)
            print(
                f"{side:6d}{row['points']:8d}{row['objects']:9d}{row['seconds']:9.1f}"
                f"{row['cpu']:8.1f}{row['choose']:10.2f}{row['peak']:9.0f}",
                flush=True,
            )
        stops = apart("--part", "stop", path, args.stops, *how)
    area = np.array([row["side"] ** 2 / 1e6 for row in rows])
    taken = np.array([row["cpu"] for row in rows])
    slope, start = np.polyfit(area, taken, 1)
    power = float(np.polyfit(np.log(area), np.log(taken), 1)[0])
    rest = taken - slope * area - start
    fit = 1 - float((rest**2).sum() / ((taken - taken.mean()) ** 2).sum())
    print(f"CPU seconds = {slope:.2f} × megapixels + {start:.1f}, R² {fit:.5f}, power {power:.3f}")
    most = max(row["peak"] for row in rows)
    print(f"peak memory {most:.0f} MB: {'met' if most < GOALS['memory'] else 'missed'}")
    print(
        f"stop: median {stops['median']:.2f} s, worst {stops['worst']:.2f} s of {stops['runs']}: "
        f"{'met' if stops['worst'] < GOALS['stop'] else 'missed'}"
    )
    if args.json:
        line = {"slope": slope, "start": start, "r2": fit, "power": power}
        machine = platform.processor() or platform.machine()
        result = {"machine": machine, "rows": rows, "stops": stops, "line": line}
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
