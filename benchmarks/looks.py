"""Sheets of real pictures to look at: ``python -m benchmarks.looks FOLDER OUT``.

For each picture one column a set of weights: all objects of everything mode at default settings
above, ten clicks with the chosen mask below. The clicks are drawn by a seed, before any model has
seen the picture. Two sheets hold all pictures, ``looks_everything.jpg`` and ``looks_clicks.jpg``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import rsam_core as rsam
from benchmarks.embedded import load
from rsam_core.models.tiny.model import WEIGHTS
from rsam_core.objects.crops import paste
from rsam_core.segment.everything import generate, initialize, settings_for

SIDE = 640
PICTURES = (
    "neon_sjer_oaks.tif",
    "claremont_campus_2020.tif",
    "claremont_new_houses_2020.tif",
    "santa_monica_downtown_2020.tif",
    "long_beach_containers_2020.tif",
    "illinois_pivot.jpg",
    "illinois_suburb.jpg",
    "wisconsin_river.jpg",
)


def middle(path: Path) -> NDArray[np.uint8]:
    """The middle of a picture, at full resolution."""
    scene = rsam.open_scene(path)
    side = min(SIDE, scene.width, scene.height)
    left, top = (scene.width - side) // 2, (scene.height - side) // 2
    return scene.read_rgb(rsam.Window(left, top, side, side))


def outlined(image: NDArray[np.uint8], masks: list, seed: int = 1) -> NDArray[np.uint8]:
    """Masks of the picture's size, each in a colour of its own."""
    picture = image.copy()
    rng = np.random.default_rng(seed)
    for mask in masks:
        color = cv2.cvtColor(np.uint8([[[int(rng.integers(180)), 200, 255]]]), cv2.COLOR_HSV2RGB)[
            0, 0
        ]
        picture[mask] = (0.65 * picture[mask] + 0.35 * color).astype(np.uint8)
        edges, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, 2)
        cv2.drawContours(picture, edges, -1, color.tolist(), 1)
    return picture


def column(
    segmenter: rsam.Segmenter, image: NDArray[np.uint8], name: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Everything mode, and clicks, with what they took."""
    settings = settings_for("rsam-tiny", min_area=60, max_share=0.3)
    embedding = segmenter.embed(image)
    found = generate(initialize(segmenter, embedding, settings), settings)
    full = [np.zeros(image.shape[:2], bool) for _ in found]
    for mask, item in zip(full, found):
        paste(mask, item)
    above = labelled(outlined(image, full), f"{name}: {len(full)} objects")
    rng = np.random.default_rng(7)
    height, width = image.shape[:2]
    clicks = rng.uniform((0.08 * width, 0.08 * height), (0.92 * width, 0.92 * height), (10, 2))
    answers = [segmenter.predict(embedding, rsam.Prompt(points=click[None])) for click in clicks]
    below = outlined(image, [answer.masks[0] for answer in answers])
    for (x, y), answer in zip(clicks, answers):
        cv2.circle(below, (int(x), int(y)), 4, (255, 255, 255), -1)
        cv2.circle(below, (int(x), int(y)), 3, (200, 30, 30), -1)
        place = (int(x) + 6, int(y) - 6)
        cv2.putText(below, f"{answer.scores[0]:.2f}", place, 0, 0.45, (255, 255, 255), 2)
        cv2.putText(below, f"{answer.scores[0]:.2f}", place, 0, 0.45, (20, 20, 20), 1)
    return above, labelled(below, f"{name}: ten clicks, predicted quality")


def sheet(columns: list[NDArray[np.uint8]], across: int = 4) -> NDArray[np.uint8]:
    """Pictures side by side, so many in a row, reduced."""
    small = [
        cv2.resize(column, None, fx=0.62, fy=0.62, interpolation=cv2.INTER_AREA)
        for column in columns
    ]
    small += [np.full_like(small[0], 255)] * (-len(small) % across)
    rows = [np.hstack(small[k : k + across]) for k in range(0, len(small), across)]
    return np.vstack(rows)


def labelled(picture: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """A picture with a line of text above, on a canvas of `SIDE`."""
    canvas = np.full((SIDE + 26, SIDE + 8, 3), 255, np.uint8)
    shown = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    canvas[26:, :SIDE] = shown
    cv2.putText(canvas, text, (4, 18), 0, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
    return canvas


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, look, write one JPEG a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--before", type=Path, help="weights to compare with")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--only", nargs="*", default=PICTURES)
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    sides = {"now": rsam.Segmenter(load(args.weights))}
    if args.before:
        sides = {"before": rsam.Segmenter(load(args.before)), **sides}
    everything, clicks = [], []
    for name in args.only:
        image = middle(args.folder / name)
        pairs = [column(segmenter, image, key) for key, segmenter in sides.items()]
        everything += [above for above, _ in pairs]
        clicks += [below for _, below in pairs]
        save(args.out / f"look_{Path(name).stem}.jpg", np.hstack([np.vstack(p) for p in pairs]))
    save(args.out / "looks_everything.jpg", sheet(everything))
    save(args.out / "looks_clicks.jpg", sheet(clicks))


def save(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a JPEG and say where."""
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    print(path, flush=True)


if __name__ == "__main__":
    main()
