"""Sentences as queries.

>>> query = words("large buildings with red roofs")                      # doctest: +SKIP
>>> query.conditions, query.unknown                                      # doctest: +SKIP
>>> query.select(objects, scene)                                         # doctest: +SKIP
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import WordsError
from rsam_core.objects.classify.rules import Condition, Extreme, Relation, Rule
from rsam_core.objects.instances import Instances
from rsam_core.segment.words.description import Description, describe
from rsam_core.segment.words.grammar import Item, parse
from rsam_core.segment.words.looking import looked_at
from rsam_core.segment.words.reading import checked, read
from rsam_core.segment.words.vocabulary import LANGUAGES, Vocabulary, without_accents

if TYPE_CHECKING:
    from rsam_core.segment.segmenter import Segmenter

_SUGGESTIONS, _LIKENESS = 3, 0.66

SHAPES: Mapping[str, Rule] = {
    "round": Rule((Condition("roundness", ">=", 0.75),)),
    "long": Rule((Condition("elongation", ">=", 0.6),)),
    "square": Rule((Condition("elongation", "<=", 0.2), Condition("rectangularity", ">=", 0.85))),
    "L": Rule(
        (
            Condition("rectangularity", "between", 0.4, 0.8),
            Condition("solidity", "between", 0.6, 0.9),
        )
    ),
}
"""What a shape means in columns: elongation is 1 − width / length of the narrowest rectangle."""


@dataclass(frozen=True)
class WordsQuery:
    """What was understood of a sentence.

    Attributes
    ----------
    text : str
    language : str
        The language it was read in, "English" for example.
    conditions : Rule or None
        None if nothing was understood.
    unknown : mapping of str to tuple of str
        Words that were not understood, each with the nearest known ones.
    here : bool
        Whether it speaks of the place pointed at.
    """

    text: str
    language: str
    conditions: Rule | None
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    here: bool = False

    def select(
        self,
        objects: Instances,
        scene: Any = None,
        *,
        probabilities: ArrayLike | None = None,
        known: Description | None = None,
        place: Sequence[float] | None = None,
        segmenter: Segmenter | None = None,
    ) -> Instances:
        """The objects that are meant.

        Parameters
        ----------
        objects : Instances
            The objects, N of them. Those without a class get the kind that `probabilities` say.
        scene : Scene, optional
            Brings colours and metres; kinds are looked up in it where the sentence asks for them
            and objects have none, and with them the ground, such as roads, that objects can lie
            on or near.
        probabilities : array_like of float, shape (N, 10), optional
            Of each of `rsam_core.models.tiny.kinds.KINDS`.
        known : Description, optional
            Of these objects, from :func:`describe`, where several sentences are asked of them.
        place : sequence of float, optional
            A point (x, y) or a box (x0, y0, x1, y1) in scene pixels: only objects that meet it.
        segmenter : Segmenter, optional
            Whose model tells kinds and ground, the embedded one by default; if given, the ground
            is looked at even where all objects have a class.

        Returns
        -------
        Instances
            In their order, with their numbers.

        Raises
        ------
        WordsError
            If nothing of the sentence was understood, or what it asks for is not known of the
            objects: metres, kinds, colours.
        """
        if known is None and probabilities is None:
            known = looked_at(objects, scene, self.conditions, segmenter)
        known = known or describe(objects, scene, probabilities=probabilities)
        return objects.select(chosen(known, self.conditions, self, place).tolist())


def words(text: str, *, classes: Sequence[str] = (), language: str | None = None) -> WordsQuery:
    """Read a sentence in English, French, Spanish or Vietnamese.

    Parameters
    ----------
    text : str
        Kinds ("buildings"), sizes ("large", "over 200 m²", "longer than 30 m"), colours, shapes
        ("round", "long", "square", "L-shaped"), relations ("near", "within 50 m of", "inside",
        "on", "touching", "next to", "between"), numbers ("the five largest"), joined by "and",
        "or", "not", "except"; "here" for a place that is pointed at.
    classes : sequence of str, optional
        Names of classes that a person made, understood like kinds.
    language : {"en", "fr", "es", "vi"}, optional
        Guessed if not given.

    Returns
    -------
    WordsQuery

    Raises
    ------
    WordsError
        If it is empty, too long, markup, only numbers, in another script, or contradicts
        itself; its attribute `reason` says which.
    """
    if language is not None and language not in LANGUAGES:
        raise WordsError(f"Choose one of the languages: {', '.join(LANGUAGES)}.", "unknown")
    plain = checked(text)
    found, vocabulary = read(plain, language, tuple(classes))
    parsed = parse(found)
    if parsed.rule is None and not parsed.unknown and not parsed.here:
        raise WordsError(
            "This does not say what to look for. Name a kind, a size or a colour, such as “red "
            "roofs”.",
            "empty",
        )
    if parsed.rule is not None:
        _check_possible(parsed.rule)
    unknown = {word: _suggested(word, vocabulary, classes) for word in parsed.unknown}
    return WordsQuery(text, vocabulary.name, parsed.rule, unknown, parsed.here)


def chosen(
    known: Description,
    conditions: Rule | None,
    query: WordsQuery | None = None,
    place: Sequence[float] | None = None,
) -> NDArray[np.bool_]:
    """Which of the objects fulfil conditions in a place, shape (N,).

    Parameters
    ----------
    known : Description
    conditions : Rule or None
        None is fulfilled by all, if a place is given.
    query : WordsQuery, optional
        Where the conditions come from, for the message.
    place : sequence of float, optional
        As in :meth:`WordsQuery.select`.

    Raises
    ------
    WordsError
        As :meth:`WordsQuery.select`.
    """
    inside = met(known.objects, place)
    if conditions is None:
        if query is not None and query.here:
            return inside
        strange = ", ".join(f"“{word}”" for word in query.unknown) if query else ""
        raise WordsError(
            f"I do not know {strange or 'what to look for'}. Show me one on the One-shot page and "
            "I find the others.",
            "unknown",
        )
    few = [item for item in conditions.items if isinstance(item, Extreme)]
    if not few or place is None or conditions.combine != "and":
        return known.match(resolved(conditions)) & inside
    # The largest here are the largest of those here.
    rest = tuple(item for item in conditions.items if not isinstance(item, Extreme))
    hits = inside & (known.match(resolved(Rule(rest))) if rest else True)
    for item in few:
        column = resolved(Rule((item,))).items[0].column  # type: ignore[union-attr]
        values = known.table[column].to_numpy(float)
        rows = np.flatnonzero(hits & np.isfinite(values))
        order = np.argsort(-values[rows] if item.largest else values[rows], kind="stable")
        hits = np.zeros(len(hits), bool)
        hits[rows[order[: item.count]]] = True
    return hits


def met(objects: Instances, place: Sequence[float] | None) -> NDArray[np.bool_]:
    """Which objects lie under a point, or have their middle in a box; all without a place.

    Raises
    ------
    WordsError
        If the place is neither a point nor a box.
    """
    if place is None:
        return np.ones(len(objects), bool)
    if len(place) == 2:
        under = set(objects.at(*place))
        return np.array([item.id in under for item in objects], bool)
    if len(place) != 4:
        raise WordsError("A place is a point (x, y) or a box (x0, y0, x1, y1).")
    middle = (objects.bboxes[:, :2] + objects.bboxes[:, 2:]) / 2
    x0, y0, x1, y1 = place
    x, y = middle.T
    return (x >= min(x0, x1)) & (x <= max(x0, x1)) & (y >= min(y0, y1)) & (y <= max(y0, y1))


def resolved(rule: Rule) -> Rule:
    """A rule whose shapes are said by the columns that they mean."""

    def one(item: Item) -> Item:
        if isinstance(item, Rule):
            return replace(item, items=tuple(one(part) for part in item.items))
        if isinstance(item, Relation):
            return replace(item, others=tuple(resolved(other) for other in item.others))
        if isinstance(item, Condition) and item.column == "shape":
            return SHAPES[str(item.value)]
        return item

    return replace(rule, items=tuple(one(item) for item in rule.items))


def _suggested(word: str, vocabulary: Vocabulary, classes: Sequence[str]) -> tuple[str, ...]:
    """Known words that look most like an unknown one."""
    plain: dict[str, str] = {}
    for known in (*classes, *vocabulary.spoken):
        plain.setdefault(without_accents(known.casefold()), known)
    near = difflib.get_close_matches(
        without_accents(word), list(plain), n=_SUGGESTIONS, cutoff=_LIKENESS
    )
    return tuple(plain[name] for name in near)


def _check_possible(rule: Rule) -> None:
    """Raise if no object can fulfil a rule."""
    if rule.combine != "and":
        for item in rule.items:
            if isinstance(item, Rule):
                _check_possible(item)
        return
    must, must_not = set(), set()
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for item in rule.items:
        if isinstance(item, Rule) and item.combine == "none":
            must_not |= {part for part in item.items if isinstance(part, Condition)}
            continue
        if isinstance(item, Rule):
            _check_possible(item)
        if not isinstance(item, Condition):
            continue
        must.add(item)
        if isinstance(item.value, float):
            if item.operator in (">", ">=", "between"):
                low[item.column] = max(item.value, low.get(item.column, item.value))
            if item.operator in ("<", "<=", "between"):
                top = item.value if item.high is None else item.high
                high[item.column] = min(top, high.get(item.column, top))
    both = list(must & must_not)
    sizes = {c.value for c in must if c.column == "size"}
    crossed = [name for name in low if name in high and low[name] > high[name]]
    if both or len(sizes) > 1 or crossed:
        what = (
            f"“{both[0].value}” and not"
            if both
            else "small and large"
            if len(sizes) > 1
            else f"more than {low[crossed[0]]:g} and less than {high[crossed[0]]:g}"
        )
        raise WordsError(
            f"Nothing can be {what} at the same time. Leave one of them out, or join them by “or”.",
            "contradiction",
        )
