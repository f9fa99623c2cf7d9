"""Words by kind on real sets that have classes: ``python -m benchmarks.words_real DATA``.

DATA holds ``land/dubai`` and ``buildings/world`` (``images/``, ``classes/``, and ``instances/``).
All objects are found and named by the shipped model, a sentence of one kind chooses among them, and
what it chose is compared with the class: pixel by pixel (what is outlined twice counts once), and
for buildings of ``world`` object by object at IoU 0.5 as well. The truth has regions, not objects,
for roads, water, plants and ground. Intervals are of 95 %, by drawing tiles anew.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import rsam_core as rsam
from benchmarks.embedded import LOOKS, digest, note_look
from rsam_core.models.tiny.model import WEIGHTS
from rsam_core.objects.matching import match


@dataclass(frozen=True)
class Asked:
    """A sentence, and the number of the class it means."""

    text: str
    number: int


SETS = {
    "land/dubai": (
        Asked("buildings", 1), Asked("bare ground", 2), Asked("roads", 3),
        Asked("trees or fields", 4), Asked("water", 5),
    ),
    "buildings/world": (Asked("buildings", 1),),
}  # fmt: skip
_DRAWS = 1000


def measure(folder: Path, asked: tuple[Asked, ...], segmenter: rsam.Segmenter) -> dict:
    """Pixels and objects found, right and wanted, one row a tile, by sentence."""
    rows: dict[str, list] = {one.text: [] for one in asked}
    for path in sorted((folder / "images").iterdir()):
        scene = rsam.open_scene(path)
        classes = cv2.imread(str(folder / "classes" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        labels = cv2.imread(str(folder / "instances" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        objects = segmenter.everything(segmenter.embed(scene.read_rgb()))
        shares = rsam.guess_kinds(objects, scene, segmenter).probabilities
        for one in asked:
            some = rsam.words(one.text).select(objects, scene, probabilities=shares)
            truth, known = classes == one.number, classes > 0
            found = some.union_mask() & (known if 2 in (a.number for a in asked) else True)
            row = [np.count_nonzero(found & truth), np.count_nonzero(found), truth.sum()]
            if len(asked) == 1:
                real = rsam.Instances.from_label_map(labels.astype(np.int32))
                row += [match(real, some, 0.5).tp, len(some), len(real)]
            rows[one.text].append(row)
    return {text: np.array(found, float) for text, found in rows.items()}


def f1(rows: NDArray[np.float64], at: int = 0) -> str:
    """F1 with its interval, precision and recall."""
    rng = np.random.default_rng(0)

    def value(some: NDArray[np.float64]) -> float:
        hit, found, wanted = some[:, at : at + 3].sum(0)
        return 2 * hit / max(found + wanted, 1)

    drawn = [value(rows[rng.integers(len(rows), size=len(rows))]) for _ in range(_DRAWS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    hit, found, wanted = rows[:, at : at + 3].sum(0)
    parts = f"precision {hit / max(found, 1):.2f}, recall {hit / max(wanted, 1):.2f}"
    return f"{value(rows):.3f} [{low:.3f}, {high:.3f}], {parts}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    args = parser.parse_args()
    segmenter = rsam.Segmenter(rsam.load_model())
    for name, asked in SETS.items():
        note_look(LOOKS, name, digest(WEIGHTS))
        for text, rows in measure(args.data / name, asked, segmenter).items():
            print(f"{name}, “{text}”, {len(rows)} tiles: pixels {f1(rows)}", flush=True)
            if rows.shape[1] > 3:
                print(f"{name}, “{text}”: objects {f1(rows, 3)}", flush=True)


if __name__ == "__main__":
    main()
