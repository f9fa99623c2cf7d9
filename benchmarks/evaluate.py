"""Compare prompts and classical methods: ``python -m benchmarks.evaluate FOLDER [FOLDER ...]``.

Prints Markdown tables; ``--work`` keeps the results, so that a stopped run goes on. The same
evaluation with figures and more metrics is written by ``python -m rsam_core.evaluate``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rsam_core.evaluate import Evaluation, EvaluationSettings, evaluate_dataset
from rsam_core.evaluate.datasets import open_dataset
from rsam_core.evaluate.report.sentences import abstract
from rsam_core.render.numbers import clock


def markdown(evaluation: Evaluation) -> str:
    """The methods of an evaluation as a Markdown table."""
    sizes = evaluation.by_size().pivot(index="method", columns="size", values="mean")
    order = [s for s in ("under 32²", "32² to 96²", "above 96²") if s in sizes]
    header = ["method", "IoU [95 % interval]", *order, "IoU ≥ 0.75", "boundary F"]
    header += ["an object", "an image"]
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for row in evaluation.table().to_dict("records"):
        cells = [row["title"] + (" †" if row["sees_truth"] else "")]
        cells.append(f"{row['iou']:.3f} [{row['iou_low']:.3f}, {row['iou_high']:.3f}]")
        cells += [f"{sizes.loc[row['method'], size]:.3f}" for size in order]
        cells += [f"{100 * row['iou_over_75']:.0f} %", f"{row['boundary_f']:.3f}"]
        cells += [clock(row["seconds"]), clock(row["image_seconds"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Parse the command line, evaluate, print."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("folders", nargs="+", type=Path)
    made.add_argument("--model", default="rsam-tiny")
    made.add_argument("--prompts", default="box,1,1best,2,3,5,box+1")
    made.add_argument("--methods", default="all")
    made.add_argument("--limit", type=int, help="images a folder, drawn by the seed")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--threads", type=int, help="torch threads")
    made.add_argument("--work", type=Path, help="folder for the results, to go on with")
    args = made.parse_args()
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    settings = EvaluationSettings(
        models=tuple(args.model.split(",")),
        prompts=tuple(args.prompts.split(",")),
        methods=tuple(args.methods.split(",")),
        limit=args.limit,
        seed=args.seed,
    )
    for folder in args.folders:
        evaluation = evaluate_dataset(
            open_dataset(folder),
            settings,
            results_file=args.work / folder.name / "results.jsonl" if args.work else None,
            progress=lambda share, text: print(f"{share:4.0%} {text}", file=sys.stderr),
        )
        print(f"## {folder.parent.name}/{folder.name}\n\n{abstract(evaluation)}\n")
        print(markdown(evaluation), end="\n\n")


if __name__ == "__main__":
    main()
