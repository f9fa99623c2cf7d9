"""Is super-resolution better than interpolation? ``python -m benchmarks.super_resolution DATA``.

``DATA`` holds ``train/`` and ``validation/``. Real tiles are halved in size (each of three blurs,
rounded to 8 bits), enlarged again by each method and compared with the tile itself. Nothing of
these tiles was trained on or chosen by: Banepa is another country, the south-east of Zanzibar was
held back with a strip between. Reported: PSNR (all bands together) and SSIM without the outermost
pixels, and the mean paired difference to bicubic interpolation with its 95 % bootstrap interval
over places (zoom-20 tiles), because tiles of several zooms show the same ground.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from rsam_core.evaluate.statistics.bootstrap import interval
from rsam_core.prepare.resolution import enlarge
from rsam_core.prepare.super_resolution import WEIGHTS, super_resolve
from training.super_resolution import held_back, shrink

BORDER = 4
BLURS = (("bicubic", 0.0), ("area", 0.0), ("gaussian", 0.7))

Method = Callable[[np.ndarray], np.ndarray]


def methods(weights: Path) -> dict[str, Method]:
    """The ways to enlarge, each from (H, W, 3) to (2 H, 2 W, 3)."""

    def by(kernel: str) -> Method:
        return lambda small: enlarge(small, np.ones(small.shape[:2], bool), 2, kernel)[0]

    def opencv(small: np.ndarray) -> np.ndarray:
        return cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)

    def network(small: np.ndarray) -> np.ndarray:
        return super_resolve(small, np.ones(small.shape[:2], bool), weights=weights)[0]

    return {
        "bicubic": by("bicubic"),
        "bicubic, OpenCV": opencv,
        "Lanczos": by("lanczos"),
        "network": network,
    }


def quality(truth: np.ndarray, guess: np.ndarray) -> tuple[float, float]:
    """PSNR in decibels and SSIM (Gaussian window, sigma 1.5) of 8-bit pictures."""
    inner = slice(BORDER, -BORDER)
    truth = truth[inner, inner].astype(float)
    guess = np.clip(np.rint(guess[inner, inner]), 0, 255).astype(float)
    error = max(np.mean((truth - guess) ** 2), 1e-6)
    likeness = structural_similarity(
        truth,
        guess,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(10 * np.log10(255**2 / error)), float(likeness)


def halved(truth: np.ndarray, blur: str, sigma: float) -> np.ndarray:
    """The tile at half its size, rounded to 8 bits."""
    bands = [shrink(np.ascontiguousarray(truth[..., b]), blur, sigma) for b in range(3)]
    return np.clip(np.rint(np.stack(bands, axis=-1)), 0, 255).astype(np.float32)


def place(path: Path) -> tuple[int, int]:
    """The zoom-20 tile in which a tile begins."""
    x, y, zoom = (int(v) for v in path.stem.split("-")[1:4])
    return (x >> (zoom - 20), y >> (zoom - 20)) if zoom >= 20 else (x << 1, y << 1)


def report(title: str, paths: list[Path], weights: Path) -> None:
    """Measure one set of tiles and print its tables."""
    ways = methods(weights)
    places = [place(path) for path in paths]
    print(f"\n{title}: {len(paths)} tiles at {len(set(places))} places")
    for blur, sigma in BLURS:
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        loss = []
        for path in paths:
            truth = cv2.imread(str(path))[..., ::-1].astype(np.float32)
            small = halved(truth, blur, sigma)
            for name, way in ways.items():
                guess = way(small)
                rows[name].append(quality(truth, guess))
            again = np.clip(guess, 0, 255).reshape(128, 2, 128, 2, 3).mean((1, 3))
            loss.append(np.abs(again - small).mean())
        print(f"  halved by {blur}{f' {sigma}' if sigma else ''}")
        for name in ways:
            psnr, ssim = np.mean(rows[name], axis=0)
            line = f"    {name:18s} PSNR {psnr:6.2f} dB  SSIM {ssim:.4f}"
            if name != "bicubic":
                better = np.array(rows[name]) - np.array(rows["bicubic"])
                grouped = defaultdict(list)
                for where, difference in zip(places, better):
                    grouped[where].append(difference)
                means = np.array([np.mean(group, axis=0) for group in grouped.values()])
                for column, unit in ((0, "dB"), (1, "SSIM")):
                    found = interval(means[:, column])
                    digits = 2 if column == 0 else 4
                    line += (
                        f"  {found.value:+.{digits}f} [{found.low:+.{digits}f}, "
                        f"{found.high:+.{digits}f}] {unit}"
                    )
                line += f"  better in {np.mean(better[:, 0] > 0):.0%}"
            print(line)
        print(f"    mean of 2 × 2 of the network's result is off by {np.mean(loss):.2f} of 255")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--every", type=int, default=1, help="take every n-th tile")
    args = parser.parse_args()
    banepa = sorted((args.data / "validation/buildings/banepa_np/images").glob("*.png"))
    zanzibar = sorted((args.data / "train/buildings/zanzibar_tz/images").glob("*.png"))
    kept = [path for path in zanzibar if held_back(path) == "test"]
    report("Banepa, Nepal", banepa[:: args.every], args.weights)
    report("Zanzibar, held back", kept[:: args.every], args.weights)
    picture = np.random.default_rng(0).uniform(0, 255, (512, 512, 3)).astype(np.float32)
    valid = np.ones((512, 512), bool)
    super_resolve(picture, valid, weights=args.weights)
    start = time.perf_counter()
    super_resolve(picture, valid, weights=args.weights)
    print(f"\n512 × 512 × 3 to 1024 × 1024 × 3: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
