"""Words in order, and what the next of them say of a group: kind, colour, size, shape, measure."""

from __future__ import annotations

from rsam_core.objects.classify.rules import Condition, Extreme, Rule
from rsam_core.segment.words._distances import filler
from rsam_core.segment.words._groups import Group, Joiner, Said
from rsam_core.segment.words.measures import amount, comparison
from rsam_core.segment.words.reading import Word

BREAKS = ("relation", "inon", "except", "with", "without", "apart")


class Phrases:
    """A place in a row of words, moved on as they are understood."""

    def __init__(self, words: list[Word]) -> None:
        self.words, self.at = words, 0
        self.unknown: list[tuple[int, str]] = []
        self.here = False
        self._held: float | None = None

    # ---- looking ------------------------------------------------------------------------
    def _peek(self, ahead: int = 0) -> Word | None:
        place = self.at + ahead
        return self.words[place] if place < len(self.words) else None

    def _next_real(self, at: int) -> Word | None:
        """The next word from a place on that is not a mere filler."""
        for word in self.words[at:]:
            if not filler(word):
                return word
        return None

    def _names_another(self, at: int) -> bool:
        """Whether the words up to the next joiner or relation name a kind or things."""
        for word in self.words[at:]:
            if word.has("and", "or", *BREAKS):
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

    # ---- what is said of a group --------------------------------------------------------
    def _say(self, group: Group, joiner: Joiner, negative: bool) -> str:
        """Take the next words into a group; "skip" if they say nothing."""
        measure = comparison(self.words, self.at)
        if measure is not None:
            self.at = measure.end
            group.said.append(Said("measure", measure.condition(), joiner, negative))
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
            group.said.append(Said(kind, item, joiner, negative))
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
        if word.has("number") or filler(word) or word.has("ones"):
            self._hold(word)
            return "skip"
        self.unknown.append((self.at - 1, word.text))
        return "skip"

    def _hold(self, word: Word) -> None:
        """A number without a unit may say how many of the largest."""
        if word.value is not None and word.value >= 1:
            self._held = word.value

    def _count(self, group: Group) -> int:
        count = self._held
        after = self._peek()
        if count is None and after is not None and amount(self.words, self.at) is None:
            count = after.value if after.has("number") and (after.value or 0) >= 1 else None
            self.at += count is not None
        self._held = None
        return max(1, int(count or 1))
