"""From words with meanings to a rule.

The word order of a language hardly matters: a group of words holds a kind and what is said of it,
in any order. "And" or "or" begins a new group where another kind follows; a relation takes the
group after it; what follows "except" is left out of all before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsam_core.objects.classify.rules import Extreme, Rule
from rsam_core.segment.words._groups import Group, Item, Joiner, bare
from rsam_core.segment.words._relations import Relations
from rsam_core.segment.words.measures import amount
from rsam_core.segment.words.reading import Word

__all__ = ["Item", "Parsed", "parse"]


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


class _Parser(Relations):
    """Words in order, read as a whole sentence."""

    def sentence(self) -> Parsed:
        groups = self._groups()
        left_out: list[Rule] = []
        while self._peek() is not None:
            self.at += 1  # "except"
            left_out += [g.rule() for g in self._groups() if g.rule() is not None]
        rules = [rule for rule in (g.rule() for g in groups) if rule is not None]
        parts: list[Item] = []
        if len(rules) > 1:
            parts.append(Rule(tuple(bare(rule) for rule in rules), "or"))
        elif rules:
            parts += rules[0].items
        if left_out:
            # The largest are chosen of what is left.
            few = [item for item in parts if isinstance(item, Extreme)]
            parts = [item for item in parts if not isinstance(item, Extreme)]
            parts += [Rule(tuple(bare(rule) for rule in left_out), "none"), *few]
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

    def _groups(self) -> list[Group]:
        """Groups up to "except" or the end."""
        groups = [Group()]
        joiner: Joiner = ""
        negative = False
        while (word := self._peek()) is not None and not word.has("except"):
            group = groups[-1]
            if word.has("and", "or") and not word.has("relation"):
                joiner = "or" if word.has("or") else joiner or "and"
                self.at += 1
                if (group.named or group.relations) and self._names_another(self.at):
                    groups.append(Group(joiner=joiner))
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
