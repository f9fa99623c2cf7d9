"""What was understood, piece by piece: each with its words and with the count that it leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rsam_core.objects.classify.rules import Condition, Extreme, Relation, Rule
from rsam_core.segment.words.description import Description
from rsam_core.segment.words.grammar import Item
from rsam_core.segment.words.query import WordsQuery, chosen

_SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "=": "=", "!=": "≠", "≈": "≈"}
_NAMES = {"area_m2": ("area", " m²"), "area": ("area", " px"), "length": ("length", " px"),
          "width": ("width", " px"), "length_m": ("length", " m"),
          "width_m": ("width", " m")}  # fmt: skip


def pieces(conditions: Rule | None) -> tuple[Item, ...]:
    """The conditions that must all hold; a rule of another kind is one piece."""
    if conditions is None:
        return ()
    return conditions.items if conditions.combine == "and" else (conditions,)


def joined(items: Sequence[Item]) -> Rule | None:
    """The pieces as a rule again."""
    return Rule(tuple(items)) if items else None


def piece_text(item: Item) -> str:
    """A piece in words: "kind = building", "area > 180 m²", "not near water"."""
    if isinstance(item, Condition):
        name, unit = _NAMES.get(item.column, (item.column, ""))
        if isinstance(item.value, str):
            return f"{name} {_SIGNS[item.operator]} {item.value}"
        value = _number(item.value)
        if item.operator == "between":
            return f"{name} {value} to {_number(item.high or 0)}{unit}"
        return f"{name} {_SIGNS[item.operator]} {value}{unit}"
    if isinstance(item, Relation):
        start = item.how
        if item.distance is not None:
            start = f"within {_number(item.distance)} {item.unit} of"
        return f"{start} " + " and ".join(_others(other) for other in item.others)
    if isinstance(item, Extreme):
        word = {"area": "largest", "length": "longest", "width": "widest"}
        least = {"area": "smallest", "length": "shortest", "width": "narrowest"}
        names = word if item.largest else least
        return f"the {item.count} {names.get(item.column.removesuffix('_m'), item.column)}"
    parts = [piece_text(part) for part in item.items]
    if item.combine == "none":
        return " · ".join(f"not {part}" for part in parts)
    bracket = item.combine == "or"
    return (" or " if bracket else " and ").join(
        f"({text})" if isinstance(part, Rule) else text for part, text in zip(item.items, parts)
    )


def counts(
    known: Description,
    items: Sequence[Item],
    query: WordsQuery | None = None,
    place: Sequence[float] | None = None,
) -> list[int]:
    """How many objects are left after each piece and those before it.

    Raises
    ------
    WordsError
        As :meth:`WordsQuery.select`.
    """
    return [
        int(chosen(known, joined(items[: end + 1]), query, place).sum())
        for end in range(len(items))
    ]


def with_numbers(items: Sequence[Item], known: Description) -> tuple[Item, ...]:
    """Pieces whose "large" and "small" are said by the area from which that is so.

    Only where one kind is asked for, or none is known; elsewhere it is another area for each kind.
    """
    kinds = [i.value for i in items if isinstance(i, Condition) and i.column == "kind"]
    table = known.table
    unknown = not kinds and bool(table["kind"].isna().all())
    if len(kinds) != 1 and not unknown:
        return tuple(items)
    column = "area_m2" if "area_m2" in table else "area"
    rows = np.ones(len(table), bool) if unknown else (table["kind"] == kinds[0]).to_numpy(bool)

    def one(item: Item) -> Item:
        if isinstance(item, Rule) and item.combine == "none":
            return replace(item, items=tuple(one(part) for part in item.items))
        if not isinstance(item, Condition) or item.column != "size" or item.operator != "=":
            return item
        areas = table.loc[rows & (table["size"] == item.value).to_numpy(bool), column]
        areas = areas[np.isfinite(areas)]
        if not len(areas) or item.value not in ("large", "small"):
            return item
        if item.value == "large":
            return Condition(column, ">=", math.floor(10 * float(areas.min())) / 10)
        return Condition(column, "<=", math.ceil(10 * float(areas.max())) / 10)

    return tuple(one(item) for item in items)


def _others(rule: Rule) -> str:
    if len(rule.items) == 1 and isinstance(rule.items[0], Condition):
        item = rule.items[0]
        if item.column == "kind":
            return str(item.value)
    if rule.combine == "or" and all(
        isinstance(i, Condition) and i.column == "kind" for i in rule.items
    ):
        return " or ".join(str(i.value) for i in rule.items)  # type: ignore[union-attr]
    return f"({piece_text(rule)})"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
