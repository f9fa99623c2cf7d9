"""Train what tells a changed object from an unchanged one, on rendered pairs of dates.

    python -m training.change collect FOLDER --seeds 2017 2039
    python -m training.change crowded FOLDER --seeds 2200 2220
    python -m training.change fit FOLDER

The first step renders pairs, finds candidates on both dates and writes what `change.evidence` says
of each, with what the truth says. The second does the same for pairs with many more changes, whose
objects are outlined by their true boxes in place of being looked for. Both have to be repeated when
the embedded model changes. The last step fits panels of perceptrons of one small hidden layer and
calibrates them on pairs of the first step that they were not fitted on, by turns; it takes a
minute. Seeds from 2000 to 2999 belong to this; those of the benchmark are others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.alignment import align
from rsam_core.change.compared import CompareSettings
from rsam_core.change.date_view import DateView
from rsam_core.change.evidence import COLUMNS, GROUPS, outline_again
from rsam_core.change.findings import Candidate
from rsam_core.change.growths import growth_pairs
from rsam_core.change.judge import (
    CLASSES,
    GROWTH_COLUMNS,
    WEIGHTS,
    Panel,
    Perceptron,
    changed,
    said,
)
from rsam_core.change.window_evidence import as_candidates, prepare_window
from rsam_core.errors import AlignError
from rsam_core.models import load_model
from rsam_core.objects.crops import Crop, Cropped, shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.samples import CHANGES, PairSample, render_pair
from rsam_core.samples.pair_records import footprint_of, paste
from rsam_core.scene.window import Window
from rsam_core.segment.segmenter import Segmenter

SIDE = 320
HIDDEN = 24
MEMBERS, STEPS, DROPOUT, DECAY = 4, 500, 0.3, 0.05
"""Few examples: short training, and the mean of several."""

BUILT = {"built": 1.0, "demolished": 1.0, "extended": 1.5, "reduced": 0.8, "reroofed": 1.3,
         "damaged": 1.8}  # fmt: skip
"""What happens to buildings, and how often it is chosen: those that are hard to tell most."""

KINDS_A_PAIR, OF_EACH = 3, 6
"""Kinds of change to buildings in a pair, and changes of each; damage comes in three grades.

