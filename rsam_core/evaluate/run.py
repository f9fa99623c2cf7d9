"""Whole data sets: image by image, with progress, stopping, and going on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsam_core.errors import Cancelled, EvaluationError
from rsam_core.evaluate.datasets import Dataset, Sample
from rsam_core.evaluate.environment import environment
from rsam_core.evaluate.methods.base import Method
from rsam_core.evaluate.methods.prompted import build_methods
from rsam_core.evaluate.results import Evaluation, MethodInfo
from rsam_core.evaluate.sample import evaluate_sample
from rsam_core.evaluate.settings import EvaluationSettings
from rsam_core.runtime.failures import reason
from rsam_core.runtime.progress import Progress

if TYPE_CHECKING:
    from rsam_core.segment.segmenter import Segmenter


def evaluate_dataset(
    dataset: Dataset | Sample | Sequence[Sample],
    settings: EvaluationSettings | None = None,
    *,
    models: Mapping[str, Segmenter] | None = None,
    methods: Sequence[Method] | None = None,
    results_file: str | os.PathLike[str] | None = None,
    resume: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Evaluation:
    """Evaluate methods on the images of a data set.

    Parameters
    ----------
    dataset : Dataset, Sample or sequence of Sample
        From :func:`rsam_core.evaluate.datasets.open_dataset`, or images in memory.
    settings : EvaluationSettings, optional
    models : mapping of str to Segmenter, optional
        Models that are loaded already, in place of ``settings.models``.
    methods : sequence of Method, optional
        In place of those that the settings name.
    results_file : path, optional
        Where each image's results are written as soon as they are there, one JSON object a line.
    resume : bool
        Whether to go on with what `results_file` holds, provided that data set and settings are
        the same; otherwise it starts again.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked before each object. What was finished so far is returned, and not
        :attr:`Evaluation.complete`.

    Returns
    -------
    Evaluation

    Raises
    ------
    DatasetError
        If no image at all can be read.
    EvaluationError
        If the results file cannot be written.
    ModelError
        If a model is unknown or not installed.
    """
    import pandas as pd

    settings = settings or EvaluationSettings()
    if isinstance(dataset, Sample):
        dataset = [dataset]
    if not isinstance(dataset, Dataset):
        samples = list(dataset)
        dataset = Dataset.from_samples(samples[0].name if samples else "images", samples)
    chosen = dataset.limited(settings.limit, settings.seed)
    notes = list(chosen.notes)
    if len(chosen) < len(dataset):
        notes.append(
            f"{len(chosen)} of {len(dataset)} images, drawn at random by seed {settings.seed}."
        )
    if progress is not None:
        progress(0.0, "Loading the models")
    if methods is None:
        methods = build_methods(models or settings.models, settings.prompts, settings.methods)
    store = _Store(results_file, settings.fingerprint(chosen.fingerprint), methods, resume, notes)
    done = store.done
    total = len(chosen)
    try:
        for number, item in enumerate(chosen.items):
            if cancelled is not None and cancelled():
                break
            if item.name in done:
                continue
            text = f"Image {number + 1} of {total}: {item.name}"
            if progress is not None:
                progress(number / total, text)
            entry: dict[str, Any] = {"image": item.name}
            try:
                objects, images = evaluate_sample(
                    item.read(),
                    methods,
                    settings,
                    progress=_within(progress, number, total, text),
                    cancelled=cancelled,
                )
                entry |= {"objects": objects, "images": images}
            except Cancelled:
                break
            # Whatever is wrong with one image, the others are evaluated.
            except Exception as error:
                entry["error"] = reason(error)
            done[item.name] = entry
            store.add(entry)
    finally:
        store.close()
    entries = [done[item.name] for item in chosen.items if item.name in done]
    failures = tuple((e["image"], e["error"]) for e in entries if "error" in e)
    if entries and len(failures) == len(entries):
        raise EvaluationError(
            f"None of the {len(entries)} images could be evaluated. The first problem: "
            f"{failures[0][1]}"
        )
    if progress is not None and len(entries) == total:
        progress(1.0, f"{total} of {total} images")
    return Evaluation(
        chosen.name,
        settings,
        tuple(MethodInfo.of(method) for method in methods),
        pd.DataFrame(_rows(entries, "objects"), columns=_columns(settings)),
        pd.DataFrame(_rows(entries, "images") or None, columns=_image_columns(entries)),
        failures,
        tuple(notes),
        environment(),
        len(entries),
        total,
    )


def _within(progress: Progress | None, number: int, total: int, text: str) -> Progress | None:
    """Progress within one image of several."""
    if progress is None:
        return None
    return lambda share, what: progress((number + share) / total, f"{text}, {what}")


class _Store:
    """A results file: a header, then one line an image. A torn last line is ignored."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        fingerprint: str,
        methods: Sequence[Method],
        resume: bool,
        notes: list[str],
    ) -> None:
        self.done: dict[str, dict[str, Any]] = {}
        self._file = None
        if path is None:
            return
        path = Path(path)
        header = {"rsam_evaluation": 1, "key": fingerprint, "methods": [m.key for m in methods]}
        found, entries = _read_lines(path) if resume else (None, [])
        if found == header:
            self.done = {entry["image"]: entry for entry in entries}
            if self.done:
                what = "image was" if len(self.done) == 1 else "images were"
                notes.append(f"{len(self.done)} {what} evaluated in an earlier run.")
        elif found is not None:
            notes.append(
                "Data set or settings have changed since the earlier run; everything was computed "
                "anew."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Written again, so that a torn line does not stay in the middle.
            temporary = path.with_name(path.name + ".part")
            lines = [json.dumps(line) for line in (header, *self.done.values())]
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
            temporary.replace(path)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise EvaluationError(
                f"The results cannot be written to “{path}”: {error.strerror}. Choose another "
                "folder."
            ) from error

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an image's results."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            raise EvaluationError(
                f"The results cannot be written ({error.strerror}). Free some space, and go on "
                "from there."
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _read_lines(path: Path) -> tuple[Any, list[dict[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None, []
    values = []
    for line in lines:
        try:
            values.append(json.loads(line))
        except ValueError:
            break
    good = [v for v in values[1:] if isinstance(v, dict) and "image" in v]
    return (values[0] if values else None), good


def _rows(entries: Iterable[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for entry in entries for row in entry.get(kind, ())]


def _columns(settings: EvaluationSettings) -> list[str]:
    columns = ["image", "object", "label", "area", "method", "tp", "fp", "fn", "tn", "iou"]
    columns += ["dice", "precision", "recall", "fpr", "predicted_iou", "seconds"]
    return columns + (["boundary_f", "boundary_iou", "hausdorff_95"] if settings.outlines else [])


def _image_columns(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = ["image", "method", "objects", "image_seconds"]
    for row in _rows(entries, "images"):
        columns += [key for key in row if key not in columns]
    return columns
