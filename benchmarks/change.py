"""How well change is found, every method side by side.

    python -m benchmarks.change rendered --seeds 5000 5040
    python -m benchmarks.change real FOLDER          # levir/ and dsifn/ with A, B, label
    python -m benchmarks.change align --seeds 6000 6020

Nobody chose anything on the seeds from 5000 on; 2000 to 2999 trained the judge, 3000 to 3100 are
for tuning. Each pair's counts are printed as they come, so that a run can be stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.against_truth import VERDICTS
from rsam_core.change.aligned import Alignment, AlignSettings
from rsam_core.change.alignment import align
from rsam_core.change.anychange import anychange
from rsam_core.change.areas import GAP
from rsam_core.change.compared import CompareSettings, Comparison, judged
from rsam_core.change.comparison import compare
from rsam_core.change.date_view import DateView
from rsam_core.change.grid import Layer
from rsam_core.change.methods import METHODS
from rsam_core.change.metrics import (
    ChangeCounts,
    TrueChange,
    alarms_per_km2,
    bootstrap,
    object_counts,
    pixel_counts,
)
from rsam_core.change.objects_of import find_objects
from rsam_core.change.picture import ArrayPicture
from rsam_core.errors import AlignError
from rsam_core.models import load_model
from rsam_core.objects.crops import Crop
from rsam_core.samples import CHANGES, ChangeRecord, PairSample, render_pair
from rsam_core.segment.segmenter import Segmenter

TOLD = 6
"""After so many rendered pairs the figures so far are printed."""

UNTOUCHED = 4
"""Every so many rendered pairs is without a change: there only false alarms count."""

LOOKED_AT = 5
"""Pairs of DSIFN on which it was chosen how changed objects become areas of change."""

Counts = dict[str, list[ChangeCounts]]


def ends(record: ChangeRecord) -> tuple[Crop, ...]:
    """Outlines of a record at either date."""
    return tuple(Crop(e.mask, e.x, e.y) for e in (record.before, record.after) if e is not None)


BUILT = ("built", "demolished", "extended", "reduced", "reroofed", "damaged")
"""What happens to buildings."""


def asked_for(result: Comparison, kind: str) -> Comparison:
    """The same, asked for objects of a kind only; what the model cannot name stays."""
    return judged(result.alignment, result.candidates, result.growths, (kind,), (), result.settings)


def buildings(result: Comparison) -> Comparison:
    """The same, asked for buildings only."""
    return asked_for(result, "building")


def count_objects(sample: PairSample, result: Comparison, counts: Counts) -> tuple[int, int]:
    """Count verdicts by kind of change; return unchanged buildings, and those that fired."""
    for thing, kinds in {"building": BUILT, "water": ("flooded",), "tree": ("cleared",)}.items():
        told = asked_for(result, thing).changes
        asked = [(c.change, c.outline) for c in told if c.change != "unchanged"]
        for kind in kinds:
            here = [r for r in sample.records if r.kind == kind]
            others = [e for r in sample.records if r.kind != kind for e in ends(r)]
            truth = [TrueChange(VERDICTS[kind], ends(r)) for r in here]
            counts[f"{kind}, {thing} asked for"].append(
                object_counts(truth, asked, VERDICTS[kind], ignored=others)
            )
    found = [(c.change, c.outline) for c in result.changes if c.change != "unchanged"]
    for kind, verdict in VERDICTS.items():
        here = [r for r in sample.records if r.kind == kind]
        others = [e for r in sample.records if r.kind != kind for e in ends(r)]
        truth = [TrueChange(verdict, ends(r)) for r in here]
        mine = object_counts(truth, found, verdict, ignored=others)
        place = object_counts(truth, found, None, ignored=others)
        counts[kind].append(mine)
        counts[f"{kind}, any verdict"].append(place)
    truth = [TrueChange("", ends(r)) for r in sample.records if r.kind in VERDICTS]
    cars = [e for r in sample.records if r.kind not in VERDICTS for e in ends(r)]
    counts["all kinds, any verdict"].append(object_counts(truth, found, None, ignored=cars))
    fired = 0
    for record in sample.unchanged:
        fired += object_counts([TrueChange("", ends(record))], found).tp
    return len(sample.unchanged), fired


def compared(segmenter: Segmenter, sample: PairSample) -> Comparison:
    """The comparison of a pair; without a finding where it cannot be aligned."""
    dates = [ArrayPicture(date.image) for date in (sample.before, sample.after)]
    try:
        return compare(*dates, segmenter=segmenter)
    except AlignError as error:
        print("not aligned:", str(error)[:50], flush=True)
        layers = [Layer(date, dates[0], np.eye(3)) for date in dates]
        return judged(Alignment(*layers), (), (), (), (), CompareSettings())


def masks_of(
    segmenter: Segmenter, before: NDArray, after: NDArray, valid: NDArray, result: Comparison
) -> dict[str, NDArray[np.bool_]]:
    """Changed pixels by every method that needs no near infrared."""
    masks = {
        "rsam.compare": result.mask(),
        "rsam.compare, new and gone": result.mask(("new", "gone")),
        "rsam.compare, areas": result.mask(gap=GAP),
        "rsam.compare, new and gone, areas": result.mask(("new", "gone"), gap=GAP),
        "rsam.compare, buildings": buildings(result).mask(),
        "rsam.compare, buildings new and gone": buildings(result).mask(("new", "gone")),
    }
    for method in METHODS:
        if not method.learned and method.key != "ndvi":
            masks[method.title] = method.run(before, after, valid)
    views = [DateView(image, segmenter.embed(image)) for image in (before, after)]
    objects = tuple(find_objects(segmenter, view) for view in views)
    masks["AnyChange's counterpart, rsam-tiny"] = anychange(
        segmenter, before, after, valid, objects=objects
    )
    return masks


def rendered(seeds: range, size: int, methods: bool) -> None:
    """Rendered pairs with exact truth."""
    segmenter = Segmenter(load_model())
    objects: Counts = defaultdict(list)
    pixels: Counts = defaultdict(list)
    still: list[ChangeCounts] = []
    alarms, ground, seconds = 0, 0, []
    try:
        for seed in seeds:
            untouched = seed % UNTOUCHED == 0
            sample = render_pair(seed, () if untouched else CHANGES, width=size, height=size)
            began = time.perf_counter()
            result = compared(segmenter, sample)
            alignment = result.alignment
            seconds.append(time.perf_counter() - began)
            if untouched:
                total, fired = len(sample.unchanged), 0
                found = [c.outline for c in result.changes if c.change != "unchanged"]
                for record in sample.unchanged:
                    truth = [TrueChange("", ends(record))]
                    fired += object_counts(truth, [("", o) for o in found]).tp
                alarms += len(found)
                ground += size * size
            else:
                total, fired = count_objects(sample, result, objects)
            still.append(ChangeCounts(fp=fired, tn=total - fired))
            if methods and not untouched:
                before, after, valid = alignment.read()
                truth = sample.changed(tuple(VERDICTS))
                cars = sample.changed(("cars",))
                for name, mask in masks_of(segmenter, before, after, valid, result).items():
                    pixels[name].append(pixel_counts(truth, mask, valid & ~cars))
            print(seed, sample.before.style, f"{seconds[-1]:.0f} s", f"{fired} of {total} fired",
                  flush=True)  # fmt: skip
            if len(seconds) % TOLD == 0:
                report("object", objects)
    except KeyboardInterrupt:
        print("stopped; what was counted until then:")
    report("object", objects)
    report("pixel", pixels)
    share = bootstrap(still, lambda c: c.fp / max(c.fp + c.tn, 1))
    print(f"\nunchanged buildings that fired: {share[0]:.3f} [{share[1]:.3f}, {share[2]:.3f}] "
          f"of {sum(c.fp + c.tn for c in still)}")  # fmt: skip
    if ground:
        rate = alarms_per_km2(alarms, ground, 0.3)
        print(f"false alarms a km² on pairs without change: {rate:.0f}"
              f" ({alarms} in {ground * 0.09 / 1e6:.2f} km²)")  # fmt: skip
    print(f"seconds a pair of {size}²: median {np.median(seconds):.1f}")


def report(what: str, counts: Counts) -> None:
    """Print a table of figures with intervals over pairs."""
    if not counts:
        return
    figures = ("f1", "precision", "recall") + (("iou", "kappa") if what == "pixel" else ())
    print(
        f"\n| by {what} | n | "
        + " | ".join(figures)
        + " |\n|---"
        + "|---" * (len(figures) + 1)
        + "|"
    )
    for name, some in counts.items():
        n = sum(c.tp + c.fn for c in some)
        cells = []
        for figure in figures:
            value, low, high = bootstrap(some, lambda c, figure=figure: getattr(c, figure))
            cells.append(f"{value:.3f} [{low:.2f}, {high:.2f}]")
        print(f"| {name} | {n:,} | " + " | ".join(cells) + " |", flush=True)


def real(folder: Path) -> None:
    """Real pairs: folders with A, B and label."""
    segmenter = Segmenter(load_model())
    for name in ("levir", "dsifn"):
        pixels: Counts = defaultdict(list)
        for first in sorted((folder / name / "A").iterdir()):
            later = next((folder / name / "B").glob(first.stem + ".*"))
            label = next((folder / name / "label").glob(first.stem + ".*"))
            before, after = (
                np.ascontiguousarray(cv2.imread(str(p))[..., ::-1]) for p in (first, later)
            )
            truth = cv2.imread(str(label), cv2.IMREAD_GRAYSCALE) > 127
            # They are given as registered; whoever compares methods must not move one of them.
            alignment = align(*_placed(before, after), AlignSettings(register=False))
            result = compare(before, after, segmenter=segmenter, alignment=alignment)
            shown = alignment.read()
            for method, mask in masks_of(segmenter, *shown, result).items():
                pixels[method].append(pixel_counts(truth, mask, shown[2]))
            own = pixels["rsam.compare, areas"][-1]
            print(name, first.stem, f"true {truth.mean():.2f}, F1 {own.f1:.2f}", flush=True)
        print(f"\n{name}")
        report("pixel", pixels)
        # The areas were chosen on the first ones.
        if name == "dsifn":
            print(f"\n{name}, from the {LOOKED_AT + 1}th pair on")
            report("pixel", {method: some[LOOKED_AT:] for method, some in pixels.items()})


def _placed(*images: NDArray) -> list:
    from affine import Affine

    from rsam_core.change.picture import ArrayPicture

    place = Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)
    return [ArrayPicture(i, f"date {k}", "EPSG:32631", place, 0.5) for k, i in enumerate(images, 1)]


def alignment_errors(seeds: range, size: int) -> None:
    """How exactly a known displacement is found on rendered pairs."""
    errors = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 7])
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0, 40)
        sample = render_pair(
            seed, width=size, height=size, turn=float(rng.uniform(-5, 5)),
            scale=float(rng.uniform(0.8, 1.25)),
            shift=(float(length * np.cos(angle)), float(length * np.sin(angle))),
        )  # fmt: skip
        try:
            found = align(sample.before.image, sample.after.image)
        except Exception as error:
            print(seed, sample.before.style, "failed:", str(error)[:60], flush=True)
            errors.append(np.inf)
            continue
        points = np.array([[x, y, 1] for x in (0, size / 2, size) for y in (0, size / 2, size)]).T
        error = float(np.hypot(*((found.matrix - sample.matrix) @ points)[:2]).mean())
        errors.append(error)
        print(seed, sample.before.style, json.dumps({"error": round(error, 3),
              "residual": round(found.residual_px, 2)}), flush=True)  # fmt: skip
    print(f"mean error in pixels: median {np.median(errors):.2f}, "
          f"90 % {np.quantile(errors, 0.9):.2f}, "
          f"within 0.5: {np.mean(np.array(errors) <= 0.5):.2f} of {len(errors)}")  # fmt: skip


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("rendered", "real", "align"))
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, nargs=2, default=(5000, 5040))
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--methods", action="store_true", help="all methods by pixel as well")
    arguments = parser.parse_args()
    seeds = range(*arguments.seeds)
    if arguments.what == "rendered":
        rendered(seeds, arguments.size, arguments.methods)
    elif arguments.what == "align":
        alignment_errors(seeds, arguments.size)
    elif arguments.folder is None:
        parser.error("name the folder with levir/ and dsifn/")
    else:
        real(arguments.folder)


if __name__ == "__main__":
    main()
