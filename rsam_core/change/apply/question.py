"""What a question needs and what may be set, so that a page can ask for it in plain words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from rsam_core.change.aligned import Alignment
from rsam_core.change.apply.answer import Answer
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.site import Site
from rsam_core.change.picture import Picture
from rsam_core.change.summary import years_between
from rsam_core.errors import ApplyError, ChangeError


@dataclass(frozen=True, eq=False)
class Dated:
    """Pictures of one place at several dates, on one grid over the same ground as the site's.

    Attributes
    ----------
    pictures : sequence of Picture
        In the order of time.
    dates : tuple of str
        One a picture; empty where it is not known.
    """

    pictures: Sequence[Picture]
    dates: tuple[str, ...]


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
    series : Dated or None
        More dates than two, for questions that look at them.
    progress, cancelled : callable or None
        For what takes long.
    """

    site: Site
    layers: Mapping[str, Features] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    dates: tuple[str, ...] = ()
    alignment: Alignment | None = None
    series: Dated | None = None
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
    series : bool
        Whether it may look at a series in place of them.
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
    series: bool = False

    def asked(self, given: Collection[str]) -> tuple[tuple[Need, ...], tuple[Setting, ...]]:
        """Needs and settings that are asked for once these layers are given."""
        needs = tuple(n for n in self.needs if not n.beside or n.beside in given)
        settings = tuple(s for s in self.settings if not s.beside or s.beside in given)
        return needs, settings

    def missing(self, inputs: Inputs) -> list[Missing]:
        """What has to be given before the question can be answered."""
        found = []
        if self.pictures and inputs.alignment is None and not (self.series and inputs.series):
            more = ", or a series on the Follow page" if self.series else ""
            found.append(Missing("second date", "A second picture of the same place. Open it on "
                                 f"the Change page{more}."))  # fmt: skip
        if self.dates and not (len(inputs.dates) >= 2 and all(inputs.dates)):
            found.append(Missing("dates", "When both pictures were taken, for example 2019 and "
                                 "2023-06."))  # fmt: skip
        needs, settings = self.asked(inputs.layers)
        for need in needs:
            if not need.optional and inputs.layer(need.key) is None:
                found.append(Missing(need.key, f"{need.title}. {need.text}"))
        for setting in settings:
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
        needs, settings = self.asked(layers)
        full = replace(inputs, layers=layers, values=values)
        made = self.run(full)
        told = [note for layer in layers.values() for note in layer.notes]
        return replace(
            made,
            question=self.key,
            title=self.title,
            dates=made.dates or tuple(date for date in inputs.dates if date),
            settings={s.title: s.words(values[s.key]) for s in settings} | dict(made.settings),
            inputs={
                need.title: f"{layers[need.key].name} ({len(layers[need.key]):,})"
                if need.key in layers else "not given"
                for need in needs
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
