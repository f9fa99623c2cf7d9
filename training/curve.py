"""Draw the curve of a run: ``python -m training.curve RUN [RUN ...] OUT.png``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

FIGURES = (
    ("box", "click", "best", "round1"),
    ("box iou", "box iou large"),
    ("heat", "heat large"),
)
"""What is drawn into one field each."""

_TITLES = ("IoU of masks", "IoU of proposed boxes", "loss of centres")


def read(run: Path, what: str) -> list[dict]:
    """Lines of a run's log of one sort ("trained" or "held out"), in order of step."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return sorted((line for line in lines if line["what"] == what), key=lambda line: line["step"])


def series(lines: list[dict], name: str) -> tuple[list[int], list[float]]:
    """Steps and values of one figure."""
    found = [(line["step"], line[name]) for line in lines if name in line]
    return [step for step, _ in found], [value for _, value in found]


def draw(runs: list[Path], target: Path) -> None:
    """Trained (thin) and held out (with dots) by step, one field for each group of figures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, fields = plt.subplots(1, len(FIGURES), figsize=(15, 4.5), layout="constrained")
    for run in runs:
        trained, held_out = read(run, "trained"), read(run, "held out")
        for field, names, title in zip(fields, FIGURES, _TITLES):
            for colour, name in enumerate(names):
                field.plot(*series(trained, name), f"C{colour}-", alpha=0.4, linewidth=0.8)
                label = name if run is runs[0] else None
                field.plot(*series(held_out, name), f"C{colour}o-", markersize=3, label=label)
            field.set(title=title, xlabel="steps")
            field.grid(alpha=0.3)
    for field in fields:
        field.legend()
    figure.savefig(target, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    draw(options.runs, options.target)
