"""The words that sentences are made of, read from data files, one a language."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

VIETNAMESE = frozenset("ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ")
"""Letters that no other of the languages has."""

LANGUAGES = ("en", "fr", "es", "vi")
"""English, French, Spanish, Vietnamese: where a sentence fits several, the first."""

Key = tuple[str, ...]
Meaning = tuple[str, str]
"""Role of a word, such as "colour", and what it says, such as "red"."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of one language.

    Attributes
    ----------
    code, name : str
    decimal, thousands : str
        Signs within numbers.
    endings : list
        Rounds of (ending, replacement): of each round the first that fits is applied to a word,
        so that plurals and genders fall together.
    entries : dict of str to dict of str to list of str
        Words by role and meaning.
    """

    code: str
    name: str
    decimal: str
    thousands: str
    endings: list[list[tuple[str, str]]]
    entries: dict[str, dict[str, list[str]]]

    def stem(self, word: str, plain: bool = False) -> str:
        """A word without its ending; without accents, too, if `plain`."""
        for round_ in self.endings:
            for ending, other in round_:
                if len(word) > 3 and word.endswith(ending):
                    word = word[: len(word) - len(ending)] + other
                    break
        return without_accents(word) if plain else word

    @cached_property
    def exact(self) -> dict[Key, list[Meaning]]:
        """What each entry means, by the stems of its words."""
        return self._index(False)

    @cached_property
    def plain(self) -> dict[Key, list[Meaning]]:
        """The same by stems without accents; what is a word with none stays that word."""
        return self._index(True) | self.exact

    @cached_property
    def longest(self) -> int:
        """Words of the longest entry."""
        return max(len(key) for key in self.exact)

    @cached_property
    def spoken(self) -> list[str]:
        """Words to suggest: kinds, colours, sizes, shapes, relations."""
        roles = ("kind", "roof", "colour", "size", "shape", "relation")
        return [w for r in roles for words in self.entries.get(r, {}).values() for w in words]

    def _index(self, plain: bool) -> dict[Key, list[Meaning]]:
        found: dict[Key, list[Meaning]] = {}
        for role, meanings in self.entries.items():
            for meaning, words in meanings.items():
                for word in words:
                    key = tuple(self.stem(part, plain) for part in word.split())
                    told = found.setdefault(key, [])
                    if (role, meaning) not in told:
                        told.append((role, meaning))
        return found


@cache
def vocabulary(code: str) -> Vocabulary:
    """The vocabulary of a language of :data:`LANGUAGES`."""
    path = files("rsam_core.segment.words").joinpath("vocabularies", f"{code}.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    entries = {
        role: {
            meaning: [unicodedata.normalize("NFC", word.casefold()) for word in words]
            for meaning, words in meanings.items()
        }
        for role, meanings in data["words"].items()
    }
    endings = [[(a, b) for a, b in round_] for round_ in data["endings"]]
    return Vocabulary(code, data["language"], data["decimal"], data["thousands"], endings, entries)


@cache
def kind_of_class(name: str) -> str:
    """The kind of a class that a person made: "Houses" are buildings, others a kind of their own.

    Returns
    -------
    str
        One of `rsam_core.models.tiny.kinds.KINDS`, or the name in small letters.
    """
    plain = " ".join(unicodedata.normalize("NFC", name).casefold().split())
    for code in LANGUAGES:
        words = vocabulary(code)
        key = tuple(words.stem(part) for part in plain.replace("-", " ").split())
        for role, meaning in words.exact.get(key, ()):
            if role == "kind" and "|" not in meaning:
                return meaning
    return plain


def without_accents(word: str) -> str:
    """Letters without their marks: "nhà" becomes "nha", "đỏ" becomes "do"."""
    parts = unicodedata.normalize("NFD", word.replace("đ", "d"))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def own_classes(classes: Sequence[str], words: Vocabulary, plain: bool) -> dict[Key, Meaning]:
    """What the names of a person's classes mean, by their stems."""
    found = {}
    for name in classes:
        parts = unicodedata.normalize("NFC", name).casefold().replace("-", " ").split()
        if parts:
            found[tuple(words.stem(part, plain) for part in parts)] = (
                "kind", kind_of_class(name),
            )  # fmt: skip
    return found
