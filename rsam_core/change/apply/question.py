"""What a question needs and what may be set, so that a page can ask for it in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from rsam_core.change.aligned import Alignment
from rsam_core.change.apply.answer import Answer
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Site
from rsam_core.change.summary import years_between
from rsam_core.errors import ApplyError, ChangeError


@dataclass(frozen=True)
class Need:
    """A layer that a question takes.

    Attributes
    ----------
    key, title : str
    text : str
        What it is for, and how to get it.
    dimensions : tuple of int
        2 for areas, 1 for lines, 0 for points.
    optional : bool
    date : int or None
        0 and 1: objects of the earlier and the later date are meant.
    kinds : tuple of str
        Classes of objects that are meant.
    """

    key: str
    title: str
    text: str
    dimensions: tuple[int, ...] = (2,)
    optional: bool = False
    date: int | None = None
    kinds: tuple[str, ...] = ("building",)


@dataclass(frozen=True)
class Setting:
    """A number, a word or a choice that a person types.

    Attributes
    ----------
    key, title : str
    default : float, str or None
        None for a number that has to be typed, or may be left empty.
    unit, help : str
    low, high, step : float
        Of a number.
    choices : tuple of str
        If there are any, one of them is chosen.
    optional : bool
        Whether a number may be left empty.
    """

    key: str
    title: str
    default: float | str | None
    unit: str = ""
    help: str = ""
    low: float = 0.0
    high: float = 1e12
    step: float = 1.0
    choices: tuple[str, ...] = ()
    optional: bool = False

    def checked(self, value: Any) -> Any:
        """A value that was typed.

        Raises
        ------
        ApplyError
            It makes no sense.
        """
        if self.choices:
            if value not in self.choices:
                raise ApplyError(f"“{self.title}” is one of: {', '.join(self.choices)}.")
            return value
        if isinstance(self.default, str):
            return str(value if value is not None else self.default)[:200]
        if value is None:
            if self.optional:
                return None
            raise ApplyError(f"Type a number for “{self.title}”.")
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise ApplyError(f"“{self.title}” has to be a number.") from error
        if not self.low <= number <= self.high:
            raise ApplyError(
                f"“{self.title}” lies from {self.low:g} to {self.high:g} {self.unit}".strip() + "."
            )
        return number

    def words(self, value: Any) -> str:
        """The value with its unit."""
        if value is None:
            return "not given"
        return f"{value:,g} {self.unit}".strip() if isinstance(value, float) else str(value)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is there to answer a question with.

    Attributes
    ----------
    site : Site
    layers : mapping of str to Features
        By `Need.key`.
    values : mapping of str to object
        By `Setting.key`; defaults stand for what is missing.
    dates : tuple of str
        "2019", "2019-06" or "2019-06-30", earliest first; empty where one is not known.
    alignment : Alignment or None
        Both pictures on the common grid, which is that of the site.
    progress, cancelled : callable or None
        For what takes long.
    """

    site: Site
    layers: Mapping[str, Features] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    dates: tuple[str, ...] = ()
    alignment: Alignment | None = None
    progress: Callable[[float], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def layer(self, key: str) -> Features | None:
        """A layer, if it is there."""
        return self.layers.get(key)

    @property
    def years(self) -> float | None:
        """Years between the first two dates; None without them.

        Raises
        ------
        ApplyError
            One is no date, or they are the wrong way round.
        """
        if len(self.dates) < 2:
            return None
        try:
            return years_between(self.dates[0], self.dates[1])
        except ChangeError as error:
            raise ApplyError(str(error)) from error


@dataclass(frozen=True)
class Missing:
    """Something without which a question cannot be answered.

    Attributes
    ----------
    key : str
        Of the need or setting; "dates", or "second date".
    text : str
        What is missing, and how to get it.
    """

    key: str
    text: str


@dataclass(frozen=True, eq=False)
class Question:
    """A question that people ask of pictures.

    Attributes
    ----------
    key, title, icon : str
    asks : str
        The question in one sentence.
    gives : str
        What the answer holds, in one sentence.
    needs : tuple of Need
    settings : tuple of Setting
    run : callable
        Gives the answer of `Inputs`; see `answer`.
    dates : bool
        Whether both dates have to be known.
    pictures : bool
        Whether it looks at the pictures of both dates.
    """

    key: str
    title: str
    icon: str
    asks: str
    gives: str
    needs: tuple[Need, ...]
    settings: tuple[Setting, ...]
    run: Callable[[Inputs], Answer]
    dates: bool = False
    pictures: bool = False

    def missing(self, inputs: Inputs) -> list[Missing]:
        """What has to be given before the question can be answered."""
        found = []
        if self.pictures and inputs.alignment is None:
            found.append(Missing("second date", "A second picture of the same place. Open it on "
                                 "the Change page."))  # fmt: skip
        if self.dates and not (len(inputs.dates) >= 2 and all(inputs.dates)):
            found.append(Missing("dates", "When both pictures were taken, for example 2019 and "
                                 "2023-06."))  # fmt: skip
        for need in self.needs:
            if not need.optional and inputs.layer(need.key) is None:
                found.append(Missing(need.key, f"{need.title}. {need.text}"))
        for setting in self.settings:
            given = inputs.values.get(setting.key, setting.default)
            if given is None and not setting.optional:
                found.append(Missing(setting.key, f"A number for “{setting.title}”."))
        return found

    def answer(self, inputs: Inputs) -> Answer:
        """Answer the question.

        Raises
        ------
        ApplyError
            Something is missing or makes no sense.
        Cancelled
            `Inputs.cancelled` said so.
        """
        missing = self.missing(inputs)
        if missing:
            raise ApplyError("Missing: " + " ".join(one.text for one in missing))
        values = {s.key: s.checked(inputs.values.get(s.key, s.default)) for s in self.settings}
        layers = {}
        for need in self.needs:
            given = inputs.layer(need.key)
            if given is not None:
                layers[need.key] = _fitting(need, given)
        full = Inputs(inputs.site, layers, values, inputs.dates, inputs.alignment,
                      inputs.progress, inputs.cancelled)  # fmt: skip
        made = self.run(full)
        told = [note for layer in layers.values() for note in layer.notes]
        return replace(
            made,
            question=self.key,
            title=self.title,
            dates=tuple(date for date in inputs.dates if date),
            settings={s.title: s.words(values[s.key]) for s in self.settings} | dict(made.settings),
            inputs={
                need.title: f"{layers[need.key].name} ({len(layers[need.key]):,})"
                if need.key in layers else "not given"
                for need in self.needs
            } | dict(made.inputs),
            notes=tuple(dict.fromkeys((*made.notes, *told))),
        )  # fmt: skip


def _fitting(need: Need, layer: Features) -> Features:
    import numpy as np
    import shapely

    if not len(layer):
        return layer
    dimensions = shapely.get_dimensions(layer.shapes)
    fits = np.isin(dimensions, need.dimensions)
    if fits.all():
        return layer
    names = {0: "points", 1: "lines", 2: "areas"}
    wanted = " or ".join(names[d] for d in need.dimensions)
    if not fits.any():
        held = " and ".join(names[d] for d in sorted(set(dimensions.tolist())))
        raise ApplyError(
            f"“{layer.name}” holds {held}; “{need.title}” needs {wanted}. Choose another layer."
        )
    kept = layer.select(fits)
    note = f"{int((~fits).sum()):,} entries of “{layer.name}” are no {wanted} and do not count."
    return replace(kept, notes=(*kept.notes, note))


def text_of_dates(dates: Sequence[str]) -> tuple[str, str]:
    """Names of both dates for headings."""
    first, second = (*dates, "", "")[:2]
    return first or "first date", second or "second date"
