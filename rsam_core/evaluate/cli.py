"""``python -m rsam_core.evaluate FOLDER``: an evaluation without a browser.

Exit codes: 0 all is well; 1 some images, or one of several folders, could not be evaluated (the
report and the last lines say which); 2 a folder, a name or an option is wrong, or nothing at all
could be evaluated; 130 stopped by Ctrl+C (the report holds what was finished).
"""

from __future__ import annotations

import argparse
import shlex
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from rsam_core.errors import Cancelled, EvaluationError, RsamError
from rsam_core.runtime.console import (
    GOOD,
    SOME_FAILED,
    STOPPED,
    WRONG,
    ProgressLine,
    run_command,
)


def parser() -> argparse.ArgumentParser:
    """The options."""
    from rsam_core.evaluate.methods.prompted import BASELINES, PROMPTS
    from rsam_core.evaluate.studies import STUDIES

    made = argparse.ArgumentParser(
        prog="python -m rsam_core.evaluate",
        description="Evaluate promptable models and classical methods on a folder or zip archive "
        "of images with truth, and write a report.",
        epilog="A data set is a folder images/ beside instances/, masks/ or labels/ with files of "
        "the same names, or images with masks called NAME_mask.png, or images with a COCO file. "
        "Several folders are evaluated one by one and compared.",
    )
    add = made.add_argument
    add("folders", nargs="+", metavar="FOLDER", help="folder or zip archive")
    add("--model", default="rsam-tiny", help="models, separated by commas (rsam-tiny)")
    add(
        "--prompts",
        default="box,1,3",
        help=f"prompts, separated by commas ({', '.join(PROMPTS)}; any number of points to 20, "
        "box+N; none for no model)",
    )
    add("--methods", default="", help=f"classical methods: all, or of {', '.join(BASELINES)}")
    add("--output", default="report", type=Path, help="folder for the report (report/)")
    add("--limit", type=int, help="evaluate at most this many images, drawn by the seed")
    add("--seed", type=int, default=0, help="seed of all random choices (0)")
    add("--resume", action="store_true", help="go on with an earlier run in the output folder")
    add("--min-area", type=int, default=100, help="smallest object in pixels (100)")
    add("--max-side", type=int, default=1024, help="cut larger images into tiles (1024)")
    add("--tolerance", type=float, default=2.0, help="pixels an outline may be off (2)")
    add("--no-outlines", action="store_true", help="leave out the metrics of outlines")
    add(
        "--every-value",
        action="store_true",
        help="every value of a label image is an object, 0 as well",
    )
    add("--studies", default="", help=f"studies: all, or of {', '.join(STUDIES)}")
    add("--study-objects", type=int, help="most objects of a study")
    add("--threads", type=int, help="threads of the model")
    add("--no-pictures", action="store_true", help="leave out pictures of the worst objects")
    add("--quiet", action="store_true", help="no progress line")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the program by default.

    Returns
    -------
    int
        Exit code.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(arguments)
    return run_command(
        "rsam_core.evaluate",
        lambda stop: _run(options, arguments, stop),
        when_stopped="Stopped. Go on with --resume.",
    )