Changes are made one kind after the other as long as there are buildings. With all kinds in each
pair the last ones, another roof and damage, would never find any left.
"""

CROWDED = ("suburb", "town", "informal", "village", "industrial", "estate", "suburb", "town")
CROWDED_SIDE, CROWDED_OF_EACH, CROWDED_STILL = 384, 12, 40
"""Pairs with many changes, whose objects are outlined by their true boxes and not looked for: that
takes a fourth of the time. Of the objects that did not change so many are taken."""

GROUND_OF_EACH, GROUND_SHARE = 2, 0.7
"""Floods and clearings in a crowded pair, and how many of these pairs have either."""

METRES = (0.3, 0.3, 0.5)
"""Metres per pixel, each as often as it stands here."""

UNNAMED = 0.15
"""Share of the examples that are fitted without the kinds of objects."""

FAINT = 0.4
"""Weight of what changed in part: damage looks much like it, and is to be reported."""

RARER = 1.5
"""By so much changes are rarer in the usual pairs."""

AS_GOOD = 0.02
"""Thresholds whose F1 is so near to the best are as good; of these the lowest is taken, since a
person can refuse a false alarm but not see what was missed."""

UNTOUCHED = 5
"""Every so many pairs has no change at all."""

FOLDS = 4
"""Parts into which the pairs are cut: thresholds are chosen on pairs that were not fitted on."""

SAME, LEFT, INSIDE, REVEALED, PARTLY = range(len(CLASSES))
IGNORED = -1
_ONE_SIDED = ("built", "demolished", "cars", "cleared", "flooded")


def targets(sample: PairSample, items: Sequence[Instance], date: int) -> NDArray[np.int64]:
    """What the truth says of candidates of a date (0 or 1); `IGNORED` where it is not clear."""
    shape = sample.shape
    known: list[tuple[Crop, int]] = []
    for record in sample.records:
        own, other = (record.before, record.after) if date == 0 else (record.after, record.before)
        if record.kind in _ONE_SIDED:
            if own is not None:
                known.append((Crop(own.mask, own.x, own.y), LEFT))
            if other is not None:
                known.append((Crop(other.mask, other.x, other.y), REVEALED))
        elif record.kind in ("reroofed", "damaged"):
            if own is not None:
                known.append((Crop(own.mask, own.x, own.y), INSIDE))
        elif own is not None and other is not None:
            grown = footprint_of(paste(own, shape) & ~paste(other, shape))
            shrunk = footprint_of(paste(other, shape) & ~paste(own, shape))
            larger = own.area > other.area
            if larger and grown is not None:
                known.append((Crop(grown.mask, grown.x, grown.y), LEFT))
            if not larger:
                known.append((Crop(own.mask, own.x, own.y), SAME))
                if shrunk is not None:
                    known.append((Crop(shrunk.mask, shrunk.x, shrunk.y), REVEALED))
    changed = sample.changed()
    result = np.full(len(items), IGNORED)
    for k, item in enumerate(items):
        best = 0.5
        for crop, target in known:
            shared = shared_pixels(item, crop)
            overlap = shared / (item.area + np.count_nonzero(crop.mask) - shared)
            if overlap >= best:
                best, result[k] = overlap, target
        if result[k] == IGNORED:
            x0, y0, x1, y1 = item.bbox
            share = changed[y0:y1, x0:x1][item.mask].mean()
            if share < 0.5:
                result[k] = SAME if share < 0.05 else PARTLY
    return result


def growth_targets(
    sample: PairSample, pairs: Sequence[tuple[Candidate, Candidate]]
) -> NDArray[np.int64]:
    """Whether each pair of candidates is an object that was extended or reduced."""
    ends = []
    for record in sample.records:
        if record.kind in ("extended", "reduced"):
            both = [Crop(e.mask, e.x, e.y) for e in (record.before, record.after)]
            ends.append((*both, 1) if record.kind == "extended" else (*both[::-1], 0))
    result = np.zeros(len(pairs), np.int64)
    for k, (small, large) in enumerate(pairs):
        result[k] = any(
            large.date == later and _iou(small.item, less) > 0.5 and _iou(large.item, more) > 0.5
            for less, more, later in ends
        )
    return result


def _iou(first: Cropped, second: Cropped) -> float:
    shared = shared_pixels(first, second)
    return shared / (np.count_nonzero(first.mask) + np.count_nonzero(second.mask) - shared)


def drawn(seed: int) -> PairSample:
    """A pair to learn from: a few kinds of change, many of each, or none at all."""
    rng = np.random.default_rng([seed, 7])
    share = np.array(list(BUILT.values()))
    some = rng.choice(list(BUILT), KINDS_A_PAIR, replace=False, p=share / share.sum())
    kinds = [*some.tolist(), *(k for k in ("flooded", "cleared", "cars") if rng.random() < 0.6)]
    if seed % UNTOUCHED == 0:
        kinds = []
    return render_pair(
        seed, [kind for kind in CHANGES if kind in kinds], width=SIDE, height=SIDE,
        gsd=float(rng.choice(METRES)), counts=dict.fromkeys(BUILT, OF_EACH),
    )  # fmt: skip


def crowded(seed: int) -> PairSample:
    """A pair with many changes of a few kinds."""
    rng = np.random.default_rng([seed, 8])
    share = np.array(list(BUILT.values()))
    kinds = rng.choice(list(BUILT), KINDS_A_PAIR, replace=False, p=share / share.sum()).tolist()
    ground = np.random.default_rng([seed, 9])
    kinds += [kind for kind in ("flooded", "cleared") if ground.random() < GROUND_SHARE]
    counts = dict.fromkeys(BUILT, CROWDED_OF_EACH)
    return render_pair(
        seed, [kind for kind in CHANGES if kind in (*kinds, "cars")], width=CROWDED_SIDE,
        height=CROWDED_SIDE, gsd=float(rng.choice(METRES)), style=str(rng.choice(CROWDED)),
        counts={**counts, "flooded": GROUND_OF_EACH, "cleared": GROUND_OF_EACH},
    )  # fmt: skip


def outlined(
    segmenter: Segmenter, sample: PairSample, alignment: Alignment
) -> list[list[Instance]]:
    """What the model outlines at each date in the boxes of true objects of either date."""
    rng = np.random.default_rng(sample.before.seed)
    still = [sample.unchanged[k] for k in rng.permutation(len(sample.unchanged))[:CROWDED_STILL]]
    boxes = [
        Instance(end.mask, end.x, end.y)
        for record in (*sample.records, *still)
        for end in (record.before, record.after)
        if end is not None
    ]
    views = [DateView(image, segmenter.embed(image)) for image in alignment.read()[:2]]
    return [
        [item for item in outline_again(segmenter, view, boxes) if item is not None]
        for view in views
    ]


def evidence_of(
    segmenter: Segmenter,
    sample: PairSample,
    alignment: Alignment,
    given: Sequence[list[Instance] | None] = (None, None),
) -> tuple[dict[str, NDArray], list[list[Candidate]], list[tuple[Candidate, Candidate]]] | None:
    """What is known of a pair's candidates and of those that may have grown, and the truth.

    Objects are looked for unless they are `given`, a list for each date.

    Returns
    -------
    arrays : dict of str to ndarray
    dates : list of list of Candidate
    pairs : list of (Candidate, Candidate)
        None in place of all three where hardly anything is shown at both dates.
    """
    settings = CompareSettings()
    window = Window(0, 0, alignment.shape[1], alignment.shape[0])
    found = prepare_window(segmenter, alignment, window, settings, given)
    if found is None:
        return None
    goal = [targets(sample, found.items[date], date) for date in (0, 1)]
    nothing = [np.zeros((len(items), len(CLASSES)), np.float32) for items in found.items]
    dates, _ = as_candidates(segmenter, found, nothing)
    pairs, grown = growth_pairs(
        segmenter, found.views, dates, settings.tolerance, settings.smallest
    )
    rows = {id(one): k for k, one in enumerate(one for some in dates for one in some)}
    arrays = {
        "table": np.concatenate([e.table for e in found.evidence]),
        "target": np.concatenate(goal),
        "source": np.array([i.source for items in found.items for i in items]),
        "kind": np.array([str(c.kind) for some in dates for c in some]),
        "growth": grown,
        "growth_rows": np.array([[rows[id(c)] for c in pair] for pair in pairs]).reshape(-1, 2),
        "growth_target": growth_targets(sample, pairs),
    }
    return arrays, dates, pairs


def collect(folder: Path, seeds: Sequence[int], look: bool = True) -> None:
    """Write the evidence of rendered pairs, one file a seed; those there are kept.

    Objects are looked for, or given by :func:`outlined` in :func:`crowded` pairs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    segmenter = Segmenter(load_model())
    for seed in seeds:
        path = folder / f"{seed}.npz"
        if path.exists():
            continue
        sample = drawn(seed) if look else crowded(seed)
        try:
            alignment = align(sample.before.image, sample.after.image)
        except AlignError as error:
            print(seed, "left out:", error, flush=True)
            continue
        given = (None, None) if look else outlined(segmenter, sample, alignment)
        found = evidence_of(segmenter, sample, alignment, given)
        if found is None:
            continue
        np.savez(path, **found[0])
        print(seed, sample.before.style, np.bincount(found[0]["target"] + 1),
              int(found[0]["growth_target"].sum()), "of", len(found[2]), flush=True)  # fmt: skip


