"""How well damage is graded, what found outlines cost an answer, and how long answers take.

    python -m benchmarks.apply damage --seeds 22000 22020
    python -m benchmarks.apply found --seeds 23000 23008
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

import rsam_core as rsam
from rsam_core.change.apply import Features, Inputs, Site
from rsam_core.change.apply.damage import GRADES, UNSEEN, grades_of
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.picture import ArrayPicture
from rsam_core.samples import STYLES, render_town, write_geotiff
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


def found(first: int, last: int) -> None:
    """Built-up ground and buildings of rendered towns, with outlines that nobody drew."""
    segmenter = rsam.Segmenter(rsam.load_model())
    rows = []
    for seed in range(first, last):
        style = list(STYLES)[seed % len(STYLES)]
        town = render_town(640, 512, gsd=0.3, seed=seed, style=style)
        scene = rsam.open_scene(write_geotiff(town), name="town.tif", examine=False)
        objects = segmenter.everything(segmenter.embed(scene.read_rgb()))
        kinds = rsam.guess_kinds(objects, scene, segmenter)
        roofs = objects.select(objects.ids[np.array(kinds.names) == "building"].tolist())
        wanted = [number for number, kind in town.classes.items() if kind == "roof"]
        true = np.isin(town.labels, wanted)
        area = np.count_nonzero(roofs.union_mask()) / max(np.count_nonzero(true), 1) - 1
        count = len(roofs) / max(len(wanted), 1) - 1
        rows.append((area, count))
        print(
            f"{seed} {style:11s} area {area:+.0%}, count {count:+.0%} of {len(wanted)}", flush=True
        )
    errors = np.abs(rows)
    for name, column in zip(("built-up ground", "buildings"), errors.T):
        low, middle, high = np.percentile(column, (25, 50, 75))
        print(f"{name}: off by {middle:.0%} in the median ({low:.0%} to {high:.0%})")


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("damage").add_argument("--seeds", type=int, nargs=2, required=True)
    commands.add_parser("found").add_argument("--seeds", type=int, nargs=2, required=True)
    commands.add_parser("speed")
    given = parser.parse_args()
    if given.command == "damage":
        damage(*given.seeds)
    elif given.command == "found":
        found(*given.seeds)
    else:
        speed()


if __name__ == "__main__":
    main()