def _run(options: argparse.Namespace, arguments: list[str], stop: threading.Event) -> int:
    from rsam_core.evaluate.datasets import open_dataset
    from rsam_core.evaluate.methods.prompted import build_methods
    from rsam_core.evaluate.report.files import write_report
    from rsam_core.evaluate.report.worst_objects import worst_objects
    from rsam_core.evaluate.run import evaluate_dataset
    from rsam_core.evaluate.settings import EvaluationSettings
    from rsam_core.evaluate.statistics.compare import compare_methods

    settings = EvaluationSettings(
        models=_names(options.model),
        prompts=tuple(name for name in _names(options.prompts) if name != "none"),
        methods=_names(options.methods),
        min_area=options.min_area,
        max_side=options.max_side,
        tolerance=options.tolerance,
        outlines=not options.no_outlines,
        limit=options.limit,
        seed=options.seed,
    )
    studies = _chosen_studies(options)
    if studies and not settings.prompts:
        raise EvaluationError("Studies need a model. Give at least one prompt with --prompts.")
    # All folders are looked at before hours are spent on the first.
    datasets = [open_dataset(path, every_value=options.every_value) for path in options.folders]
    outputs = _outputs(options.output, [dataset.name for dataset in datasets])
    _check_writable(options.output)
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    methods = build_methods(settings.models, settings.prompts, settings.methods)
    command = "python -m rsam_core.evaluate " + shlex.join(arguments)
    code, earlier = GOOD, []
    for dataset, output in zip(datasets, outputs):
        progress = ProgressLine(dataset.name, options.quiet)
        try:
            evaluation = evaluate_dataset(
                dataset,
                settings,
                methods=methods,
                results_file=output / "results.jsonl",
                resume=options.resume,
                progress=progress,
                cancelled=stop.is_set,
            )
        except EvaluationError as error:
            # Of several folders, one of which nothing can be used does not end the others.
            if len(datasets) == 1:
                raise
            print(f"\nNot evaluated: {dataset.name}: {error}", file=sys.stderr)
            code = SOME_FAILED
            continue
        progress.end()
        chosen = dataset.limited(settings.limit, settings.seed)
        others = [
            compare_methods(one, info.key, info.key, other=evaluation)
            for one in earlier
            for info in one.methods
            if len(one.of(info.key)) and len(evaluation.of(info.key))
        ]
        results = []
        for study in studies:
            progress = ProgressLine(f"{dataset.name}, {study.title}", options.quiet)
            try:
                results += _study_results(study, chosen, methods, options, progress, stop)
            except Cancelled:
                break
            except RsamError as error:
                print(f"\nThe study “{study.title}” failed: {error}", file=sys.stderr)
                code = SOME_FAILED
            progress.end()
        pictures = []
        if not options.no_pictures and not stop.is_set():
            pictures = worst_objects(evaluation, chosen, methods)
        write_report(
            evaluation, output, studies=results, others=others, worst=pictures, command=command
        )
        print(_table(evaluation, others, results))
        for name, why in evaluation.failures:
            print(f"Not evaluated: {name}: {why}", file=sys.stderr)
        print(f"Report: {output / 'report.html'}")
        earlier.append(evaluation)
        if evaluation.failures:
            code = SOME_FAILED
        if stop.is_set():
            return STOPPED
    return code if earlier else WRONG


def _study_results(study, dataset, methods, options, progress, stop) -> list:
    """A study with each model that is compared."""
    segmenters = {m.model: m.segmenter for m in methods if m.model and hasattr(m, "segmenter")}
    changes = {"seed": options.seed, "min_area": options.min_area}
    if options.study_objects:
        changes["max_objects"] = options.study_objects
    return [
        study.run(
            dataset,
            segmenter,
            study.settings(**changes),
            progress=progress,
            cancelled=stop.is_set,
        )
        for segmenter in segmenters.values()
    ]


def _chosen_studies(options: argparse.Namespace) -> list:
    from rsam_core.evaluate.studies import STUDIES

    names = _names(options.studies)
    for name in names:
        if name not in STUDIES and name != "all":
            raise EvaluationError(
                f"There is no study called “{name}”. Choose from: {', '.join(STUDIES)}, or all."
            )
    return list(STUDIES.values()) if "all" in names else [STUDIES[name] for name in names]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _outputs(output: Path, names: Sequence[str]) -> list[Path]:
    """The folder itself for one data set, folders in it for several."""
    if len(names) == 1:
        return [output]
    stems = [Path(name).stem or "dataset" for name in names]
    return [
        output / (stem if stems.count(stem) == 1 else f"{number}_{stem}")
        for number, stem in enumerate(stems, start=1)
    ]


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(
            f"The report cannot be written to “{folder}”: {error.strerror}. Choose another folder "
            "with --output."
        ) from error


def _table(evaluation, others, studies) -> str:
    """What is worth reading in a terminal."""
    from rsam_core.evaluate.report.sentences import abstract
    from rsam_core.render.numbers import clock

    table = evaluation.table()
    lines = [f"\n{evaluation.name}: {evaluation.images_done} of {evaluation.images_total} images"]
    if "iou" in table:
        width = max(map(len, table["title"])) + 2
        lines.append(
            f"{'':{width}s}{'mean IoU [95 % interval]':>26s}{'median':>8s}{'≥ 0.5':>8s}"
            f"{'object':>10s}{'image':>10s}"
        )
        for row in table.to_dict("records"):
            mark = " †" if row["sees_truth"] else ""
            bounds = f"{row['iou']:.3f} [{row['iou_low']:.3f}, {row['iou_high']:.3f}]"
            lines.append(
                f"{row['title'] + mark:{width}s}{bounds:>26s}{row['iou_median']:8.3f}"
                f"{row['iou_over_50']:8.0%}{clock(row['seconds']):>10s}"
                f"{clock(row['image_seconds']):>10s}"
            )
        if table["sees_truth"].any():
            lines.append("† chooses by the truth: an upper bound.")
    lines.append(abstract(evaluation))
    lines += [comparison.text for comparison in others]
    lines += [f"{study.title}: {study.answer}" for study in studies]
    return "\n".join(lines)