def fit(folder: Path) -> None:
    """Fit both perceptrons to what was collected, calibrate them, and write their weights."""
    import torch
    from safetensors.numpy import save_file

    torch.set_num_threads(1)
    paths = sorted(folder.glob("*.npz"))
    parts = [np.load(path) for path in paths]
    place = np.concatenate([np.full(len(p["target"]), k) for k, p in enumerate(parts)])
    table = np.concatenate([p["table"] for p in parts])
    target = np.concatenate([p["target"] for p in parts])
    known = target != IGNORED
    chance = _unseen(table, target, place, known, len(CLASSES))
    # The crowded pairs are no measure: their objects were not looked for.
    looked = np.array(["everything" in part["source"] for part in parts])
    test = known & looked[place]
    print(f"{len(paths)} pairs, {looked.sum()} with objects that were looked for, "
          f"{known.sum()} candidates; confusion of pairs not fitted on (rows truth):")  # fmt: skip
    print(np.array([np.bincount(chance[test & (target == c)].argmax(1), minlength=len(CLASSES))
                    for c in range(len(CLASSES))]))  # fmt: skip
    fired = changed(chance)
    # Of objects that did not change, 5 % at most may be taken for changed.
    still = test & (target == SAME)
    lowest = float(np.clip(np.quantile(fired[still], 0.95), 0.3, 0.9))
    one_kind = ~np.isin(target, (SAME, PARTLY))
    fire = _best_threshold(fired[test], one_kind[test].astype(int), lowest)
    hits = (fired > fire)[test & one_kind].mean()
    alarms = (fired > fire)[still].mean()
    print(f"threshold {fire:.3f}: {hits:.3f} of changed candidates fire, {alarms:.3f} of others")

    start = np.cumsum([0, *(len(p["target"]) for p in parts)])
    grown = np.concatenate([p["growth"] for p in parts])
    rows = np.concatenate([p["growth_rows"] + start[k] for k, p in enumerate(parts)])
    goal = np.concatenate([p["growth_target"] for p in parts])
    owner = np.concatenate([np.full(len(p["growth_target"]), k) for k, p in enumerate(parts)])
    # What is said of both ends must be as unsure as it will be of pairs that nobody has seen.
    told = _told(grown, rows, chance)
    grew = _unseen(told, goal, owner, np.ones(len(goal), bool), 2)[:, 1]
    apart = looked[owner]
    print(f"growths: {goal.sum()} of {len(goal)} true, {goal[apart].sum()} of {apart.sum()} in "
          "pairs with objects that were looked for")  # fmt: skip
    fire_growth = _best_threshold(grew[apart], goal[apart])
    state = {"fire": np.array([fire, fire_growth])}
    state |= _state("objects", _trained(table[known], target[known], len(CLASSES)))
    state |= _state("growth", _trained(told, goal, 2))
    save_file({name: np.ascontiguousarray(v, np.float32) for name, v in state.items()}, WEIGHTS)


