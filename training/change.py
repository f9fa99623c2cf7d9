"""Train what tells a changed object from an unchanged one, on rendered pairs of dates.

    python -m training.change collect FOLDER --seeds 2000 2040
    python -m training.change fit FOLDER

The first step renders pairs, finds candidates on both dates and writes what `change.evidence` says
of each, with what the truth says; it has to be repeated when the embedded model changes. The second
step fits a perceptron of one small hidden layer and calibrates it on pairs that it was not fitted
on; it takes seconds. Seeds from 2000 on belong to this; those of the benchmark are others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.alignment import align
from rsam_core.change.compared import CompareSettings
from rsam_core.change.decide import CLASSES, WEIGHTS
from rsam_core.change.evidence import COLUMNS
from rsam_core.change.window_evidence import prepare_window
from rsam_core.models import load_model
from rsam_core.objects.crops import Crop, shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.samples import CHANGES, PairSample, render_pair
from rsam_core.samples.pair_records import footprint_of, paste
from rsam_core.scene.window import Window
from rsam_core.segment.segmenter import Segmenter

SIDE = 384
UNTOUCHED = 3
"""Every so many pairs has no change at all."""

SAME, LEFT, INSIDE, REVEALED = range(len(CLASSES))
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
            if changed[y0:y1, x0:x1][item.mask].mean() < 0.05:
                result[k] = SAME
    return result


def collect(folder: Path, seeds: Sequence[int]) -> None:
    """Write the evidence of rendered pairs, one file a seed; those there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    segmenter = Segmenter(load_model())
    for seed in seeds:
        path = folder / f"{seed}.npz"
        if path.exists():
            continue
        changes = () if seed % UNTOUCHED == 0 else CHANGES
        sample = render_pair(seed, changes, width=SIDE, height=SIDE)
        alignment = align(sample.before.image, sample.after.image)
        window = Window(0, 0, SIDE, SIDE)
        found = prepare_window(segmenter, alignment, window, CompareSettings())
        if found is None:
            continue
        goal = [targets(sample, found.items[date], date) for date in (0, 1)]
        np.savez(
            path,
            table=np.concatenate([e.table for e in found.evidence]),
            target=np.concatenate(goal),
            source=np.array([i.source for date in (0, 1) for i in found.items[date]]),
            untouched=not changes,
        )
        print(
            seed, [len(i) for i in found.items], np.bincount(np.concatenate(goal) + 1), flush=True
        )


def fit(folder: Path) -> None:
    """Fit the perceptron to what was collected, calibrate it, and write its weights."""
    import torch
    from safetensors.numpy import save_file

    torch.manual_seed(0)
    torch.set_num_threads(1)
    paths = sorted(folder.glob("*.npz"))
    parts = [np.load(path) for path in paths]
    # A quarter of the pairs, of those without a change, too.
    held = np.array([int(path.stem) // UNTOUCHED % 4 == 1 for path in paths])
    place = np.concatenate([np.full(len(p["target"]), k) for k, p in enumerate(parts)])
    table = np.concatenate([p["table"] for p in parts])
    target = np.concatenate([p["target"] for p in parts])
    known = target != IGNORED
    train, test = known & ~held[place], known & held[place]
    mean, scale = table[train].mean(0), table[train].std(0) + 1e-3

    def tensor(rows: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.clip((table[rows] - mean) / scale, -4, 4).astype(np.float32))

    counts = np.bincount(target[train], minlength=len(CLASSES))
    weight = torch.tensor((counts.sum() / np.maximum(counts, 1)) ** 0.5, dtype=torch.float32)
    weight /= weight.mean()

    def trained(rows: NDArray, steps: int = 1500) -> torch.nn.Sequential:
        net = torch.nn.Sequential(
            torch.nn.Linear(len(COLUMNS), 24), torch.nn.GELU(), torch.nn.Dropout(0.1),
            torch.nn.Linear(24, len(CLASSES)),
        )  # fmt: skip
        x, y = tensor(rows), torch.from_numpy(target[rows])
        optimiser = torch.optim.AdamW(net.parameters(), 1e-2, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            batch = torch.randint(len(x), (512,))
            loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch], weight)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        return net.eval()

    net = trained(train)
    with torch.no_grad():
        chance = net(tensor(test)).softmax(1).numpy()
    print(f"{len(paths)} pairs, {train.sum()} + {test.sum()} candidates, classes {counts.tolist()}")
    print("held-out confusion (rows truth):")
    print(np.array([np.bincount(chance[target[test] == c].argmax(1), minlength=len(CLASSES))
                    for c in range(len(CLASSES))]))  # fmt: skip
    changed = 1 - chance[:, SAME]
    # Of objects that did not change, 5 % may be taken for changed.
    still = changed[(target[test] == SAME) & held[place[test]]]
    fire = float(np.clip(np.quantile(still, 0.95), 0.3, 0.9))
    hits = (changed > fire)[target[test] != SAME].mean()
    print(f"threshold {fire:.3f}: {hits:.3f} of changed candidates fire, 0.050 of others")
    final = trained(known)
    layers = [layer for layer in final if isinstance(layer, torch.nn.Linear)]
    state = {"mean": mean, "scale": scale, "fire": np.array([fire])}
    for k, layer in enumerate(layers):
        state[f"weight_{k}"] = layer.weight.detach().numpy()
        state[f"bias_{k}"] = layer.bias.detach().numpy()
    save_file({name: np.ascontiguousarray(v, np.float32) for name, v in state.items()}, WEIGHTS)


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("collect", "fit"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs=2, default=(2000, 2040))
    arguments = parser.parse_args()
    if arguments.step == "collect":
        collect(arguments.folder, range(*arguments.seeds))
    else:
        fit(arguments.folder)


if __name__ == "__main__":
    main()
