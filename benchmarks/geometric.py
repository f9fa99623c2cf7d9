"""Geometry brought back: ``python -m benchmarks.geometric [--figure docs/geometric.jpg]``.

Rendered towns are turned, tilted or bent in a known way (by OpenCV, not by RSAM). Control points
are clicked with an error of half a pixel (normal, each axis), RSAM corrects the picture from them,
and 99 other places tell how far off it still is. The second table sharpens coarse bands with a
panchromatic one that is neither noiseless nor quite linear.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsam_core.prepare.ground_control import fit_ground_control
from rsam_core.prepare.pansharpen import METHODS, ergas, pan_sharpen
from rsam_core.prepare.rectify import Grid, rectify
from rsam_core.prepare.resolution import enlarge
from rsam_core.samples import TownSample, render_town

SCENES = (("estate", 4), ("suburb", 12), ("village", 3), ("industrial", 8))
WIDTH, HEIGHT = 512, 384
CLICK_ERROR = 0.5
CLICKS = 14
RATIO = 4

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A distortion, as the way from the distorted picture to the true one, and its remedy."""

    title: str
    to_truth: Callable[[Points], Points]
    kind: str


def turned(points: Points) -> Points:
    """A scan laid askew, a little too small."""
    angle, scale = np.deg2rad(7.3), 1.08
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - (WIDTH / 2, HEIGHT / 2)) @ matrix.T + (WIDTH / 2, HEIGHT / 2)


def tilted(points: Points) -> Points:
    """Flat ground from an aeroplane that does not look straight down."""
    x, y = points[..., 0], points[..., 1]
    scale = 1 + 3e-4 * (x - WIDTH / 2) - 9e-4 * (y - HEIGHT / 2)
    shifted = np.stack([x - WIDTH / 2, (y - HEIGHT / 2) * 1.1], axis=-1)
    return shifted / scale[..., None] + (WIDTH / 2, HEIGHT / 2)


def bent(points: Points) -> Points:
    """Paper that has warped: bends of second and third order."""
    u, v = points[..., 0] / WIDTH - 0.5, points[..., 1] / HEIGHT - 0.5
    x = points[..., 0] + 26 * u * v + 34 * v**2 - 40 * u**3
    y = points[..., 1] - 22 * u**2 + 18 * u * v + 30 * v**3
    return np.stack([x, y], axis=-1)


CASES = (
    Case("askew", turned, "affine"),
    Case("tilted", tilted, "projective"),
    Case("bent", bent, "polynomial3"),
    Case("bent", bent, "polynomial2"),
    Case("bent", bent, "affine"),
)


