"""What preparation brings back: ``python -m benchmarks.prepare [--segment] [--figure FILE]``.

Rendered scenes are spoiled in a known way, then prepared with the steps that RSAM suggests or a
user would take, and compared with the truth: PSNR and SSIM before and after, over several scenes.
With ``--segment`` also how well the embedded model outlines roofs on each.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from rsam_core.prepare import Pipeline, Raster, Step
from rsam_core.prepare.steps.calibration import Calibrate
from rsam_core.prepare.steps.colours import RemoveHaze, WhiteBalance
from rsam_core.prepare.steps.noise import (
    Bilateral,
    Destripe,
    Median,
    NonLocalMeans,
    RemoveSpecks,
    TotalVariation,
)
from rsam_core.prepare.steps.tones import Gamma
from rsam_core.prompts.prompt import Prompt
from rsam_core.samples import TownSample, render_town
from rsam_core.segment.segmenter import Segmenter

Picture = NDArray[np.uint8]
SCENES = (("estate", 4), ("suburb", 12), ("village", 3), ("industrial", 8))
SIZE = (512, 384)
AIR = np.array([235.0, 238.0, 242.0])
NOISE = 12.0
MIN_ROOF = 150


@dataclass(frozen=True)
class Case:
    """A way to spoil a picture, and the steps against it; the first one is shown in the figure."""

    title: str
    spoil: Callable[[Picture, np.random.Generator], NDArray]
    steps: tuple[Step, ...]
    cure: str


def _specks(truth: Picture, rng: np.random.Generator) -> NDArray:
    dice = rng.random(truth.shape)
    return np.where(dice < 0.03, 0, np.where(dice > 0.97, 255, truth))


def _stripes(truth: Picture, rng: np.random.Generator) -> NDArray:
    offset = rng.normal(0, 8, (1, truth.shape[1], 1))
    return truth * rng.normal(1, 0.05, (1, truth.shape[1], 1)) + offset


CASES = (
    Case("Haze", lambda t, rng: t * 0.6 + 0.4 * AIR, (RemoveHaze(),), "dark objects"),
    Case("Wrong gamma", lambda t, rng: 255 * (t / 255) ** 2.2, (Gamma(2.2),), "gamma"),
    Case("Colour cast", lambda t, rng: t * [0.78, 0.97, 1.25], (WhiteBalance(),), "grey world"),
    Case(
        "Sensor gain, offset",
        lambda t, rng: (t - np.array([12, 6, 3])) / [1.5, 1.2, 0.95],
        (Calibrate("1.5, 1.2, 0.95", "12, 6, 3"),),
        "calibration",
    ),
    Case(
        f"Noise, {NOISE:g} of 255",
        lambda t, rng: t + rng.normal(0, NOISE, t.shape),
        (Bilateral(NOISE), NonLocalMeans(NOISE), TotalVariation(NOISE), Median(1)),
        "bilateral filter",
    ),
    Case(
        "Line-scanner stripes",
        _stripes,
        (Destripe(), Destripe(method="moments"), Destripe(method="fourier")),
        "levelled lines",
    ),
    Case("Specks, 6 %", _specks, (RemoveSpecks(), Median(1)), "adaptive median"),
)
FIGURE = (0, 4, 1, 5, 2, 6)


def scores(truth: Picture, picture: Picture) -> tuple[float, float]:
    """PSNR in dB, and SSIM."""
    psnr = peak_signal_noise_ratio(truth, picture, data_range=255)
    return psnr, structural_similarity(truth, picture, data_range=255, channel_axis=-1)


def clipped(values: NDArray) -> Picture:
    """Whole numbers of 8 bits."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def prepared(picture: Picture, step: Step) -> Picture:
    """The picture after a step, as the app would store it."""
    return clipped(Pipeline().add(step).run(Raster.of_array(picture)).values)


def measure() -> None:
    """Print the table."""
    truths = [render_town(*SIZE, gsd=0.3, seed=seed, style=style).image for style, seed in SCENES]
    print(f"{len(truths)} rendered scenes of {SIZE[0]} × {SIZE[1]} pixels, mean (worst gain)")
    print(f"{'spoiled by':22s}{'prepared by':36s}{'PSNR (dB)':>26s}{'SSIM':>24s}")
    for case in CASES:
        rng = np.random.default_rng(0)
        spoiled = [clipped(case.spoil(truth, rng)) for truth in truths]
        before = np.array([scores(t, s) for t, s in zip(truths, spoiled)])
        for step in case.steps:
            after = np.array([scores(t, prepared(s, step)) for t, s in zip(truths, spoiled)])
            old, new, gain = before.mean(0), after.mean(0), (after - before).min(0)
            name = step.title + (f", {step.method}" if isinstance(step, Destripe) else "")
            print(
                f"{case.title:22s}{name:36s}{old[0]:9.1f} → {new[0]:4.1f} ({gain[0]:+5.1f})"
                f"{old[1]:10.3f} → {new[1]:.3f} ({gain[1]:+.3f})"
            )


