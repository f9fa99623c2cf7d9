"""Rules that choose objects: conditions on the columns of their table, joined by and / or / none.

>>> rule = Rule((Condition("area", ">=", 200), Condition("solidity", ">", 0.9)))  # doctest: +SKIP

`rsam_core.objects.classify.rule_matching` tells which objects fulfil one. A `Relation` asks how an
object lies to others, an `Extreme` for the largest few of those that fulfil the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rsam_core.errors import ClassifyError
from rsam_core.runtime.given import given
from rsam_core.runtime.language import N_

Operator = Literal["<", "<=", ">", ">=", "between", "=", "!=", "≈"]
OPERATORS: dict[str, str] = {
    ">=": N_("at least"),
    "<=": N_("at most"),
    ">": N_("above"),
    "<": N_("below"),
    "between": N_("between"),
    "=": N_("equal to"),
    "!=": N_("not equal to"),
}
"""How a condition compares, and how a person says it."""

LIKE = "≈"
"""Compares with one of several words in a cell, which are separated by "|"."""

How = Literal["near", "next to", "within", "touching", "inside", "on", "between"]
HOWS: tuple[How, ...] = ("near", "next to", "within", "touching", "inside", "on", "between")
"""How an object can lie to others."""

_MAX_DEPTH = 8


@dataclass(frozen=True)
class Condition:
    """A comparison of one column.

    Parameters
    ----------
    column : str
        Column of the table, for example ``"area_m2"``.
    operator : {"<", "<=", ">", ">=", "between", "=", "!=", "≈"}
        ``"between"`` includes both ends; ``"≈"`` asks whether a word is among those of a cell,
        such as "red" in "red|brown".
    value : float or str
        What to compare with; text only for ``"="``, ``"!="`` and ``"≈"``.
    high : float, optional
        The upper end for ``"between"``.

    Raises
    ------
    ClassifyError
        If the comparison makes no sense.
    """

    column: str
    operator: Operator
    value: float | str
    high: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.column, str) or not self.column:
            raise ClassifyError("A condition needs a column. Choose one, for example the area.")
        if self.operator != LIKE and (
            not isinstance(self.operator, str) or self.operator not in OPERATORS
        ):
            words = ", ".join(OPERATORS)
            raise ClassifyError(f"{given(self.operator)} is no comparison. Choose one of: {words}.")
        if isinstance(self.value, str):
            if self.operator not in ("=", "!=", LIKE):
                raise ClassifyError(
                    f"“{self.column}” is compared with the word {given(self.value)}. Words can "
                    "only be equal or not equal: type a number, or change the comparison."
                )
        elif self.operator == LIKE:
            raise ClassifyError(
                f"“{self.column}” can only be like a word, for example “red”. Choose one."
            )
        elif not _is_number(self.value):
            raise ClassifyError(f"The condition on “{self.column}” needs a number. Type one.")
        else:
            object.__setattr__(self, "value", float(self.value))
        if self.operator == "between":
            if not _is_number(self.high):
                raise ClassifyError(
                    f"The condition on “{self.column}” needs two numbers, from and to."
                )
            if self.high < self.value:  # type: ignore[operator]
                raise ClassifyError(
                    f"The condition on “{self.column}” goes from {self.value:g} to "
                    f"{self.high:g}. The first number must be the smaller one."
                )
            object.__setattr__(self, "high", float(self.high))  # type: ignore[arg-type]
        else:
            object.__setattr__(self, "high", None)

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        end = f" and {self.high:g}" if self.high is not None else ""
        return f"{self.column} {OPERATORS.get(self.operator, self.operator)} {value}{end}"


@dataclass(frozen=True)
class Relation:
    """How an object lies to other objects of the same scene.

    Parameters
    ----------
    how : {"near", "next to", "within", "touching", "inside", "on", "between"}
        ``"within"`` a distance; the others say it themselves, see
        :class:`rsam_core.objects.relations.Places`.
    others : tuple of Rule
        Which objects; two rules for ``"between"``, one otherwise.
    distance : float, optional
        For ``"within"`` only.
    unit : {"m", "px"}
        Of `distance`.

    Raises
    ------
    ClassifyError
        If there is no such relation, or its parts do not fit.
    """

    how: How
    others: tuple[Rule, ...]
    distance: float | None = None
    unit: Literal["m", "px"] = "m"

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise ClassifyError(
                f"Objects cannot lie {given(self.how)} others. Choose one of: {', '.join(HOWS)}."
            )
        others = tuple(self.others)
        if len(others) != (2 if self.how == "between" else 1) or not all(
            isinstance(other, Rule) for other in others
        ):
            raise ClassifyError(f"“{self.how}” needs a rule that says which other objects.")
        object.__setattr__(self, "others", others)
        if self.unit not in ("m", "px"):
            raise ClassifyError("A distance is in metres or in pixels. Choose one of them.")
        if self.how != "within":
            object.__setattr__(self, "distance", None)
        elif not _is_number(self.distance) or self.distance < 0:  # type: ignore[operator]
            raise ClassifyError("“within” needs a distance of 0 or more. Type one.")
        else:
            object.__setattr__(self, "distance", float(self.distance))  # type: ignore[arg-type]

    @property
    def depth(self) -> int:
        """Levels of brackets."""
        return 1 + max(other.depth for other in self.others)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the rules for the others look at."""
        return tuple(dict.fromkeys(name for other in self.others for name in other.columns))

    def __str__(self) -> str:
        start = self.how
        if self.distance is not None:
            start = f"within {self.distance:g} {self.unit} of"
        return f"{start} " + " and ".join(f"({other})" for other in self.others)


