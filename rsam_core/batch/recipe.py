"""What is done with each scene of a batch, saved as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from rsam_core.batch.outputs import EXPORTS
from rsam_core.errors import BatchError, RsamError
from rsam_core.objects.classify.classes import ObjectClass
from rsam_core.objects.classify.rules import Condition, Rule
from rsam_core.objects.refine.settings import RefineSettings
from rsam_core.prepare.pipeline import Pipeline
from rsam_core.runtime.given import given
from rsam_core.segment.everything import EverythingSettings

FORMAT, VERSION = "rsam-batch", 1
_MAX = 1e15


@dataclass(frozen=True)
class ClassRule:
    """A class, and which objects belong to it.

    Parameters
    ----------
    name : str
    rule : Rule
        On the columns of the table of measures, those of shape included.

    Raises
    ------
    ClassifyError
        If the name cannot be that of a class.
    """

    name: str
    rule: Rule

    def __post_init__(self) -> None:
        # Names keep the same rules as in the app.
        object.__setattr__(self, "name", ObjectClass(self.name, "#000000").name)


@dataclass(frozen=True)
class Recipe:
    """What is done with each scene.

    Parameters
    ----------
    model : str
        Name of the model.
    prepare : Pipeline
        Steps before segmenting; none by default.
    segment : EverythingSettings
        Density of the grid and thresholds.
    refine : RefineSettings or None
        None leaves the outlines as they are.
    classify : tuple of ClassRule
        Later ones win.
    keep : tuple of str
        Only objects of these classes are exported; all if there is none.
    export : tuple of str
        Formats, keys of `EXPORTS`.
    tile : int
        Side of the tiles that scenes are cut into, in pixels, at least 128.

    Raises
    ------
    BatchError
        If a value is not possible.
    """

    model: str = "rsam-tiny"
    prepare: Pipeline = field(default_factory=Pipeline)
    segment: EverythingSettings = field(default_factory=EverythingSettings)
    refine: RefineSettings | None = field(default_factory=RefineSettings)
    classify: tuple[ClassRule, ...] = ()
    keep: tuple[str, ...] = ()
    export: tuple[str, ...] = ("gpkg", "csv")
    tile: int = 1024

    def __post_init__(self) -> None:
        unknown = [name for name in self.export if name not in EXPORTS]
        if unknown or not self.export:
            what = "There is no format to export to"
            if unknown:
                what = f"{given(unknown[0])} is no format"
            raise BatchError(f"{what}. Choose from: {', '.join(EXPORTS)}.")
        names = {rule.name for rule in self.classify}
        lost = [name for name in self.keep if name not in names]
        if lost:
            raise BatchError(
                f"“keep” names the class {given(lost[0])}, which no rule under “classify” gives. "
                "Add a rule for it, or take it out of “keep”."
            )
        if isinstance(self.tile, bool) or not isinstance(self.tile, int) or self.tile < 128:
            raise BatchError(f"“tile” must be a whole number from 128 on, not {given(self.tile)}.")

    def to_json(self) -> str:
        """The recipe as text; `from_json` reads it."""
        data = {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "prepare": json.loads(self.prepare.to_json()),
            "segment": asdict(self.segment),
            "refine": self.refine.to_dict() if self.refine else None,
            "classify": [{"class": c.name, **c.rule.to_json()} for c in self.classify],
            "keep": list(self.keep),
            "export": list(self.export),
            "tile": self.tile,
        }
        return json.dumps(data, indent=2, ensure_ascii=False)

    @property
    def fingerprint(self) -> str:
        """Differs between recipes that differ."""
        return hashlib.blake2b(self.to_json().encode(), digest_size=8).hexdigest()

    def describe(self) -> str:
        """What is done, in words, a line for each step."""
        steps = ", ".join(step.title for step in self.prepare.steps) or "nothing"
        s = self.segment
        classes = "; ".join(f"{c.name} if {c.rule}" for c in self.classify) or "nothing"
        lines = [
            f"Prepare: {steps}",
            f"Segment: everything, {self.model}, a point each {s.spacing:g} pixels, quality from "
            f"{s.min_quality:g}, stability from {s.min_stability:g}",
            f"Refine: {self.refine.describe() if self.refine else 'nothing'}",
            f"Classify: {classes}" + (f"; keep {', '.join(self.keep)}" if self.keep else ""),
            f"Export: {', '.join(EXPORTS[name].title for name in self.export)}",
        ]
        return "\n".join(lines)

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read a recipe; what it leaves out has its usual value.

        Raises
        ------
        BatchError
            If it is no recipe, is of a newer version, or something in it is not possible; the
            message names the place.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BatchError(
                f"The recipe is not valid JSON{_where(error)}. Correct it, or begin with "
                "“python -m rsam_core.batch example”."
            ) from error
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise BatchError(
                "This file is no recipe for a batch. Begin with "
                "“python -m rsam_core.batch example”."
            )
        version = data.pop("version", None)
        if not isinstance(version, int) or not 1 <= version <= VERSION:
            raise BatchError(
                f"This recipe has {_version(version)}, and this RSAM reads up to {VERSION}. "
                "Update RSAM."
            )
        unknown = sorted(data.keys() - _READERS.keys())
        if unknown:
            raise BatchError(
                f"The recipe has an unknown entry {given(unknown[0])}. There are: "
                f"{', '.join(_READERS)}."
            )
        values = {}
        for name, value in data.items():
            try:
                values[name] = _READERS[name](value)
            except RsamError as error:
                raise BatchError(f"The recipe's entry “{name}”: {error}") from error
        return cls(**values)


def _where(error: Exception) -> str:
    """Where a text stops being JSON, if that is known."""
    if isinstance(error, json.JSONDecodeError):
        return f" (line {error.lineno}, place {error.colno})"
    return ""


def _version(value: Any) -> str:
    return "no version" if value is None else f"version {given(value)}"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BatchError(f"it must be a name, not {given(value)}.")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BatchError(f"it must be a list of names, not {given(value)}.")
    return tuple(_text(item) for item in value)


def _pipeline(value: Any) -> Pipeline:
    return Pipeline() if value is None else Pipeline.from_json(json.dumps(value))


def _settings(kind: type, value: Any) -> Any:
    """Settings of one kind, from numbers by name."""
    if not isinstance(value, Mapping):
        raise BatchError(f"it must hold settings by name, not {given(value)}.")
    known = {entry.name: entry.default for entry in fields(kind)}
    for name, told in value.items():
        if name not in known:
            raise BatchError(f"there is no setting {given(name)}. There are: {', '.join(known)}.")
        wanted = type(known[name])
        fits = isinstance(told, wanted)
        if wanted is float:
            fits = isinstance(told, int | float) and not isinstance(told, bool)
        # Neither NaN nor whole numbers that no decimal can hold.
        if isinstance(told, int | float) and not abs(told) <= _MAX:
            fits = False
        if not fits:
            what = {bool: "true or false", str: "a word"}.get(wanted, "a number")
            raise BatchError(f"“{name}” must be {what}, not {given(told)}.")
    return kind(**value)


def _refine(value: Any) -> RefineSettings | None:
    return None if value is None else _settings(RefineSettings, value)


def _rules(value: Any) -> tuple[ClassRule, ...]:
    if not isinstance(value, list):
        raise BatchError(f"it must be a list of classes with their conditions, not {given(value)}.")
    rules = []
    for entry in value:
        if not isinstance(entry, Mapping):
            raise BatchError(f"each class needs “class” and “items”, not {given(entry)}.")
        rules.append(ClassRule(_text(entry.get("class")), Rule.from_json(entry)))
    return tuple(rules)


def _whole(value: Any) -> Any:
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "model": _text,
    "prepare": _pipeline,
    "segment": lambda value: _settings(EverythingSettings, value),
    "refine": _refine,
    "classify": _rules,
    "keep": _texts,
    "export": _texts,
    "tile": _whole,
}

EXAMPLE = Recipe(
    classify=(
        ClassRule("building", Rule((Condition("area_m2", "between", 30, 2000),
                                    Condition("solidity", ">=", 0.85)))),
    ),
    keep=("building",),
    export=("gpkg", "geojson", "csv", "labels"),
)  # fmt: skip
"""A recipe to begin with: compact objects of the size of buildings."""
