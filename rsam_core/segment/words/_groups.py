"""A group of words, a kind and what is said of it, and the rule that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rsam_core.objects.classify.rules import Condition, Extreme, Relation, Rule

Item = Condition | Relation | Extreme | Rule
Joiner = Literal["", "and", "or"]

ANY = Rule((Condition("area", ">=", 0),))
"""Any object."""


@dataclass
class Said:
    """One thing said of a group: its category, the item, and how it is joined to the one before."""

    category: str
    item: Item
    joiner: Joiner
    negative: bool = False


@dataclass
class Group:
    """A kind and what is said of it."""

    kinds: list[tuple[str, bool]] = field(default_factory=list)
    roof: bool = False
    thing: bool = False
    said: list[Said] = field(default_factory=list)
    relations: list[Said] = field(default_factory=list)
    extreme: Extreme | None = None
    joiner: Joiner = ""

    @property
    def named(self) -> bool:
        """Whether it says what the objects are."""
        return bool(self.kinds) or self.roof or self.thing

    def items(self) -> list[Item]:
        """All that must hold."""
        found: list[Item] = []
        kinds = self.kinds or ([("building", False)] if self.roof else [])
        for meaning, negative in kinds:
            conditions = tuple(Condition("kind", "=", kind) for kind in meaning.split("|"))
            if negative:
                found.append(Rule(conditions, "none"))
            else:
                found.append(conditions[0] if len(conditions) == 1 else Rule(conditions, "or"))
        found += joined(self.said) + joined(self.relations)
        return [*found, *([self.extreme] if self.extreme else [])]

    def rule(self) -> Rule | None:
        """All that must hold, as one rule."""
        items = self.items()
        return Rule(tuple(items)) if items else None


def joined(said: list[Said]) -> list[Item]:
    """Join what is said: one of several colours, but small and red; "or" as it stands."""
    result: list[list[tuple[Said, Item]]] = []
    for one in said:
        item: Item = Rule((one.item,), "none") if one.negative else one.item
        last = result[-1][-1][0] if result else None
        same = (
            last is not None
            and last.category == one.category
            and one.category in ("colour", "brightness", "size", "shape")
            and not one.negative
            and not last.negative
            and (one.joiner or one.category == "colour")
        )
        if result and (one.joiner == "or" or same) and not one.negative:
            result[-1].append((one, item))
        else:
            result.append([(one, item)])
    return [
        part[0][1] if len(part) == 1 else Rule(tuple(item for _, item in part), "or")
        for part in result
    ]


def bare(rule: Rule) -> Item:
    """A rule of one item without its bracket."""
    return rule.items[0] if len(rule.items) == 1 and rule.combine != "none" else rule
