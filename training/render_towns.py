"""Render training towns once: ``python -m training.render_towns OUT --count N``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from rsam_core.models.tiny.kinds import OF_RENDERED, UNKNOWN, kind_number
from rsam_core.samples import STYLES, render_town

_GSD = (0.08, 0.7)
_SIDE = 896


def kinds_of(classes: dict[int, str]) -> np.ndarray:
    """Kind by label, (N + 1,) int8; label 0 and classes without a kind are `UNKNOWN`."""
    kinds = np.full(max(classes, default=0) + 1, UNKNOWN, np.int8)
    for label, name in classes.items():
        kinds[label] = kind_number(OF_RENDERED.get(name, ""))
    return kinds


def main() -> None:
    """Render towns of all styles at random ground sample distances into ``.npz`` files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("--seed", type=int, default=1000, help="the samples use seeds below it")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    styles = list(STYLES)
    for i in range(args.count):
        path = args.out / f"town{args.seed + i}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng(args.seed + i)
        gsd = float(np.exp(rng.uniform(*np.log(_GSD))))
        town = render_town(
            _SIDE,
            _SIDE,
            gsd=gsd,
            seed=args.seed + i,
            date=int(rng.integers(2)),
            style=styles[i % len(styles)],
            haze=float(rng.choice([0, 0, 0.1, 0.3])),
        )
        part = path.with_suffix(".part.npz")
        np.savez_compressed(
            part,
            image=town.image,
            labels=town.labels.astype(np.uint16),
            kinds=kinds_of(town.classes),
        )
        part.rename(path)


if __name__ == "__main__":
    main()
