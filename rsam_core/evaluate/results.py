"""What an evaluation found, and the tables made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.settings import EvaluationSettings
from rsam_core.evaluate.statistics.bootstrap import Interval, interval
from rsam_core.evaluate.statistics.clustered import clustered_interval, ratio_interval

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.evaluate.methods.base import Method

SIZES: tuple[tuple[str, float, float], ...] = (
    ("under 32²", 0, 32**2),
    ("32² to 96²", 32**2, 96**2),
    ("above 96²", 96**2, float("inf")),
)
"""Sizes of objects in pixels as COCO divides them."""

MEASURES: Mapping[str, str] = {
    "iou": "IoU",
    "dice": "Dice",
    "precision": "Precision",
    "recall": "Recall",
    "fpr": "FPR",
    "boundary_f": "Boundary F",
    "boundary_iou": "Boundary IoU",
    "hausdorff_95": "Hausdorff 95 % (px)",
}
"""Columns of accuracy and their titles."""


@dataclass(frozen=True)
class MethodInfo:
    """What a report says of a method; see :class:`rsam_core.evaluate.methods.base.Method`."""

    key: str
    title: str
    prompt: str
    model: str | None
    sees_truth: bool

    @classmethod
    def of(cls, method: Method) -> MethodInfo:
        """The facts about a method."""
        return cls(method.key, method.title, method.prompt, method.model, method.sees_truth)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The results of one data set (or one image).

    Attributes
    ----------
    name : str
        Of the data set.
    settings : EvaluationSettings
    methods : tuple of MethodInfo
        In the order of the tables.
    objects : pandas.DataFrame
        One row an object and method; see :func:`rsam_core.evaluate.evaluate_sample`.
    images : pandas.DataFrame
        One row an image and method.
    failures : tuple of (str, str)
        Images that could not be read, and why.
    notes : tuple of str
        What the reader should know.
    environment : mapping of str to str
        Versions, computer, date.
    images_done, images_total : int
        Fewer were done if it was stopped.
    """

    name: str
    settings: EvaluationSettings
    methods: tuple[MethodInfo, ...]
    objects: pd.DataFrame = field(repr=False)
    images: pd.DataFrame = field(repr=False)
    failures: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    images_done: int = 0
    images_total: int = 0

    @property
    def complete(self) -> bool:
        """Whether no image is missing."""
        return self.images_done >= self.images_total

    @property
    def measures(self) -> list[str]:
        """Columns of accuracy that were computed."""
        return [key for key in MEASURES if key in self.objects]

    def info(self, method: str) -> MethodInfo:
        """The facts about a method by its key.

        Raises
        ------
        EvaluationError
            If it was not evaluated.
        """
        for info in self.methods:
            if info.key == method:
                return info
        names = ", ".join(m.key for m in self.methods)
        raise EvaluationError(f"“{method}” was not evaluated. Choose from: {names}.")

    def of(self, method: str) -> pd.DataFrame:
        """Rows of one method."""
        self.info(method)
        return self.objects[self.objects["method"] == method]

    def mean(self, method: str, measure: str = "iou") -> Interval:
        """Mean over all objects; the interval comes from drawing images."""
        rows = self.of(method)
        return clustered_interval(rows[measure], rows["image"], seed=self.settings.seed)

    def table(self) -> pd.DataFrame:
        """Methods side by side, one row each.

        Columns: ``method``, ``title``, ``prompt``, ``sees_truth``, ``objects``, the mean of each
        measure with ``iou_low`` and ``iou_high`` (95 % interval, images drawn), ``iou_median``,
        ``iou_over_50`` and ``iou_over_75`` (shares of objects), ``seconds`` (median an object)
        and ``image_seconds`` (median an image). An infinite Hausdorff distance (nothing was
        found) is left out of the mean.
        """
        import pandas as pd

        rows = []
        for info in self.methods:
            part = self.of(info.key)
            row: dict[str, Any] = {
                "method": info.key,
                "title": info.title,
                "prompt": info.prompt,
                "sees_truth": info.sees_truth,
                "objects": len(part),
            }
            if len(part):
                bounds = self.mean(info.key)
                row |= {"iou": bounds.value, "iou_low": bounds.low, "iou_high": bounds.high}
                row["iou_median"] = float(part["iou"].median())
                row["iou_over_50"] = float((part["iou"] >= 0.5).mean())
                row["iou_over_75"] = float((part["iou"] >= 0.75).mean())
                for key in self.measures[1:]:
                    values = part[key].to_numpy(float)
                    values = values[np.isfinite(values)]
                    row[key] = float(values.mean()) if len(values) else float("nan")
                row["seconds"] = float(part["seconds"].median())
            done = self.images[self.images["method"] == info.key]
            if len(done):
                row["image_seconds"] = float(done["image_seconds"].median())
            rows.append(row)
        return pd.DataFrame(rows)

    def by_size(
        self, measure: str = "iou", sizes: Sequence[tuple[str, float, float]] = SIZES
    ) -> pd.DataFrame:
        """Mean by size of the object: ``method``, ``title``, ``size``, ``objects``, ``mean``,
        ``low``, ``high``; sizes without objects are left out."""

        def parts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
            for name, low, high in sizes:
                yield name, rows[(rows["area"] >= low) & (rows["area"] < high)]

        return self._means("size", parts, measure)

    def by_label(self, measure: str = "iou") -> pd.DataFrame:
        """Mean by class of the object: ``method``, ``title``, ``label``, ``objects``, ``mean``,
        ``low``, ``high``; empty if the truth names no classes."""
        return self._means(
            "label", lambda rows: rows.dropna(subset=["label"]).groupby("label"), measure
        )

    def _means(
        self,
        column: str,
        parts: Callable[[pd.DataFrame], Iterable[tuple[str, pd.DataFrame]]],
        measure: str,
    ) -> pd.DataFrame:
        """Mean and interval by method and part of its rows; parts without rows are left out."""
        import pandas as pd

        rows = []
        for info in self.methods:
            for name, some in parts(self.of(info.key)):
                if not len(some):
                    continue
                bounds = clustered_interval(some[measure], some["image"], seed=self.settings.seed)
                rows.append(
                    {
                        "method": info.key,
                        "title": info.title,
                        column: name,
                        "objects": len(some),
                        "mean": bounds.value,
                        "low": bounds.low,
                        "high": bounds.high,
                    }
                )
        columns = ["method", "title", column, "objects", "mean", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def by_image(self, method: str | None = None, measure: str = "iou") -> pd.DataFrame:
        """One row an image, the worst first: ``image``, ``objects``, mean and lowest value.

        Parameters
        ----------
        method : str, optional
            The first one by default.
        measure : str
        """
        part = self.of(method or self.methods[0].key)
        grouped = part.groupby("image")[measure]
        table = grouped.agg(objects="size", mean="mean", lowest="min").reset_index()
        return table.sort_values(["mean", "image"], kind="stable", ignore_index=True)

    def detection(self) -> pd.DataFrame:
        """Methods that find objects unprompted, over the objects of all images together.

        Columns: ``method``, ``title``, ``images``, then for each metric its value and, with
        ``_low`` and ``_high``, its interval (images drawn): ``precision``, ``recall``, ``f1`` (at
        IoU 0.5), ``f1_mean`` (0.5 to 0.95), ``panoptic_quality``, ``mean_best_iou`` (of a true
        object), and ``count_error`` (predicted minus true objects, mean of the images). An image
        without true objects adds its false ones and no recall. Empty if there is no such method.
        """
        import pandas as pd

        if "panoptic_quality" not in self.images:
            return pd.DataFrame()
        rows = []
        for info in self.methods:
            part = self.images[self.images["method"] == info.key]
            part = part.dropna(subset=["panoptic_quality"])
            if not len(part):
                continue
            true, found = part["n_truth"], part["n_predicted"]
            # Each metric is a ratio, so the ratios of images add up by their denominators.
            wholes = {
                "precision": found,
                "recall": true,
                "f1": true + found,
                "f1_mean": true + found,
                "panoptic_quality": true + found,
                "mean_best_iou": true,
            }
            row: dict[str, Any] = {"method": info.key, "title": info.title, "images": len(part)}
            for key, whole in wholes.items():
                bounds = ratio_interval(part[key] * whole, whole, seed=self.settings.seed)
                row |= {key: bounds.value, f"{key}_low": bounds.low, f"{key}_high": bounds.high}
            bounds = interval(part["count_error"], seed=self.settings.seed)
            row |= {"count_error": bounds.value}
            row |= {"count_error_low": bounds.low, "count_error_high": bounds.high}
            rows.append(row)
        return pd.DataFrame(rows)

    def best(self) -> str | None:
        """Key of the method with the highest mean IoU that does not see the truth."""
        table = self.table()
        if "iou" not in table:
            return None
        fair = table[~table["sees_truth"].astype(bool)].dropna(subset=["iou"])
        fair = fair if len(fair) else table.dropna(subset=["iou"])
        return str(fair.loc[fair["iou"].idxmax(), "method"]) if len(fair) else None
