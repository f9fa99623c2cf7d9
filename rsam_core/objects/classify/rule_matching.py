"""Which rows of a table of objects fulfil a rule.

>>> rule = Rule((Condition("area", ">=", 200), Condition("solidity", ">", 0.9)))  # doctest: +SKIP
>>> match(measure(instances, scene), rule)                                        # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ClassifyError
from rsam_core.objects.classify.rules import LIKE, Condition, Extreme, Relation, Rule

if TYPE_CHECKING:
    import pandas as pd


class Geometry(Protocol):
    """What a rule with relations needs beside the table."""

    def related(
        self,
        relation: Relation,
        others: tuple[NDArray[np.bool_], ...],
        among: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Which objects, shape (N,), stand so to others; only those `among` matter."""


def match(
    table: pd.DataFrame,
    rule: Rule,
    geometry: Geometry | None = None,
    among: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Tell which rows of a table fulfil a rule.

    Parameters
    ----------
    table : pandas.DataFrame
        For example from :func:`rsam_core.objects.measurements.measure`; N rows.
    rule : Rule
    geometry : Geometry, optional
        Where the objects lie, for a rule with relations: a
        :class:`rsam_core.objects.relations.Places`.
    among : ndarray of bool, shape (N,), optional
        Rows that are asked about, all by default; the largest are the largest of these. Others of
        a relation may be any row.

    Returns
    -------
    ndarray of bool, shape (N,)
        False for rows that are not asked about. A missing value never matches, whatever the
        comparison; it counts as not matching where none must hold.

    Raises
    ------
    ClassifyError
        If the table lacks a column, a column of words is compared with a number, or relations
        are asked for without `geometry`.
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
    if rule.related and geometry is None:
        raise ClassifyError(
            "How objects lie to each other cannot be told from their table alone. Pass where they "
            "are, too."
        )
    result = _match(table, rule, geometry, among)
    return result if among is None else result & among


def _match(
    table: pd.DataFrame,
    rule: Rule,
    geometry: Geometry | None,
    among: NDArray[np.bool_] | None,
) -> NDArray[np.bool_]:
    """Rows that fulfil a rule; what it says of rows not `among` does not matter."""
    result = np.full(len(table), rule.combine != "or")
    # What is quick comes first, so that relations are asked of few; the largest come last.
    for item in sorted(rule.items, key=_effort):
        here = among
        if rule.combine == "and":
            here = result if among is None else result & among
        if isinstance(item, Extreme):
            result = result & _extreme(table, item, result if here is None else here)
            continue
        if isinstance(item, Condition):
            hits = _compare(table, item)
        elif isinstance(item, Rule):
            hits = _match(table, item, geometry, here)
        else:
            assert geometry is not None
            others = tuple(_match(table, other, geometry, None) for other in item.others)
            hits = geometry.related(item, others, here)
        if rule.combine == "or":
            result = result | hits
        else:
            result = result & (hits if rule.combine == "and" else ~hits)
    return result


def _effort(item: Condition | Relation | Extreme | Rule) -> int:
    if isinstance(item, Extreme):
        return 3
    if isinstance(item, Relation):
        return 2
    if isinstance(item, Rule):
        return 2 if item.related else 1
    return 0


def _extreme(table: pd.DataFrame, item: Extreme, rest: NDArray[np.bool_]) -> NDArray[np.bool_]:
    values = table[item.column].to_numpy(float)
    rows = np.flatnonzero(rest & np.isfinite(values))
    order = np.argsort(-values[rows] if item.largest else values[rows], kind="stable")
    result = np.zeros(len(table), bool)
    result[rows[order[: item.count]]] = True
    return result


def _compare(table: pd.DataFrame, condition: Condition) -> NDArray[np.bool_]:
    import pandas as pd

    column = table[condition.column]
    if isinstance(condition.value, str):
        # Of ten thousand cells only a few differ.
        codes, words = pd.factorize(column)
        wanted = condition.value.casefold()
        told = [str(word).casefold() for word in words]
        if condition.operator == LIKE:
            hits = [wanted in word.split("|") for word in told]
        else:
            hits = [(wanted == word) == (condition.operator == "=") for word in told]
        return np.array([*hits, False], bool)[codes]
    present = column.notna().to_numpy(dtype=bool)
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
