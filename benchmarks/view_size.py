"""Does the size of the view matter? ``python -m benchmarks.view_size FOLDER``.

Each object that lies wholly inside a 256-pixel tile is prompted in the tile and, at the same
place, in a mosaic of 6 × 6 tiles (1536 pixels). Reported: IoU between the two masks, difference
of the predicted scores, and accuracy in either view.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import rsam_core as rsam
from benchmarks.accuracy import objects, overlap, pairs
from rsam_core.prompts.simulated import centre_click, tight_box

TILE, ACROSS = 256, 6
MARGIN = 24
"""Objects nearer to the tile's border than this look different there, whatever the model."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="rsam-tiny")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    segmenter = rsam.Segmenter(rsam.load_model(args.model))
    tiles = [(i, t) for i, t in pairs(args.folder) if i.shape[:2] == (TILE, TILE)]
    order = np.random.default_rng(args.seed).permutation(len(tiles))
    rows: dict[str, list[tuple[float, ...]]] = {"1 click": [], "box": []}
    for start in range(0, len(order), ACROSS * ACROSS):
        chosen = [tiles[i] for i in order[start : start + ACROSS * ACROSS]]
        mosaic = np.zeros((TILE * ACROSS, TILE * ACROSS, 3), np.uint8)
        for k, (image, _) in enumerate(chosen):
            r, c = divmod(k, ACROSS)
            mosaic[r * TILE : (r + 1) * TILE, c * TILE : (c + 1) * TILE] = image
        large = segmenter.embed(mosaic)
        for k, (image, labels) in enumerate(chosen):
            y0, x0 = (TILE * v for v in divmod(k, ACROSS))
            small = segmenter.embed(image)
            for truth in objects(labels):
                box = np.array(tight_box(truth))
                if box.min() < MARGIN or box.max() > TILE - MARGIN:
                    continue
                click = centre_click(truth)
                prompts = {
                    "1 click": (
                        rsam.Prompt(points=[click]),
                        rsam.Prompt(points=[(click[0] + x0, click[1] + y0)]),
                    ),
                    "box": (
                        rsam.Prompt(box=box),
                        rsam.Prompt(box=(box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0)),
                    ),
                }
                for name, (in_tile, in_mosaic) in prompts.items():
                    a = segmenter.predict(small, in_tile)
                    b = segmenter.predict(large, in_mosaic)
                    window = b.masks[0][y0 : y0 + TILE, x0 : x0 + TILE]
                    rows[name].append(
                        (
                            overlap(a.masks[0], window),
                            abs(float(a.scores[0] - b.scores[0])),
                            overlap(truth, a.masks[0]),
                            overlap(truth, window),
                            float(a.scores[0]),
                            float(b.scores[0]),
                        )
                    )
    head = ("same mask", "score diff", "IoU tile", "IoU mosaic", "score tile", "score mosaic")
    print(f"{len(rows['box'])} objects\n{'':10s}" + "".join(f"{h:>14s}" for h in head))
    for name, values in rows.items():
        print(f"{name:10s}" + "".join(f"{v:14.3f}" for v in np.mean(values, axis=0)))
        medians = np.median(values, axis=0)
        print(f"{'  median':10s}" + "".join(f"{v:14.3f}" for v in medians))


if __name__ == "__main__":
    main()
