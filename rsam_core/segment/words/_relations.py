"""Words that put a group beside others: "next to a road", "with a pool", "50 m from the river"."""

from __future__ import annotations

from rsam_core.objects.classify.rules import Relation, Rule
from rsam_core.segment.words._distances import distance, filler, relation_of
from rsam_core.segment.words._groups import ANY, Group, Joiner, Said, bare
from rsam_core.segment.words._phrases import Phrases
from rsam_core.segment.words.measures import comparison
from rsam_core.segment.words.reading import Word


class Relations(Phrases):
    """Words in order, relations with what they are related to among them."""

    def __init__(self, words: list[Word]) -> None:
        super().__init__(words)
        self._joins: list[str] = []

    def _relation(self, groups: list[Group], joiner: Joiner, negative: bool) -> str | None:
        """Take a relation with its others; None if there is none here."""
        start = self.at
        word = self.words[self.at]
        far = distance(self.words, self.at)
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
            kind = Group(groups[-1].kinds, groups[-1].roof).rule()
            item = relation_of(how or "near", (kind or ANY,) * (1 + (how == "between")), metres)
            self._attach(groups, Said("relation", item, joiner, negative))
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
            item = relation_of(how or "near", others, metres)
            own: Joiner = joiner if number == 0 else joined  # type: ignore[assignment]
            self._attach(groups, Said("relation", item, own, negative))
        return "taken"

    def _attach(self, groups: list[Group], said: Said) -> None:
        """Say it of the last group, and of those joined to it that have no relation yet."""
        last = groups[-1]
        before = list(last.relations)
        last.relations.append(said)
        for group in reversed(groups[:-1]):
            if group.relations != before:
                break
            group.relations.append(said)

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
            rule = rule or ANY
            if joined == "or" and sets and sets[-1] is not None:
                sets[-1] = Rule((bare(sets[-1]), bare(rule)), "or")
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

    def _other(self) -> Group:
        """One group of a relation: no relation of its own."""
        group = Group()
        joiner: Joiner = ""
        negative = False
        while (word := self._peek()) is not None:
            if word.has("except", "with", "without", "apart", "relation"):
                break
            if word.has("inon") and not filler(word):
                break
            if distance(self.words, self.at) is not None:
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

    def _with(self, group: Group, joiner: Joiner, negative: bool) -> str:
        """ "With red roofs" tells of the object itself, "with a pool" of what is beside it."""
        self.at += 1
        here = self.at
        other = self._other()
        if other.kinds and not all(kind == "building" for kind, _ in other.kinds):
            rule = other.rule()
            if rule is not None:
                item = Relation("next to", (rule,))
                group.relations.append(Said("relation", item, joiner, negative))
            return "taken"
        for said in other.said:
            said.negative = said.negative != negative
        group.said += other.said
        group.roof = group.roof or other.roof
        return "taken" if self.at > here else "skip"

    def _apart(self, groups: list[Group], joiner: Joiner, negative: bool) -> str:
        """ "Apart from the road less than 50 m": the distance comes after the others."""
        self.at += 1
        far = distance(self.words, self.at, bare=True)
        if far is not None:
            self.at = far[0]
        sets = self._others(False)
        if far is None:
            far = distance(self.words, self.at, bare=True)
            if far is not None:
                self.at = far[0]
        if not sets or sets[0] is None:
            return "taken"
        if far is None:
            item, opposite = relation_of("near", (sets[0],), None), True
        else:
            item, opposite = relation_of("within", (sets[0],), far[2]), far[1]
        self._attach(groups, Said("relation", item, joiner, negative != opposite))
        return "taken"
