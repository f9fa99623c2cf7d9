"""Train the perceptron that grades damage to buildings, on rendered pairs.

    python -m training.damage collect --seeds 20000 20060 --out damage.npz
    python -m training.damage fit damage.npz --out rsam_core/change/apply/damage.safetensors

Seeds 20000 to 20059 train, 21000 to 21029 are for tuning; ``benchmarks/apply.py`` measures on
others, on which nobody chose anything.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.alignment import align
from rsam_core.change.appearance import COLUMNS, looks
from rsam_core.change.picture import ArrayPicture
from rsam_core.objects.instance import Instance
from rsam_core.samples import GRADES, PairSample, render_pair

COUNTS = {"damaged": 24, "demolished": 0, "reroofed": 2, "extended": 1}


def drawn(seed: int) -> PairSample:
    """A pair in which a third or so of the buildings is damaged."""
    kinds = ("damaged", "reroofed", "extended", "cars")
    gsd = float(np.random.default_rng(seed).choice([0.2, 0.3, 0.3, 0.5]))
    return render_pair(seed, kinds, counts=COUNTS, width=512, height=512, gsd=gsd)


def graded(pair: PairSample) -> tuple[list[Instance], NDArray[np.int64]]:
    """Buildings at the first date, and the true grade of each.

    Buildings that were extended or roofed anew have no damage.
    """
    items, grades = [], []
    for record in (*pair.records, *pair.unchanged):
        if record.cls == "roof" and record.before is not None and record.kind != "demolished":
            place = record.before
            if place.area >= 60:
                items.append(Instance(place.mask, place.x, place.y, 1.0))
                grades.append(GRADES.index(record.grade))
    return items, np.array(grades, np.int64)


def measured(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Evidence and true grades of one pair."""
    pair = drawn(seed)
    first, second = (
        ArrayPicture(s.image, f"{seed}", s.crs, s.transform, s.gsd)
        for s in (pair.before, pair.after)
    )
    items, grades = graded(pair)
    return looks(align(first, second), items), grades


def fit(
    table: NDArray[np.float32], grades: NDArray[np.int64], hidden: int = 32, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Weights of a perceptron with one hidden layer, by rarer grades weighing more."""
    import torch

    torch.manual_seed(seed)
    known = np.isfinite(table).all(1)
    x, y = torch.from_numpy(table[known]), torch.from_numpy(grades[known])
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = ((x - mean) / scale).clamp(-4, 4)
    counts = torch.bincount(y, minlength=len(GRADES)).float()
    weight = (counts.sum() / counts.clamp(min=1)) ** 0.5
    net = torch.nn.Sequential(
        torch.nn.Linear(z.shape[1], hidden), torch.nn.GELU(), torch.nn.Linear(hidden, len(GRADES))
    )
    loss_of = torch.nn.CrossEntropyLoss(weight=weight / weight.mean(), label_smoothing=0.03)
    steps = 3000
    best = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.05)
    plan = torch.optim.lr_scheduler.OneCycleLR(best, 4e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(0, len(z), (256,))
        noise = 0.1 * torch.randn(256, z.shape[1])
        loss = loss_of(net(z[rows] + noise), y[rows])
        best.zero_grad()
        loss.backward()
        best.step()
        plan.step()
    return {
        "grades.mean": mean.numpy(),
        "grades.scale": scale.numpy(),
        "grades.weight_0": net[0].weight.detach().numpy(),
        "grades.bias_0": net[0].bias.detach().numpy(),
        "grades.weight_1": net[2].weight.detach().numpy(),
        "grades.bias_1": net[2].bias.detach().numpy(),
    }


def main() -> None:
    """Collect evidence, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("collect")
    collect.add_argument("--seeds", type=int, nargs=2, required=True)
    collect.add_argument("--out", type=Path, required=True)
    fitting = commands.add_parser("fit")
    fitting.add_argument("evidence", type=Path)
    fitting.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.command == "collect":
        tables, grades = [], []
        for seed in range(*given.seeds):
            table, grade = measured(seed)
            tables.append(table)
            grades.append(grade)
            np.savez(given.out, table=np.concatenate(tables), grades=np.concatenate(grades),
                     columns=COLUMNS)  # fmt: skip
            print(seed, np.bincount(grade, minlength=len(GRADES)), flush=True)
        return
    from safetensors.numpy import save_file

    with np.load(given.evidence) as data:
        save_file(fit(data["table"], data["grades"]), str(given.out))


if __name__ == "__main__":
    main()
