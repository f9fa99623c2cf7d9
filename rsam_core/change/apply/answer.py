"""An answer: findings on the ground, figures, and everything that they rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Site

if TYPE_CHECKING:
    import pandas as pd

INDICATION = (
    "Indication, not proof: outlines come from pictures and may be wrong, displaced or out of "
    "date. Check on site, or with the authority concerned, before anything is decided by it."
)
"""What is printed on everything that leaves the program."""

HECTARE, ACRE = 10_000.0, 4046.8564224
"""Square metres."""

VERDICT = "verdict"
"""Column of the findings that says what was found."""


@dataclass(frozen=True)
class Figure:
    """One number of an answer.

    Attributes
    ----------
    label : str
    value : float or int or str or None
        None where nothing can be said; `note` says why.
    unit : str
        "m²" is shown in hectares and acres as well.
    note : str
    """

    label: str
    value: float | int | str | None
    unit: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """The value with its unit, for people."""
        if self.value is None or (isinstance(self.value, float) and not math.isfinite(self.value)):
            return "–"
        if isinstance(self.value, str):
            return self.value
        if self.unit == "m²":
            return area_text(self.value)
        if isinstance(self.value, int | np.integer):
            number = f"{self.value:,}"
        else:
            size = abs(self.value)
            number = f"{self.value:,.0f}" if size >= 100 else f"{self.value:,.3g}"
        return f"{number} {self.unit}".strip() if self.unit != "%" else f"{number} %"


def area_text(square_metres: float) -> str:
    """An area in square metres, hectares and acres."""
    text = (
        f"{square_metres:,.0f} m²"
        if abs(square_metres) >= 10 or not square_metres
        else f"{square_metres:,.1f} m²"
    )
    if abs(square_metres) < 1000:
        return text
    return f"{text} ({square_metres / HECTARE:,.2f} ha, {square_metres / ACRE:,.2f} acres)"


@dataclass(frozen=True)
class Check:
    """What a person said of a finding.

    Attributes
    ----------
    state : {"", "accepted", "refused"}
    comment : str
    verdict : str
        What it is in truth, if the person corrected it.
    """

    state: str = ""
    comment: str = ""
    verdict: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return self == Check()


Checks = Mapping[str, Check]
"""What was said of findings, by `Answer.keys`."""


@dataclass(frozen=True, eq=False)
class Chart:
    """Values over the dates.

    Attributes
    ----------
    title, unit : str
    dates : tuple of str
        Names of the dates.
    when : tuple of float
        Where each lies in time: years, or numbers where the dates are not known.
    lines : mapping of str to tuple of (float or None)
        A value for each date, by what it is of.
    """

    title: str
    unit: str
    dates: tuple[str, ...]
    when: tuple[float, ...]
    lines: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, eq=False)
class Summary:
    """What findings come to.

    Attributes
    ----------
    figures : tuple of Figure
    tables : mapping of str to pandas.DataFrame
        By title, for example the same by zone.
    charts : tuple of Chart
        Where there are more than two dates.
    """

    figures: tuple[Figure, ...]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to a question.

    Attributes
    ----------
    question, title : str
        Key and title of the question.
    site : Site
    findings : Features
        One row a finding; ``id`` from 1, `VERDICT`, and columns of the question.
    summarise : callable
        Figures and tables of findings; called with those that a person did not refuse.
    colours : mapping of str to str
        Colour of each verdict, in the order of the legend.
    columns : mapping of str to str
        Columns to show and their headings, with units.
    graded : str
        Column of numbers by which a map is shaded, in place of the verdicts.
    context : tuple of Features
        Layers to draw beneath, such as zones.
    dates : tuple of str
    settings : mapping of str to str
        What was set, in words.
    inputs : mapping of str to str
        What was used, in words.
    notes, assumptions : tuple of str
        What people should know; how it was reckoned.
    draft : bool
        Whether it is a draft for review until a person has looked at each finding.
    series : bool
        Whether all dates of a series were looked at, not the pictures of two dates.
    """

    question: str
    title: str
    site: Site
    findings: Features
    summarise: Callable[[Features], Summary]
    colours: Mapping[str, str]
    columns: Mapping[str, str]
    graded: str = ""
    context: tuple[Features, ...] = ()
    dates: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    draft: bool = False
    series: bool = False

    def keys(self) -> list[str]:
        """What each finding is known by, whatever its number: verdict, place and size in pixels."""
        import shapely

        if not len(self.findings):
            return []
        shapes = self.site.pixels(self.findings.shapes)
        middles = shapely.get_coordinates(shapely.centroid(shapes))
        sizes = np.where(
            shapely.get_dimensions(shapes) == 2, shapely.area(shapes), shapely.length(shapes)
        )
        verdicts = self.findings.column(VERDICT)
        return [
            f"{verdict}|{x:.0f}|{y:.0f}|{size:.0f}"
            for verdict, (x, y), size in zip(verdicts, middles, sizes)
        ]

    def checked(self, checks: Checks = MappingProxyType({})) -> Features:
        """The findings as a person left them: without refused ones, corrected, with comments.

        Adds columns ``checked`` and ``comment``.
        """
        said = [checks.get(key, Check()) for key in self.keys()]
        table = self.findings.table.copy()
        if any(one.verdict for one in said):
            table[VERDICT] = [c.verdict or v for c, v in zip(said, table[VERDICT])]
        table = table.assign(
            checked=[one.state or ("corrected" if one.verdict else "") for one in said],
            comment=[one.comment for one in said],
        )
        kept = np.array([one.state != "refused" for one in said], dtype=bool)
        return replace(self.findings, table=table).select(kept)

    def summary(self, checks: Checks = MappingProxyType({})) -> Summary:
        """Figures and tables of what a person did not refuse."""
        return self.summarise(self.checked(checks))

    def unchecked(self, checks: Checks = MappingProxyType({})) -> int:
        """How many findings nobody has looked at."""
        return sum(checks.get(key, Check()).empty for key in self.keys())

    def status(self, checks: Checks = MappingProxyType({})) -> str:
        """Whether it is still a draft, in words."""
        left = self.unchecked(checks)
        if self.draft and left:
            return f"Draft for review: {left:,} of {len(self.findings):,} are not checked yet."
        if not len(self.findings):
            return "Nothing was found."
        if not left:
            return "Every finding was checked by a person."
        done = len(self.findings) - left
        return f"{done:,} of {len(self.findings):,} findings were checked by a person."


def numbered(features: Features) -> Features:
    """The same with a column ``id`` from 1 in front."""
    table = features.table.drop(columns=[c for c in ("id",) if c in features.table])
    table.insert(0, "id", np.arange(1, len(features) + 1))
    return replace(features, table=table)


def in_zones(features: Features, zones: Features | None) -> NDArray[np.int64]:
    """Position of the zone in which the middle of each shape lies, −1 for none, shape (N,).

    Where zones overlap, the first one counts.
    """
    import shapely

    result = np.full(len(features), -1, np.int64)
    if zones is None or not len(zones) or not len(features):
        return result
    points = shapely.point_on_surface(features.shapes)
    which, where = zones.tree.query(points, predicate="intersects")
    order = np.lexsort((where, which))[::-1]
    result[which[order]] = where[order]
    return result


def zone_names(zones: Features | None, positions: NDArray[np.int64]) -> list[str]:
    """Names of zones by position; empty for −1."""
    names = zones.names() if zones is not None else []
    return [names[at] if at >= 0 else "" for at in positions.tolist()]
