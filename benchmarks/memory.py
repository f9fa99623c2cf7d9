"""Memory and time for large images: ``python -m benchmarks.memory``; a few minutes, 4 GB of disk.

Writes a 12,000 × 12,000 raster of four 16-bit bands in several layouts, block by block. Each is
opened in a fresh process that does what the app does: it imports Streamlit, loads the model, opens
the file, reads the overview and three windows at native resolution, and embeds a 2048 × 1024 view.
The peak is that of the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 12_000
GOAL_MB = 1500
UPLOADED = ", uploaded"
TILED = {"tiled": True, "blockxsize": 512, "blockysize": 512}
DEFLATE = {"compress": "deflate", "predictor": 2, "zlevel": 1}
LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles, uncompressed": TILED,
    "strips, uncompressed": {},
    "tiles, deflate": {**TILED, **DEFLATE},
    "strips, deflate, band after band": {**DEFLATE, "interleave": "band", "blockysize": 16},
}


def write(path: Path, side: int, options: dict[str, Any]) -> None:
    """Write fields, roads and sensor noise, a row of blocks at a time."""
    import rasterio
    from rasterio.windows import Window

    noise = np.random.default_rng(0).normal(0, 40, (4, 512, side)).astype(np.int16)
    x = np.arange(side)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=4,
        dtype="uint16",
        crs="EPSG:32737",
        transform=rasterio.Affine(0.3, 0, 500_000, 0, -0.3, 9_300_000),
        BIGTIFF="IF_SAFER",
        photometric="MINISBLACK",
        **options,
    ) as dataset:
        for top in range(0, side, 512):
            height = min(512, side - top)
            y = np.arange(top, top + height)[:, None]
            fields = 1500 + 500 * np.sin(x // 300) * np.cos(y // 200)
            roads = 900 * ((x % 800 < 20) | (y % 600 < 20))
            ground = (fields + roads).astype(np.int16)
            shift = np.arange(4, dtype=np.int16)[:, None, None] * 200
            block = (noise[:, :height] + ground + shift).astype(np.uint16)
            dataset.write(block, window=Window(0, top, side, height))


def use(path: str, from_bytes: bool) -> dict[str, float]:
    """Do in this process what the app does with the file; seconds of each part, and the peak."""
    import streamlit

    import rsam_core as rsam

    assert streamlit.__version__
    taken: dict[str, float] = {}

    def timed(name: str, run: Any) -> Any:
        began = time.perf_counter()
        result = run()
        taken[name] = time.perf_counter() - began
        return result

    segmenter = timed("load model", lambda: rsam.Segmenter(rsam.load_model("rsam-tiny")))
    taken["before opening, MB"] = peak_mb()
    source = Path(path).read_bytes() if from_bytes else path
    scene = timed("open", lambda: rsam.open_scene(source, name="large.tif"))
    timed("overview", lambda: scene.overview(2048))
    timed("overview again", lambda: scene.overview(2048))
    side = min(1024, scene.width // 3)
    places = (0, scene.width // 2, scene.width - side)
    windows = [rsam.Window(at, at, side, side) for at in places]
    timed("three windows", lambda: [scene.read_rgb(window) for window in windows])
    wide = rsam.Window(0, scene.height // 3, min(2048, scene.width), min(1024, scene.height // 2))
    view = timed("view", lambda: scene.read_rgb(wide))
    timed("embed", lambda: segmenter.embed(view))
    timed("other bands", lambda: scene.with_view(rsam_view()).overview(2048))
    return {**taken, "peak, MB": peak_mb()}


def rsam_view() -> Any:
    """Colour infrared."""
    from rsam_core.scene.bands import ViewSettings

    return ViewSettings((4, 1, 2))


def peak_mb() -> float:
    """Largest resident memory of this process so far."""
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(path: Path, from_bytes: bool) -> dict[str, float]:
    """Run `use` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.memory", "--use", str(path)]
    if from_bytes:
        command.append("--bytes")
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def main() -> None:
    """Write, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=SIDE, help="pixels a side")
    parser.add_argument("--out", type=Path, help="write the figures as JSON here")
    parser.add_argument("--use", help=argparse.SUPPRESS)
    parser.add_argument("--bytes", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.use:
        print(json.dumps(use(args.use, args.bytes)))
        return
    results: dict[str, dict[str, float]] = {}
    for name, options in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "large.tif"
            write(path, args.side, options)
            sources = {name: False}
            if name == "tiles, deflate":
                sources[name + UPLOADED] = True
            for title, from_bytes in sources.items():
                results[title] = {"file, MB": path.stat().st_size / 1e6}
                results[title] |= measure(path, from_bytes)
                print(title, flush=True)
                for what, value in results[title].items():
                    unit = "" if what.endswith("MB") else " s"
                    print(f"    {what:22s}{value:10.2f}{unit}", flush=True)
    if args.out:
        args.out.write_text(json.dumps({"side": args.side, "layouts": results}, indent=1) + "\n")
    peaks = {title: figures["peak, MB"] for title, figures in results.items()}
    on_disk = max(peak for title, peak in peaks.items() if not title.endswith(UPLOADED))
    uploaded = max(peak for title, peak in peaks.items() if title.endswith(UPLOADED))
    print(f"largest peak: {on_disk:,.0f} MB from disk; goal: below {GOAL_MB:,} MB")
    print(f"of an upload: {uploaded:,.0f} MB, as the browser's copy is held until it is laid down")


if __name__ == "__main__":
    main()