def distorted(truth: NDArray[np.uint8], case: Case) -> NDArray[np.uint8]:
    """The picture as it comes."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    places = case.to_truth(np.stack([x, y], axis=-1)) - 0.5
    maps = [np.ascontiguousarray(places[..., axis], np.float32) for axis in (0, 1)]
    return cv2.remap(truth, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)


def rms(errors: Points) -> float:
    """Root mean square of the lengths of errors (N, 2)."""
    return float(np.sqrt(np.mean(np.sum(errors**2, axis=-1))))


def on_map(town: TownSample, points: Points) -> Points:
    """True pixels to map coordinates."""
    return np.stack(town.transform * (points[..., 0], points[..., 1]), axis=-1)


def psnr(truth: NDArray, other: NDArray) -> float:
    """PSNR of 8-bit pictures in decibels."""
    return float(10 * np.log10(255**2 / np.mean((truth.astype(float) - other) ** 2)))


def correct(town: TownSample, case: Case, seed: int) -> tuple[tuple[float, ...], list[NDArray]]:
    """Correct one picture; return its figures and the pictures of all stages."""
    rng = np.random.default_rng(seed)
    spread = [(x, y) for y in (0.06, 0.36, 0.64, 0.94) for x in (0.05, 0.35, 0.65, 0.95)]
    seen = (np.array(spread)[:CLICKS] + rng.normal(0, 0.02, (CLICKS, 2))) * (WIDTH, HEIGHT)
    picture = distorted(town.image, case)
    clicked = seen + rng.normal(0, CLICK_ERROR, seen.shape)
    fit = fit_ground_control(clicked, on_map(town, case.to_truth(seen)), case.kind, crs=town.crs)
    y, x = np.mgrid[0.08:0.92:9j, 0.06:0.94:11j]
    checks = np.stack([x.ravel() * WIDTH, y.ravel() * HEIGHT], axis=-1)
    true = case.to_truth(checks)
    found = np.stack(~town.transform * tuple(fit.to_map(checks).T), axis=-1)
    values, valid, _ = rectify(
        picture.astype(np.float32),
        np.ones((HEIGHT, WIDTH), bool),
        fit,
        Grid(town.transform, WIDTH, HEIGHT),
    )
    result = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    inner = valid & (result.max(axis=-1) > 0)
    figures = (
        rms(checks - true),
        rms(found - true),
        fit.rmse_px,
        fit.left_out_rmse_px,
        psnr(town.image[inner], picture[inner]),
        psnr(town.image[inner], result[inner]),
    )
    return figures, [town.image, picture, result]


def sharpen(town: TownSample, seed: int) -> dict[str, tuple[float, float]]:
    """PSNR and ERGAS of each way to bring coarse bands to the pixels of a panchromatic one."""
    rgb = town.image.astype(np.float32)
    plants = np.clip((2 * rgb[..., 1] - rgb[..., 0] - rgb[..., 2]) / 60, 0, 1)
    infrared = rgb.mean(axis=-1) * 0.5 + 120 * plants**2
    fine = np.concatenate([rgb, infrared[..., None]], axis=-1)
    mixture = fine @ np.array([0.3, 0.45, 0.15, 0.1], np.float32)
    noise = np.random.default_rng(seed).normal(0, 1.5, mixture.shape)
    pan = (255 * (mixture / 255) ** 0.9 + noise).astype(np.float32)
    coarse = fine.reshape(HEIGHT // RATIO, RATIO, WIDTH // RATIO, RATIO, 4).mean((1, 3))
    valid = np.ones(coarse.shape[:2], bool)
    results = {"bicubic alone": enlarge(coarse, valid, RATIO)[0]}
    for method in METHODS:
        results[method] = pan_sharpen(coarse, valid, pan, method=method)[0]
    return {
        name: (psnr(fine, result), ergas(fine, result, 1 / RATIO))
        for name, result in results.items()
    }


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    towns = [render_town(WIDTH, HEIGHT, gsd=0.3, seed=seed, style=style) for style, seed in SCENES]
    heads = ("off before", "off after", "residuals", "left out", "PSNR before", "PSNR after")
    print(f"{len(towns)} towns, {CLICKS} control points; errors are RMS in pixels")
    print(f"{'':22s}" + "".join(f"{head:>13s}" for head in heads))
    rows = []
    for case in CASES:
        made = [correct(town, case, seed) for seed, town in enumerate(towns)]
        figures = np.mean([figure for figure, _ in made], axis=0)
        name = f"{case.title}, {case.kind}"
        print(f"{name:22s}" + "".join(f"{value:13.2f}" for value in figures))
        if len(rows) < 3:
            rows.append(np.hstack(made[len(rows)][1]))
    print(f"\n{RATIO} × pan-sharpening      PSNR    ERGAS")
    fused = [sharpen(town, seed) for seed, town in enumerate(towns)]
    for name in fused[0]:
        quality, error = np.mean([result[name] for result in fused], axis=0)
        print(f"{name:22s}{quality:8.2f}{error:9.2f}")
    if args.figure:
        figure = Image.fromarray(np.vstack(rows))
        # From left to right: truth, as it came, corrected.
        figure.thumbnail((1024, 1024))
        figure.save(args.figure, quality=80)


if __name__ == "__main__":
    main()
