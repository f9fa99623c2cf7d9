"""From words with meanings to a rule.

The word order of a language hardly matters: a group of words holds a kind and what is said of it,
in any order. "And" or "or" begins a new group where another kind follows; a relation takes the
group after it; what follows "except" is left out of all before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rsam_core.objects.classify.rules import Condition, Extreme, Relation, Rule
from rsam_core.segment.words.measures import Measure, amount, comparison
from rsam_core.segment.words.reading import Word

Item = Condition | Relation | Extreme | Rule
Joiner = Literal["", "and", "or"]

_ANY = Rule((Condition("area", ">=", 0),))
"""Any object."""

_BREAKS = ("relation", "inon", "except", "with", "without", "apart")


@dataclass
class _Said:
    """One thing said of a group: its category, the item, and how it is joined to the one before."""

    category: str
    item: Item
    joiner: Joiner
    negative: bool = False


@dataclass
class _Group:
    """A kind and what is said of it."""

    kinds: list[tuple[str, bool]] = field(default_factory=list)
    roof: bool = False
    thing: bool = False
    said: list[_Said] = field(default_factory=list)
    relations: list[_Said] = field(default_factory=list)
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
        found += _joined(self.said) + _joined(self.relations)
        return [*found, *([self.extreme] if self.extreme else [])]

    def rule(self) -> Rule | None:
        """All that must hold, as one rule."""
        items = self.items()
        return Rule(tuple(items)) if items else None


@dataclass
class Parsed:
    """What a sentence says.

    Attributes
    ----------
    rule : Rule or None
        None if nothing was understood.
    unknown : list of str
        Words without a meaning, neighbours together.
    here : bool
        Whether it speaks of the place pointed at.
    """

    rule: Rule | None
    unknown: list[str]
    here: bool


def parse(words: Sequence[Word]) -> Parsed:
    """Read words as a sentence."""
    return _Parser(list(words)).sentence()


class _Parser:
    def __init__(self, words: list[Word]) -> None:
        self.words, self.at = words, 0
        self.unknown: list[tuple[int, str]] = []
        self.here = False

    # ---- looking ------------------------------------------------------------------------
    def _peek(self, ahead: int = 0) -> Word | None:
        place = self.at + ahead
        return self.words[place] if place < len(self.words) else None

    def _next_real(self, at: int) -> Word | None:
        """The next word from a place on that is not a mere filler."""
        for word in self.words[at:]:
            if not _filler(word):
                return word
        return None

    def _names_another(self, at: int) -> bool:
        """Whether the words up to the next joiner or relation name a kind or things."""
        for word in self.words[at:]:
            if word.has("and", "or", *_BREAKS):
                return False
            if word.has("kind", "roof", "thing", "ones"):
                return True
        return False

    def _begins_head(self, at: int) -> bool:
        """Whether a group here has a relation of its own, before the next joiner."""
        for word in self.words[at:]:
            if word.has("and", "or", "except"):
                return False
            if word.has("relation", "inon", "apart"):
                return True
        return False

    # ---- the sentence -------------------------------------------------------------------
    def sentence(self) -> Parsed:
        groups = self._groups()
        left_out: list[Rule] = []
        while self._peek() is not None:
            self.at += 1  # "except"
            left_out += [g.rule() for g in self._groups() if g.rule() is not None]
        rules = [rule for rule in (g.rule() for g in groups) if rule is not None]
        parts: list[Item] = []
        if len(rules) > 1:
            parts.append(Rule(tuple(_bare(rule) for rule in rules), "or"))
        elif rules:
            parts += rules[0].items
        if left_out:
            # The largest are chosen of what is left.
            few = [item for item in parts if isinstance(item, Extreme)]
            parts = [item for item in parts if not isinstance(item, Extreme)]
            parts += [Rule(tuple(_bare(rule) for rule in left_out), "none"), *few]
        return Parsed(Rule(tuple(parts)) if parts else None, self._strange(), self.here)

    def _strange(self) -> list[str]:
        found: list[str] = []
        last = -2
        for at, text in self.unknown:
            if at == last + 1:
                found[-1] += f" {text}"
            else:
                found.append(text)
            last = at
        return found

    def _groups(self) -> list[_Group]:
        """Groups up to "except" or the end."""
        groups = [_Group()]
        joiner: Joiner = ""
        negative = False
        while (word := self._peek()) is not None and not word.has("except"):
            group = groups[-1]
            if word.has("and", "or") and not word.has("relation"):
                joiner = "or" if word.has("or") else joiner or "and"
                self.at += 1
                if (group.named or group.relations) and self._names_another(self.at):
                    groups.append(_Group(joiner=joiner))
                    joiner = ""
                    if self._inherits(self.at):
                        groups[-1].kinds, groups[-1].roof = list(group.kinds), group.roof
                continue
            if word.has("not") and amount(self.words, self.at) is None:
                negative = True
                self.at += 1
                continue
            taken = self._relation(groups, joiner, negative) or self._say(group, joiner, negative)
            if taken == "skip":
                continue
            joiner, negative = "", negative and taken == "more"
        return groups

    def _inherits(self, at: int) -> bool:
        """Whether the next group stands for the kind before: "or small ones"."""
        for word in self.words[at:]:
            if word.has("kind", "roof", "thing"):
                return False
            if word.has("ones"):
                return True
        return False

    # ---- what is said of a group --------------------------------------------------------
    def _say(self, group: _Group, joiner: Joiner, negative: bool) -> str:
        """Take the next words into a group; "skip" if they say nothing."""
        measure = comparison(self.words, self.at)
        if measure is not None:
            self.at = measure.end
            group.said.append(_Said("measure", measure.condition(), joiner, negative))
            return "taken"
        word = self.words[self.at]
        self.at += 1
        most = word.of("most")
        if most is not None:
            column, sign = most[:-1], most[-1]
            count = self._count(group)
            group.extreme = Extreme(column, count, sign == "+")
            return "taken"
        if word.has("kind"):
            group.kinds.append((str(word.of("kind")), negative))
            return "taken"
        if word.has("here"):
            self.here = True
            return "taken"
        for category, column in (("colour", "colour"), ("size", "size"), ("shape", "shape")):
            meaning = word.of(category)
            if meaning is None:
                continue
            operator = "≈" if category == "colour" else "="
            told = tuple(Condition(column, operator, part) for part in meaning.split("|"))
            item = told[0] if len(told) == 1 else Rule(told, "or")
            dark = category == "colour" and meaning in ("dark", "light")
            kind = "brightness" if dark else category
            group.said.append(_Said(kind, item, joiner, negative))
            # "not red or brown": neither.
            after = self._peek()
            more = negative and after is not None and after.has("or")
            beyond = self._next_real(self.at + 1) if more else None
            return "more" if beyond is not None and beyond.has(category) else "taken"
        if word.has("roof"):
            group.roof = True
            return "taken"
        if word.has("thing"):
            group.thing = True
            return "taken"
        if word.has("number") or _filler(word) or word.has("ones"):
            self._hold(word)
            return "skip"
        self.unknown.append((self.at - 1, word.text))
        return "skip"

    _held: float | None = None

    def _hold(self, word: Word) -> None:
        """A number without a unit may say how many of the largest."""
        if word.value is not None and word.value >= 1:
            self._held = word.value

    def _count(self, group: _Group) -> int:
        count = self._held
        after = self._peek()
        if count is None and after is not None and amount(self.words, self.at) is None:
            count = after.value if after.has("number") and (after.value or 0) >= 1 else None
            self.at += count is not None
        self._held = None
        return max(1, int(count or 1))

    # ---- relations ----------------------------------------------------------------------
    def _relation(self, groups: list[_Group], joiner: Joiner, negative: bool) -> str | None:
        """Take a relation with its others; None if there is none here."""
        start = self.at
        word = self.words[self.at]
        far = _distance(self.words, self.at)
        if far is not None:
            self.at, opposite, metres = far
            how: str | None = "within"
            negative = negative != opposite
        elif word.has("apart"):
            return self._apart(groups, joiner, negative)
        elif word.has("with", "without"):
            return self._with(groups[-1], joiner, negative != word.has("without"))
        elif word.has("relation", "inon"):
            how, metres = word.of("relation") or "inon", None
            if comparison(self.words, self.at) is not None:
                return None
            self.at += 1
        else:
            return None
        if how == "far":
            how, negative = "near", not negative
        if how == "within":
            after = self._peek()
            while after is not None and after.has("origin"):
                self.at += 1
                after = self._peek()
        if (after := self._next_real(self.at)) is not None and after.has("here"):
            while not self.words[self.at].has("here"):
                self.at += 1
            self.at += 1
            self.here = True
            return "taken"
        if after is not None and after.has("each"):
            while not self.words[self.at].has("each"):
                self.at += 1
            self.at += 1
            kind = _Group(groups[-1].kinds, groups[-1].roof).rule()
            item = _relation(how or "near", (kind or _ANY,) * (1 + (how == "between")), metres)
            self._attach(groups, _Said("relation", item, joiner, negative))
            return "taken"
        sets = self._others(how == "between")
        if not sets or any(rule is None for rule in sets):
            # Words that are not known stand there: they are told.
            return "taken" if self.at > start else None
        for number, (rule, joined) in enumerate(
            [(sets, "")] if how == "between" else [([r], j) for r, j in zip(sets, self._joins)]
        ):
            others = tuple(r for r in rule if r is not None)
            if how == "between" and len(others) == 1:
                others = others * 2
            item = _relation(how or "near", others, metres)
            own: Joiner = joiner if number == 0 else joined  # type: ignore[assignment]
            self._attach(groups, _Said("relation", item, own, negative))
        return "taken"

    def _attach(self, groups: list[_Group], said: _Said) -> None:
        """Say it of the last group, and of those joined to it that have no relation yet."""
        last = groups[-1]
        before = list(last.relations)
        last.relations.append(said)
        for group in reversed(groups[:-1]):
            if group.relations != before:
                break
            group.relations.append(said)

    _joins: list[str]

    def _others(self, between: bool) -> list[Rule | None]:
        """The groups that a relation takes: those joined by "or" are one, by "and" several."""
        sets: list[Rule | None] = []
        self._joins = []
        joined = ""
        while True:
            group = self._other()
            rule = group.rule()
            if rule is None and not group.thing:
                # Nothing that is known: the whole relation cannot be told.
                return sets if sets else [None]
            rule = rule or _ANY
            if joined == "or" and sets and sets[-1] is not None:
                sets[-1] = Rule((_bare(sets[-1]), _bare(rule)), "or")
            else:
                sets.append(rule)
                self._joins.append("and")
            word = self._peek()
            if word is None or not word.has("and", "or") or word.has("relation"):
                return sets
            place = self.at + 1
            if not self._names_another(place) or (self._begins_head(place) and not between):
                return sets
            if between and len(sets) == 2:
                return sets
            joined = "or" if word.has("or") else "and"
            self.at = place

    def _other(self) -> _Group:
        """One group of a relation: no relation of its own."""
        group = _Group()
        joiner: Joiner = ""
        negative = False
        while (word := self._peek()) is not None:
            if word.has("except", "with", "without", "apart", "relation"):
                break
            if word.has("inon") and not _filler(word):
                break
            if _distance(self.words, self.at) is not None:
                break
            if comparison(self.words, self.at) is not None and group.named:
                break
            if word.has("and", "or"):
                if group.named or self._names_relation(self.at + 1):
                    break
                joiner = "or" if word.has("or") else "and"
                self.at += 1
                continue
            if word.has("not"):
                if group.named:
                    break
                negative = True
                self.at += 1
                continue
            if self._say(group, joiner, negative) != "skip":
                joiner, negative = "", False
        return group

    def _names_relation(self, at: int) -> bool:
        word = self._next_real(at)
        return word is not None and word.has("relation", "inon", "not")

    def _with(self, group: _Group, joiner: Joiner, negative: bool) -> str:
        """ "With red roofs" tells of the object itself, "with a pool" of what is beside it."""
        self.at += 1
        here = self.at
        other = self._other()
        if other.kinds and not all(kind == "building" for kind, _ in other.kinds):
            rule = other.rule()
            if rule is not None:
                item = Relation("next to", (rule,))
                group.relations.append(_Said("relation", item, joiner, negative))
            return "taken"
        for said in other.said:
            said.negative = said.negative != negative
        group.said += other.said
        group.roof = group.roof or other.roof
        return "taken" if self.at > here else "skip"

    def _apart(self, groups: list[_Group], joiner: Joiner, negative: bool) -> str:
        """ "Apart from the road less than 50 m": the distance comes after the others."""
        self.at += 1
        far = _distance(self.words, self.at, bare=True)
        if far is not None:
            self.at = far[0]
        sets = self._others(False)
        if far is None:
            far = _distance(self.words, self.at, bare=True)
            if far is not None:
                self.at = far[0]
        if not sets or sets[0] is None:
            return "taken"
        if far is None:
            item, opposite = _relation("near", (sets[0],), None), True
        else:
            item, opposite = _relation("within", (sets[0],), far[2]), far[1]
        self._attach(groups, _Said("relation", item, joiner, negative != opposite))
        return "taken"


def _relation(how: str, others: tuple[Rule, ...], far: Measure | None) -> Item:
    if how == "inon":
        # One word for both: things lie on roads and ground, in water and fields.
        kinds = {item.value for item in others[0].items if isinstance(item, Condition)}
        how = "on" if kinds & {"road", "bare ground", "building"} else "inside"
    if how == "within" and far is None:
        how = "inside"
    if far is None:
        return Relation(how, others)  # type: ignore[arg-type]
    return Relation("within", others, far.value, "px" if far.pixels else "m")


def _distance(
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
    if _filler(word) and not word.has("compare") and word.has("stop", "origin"):
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
    while place < len(words) and (words[place].has("origin") or _filler(words[place])):
        seen = seen or words[place].has("origin")
        place += 1
    follows = place < len(words) and (
        not words[place].meanings
        or words[place].has("kind", "roof", "thing", "colour", "size", "shape", "here")
    )
    return (place, opposite, far) if seen and follows else None


def _filler(word: Word) -> bool:
    """Whether a word says nothing by itself."""
    return bool(word.meanings) and all(
        role in ("stop", "origin", "to", "dimension", "number", "after", "compare", "unit")
        for role, _ in word.meanings
    )


def _joined(said: list[_Said]) -> list[Item]:
    """Join what is said: one of several colours, but small and red; "or" as it stands."""
    result: list[list[tuple[_Said, Item]]] = []
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


def _bare(rule: Rule) -> Item:
    """A rule of one item without its bracket."""
    return rule.items[0] if len(rule.items) == 1 and rule.combine != "none" else rule
