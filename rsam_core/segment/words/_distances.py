"""Distances and relations between a group of words and others."""

from __future__ import annotations

from collections.abc import Sequence

from rsam_core.objects.classify.rules import Condition, Relation, Rule
from rsam_core.segment.words._groups import Item
from rsam_core.segment.words.measures import Measure, amount
from rsam_core.segment.words.reading import Word


def relation_of(how: str, others: tuple[Rule, ...], far: Measure | None) -> Item:
    if how == "inon":
        # One word for both: things lie on roads and ground, in water and fields.
        kinds = {item.value for item in others[0].items if isinstance(item, Condition)}
        how = "on" if kinds & {"road", "bare ground", "building"} else "inside"
    if how == "within" and far is None:
        how = "inside"
    if far is None:
        return Relation(how, others)  # type: ignore[arg-type]
    return Relation("within", others, far.value, "px" if far.pixels else "m")


def distance(
    words: Sequence[Word], at: int, bare: bool = False
) -> tuple[int, bool, Measure] | None:
    """A distance from something: where it ends, whether it is "more than", and how far.

    "within 50 m of", "less than 50 m from", "50 m from". `bare`: nothing needs to follow.
    """
    place, opposite = at, False
    word = words[place] if place < len(words) else None
    if word is None:
        return None
    within = word.of("relation") in ("within", "inside") and amount(words, place + 1) is not None
    sign = word.of("compare")
    if filler(word) and not word.has("compare") and word.has("stop", "origin"):
        # "à moins de": a filler stands before the comparison.
        place += 1
        if place >= len(words) or not words[place].has("compare"):
            return None
        sign = words[place].of("compare")
    if within:
        place += 1
    elif sign is not None and sign[-1] != "=" and len(sign) == 1:
        opposite = sign == ">"
        place += 1
    elif sign in (">=", "<="):
        opposite = sign == ">="
        place += 1
    far = amount(words, place)
    if far is None or far.area:
        return None
    place = far.end
    if bare or (within and place < len(words)):
        while place < len(words) and words[place].has("origin"):
            place += 1
        return place, opposite, far
    if place < len(words) and words[place].of("relation") == "far":
        return place + 1, opposite, far
    seen = False
    while place < len(words) and (words[place].has("origin") or filler(words[place])):
        seen = seen or words[place].has("origin")
        place += 1
    follows = place < len(words) and (
        not words[place].meanings
        or words[place].has("kind", "roof", "thing", "colour", "size", "shape", "here")
    )
    return (place, opposite, far) if seen and follows else None


def filler(word: Word) -> bool:
    """Whether a word says nothing by itself."""
    return bool(word.meanings) and all(
        role in ("stop", "origin", "to", "dimension", "number", "after", "compare", "unit")
        for role, _ in word.meanings
    )
