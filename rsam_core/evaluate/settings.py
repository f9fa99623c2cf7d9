"""What an evaluation is to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.methods.prompted import check_names

FORMAT = 1
"""Version of the results files."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What is compared, on which objects.

    Parameters
    ----------
    models : tuple of str
        Names of promptable models.
    prompts : tuple of str
        What each model is given; see :data:`rsam_core.evaluate.methods.prompted.PROMPTS`.
    methods : tuple of str
        Classical methods; see :data:`rsam_core.evaluate.methods.prompted.BASELINES`.
    min_area : int
        Smallest object in pixels; smaller ones are left out.
    max_side : int
        Images with a longer side are cut into equal tiles that are not.
    tolerance : float
        Pixels by which an outline may be off, for the boundary F-score.
    outlines : bool
        Whether to compute the metrics of outlines, a few milliseconds an object.
    limit : int or None
        Most images, drawn by `seed`; all if None.
    seed : int
        Of every random choice: images drawn, intervals.

    Raises
    ------
    EvaluationError
        If nothing is to be compared or a value is out of range.
    """

    models: tuple[str, ...] = ("rsam-tiny",)
    prompts: tuple[str, ...] = ("box", "1", "3")
    methods: tuple[str, ...] = ()
    min_area: int = 100
    max_side: int = 1024
    tolerance: float = 2.0
    outlines: bool = True
    limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("models", "prompts", "methods"):
            value = getattr(self, name)
            value = (value,) if isinstance(value, str) else tuple(value)
            object.__setattr__(self, name, tuple(dict.fromkeys(value)))
        check_names(self.prompts, self.methods)
        if not self.methods and not (self.models and self.prompts):
            raise EvaluationError("Nothing to compare. Choose at least one prompt or method.")
        if self.min_area < 1:
            raise EvaluationError("The smallest object must have at least 1 pixel.")
        if self.max_side < 64:
            raise EvaluationError("Tiles must be at least 64 pixels wide.")
        if not self.tolerance > 0:
            raise EvaluationError("The tolerance of outlines must be above 0 pixels.")
        if self.limit is not None and self.limit < 1:
            raise EvaluationError("At least one image must be evaluated.")

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EvaluationSettings:
        """Settings from :meth:`to_dict`; unknown names are ignored."""
        known = {field.name for field in fields(cls)}
        return replace(cls(), **{k: v for k, v in values.items() if k in known})

    def fingerprint(self, dataset: str) -> str:
        """Text that changes with the settings or the data set (its fingerprint)."""
        values = {"format": FORMAT, "dataset": dataset, **self.to_dict()}
        # The seed of the intervals and the limit are in the data set's own fingerprint.
        values.pop("limit")
        values.pop("seed")
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