def _unseen(
    table: NDArray, target: NDArray, place: NDArray, known: NDArray, classes: int
) -> NDArray[np.float32]:
    """What panels say of each row that were not fitted to its pair."""
    said_of = np.zeros((len(table), classes), np.float32)
    for fold in range(FOLDS):
        own = place % FOLDS == fold
        rest = known & ~own
        said_of[own] = _trained(table[rest], target[rest], classes)(table[own])
    return said_of


def _told(grown: NDArray, rows: NDArray, chance: NDArray) -> NDArray[np.float32]:
    """Evidence of growths with what the first perceptron says of both ends."""
    grown = grown.copy()
    first = GROWTH_COLUMNS.index("small_same")
    grown[:, first : first + 6] = np.concatenate(
        [said(chance[rows[:, 0]]), said(chance[rows[:, 1]])], axis=1
    )
    return grown


def _best_threshold(chance: NDArray, goal: NDArray, lowest: float = 0.2) -> float:
    """The lowest threshold of about the best F1, at the rate of changes that real places have."""
    levels = np.linspace(lowest, 0.95, 60)
    hits = np.array([np.sum((chance > level) & (goal == 1)) for level in levels])
    wrong = np.array([np.sum((chance > level) & (goal == 0)) for level in levels]) * RARER
    f1 = 2 * hits / np.maximum(hits + wrong + goal.sum(), 1)
    best = int(np.flatnonzero(f1 >= f1.max() - AS_GOOD)[0])
    print(f"threshold {levels[best]:.2f}: F1 {f1[best]:.3f}, at best {f1.max():.3f}, "
          "of outlines not fitted on")  # fmt: skip
    return float(levels[best])


def _trained(table: NDArray, target: NDArray, classes: int) -> Panel:
    """A few perceptrons of one hidden layer, each begun in another way."""
    return Panel(tuple(_member(table, target, classes, seed) for seed in range(MEMBERS)))


def _member(table: NDArray, target: NDArray, classes: int, seed: int) -> Perceptron:
    import torch

    torch.manual_seed(seed)
    mean, scale = table.mean(0), table.std(0) + 1e-3
    counts = np.bincount(target, minlength=classes)
    weight = torch.tensor((counts.sum() / np.maximum(counts, 1)) ** 0.5, dtype=torch.float32)
    net = torch.nn.Sequential(
        torch.nn.Linear(table.shape[1], HIDDEN), torch.nn.GELU(), torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(HIDDEN, classes),
    )  # fmt: skip
    if classes == len(CLASSES):
        weight[PARTLY] *= FAINT
    values = table.copy()
    # Some models name no objects: a part of the examples is without, so that it is known as well.
    named = [k for k, name in enumerate(COLUMNS) if name.rpartition("_")[0] in GROUPS]
    values[np.ix_(np.random.default_rng(seed).random(len(table)) < UNNAMED, named)] = 0
    x = torch.from_numpy(np.clip((values - mean) / scale, -4, 4).astype(np.float32))
    y = torch.from_numpy(target)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-2, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(x), (512,))
        loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch], weight / weight.mean())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    layers = [layer for layer in net.eval() if isinstance(layer, torch.nn.Linear)]
    return Perceptron(
        mean.astype(np.float32),
        scale.astype(np.float32),
        tuple((x.weight.detach().numpy(), x.bias.detach().numpy()) for x in layers),
    )


def _state(name: str, panel: Panel) -> dict[str, NDArray]:
    state = {}
    for number, net in enumerate(panel.members):
        own = f"{name}.{number}"
        state |= {f"{own}.mean": net.mean, f"{own}.scale": net.scale}
        for k, (weight, bias) in enumerate(net.layers):
            state |= {f"{own}.weight_{k}": weight, f"{own}.bias_{k}": bias}
    return state


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("collect", "crowded", "fit"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs=2, default=(2000, 2040))
    arguments = parser.parse_args()
    if arguments.step != "fit":
        collect(arguments.folder, range(*arguments.seeds), arguments.step == "collect")
    else:
        fit(arguments.folder)


if __name__ == "__main__":
    main()