@dataclass(frozen=True)
class Extreme:
    """The few that have most, or least, of a column, among those for which the rest holds.

    Parameters
    ----------
    column : str
    count : int
        How many, at least 1. Of equal ones the earlier rows are taken.
    largest : bool

    Raises
    ------
    ClassifyError
        If there is no column or no number.
    """

    column: str
    count: int = 1
    largest: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.column, str) or not self.column:
            raise ClassifyError("Say by which column objects are the largest, such as the area.")
        if not _is_number(self.count) or self.count < 1 or self.count != int(self.count):
            raise ClassifyError("How many of the largest objects? Type a whole number from 1.")
        object.__setattr__(self, "count", int(self.count))
        object.__setattr__(self, "largest", bool(self.largest))

    def __str__(self) -> str:
        word = "largest" if self.largest else "smallest"
        return f"the {self.count} {word} by {self.column}"


@dataclass(frozen=True)
class Rule:
    """Conditions, all, any or none of which must hold.

    Parameters
    ----------
    items : tuple of Condition, Relation, Extreme or Rule
        At least one; a rule inside a rule acts as a bracket. An extreme stands among conditions
        that are joined by "and".
    combine : {"and", "or", "none"}

    Raises
    ------
    ClassifyError
        If there is no condition, or brackets are nested deeper than 8 levels.
    """

    items: tuple[Condition | Relation | Extreme | Rule, ...]
    combine: Literal["and", "or", "none"] = "and"

    def __post_init__(self) -> None:
        items = tuple(self.items)
        if not items:
            raise ClassifyError("A rule needs a condition. Add one, for example on the area.")
        if self.combine not in ("and", "or", "none"):
            raise ClassifyError(
                f"Conditions are joined by “and”, “or” or “none”, not {given(self.combine)}."
            )
        if not all(isinstance(item, Condition | Relation | Extreme | Rule) for item in items):
            raise ClassifyError("A rule is made of conditions and other rules only.")
        if self.combine != "and" and any(isinstance(item, Extreme) for item in items):
            raise ClassifyError("“The largest” goes together with other conditions by “and” only.")
        object.__setattr__(self, "items", items)
        if self.depth > _MAX_DEPTH:
            raise ClassifyError(f"Rules can be nested {_MAX_DEPTH} levels deep. Make it simpler.")

    @property
    def depth(self) -> int:
        """Levels of brackets, 1 for a plain list of conditions."""
        deep = (item.depth for item in self.items if isinstance(item, Rule | Relation))
        return 1 + max(deep, default=0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the rule looks at, each once, in the order of their appearance."""
        names: dict[str, None] = {}
        for item in self.items:
            single = isinstance(item, Condition | Extreme)
            for name in (item.column,) if single else item.columns:
                names[name] = None
        return tuple(names)

    @property
    def related(self) -> bool:
        """Whether the rule, or one within it, asks how objects lie to others."""
        return any(
            isinstance(item, Relation) or (isinstance(item, Rule) and item.related)
            for item in self.items
        )

    def __str__(self) -> str:
        parts = [f"({item})" if isinstance(item, Rule) else str(item) for item in self.items]
        if self.combine == "none":
            return "not " + " and not ".join(parts)
        return f" {self.combine} ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return plain data that :meth:`from_json` reads."""
        rows: list[dict[str, Any]] = []
        for item in self.items:
            if isinstance(item, Rule):
                rows.append(item.to_json())
                continue
            if isinstance(item, Relation):
                kept: dict[str, Any] = {"how": item.how}
                kept["others"] = [other.to_json() for other in item.others]
                if item.distance is not None:
                    kept |= {"distance": item.distance, "unit": item.unit}
                rows.append(kept)
                continue
            if isinstance(item, Extreme):
                rows.append({"column": item.column, "count": item.count, "largest": item.largest})
                continue
            row: dict[str, Any] = {"column": item.column, "operator": item.operator}
            row["value"] = item.value
            if item.high is not None:
                row["high"] = item.high
            rows.append(row)
        return {"combine": self.combine, "items": rows}

    @classmethod
    def from_json(cls, data: Any) -> Rule:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ClassifyError
            If it is something else.
        """
        return _rule_from_json(data, 1)


def _rule_from_json(data: Any, depth: int) -> Rule:
    if depth > _MAX_DEPTH:
        raise ClassifyError(f"Rules can be nested {_MAX_DEPTH} levels deep. Make it simpler.")
    rows = data.get("items") if isinstance(data, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ClassifyError("The rule is not readable. Build it again.")
    items: list[Condition | Relation | Extreme | Rule] = []
    for row in rows:
        if "items" in row:
            items.append(_rule_from_json(row, depth + 1))
        elif "how" in row:
            others = row.get("others")
            others = others if isinstance(others, list) else []
            rules = tuple(_rule_from_json(other, depth + 1) for other in others)
            items.append(Relation(row["how"], rules, row.get("distance"), row.get("unit", "m")))
        elif "count" in row:
            items.append(Extreme(row.get("column", ""), row["count"], row.get("largest", True)))
        else:
            fields = (row.get(name) for name in ("column", "operator", "value", "high"))
            items.append(Condition(*fields))  # type: ignore[arg-type]
    return Rule(tuple(items), data.get("combine", "and"))


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    try:
        return number and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        # A whole number with more than 300 digits.
        return False
