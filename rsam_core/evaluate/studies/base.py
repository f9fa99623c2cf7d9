"""What all studies share: the objects drawn, the result, the summary by condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, EvaluationError, RsamError
from rsam_core.evaluate.datasets import Dataset, Sample
from rsam_core.evaluate.environment import environment
from rsam_core.evaluate.metrics import confusion, iou
from rsam_core.evaluate.sample import full_mask, pieces, tiles
from rsam_core.evaluate.statistics.bootstrap import Interval
from rsam_core.evaluate.statistics.clustered import clustered_interval, signed
from rsam_core.runtime.progress import Progress

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Mask = NDArray[np.bool_]
Samples = Dataset | Sample | Sequence[Sample]


@dataclass(frozen=True)
class StudySettings:
    """What every study asks.

    Parameters
    ----------
    max_objects : int
        Objects drawn at random from all images; the study takes them all if there are fewer.
    min_area : int
        Smallest object in pixels.
    seed : int
        Of every random choice.
    """

    max_objects: int = 100
    min_area: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_objects < 1:
            raise EvaluationError("A study needs at least one object.")
        if self.min_area < 1:
            raise EvaluationError("The smallest object must have at least 1 pixel.")


@dataclass(frozen=True, eq=False)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    key, title : str
    question : str
        What was asked.
    answer : str
        What was found, in sentences made of the numbers.
    method : str
        How it was done, for the methods section of a report.
    settings : StudySettings
    table : pandas.DataFrame
        One row a condition and prompt: ``condition``, ``prompt``, ``objects``, ``mean``, ``low``
        and ``high`` (95 % interval, images drawn).
    rows : pandas.DataFrame
        One row an object, condition and prompt: ``image``, ``object``, ``area``, ``condition``,
        ``prompt``, ``iou``.
    model : str
        Name of the model.
    environment : dict of str to str
    """

    key: str
    title: str
    question: str
    answer: str
    method: str
    settings: StudySettings
    table: pd.DataFrame = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    model: str
    draw: Callable[[StudyResult], Figure] = field(repr=False)
    environment: dict[str, str] = field(default_factory=environment, repr=False)

    def figure(self) -> Figure:
        """The study's figure; the caller saves it."""
        return self.draw(self)

    def to_dict(self) -> dict[str, Any]:
        """All but the single objects, ready for JSON."""
        return {
            "key": self.key,
            "title": self.title,
            "question": self.question,
            "answer": self.answer,
            "method": self.method,
            "model": self.model,
            "settings": asdict(self.settings),
            "table": self.table.to_dict("records"),
            "environment": dict(self.environment),
        }


@dataclass(frozen=True, eq=False)
class Target:
    """An object that was drawn for a study.

    Attributes
    ----------
    image : str
        Name of its image (or tile).
    name : str
        Number of the object.
    truth : ndarray of bool, shape (H, W)
    """

    image: str
    name: str
    truth: Mask


def drawn_objects(
    samples: Samples,
    settings: StudySettings,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[Sample, list[Target], float]]:
    """Images with the objects drawn in them, and the share of all objects done before.

    Images without a drawn object, and those that cannot be read, are left out. Images are read
    twice, once to count.

    Raises
    ------
    EvaluationError
        If there is no object of the smallest size or more.
    DatasetError
        If no image can be read.
    Cancelled
        If it was asked to stop.
    """
    readers = _readers(samples)
    names: list[tuple[int, str, str]] = []
    failed: list[RsamError] = []
    for number, read in enumerate(readers):
        check(cancelled)
        if progress is not None:
            progress(0.0, f"Counting the objects of image {number + 1} of {len(readers)}")
        try:
            sample = read()
        except RsamError as error:
            failed.append(error)
            continue
        for tile in tiles(sample, _MAX_SIDE):
            found = pieces(tile.truth, settings.min_area)
            names += [(number, tile.name, name) for name, _ in found]
    if failed and len(failed) == len(readers):
        raise failed[0]
    if not names:
        raise EvaluationError(
            f"There is no true object of {settings.min_area} pixels or more. Add truth, or allow "
            "smaller objects."
        )
    if len(names) > settings.max_objects:
        generator = np.random.default_rng(settings.seed)
        chosen = generator.choice(len(names), settings.max_objects, replace=False)
        names = [names[i] for i in sorted(chosen)]
    wanted = set(names)
    done = 0
    for number in sorted({name[0] for name in names}):
        for tile in tiles(readers[number](), _MAX_SIDE):
            check(cancelled)
            targets = [
                Target(tile.name, name, full_mask(item, tile.image.shape[:2]))
                for name, item in pieces(tile.truth, settings.min_area)
                if (number, tile.name, name) in wanted
            ]
            if targets:
                yield tile, targets, done / len(names)
                done += len(targets)


_MAX_SIDE = 1024


def _readers(samples: Samples) -> list[Callable[[], Sample]]:
    if isinstance(samples, Sample):
        samples = [samples]
    if isinstance(samples, Dataset):
        return [item.read for item in samples.items]
    return [lambda sample=sample: sample for sample in samples]


def check(cancelled: Callable[[], bool] | None) -> None:
    """Raise :class:`Cancelled` if it was asked to stop."""
    if cancelled is not None and cancelled():
        raise Cancelled("The study was stopped.")


def report(progress: Progress | None, share: float, target: Target | Sample) -> None:
    """Tell how far it is."""
    if progress is not None:
        progress(share, target.image if isinstance(target, Target) else target.name)


def agreement(truth: Mask, mask: Mask) -> float:
    """IoU of one object."""
    return iou(confusion(truth, mask))


def row(target: Target, condition: float | str, prompt: str, value: float) -> dict[str, Any]:
    """A row of :attr:`StudyResult.rows`."""
    return {
        "image": target.image,
        "object": target.name,
        "area": int(target.truth.sum()),
        "condition": condition,
        "prompt": prompt,
        "iou": value,
    }


def summary(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Mean and interval by condition and prompt, in the order in which they first occur."""
    import pandas as pd

    table = []
    for (condition, prompt), part in rows.groupby(["condition", "prompt"], sort=False):
        bounds = clustered_interval(part["iou"], part["image"], seed=seed)
        table.append(
            {
                "condition": condition,
                "prompt": prompt,
                "objects": len(part),
                "mean": bounds.value,
                "low": bounds.low,
                "high": bounds.high,
            }
        )
    columns = ["condition", "prompt", "objects", "mean", "low", "high"]
    return pd.DataFrame(table, columns=columns)


def drop(rows: pd.DataFrame, prompt: str, first: Any, second: Any, seed: int) -> str:
    """Paired change of the mean IoU from one condition to another, in words."""
    part = rows[rows["prompt"] == prompt]
    one = part[part["condition"] == first].set_index(["image", "object"])["iou"]
    two = part[part["condition"] == second].set_index(["image", "object"])["iou"]
    pairs = one.to_frame("one").join(two.rename("two"), how="inner").reset_index()
    bounds = clustered_interval(pairs["two"] - pairs["one"], pairs["image"], seed=seed)
    text = f"{pairs['one'].mean():.3f} to {pairs['two'].mean():.3f}"
    if not np.isfinite(bounds.low):
        return f"{text} (too few objects for an interval)"
    return f"{text} (paired change {spoken(bounds)})"


def spoken(bounds: Interval) -> str:
    """A difference with its interval, in words."""
    value, low, high = (signed(v) for v in (bounds.value, bounds.low, bounds.high))
    if not np.isfinite(bounds.low):
        return f"{value}, too few objects for an interval"
    return f"{value}, {100 * bounds.level:.0f} % interval {low} to {high}"
