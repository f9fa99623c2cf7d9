"""How well damage is graded on rendered pairs, and how long answers take.

    python -m benchmarks.apply damage --seeds 22000 22020
    python -m benchmarks.apply speed

Seeds from 22000 on were used for nothing else; 20000 to 20059 trained the grader
(``training/damage.py``).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import shapely
from sklearn.metrics import confusion_matrix, f1_score

from rsam_core.change.apply import Features, Inputs, Site
from rsam_core.change.apply.damage import GRADES, UNSEEN, grades_of
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.picture import ArrayPicture
from training.damage import measured

_NUMBER = 5_000


def damage(first: int, last: int) -> None:
    """Macro F1 over the four grades with its confusion matrix, outlines given."""
    true: list[str] = []
    said: list[str] = []
    for seed in range(first, last):
        table, grades = measured(seed)
        found = [one.grade for one in grades_of(table)]
        seen = [k for k, grade in enumerate(found) if grade != UNSEEN]
        true += [GRADES[grades[k]] for k in seen]
        said += [found[k] for k in seen]
        print(f"{seed}: {len(seen)} buildings", flush=True)
    each = f1_score(true, said, labels=list(GRADES), average=None, zero_division=0)
    print("\nF1 " + ", ".join(f"{name} {value:.3f}" for name, value in zip(GRADES, each)))
    print(f"macro F1 {each.mean():.3f} over {len(true):,} buildings; rows true, columns said:")
    print(confusion_matrix(true, said, labels=list(GRADES)))


def speed() -> None:
    """Seconds of each answer that needs no pictures: 5,000 buildings, 5,000 parcels."""
    rng = np.random.default_rng(1)
    scene = ArrayPicture(np.zeros((10, 10, 3), np.uint8), "plan", None, None, 300.0)
    site = Site.of(scene)
    columns, rows = np.meshgrid(np.arange(71), np.arange(71))
    x = (columns.ravel()[:_NUMBER] + 0.1) * 42
    y = -(rows.ravel()[:_NUMBER] + 0.9) * 42
    parcels = Features.of_shapes("parcels", shapely.box(x - 4, y - 4, x + 37, y + 37))
    wide, high = rng.uniform(8, 24, (2, _NUMBER))
    dx, dy = rng.uniform(-8, 14, (2, _NUMBER))
    turned = [
        shapely.affinity.rotate(box, angle)
        for box, angle in zip(shapely.box(x + dx, y + dy, x + dx + wide, y + dy + high),
                              rng.uniform(0, 90, _NUMBER))
    ]  # fmt: skip
    buildings = Features.of_shapes("buildings", turned, [{"grade": g, "kind": "building"} for g in
                                                         rng.choice(GRADES, _NUMBER)])  # fmt: skip
    before = buildings.select(rng.random(_NUMBER) < 0.8)
    streets = [shapely.LineString([(0, -k * 84), (3000, -k * 84)]) for k in range(36)]
    roads = Features.of_shapes("roads", streets)
    points = shapely.points(rng.uniform(0, 3000, 200), -rng.uniform(0, 3000, 200))
    kinds = rng.choice(["school", "clinic"], 200)
    places = Features.of_shapes("places", points, [{"amenity": kind} for kind in kinds])
    woods = Features.of_shapes("woods", shapely.buffer(points, 40))
    later = Features.of_shapes("woods", shapely.buffer(points[:150], 35))
    given = {
        "growth": {"before": before, "after": buildings, "zones": parcels},
        "permits": {"buildings": buildings, "permits": parcels, "before": before},
        "cost": {"damage": buildings, "zones": parcels},
        "sensitive": {"objects": buildings, "sensitive": woods},
        "forest": {"before": woods, "after": later, "objects": buildings},
        "services": {"buildings": buildings, "services": places},
        "vacant": {"taken": buildings, "roads": roads, "parcels": parcels},
        "density": {"buildings": buildings, "zones": parcels, "roads": roads, "green": woods},
    }
    costs = {f"unit_{case}": 1000.0 for case in ("low", "likely", "high")}
    values = {"cost": costs, "density": {"by": "zones that are given"}}
    for key, layers in given.items():
        begin, used = time.perf_counter(), time.process_time()
        answer = QUESTIONS[key].answer(Inputs(site, layers, values.get(key, {}), ("2015", "2020")))
        answer.summary()
        seconds, work = time.perf_counter() - begin, time.process_time() - used
        many = f"{len(answer.findings):,} findings"
        print(f"{key:12s} {seconds:6.2f} s, {work:6.2f} s of processor, {many}", flush=True)


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("damage").add_argument("--seeds", type=int, nargs=2, required=True)
    commands.add_parser("speed")
    given = parser.parse_args()
    if given.command == "damage":
        damage(*given.seeds)
    else:
        speed()


if __name__ == "__main__":
    main()
