"""Labels by example: ``python -m benchmarks.classify towns`` or ``... tiles FOLDER``.

Five examples of each class are drawn at random and the other objects are classified. Rendered
towns have five classes and exact truth; tiles of real images have buildings against the rest.
Figures are the mean over scenes (each the mean of its draws) and a 95 % interval of that mean.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import stats

import rsam_core as rsam
from rsam_core.objects.classify.by_example import TrainSettings, train
from rsam_core.objects.classify.feature_table import Features
from rsam_core.objects.crops import shared_pixels
from rsam_core.samples import render_town, write_geotiff
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.features.extraction import EmbeddedView, FeatureSettings, extract

EXAMPLES, LEAST, SMALLEST = 5, 10, 30
STYLES = ("village", "industrial")
CLASSES = {
    "roof": "building",
    "road": "road",
    "paved": "road",
    "tree": "vegetation",
    "bush": "vegetation",
    "hedge": "vegetation",
    "car": "vehicle",
    "truck": "vehicle",
    "field": "field",
    "container": "container",
}
GROUPS = {
    "shape, colour": FeatureSettings(embedding=False),
    "model": FeatureSettings(shape=False, appearance=False),
    "all": FeatureSettings(),
}

Case = tuple[str, rsam.Instances, list[str | None], "rsam.Scene", EmbeddedView]


def best_overlap(item: rsam.Instance, truth: rsam.Instances) -> tuple[float, int]:
    """Highest IoU of an object with any of the truth, and the number of that one."""
    x0, y0, x1, y1 = truth.bboxes.T
    a, b, c, d = item.bbox
    best = (0.0, 0)
    for index in np.flatnonzero((x0 < c) & (x1 > a) & (y0 < d) & (y1 > b)):
        other = truth[int(index)]
        common = shared_pixels(item, other)
        best = max(best, (common / (item.area + other.area - common), other.id))
    return best


def towns(segmenter: rsam.Segmenter, seeds: int, first: int, everything: bool) -> Iterator[Case]:
    """Rendered towns with the classes of their objects."""
    for style in STYLES:
        for seed in range(first, first + seeds):
            town = render_town(1270, 768, seed=seed, style=style)
            scene = rsam.open_scene(write_geotiff(town), name=f"{style} {seed}")
            view = EmbeddedView(segmenter.embed(town.image))
            truth = rsam.Instances.from_label_map(town.labels).filter_area(min=SMALLEST)
            kind = {id: CLASSES.get(name) for id, name in town.classes.items()}
            if everything:
                found = segmenter.everything(view.embedding, EverythingSettings(32))
                matches = [best_overlap(item, truth) for item in found]
                objects = found
                labels = [kind[id] if iou >= 0.5 else None for iou, id in matches]
            else:
                objects, labels = truth, [kind[int(id)] for id in truth.ids]
            yield style, objects, labels, scene, view


def tiles(segmenter: rsam.Segmenter, folder: Path, count: int) -> Iterator[Case]:
    """Mosaics of 4 × 4 real tiles; objects of everything mode, building or not.

    An object is a building if its IoU with a true one is at least 0.5, and something else if at
    most a tenth of it is building; what lies between is left out.
    """
    import io

    names = sorted(path.stem for path in (folder / "instances").iterdir())
    names.sort(key=lambda name: (name.split("-")[-1], name))
    for start in range(0, len(names) - 15, 16)[:count]:
        image = np.zeros((1024, 1024, 3), np.uint8)
        labels = np.zeros((1024, 1024), np.int32)
        for index, name in enumerate(names[start : start + 16]):
            y, x = 256 * (index // 4), 256 * (index % 4)
            picture = next((folder / "images").glob(f"{name}.*"))
            image[y : y + 256, x : x + 256] = np.array(Image.open(picture).convert("RGB"))
            part = np.array(Image.open(next((folder / "instances").glob(f"{name}.*"))))
            labels[y : y + 256, x : x + 256] = np.where(part > 0, part + labels.max(), 0)
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "PNG")
        scene = rsam.open_scene(stream.getvalue(), name=f"mosaic {start}")
        truth = rsam.Instances.from_label_map(labels)
        view = EmbeddedView(segmenter.embed(image))
        found = segmenter.everything(view.embedding, EverythingSettings(32))
        classes: list[str | None] = []
        for item in found:
            x0, y0, x1, y1 = item.bbox
            share = np.mean(labels[y0:y1, x0:x1][item.mask] > 0)
            building = best_overlap(item, truth)[0] >= 0.5
            classes.append("building" if building else "other" if share <= 0.1 else None)
        yield folder.name, found, classes, scene, view


def accuracy(
    features: Features, labels: list[str | None], draws: int, settings: TrainSettings
) -> tuple[float, float] | None:
    """Share told right and mean over classes, of the objects that are no examples."""
    counts = Counter(label for label in labels if label)
    usable = [name for name, count in counts.items() if count >= LEAST]
    if len(usable) < 2:
        return None
    truth = np.array([label if label in usable else "" for label in labels])
    rows = []
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        chosen = np.concatenate(
            [rng.choice(np.flatnonzero(truth == name), EXAMPLES, False) for name in usable]
        )
        given: list[str | None] = [None] * len(truth)
        for index in chosen:
            given[index] = str(truth[index])
        told = np.array(train(features, given, settings).predict(features).labels)
        rest = truth != ""
        rest[chosen] = False
        right = told[rest] == truth[rest]
        by_class = [right[truth[rest] == name].mean() for name in usable]
        rows.append((right.mean(), np.mean(by_class)))
    plain, balanced = np.mean(rows, axis=0)
    return float(plain), float(balanced)


def interval(values: list[float]) -> str:
    """Mean and half of a 95 % interval by Student's t."""
    mean = np.mean(values)
    if len(values) < 2:
        return f"{mean:.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean:.3f} ± {half:.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("towns", "tiles"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--first", type=int, default=1001, help="seed of the first town")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--everything", action="store_true", help="objects found, not true ones")
    parser.add_argument("--methods", nargs="+", default=list(TrainSettings().methods))
    args = parser.parse_args()
    torch.set_num_threads(1)
    segmenter = rsam.Segmenter(rsam.load_model())
    if args.what == "tiles":
        cases = tiles(segmenter, args.folder, args.scenes)
    else:
        cases = towns(segmenter, args.scenes, args.first, args.everything)
    settings = TrainSettings(methods=tuple(args.methods))
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    kinds: dict[str, list[int]] = {}
    for name, objects, labels, scene, view in cases:
        kinds.setdefault(name, []).append(sum(label is not None for label in labels))
        for group, choice in GROUPS.items():
            features = extract(objects, scene, [view], choice)
            figures = accuracy(features, labels, args.draws, settings)
            if figures is not None:
                results.setdefault((name, group), []).append(figures)
    print(f"{'':14s}{'features':16s}{'accuracy':18s}{'mean of classes':18s}scenes, objects each")
    for (name, group), rows in results.items():
        plain, balanced = (interval([row[i] for row in rows]) for i in (0, 1))
        size = f"{len(rows)}, {np.mean(kinds[name]):.0f}"
        print(f"{name:14s}{group:16s}{plain:18s}{balanced:18s}{size}")


if __name__ == "__main__":
    main()