def outlined(picture: Picture, town: TownSample, segmenter: Segmenter) -> NDArray:
    """IoU of each roof for a tight box, and for one click at the place farthest from its border."""
    from scipy import ndimage

    embedding = segmenter.embed(picture)
    found = []
    for label, kind in town.classes.items():
        mask = town.labels == label
        if kind != "roof" or mask.sum() < MIN_ROOF:
            continue
        depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        rows, columns = np.nonzero(mask)
        box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        pair = []
        for prompt in (Prompt(box=box), Prompt(points=[(x + 0.5, y + 0.5)])):
            answer = segmenter.predict(embedding, prompt)
            best = answer.masks[int(np.argmax(answer.scores))]
            pair.append((best & mask).sum() / (best | mask).sum())
        found.append(pair)
    return np.array(found)


def segment() -> None:
    """Print how well roofs are outlined in spoiled, prepared and true pictures."""
    from rsam_core.models.load import load_model

    segmenter = Segmenter(load_model("rsam-tiny"))
    towns = [render_town(*SIZE, gsd=0.3, seed=seed, style=style) for style, seed in SCENES]

    def mean(change: Callable[[Picture], Picture]) -> str:
        all_ = np.concatenate([outlined(change(t.image), t, segmenter) for t in towns])
        return f"{all_[:, 0].mean():8.3f}{all_[:, 1].mean():9.3f}"

    print(f"{'mean IoU of roofs':24s}{'box':>8s}{'click':>9s}    prepared: box    click")
    print(f"{'truth':24s}{mean(lambda t: t)}")
    for case in CASES:

        def spoiled(truth: Picture, case: Case = case) -> Picture:
            return clipped(case.spoil(truth, np.random.default_rng(0)))

        def better(truth: Picture, case: Case = case) -> Picture:
            return prepared(clipped(case.spoil(truth, np.random.default_rng(0))), case.steps[0])

        print(f"{case.title:24s}{mean(spoiled)}    {mean(better):>22s}", flush=True)


def figure(path: Path, limit: int = 300_000) -> None:
    """Draw the cases as rows of spoiled, prepared and true pictures, two cases a row."""
    tile, gap, head, label = (270, 190), 8, 46, 30
    width = 6 * tile[0] + 4 * gap + 32 + 2 * gap
    rows = len(FIGURE) // 2
    height = head + rows * (tile[1] + label + gap) + gap
    sheet = Image.new("RGB", (width, height), "#fbfcfb")
    draw = ImageDraw.Draw(sheet)
    ink, soft, teal = "#17322f", "#5d736e", "#0f766e"
    large, small = ImageFont.load_default(19), ImageFont.load_default(15)
    truth = render_town(*tile, gsd=0.3, seed=12, style="suburb").image
    for half in range(2):
        left = gap + half * (3 * tile[0] + 2 * gap + 32)
        for i, name in enumerate(("degraded", "prepared", "truth")):
            draw.text((left + i * (tile[0] + gap), 14), name, soft, large)
        for row in range(rows):
            case = CASES[FIGURE[2 * row + half]]
            rng = np.random.default_rng(1)
            before = clipped(case.spoil(truth, rng))
            after = prepared(before, case.steps[0])
            top = head + row * (tile[1] + label + gap)
            for i, picture in enumerate((before, after, truth)):
                x = left + i * (tile[0] + gap)
                sheet.paste(Image.fromarray(picture), (x, top))
                text = (case.title, case.cure, "")[i]
                draw.text((x, top + tile[1] + 5), text, ink if i == 0 else teal, small)
                if i < 2:
                    numbers = "{:.1f} dB · SSIM {:.3f}".format(*scores(truth, picture))
                    place = x + tile[0] - draw.textlength(numbers, small), top + tile[1] + 5
                    draw.text(place, numbers, soft if i == 0 else teal, small)
    for quality in range(90, 40, -4):
        sheet.save(path, quality=quality, optimize=True, subsampling=0 if quality > 80 else 2)
        if path.stat().st_size <= limit:
            break
    print(f"{path}: {width} × {height} pixels, {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Measure, and draw if wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, help="write the figure to this JPEG")
    parser.add_argument("--segment", action="store_true", help="also outline roofs on each")
    args = parser.parse_args()
    measure()
    if args.segment:
        segment()
    if args.figure:
        figure(args.figure)


if __name__ == "__main__":
    main()
