"""Rules that label objects: conditions on the columns of their table, joined by and / or.

>>> rule = Rule((Condition("area", ">=", 200), Condition("solidity", ">", 0.9)))  # doctest: +SKIP
>>> match(measure(instances, scene), rule)                                        # doctest: +SKIP
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ClassifyError
from rsam_core.runtime.given import given

if TYPE_CHECKING:
    import pandas as pd

Operator = Literal["<", "<=", ">", ">=", "between", "=", "!="]
OPERATORS: dict[str, str] = {
    ">=": "at least",
    "<=": "at most",
    ">": "above",
    "<": "below",
    "between": "between",
    "=": "equal to",
    "!=": "not equal to",
}
"""How a condition compares, and how a person says it."""

_MAX_DEPTH = 8


@dataclass(frozen=True)
class Condition:
    """A comparison of one column.

    Parameters
    ----------
    column : str
        Column of the table, for example ``"area_m2"``.
    operator : {"<", "<=", ">", ">=", "between", "=", "!="}
        ``"between"`` includes both ends.
    value : float or str
        What to compare with; text only for ``"="`` and ``"!="``.
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
        if not isinstance(self.operator, str) or self.operator not in OPERATORS:
            words = ", ".join(OPERATORS)
            raise ClassifyError(
                f"“{_shown(self.operator)}” is no comparison. Choose one of: {words}."
            )
        if isinstance(self.value, str):
            if self.operator not in ("=", "!="):
                raise ClassifyError(
                    f"“{self.column}” is compared with the word {given(self.value)}. Words can "
                    "only be equal or not equal: type a number, or change the comparison."
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
        return f"{self.column} {OPERATORS[self.operator]} {value}{end}"


@dataclass(frozen=True)
class Rule:
    """Conditions, all or any of which must hold.

    Parameters
    ----------
    items : tuple of Condition or Rule
        At least one; a rule inside a rule acts as a bracket.
    combine : {"and", "or"}

    Raises
    ------
    ClassifyError
        If there is no condition, or brackets are nested deeper than 8 levels.
    """

    items: tuple[Condition | Rule, ...]
    combine: Literal["and", "or"] = "and"

    def __post_init__(self) -> None:
        items = tuple(self.items)
        if not items:
            raise ClassifyError("A rule needs a condition. Add one, for example on the area.")
        if self.combine not in ("and", "or"):
            raise ClassifyError(
                f"Conditions are joined by “and” or “or”, not “{_shown(self.combine)}”."
            )
        if not all(isinstance(item, Condition | Rule) for item in items):
            raise ClassifyError("A rule is made of conditions and other rules only.")
        object.__setattr__(self, "items", items)
        if self.depth > _MAX_DEPTH:
            raise ClassifyError(f"Rules can be nested {_MAX_DEPTH} levels deep. Make it simpler.")

    @property
    def depth(self) -> int:
        """Levels of brackets, 1 for a plain list of conditions."""
        return 1 + max((item.depth for item in self.items if isinstance(item, Rule)), default=0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the rule looks at, each once, in the order of their appearance."""
        names: dict[str, None] = {}
        for item in self.items:
            for name in (item.column,) if isinstance(item, Condition) else item.columns:
                names[name] = None
        return tuple(names)

    def __str__(self) -> str:
        parts = (f"({item})" if isinstance(item, Rule) else str(item) for item in self.items)
        return f" {self.combine} ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return plain data that :meth:`from_json` reads."""
        rows: list[dict[str, Any]] = []
        for item in self.items:
            if isinstance(item, Rule):
                rows.append(item.to_json())
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


def match(table: pd.DataFrame, rule: Rule) -> NDArray[np.bool_]:
    """Tell which rows of a table fulfil a rule.

    Parameters
    ----------
    table : pandas.DataFrame
        For example from :func:`rsam_core.objects.measurements.measure`; N rows.
    rule : Rule

    Returns
    -------
    ndarray of bool, shape (N,)
        A missing value never matches, whatever the comparison.

    Raises
    ------
    ClassifyError
        If the table lacks a column, or a column of words is compared with a number.
    """
    missing = [name for name in rule.columns if name not in table]
    if missing:
        hint = (
            " It needs the ground sample distance: type it first."
            if any(name.endswith(("_m", "_m2")) for name in missing)
            else " Choose one that the table has."
        )
        names = ", ".join(f"“{name}”" for name in missing)
        word = "column" if len(missing) == 1 else "columns"
        raise ClassifyError(f"The table of objects has no {word} {names}.{hint}")
    return _match(table, rule)


def _match(table: pd.DataFrame, rule: Rule) -> NDArray[np.bool_]:
    parts = [
        _match(table, item) if isinstance(item, Rule) else _compare(table, item)
        for item in rule.items
    ]
    join = np.logical_and if rule.combine == "and" else np.logical_or
    return join.reduce(parts)


def _compare(table: pd.DataFrame, condition: Condition) -> NDArray[np.bool_]:
    column = table[condition.column]
    present = column.notna().to_numpy(dtype=bool)
    if isinstance(condition.value, str):
        same = (column.astype(str).str.casefold() == condition.value.casefold()).to_numpy(bool)
        return present & (same if condition.operator == "=" else ~same)
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    if (
        present.any()
        and not np.isfinite(numbers[present]).any()
        and column.dtype.kind not in "fiub"
    ):
        raise ClassifyError(
            f"“{condition.column}” holds words, which cannot be compared with a number. Choose "
            "another column."
        )
    value, high = condition.value, condition.high
    with np.errstate(invalid="ignore"):
        result = {
            "<": lambda: numbers < value,
            "<=": lambda: numbers <= value,
            ">": lambda: numbers > value,
            ">=": lambda: numbers >= value,
            "=": lambda: numbers == value,
            "!=": lambda: numbers != value,
            "between": lambda: (numbers >= value) & (numbers <= high),
        }[condition.operator]()
    return result & np.isfinite(numbers)


def _rule_from_json(data: Any, depth: int) -> Rule:
    if depth > _MAX_DEPTH:
        raise ClassifyError(f"Rules can be nested {_MAX_DEPTH} levels deep. Make it simpler.")
    rows = data.get("items") if isinstance(data, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ClassifyError("The rule is not readable. Build it again.")
    items: list[Condition | Rule] = []
    for row in rows:
        if "items" in row:
            items.append(_rule_from_json(row, depth + 1))
        else:
            fields = (row.get(name) for name in ("column", "operator", "value", "high"))
            items.append(Condition(*fields))  # type: ignore[arg-type]
    return Rule(tuple(items), data.get("combine", "and"))


def _shown(value: object) -> str:
    """A value that makes no sense, short and without signs that cannot be printed."""
    return "".join(c if c.isprintable() else "?" for c in str(value)[:40])


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    try:
        return number and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        # A whole number with more than 300 digits.
        return False
