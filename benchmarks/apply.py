"""How well damage is graded, what found outlines cost an answer, and how long answers take.

    python -m benchmarks.apply damage --seeds 22000 22020
    python -m benchmarks.apply found --seeds 23000 23008
    python -m benchmarks.apply speed
    python -m benchmarks.apply pictures
    python -m benchmarks.apply layer

Seeds from 22000 on were used for nothing else; 20000 to 20059 trained the grader
(``training/damage.py``).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from sklearn.metrics import confusion_matrix, f1_score

import rsam_core as rsam
from rsam_core.change import align
from rsam_core.change.apply import Features, Inputs, Site, read_layer
from rsam_core.change.apply.damage import GRADES, UNSEEN, grades_of
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.apply.sample import sample_pair
from rsam_core.change.picture import ArrayPicture
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples import STYLES, render_town, write_geotiff
from rsam_core.scene.ground_distance import ground_sample_distance
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
        begin, used = time.perf_counter(), _work()
        answer = QUESTIONS[key].answer(Inputs(site, layers, values.get(key, {}), ("2015", "2020")))
        answer.summary()
        _told(key, begin, used, f"{len(answer.findings):,} findings")


def pictures(number: int = _NUMBER) -> None:
    """Seconds of the answers that look at both dates: the invented place, tiled."""
    pair = sample_pair()
    roofs = [r.before for r in (*pair.records, *pair.unchanged) if r.cls == "roof" and r.before]
    tiles = -(-number // len(roofs))
    across = int(np.ceil(np.sqrt(tiles)))
    down = -(-tiles // across)
    rows, columns = pair.shape
    first, second = (
        ArrayPicture(np.tile(town.image, (down, across, 1)), name, None, None, pair.before.gsd)
        for town, name in ((pair.before, "2019"), (pair.after, "2023"))
    )
    corners = [(x, y) for y in range(down) for x in range(across)]
    items = [
        Instance(roof.mask, roof.x + x * columns, roof.y + y * rows, 1.0, 1, "truth", "building")
        for x, y in corners
        for roof in roofs
    ][:number]
    site = Site.of(first)
    begin, used = time.perf_counter(), _work()
    numbered = [replace(item, id=k) for k, item in enumerate(items, 1)]
    buildings = Features.of_objects(Instances(numbered, site.shape), site, "buildings")
    _told("outlines", begin, used, f"{len(buildings):,} of {site.shape[1]} x {site.shape[0]} px")
    begin, used = time.perf_counter(), _work()
    alignment = align(first, second)
    _told("align", begin, used, f"residual {alignment.residual_px:.2f} px")
    for key in ("damage", "deterioration"):
        begin, used = time.perf_counter(), _work()
        given = Inputs(site, {"buildings": buildings}, {}, ("2019", "2023"), alignment)
        answer = QUESTIONS[key].answer(given)
        answer.summary()
        _told(key, begin, used, f"{len(answer.findings):,} findings")


def layer(number: int = 100_000) -> None:
    """Seconds to read a layer of 100,000 areas and to answer with it.

    One in a hundred crosses itself, and one in ten lies beyond the picture.
    """
    side = int(np.ceil(np.sqrt(number)))
    transform = Affine(0.5, 0, 500_000, 0, -0.5, 5_600_000)
    shape = int(side * 20 * 0.9), side * 20
    scene = ArrayPicture(np.zeros((1, 1, 3), np.uint8), "plan", "EPSG:32632", transform, None)
    gsd = ground_sample_distance(transform, "EPSG:32632", shape[1], shape[0])
    site = Site.of(_Large(scene, shape, gsd))
    columns, rows = (grid.ravel()[:number] for grid in np.meshgrid(*[np.arange(side)] * 2))
    x, y = 500_000 + 10.0 * columns, 5_600_000 - 10.0 * rows
    shapes = shapely.box(x + 1, y - 9, x + 9, y - 1)
    for k in range(0, number, 100):
        a, b = x[k], y[k]
        shapes[k] = shapely.Polygon(
            [(a + 1, b - 1), (a + 9, b - 9), (a + 9, b - 1), (a + 1, b - 9)]
        )
    table = {"parcel": [f"p{k}" for k in range(number)], "max_m2": np.full(number, 80.0)}
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:32632").to_crs("EPSG:4326")
    with tempfile.TemporaryDirectory() as folder:
        for ending, driver in (("gpkg", "GPKG"), ("geojson", "GeoJSON")):
            path = Path(folder) / f"parcels.{ending}"
            frame.to_file(path, driver=driver)
            begin, used = time.perf_counter(), _work()
            parcels = read_layer(path, site, margin=0.0)
            size = f"{path.stat().st_size / 1e6:.0f} MB, {len(parcels):,} kept"
            _told(f"read {ending}", begin, used, size)
    print(*parcels.notes, sep="\n")
    rng = np.random.default_rng(1)
    middles = shapely.get_coordinates(shapely.centroid(parcels.shapes))
    some = rng.choice(len(parcels), _NUMBER, replace=False)
    reach = rng.uniform(2, 5, _NUMBER)
    buildings = Features.of_shapes("buildings", [
        shapely.box(px - r, py - r, px + r, py + r) for (px, py), r in zip(middles[some], reach)
    ])  # fmt: skip
    asked = (
        ("permits", {"buildings": buildings, "permits": parcels}, {"limit": "max_m2"}),
        ("density", {"buildings": buildings, "zones": parcels}, {"by": "zones that are given"}),
        ("density of all", {"buildings": parcels, "zones": parcels},
         {"by": "zones that are given"}),
    )  # fmt: skip
    for key, layers, values in asked:
        begin, used = time.perf_counter(), _work()
        answer = QUESTIONS[key.split()[0]].answer(Inputs(site, layers, values))
        answer.summary()
        _told(key, begin, used, f"{len(answer.findings):,} findings")


@dataclass
class _Large:
    """A picture of any size of which nobody looks at the pixels."""

    picture: ArrayPicture
    shape: tuple[int, int]
    gsd: float | None

    def __getattr__(self, name: str) -> object:
        sides = {"height": self.shape[0], "width": self.shape[1]}
        return sides[name] if name in sides else getattr(self.picture, name)


def _work() -> float:
    """Seconds of processor of this process and of those that it waited for."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                       resource.RUSAGE_CHILDREN))  # fmt: skip
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _told(what: str, begin: float, used: float, more: str) -> None:
    seconds, work = time.perf_counter() - begin, _work() - used
    print(f"{what:14s} {seconds:6.2f} s, {work:6.2f} s of processor, {more}", flush=True)


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
    for name in ("speed", "pictures", "layer"):
        commands.add_parser(name)
    given = parser.parse_args()
    if given.command == "damage":
        damage(*given.seeds)
    elif given.command == "found":
        found(*given.seeds)
    else:
        {"speed": speed, "pictures": pictures, "layer": layer}[given.command]()


if __name__ == "__main__":
    main()
