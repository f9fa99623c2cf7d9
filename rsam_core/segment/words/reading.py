"""From a sentence to words with a meaning: signs, numbers, units, the language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rsam_core.errors import WordsError
from rsam_core.segment.words.vocabulary import (
    LANGUAGES,
    VIETNAMESE,
    Key,
    Meaning,
    Vocabulary,
    own_classes,
    vocabulary,
)

MAX_SIGNS = 600
"""Letters of a sentence at most."""

_MARKUP = re.compile(r"<\s*[/!]?\s*[a-zA-Z][^>]*>?|&[a-z]+;|</")
_PART = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,]\d+)*|(?:m|km|ft)[²2](?![^\W_])"
    r"|[^\W\d_]+|[<>≤≥]=?|[,;&]"
)


@dataclass(frozen=True)
class Word:
    """One or several words of a sentence with what they may mean.

    Attributes
    ----------
    text : str
        As typed, in small letters.
    meanings : tuple of (str, str)
        Role and meaning; empty if it is not known.
    value : float or None
        Of a number.
    """

    text: str
    meanings: tuple[Meaning, ...] = ()
    value: float | None = None

    def of(self, role: str) -> str | None:
        """What it means in a role, None if it has none in it."""
        for own, meaning in self.meanings:
            if own == role:
                return meaning
        return None

    def has(self, *roles: str) -> bool:
        """Whether it has one of these roles."""
        return any(own in roles for own, _ in self.meanings)


def checked(text: object) -> str:
    """A sentence that can be read, in small letters.

    Raises
    ------
    WordsError
        If it is empty, too long, markup, numbers only or in a script that is not known; its
        attribute `reason` says which.
    """
    if not isinstance(text, str) or not text.strip():
        raise WordsError("Type what you are looking for, such as “red roofs”.", "empty")
    if len(text) > MAX_SIGNS:
        raise WordsError(
            f"The sentence has {len(text):,} letters, which is more than it takes. Say it in a "
            f"few words, {MAX_SIGNS} letters at most.",
            "long",
        )
    if _MARKUP.search(text):
        raise WordsError("This is markup, not a sentence. Type it without “<” and “>”.", "markup")
    plain = unicodedata.normalize("NFC", text).casefold()
    letters = [sign for sign in plain if sign.isalpha()]
    if not letters:
        if any(sign.isdigit() for sign in plain):
            raise WordsError(
                "These are numbers only. Say of what, such as “buildings over 200 m²”.", "numbers"
            )
        raise WordsError("Type what you are looking for, such as “red roofs”.", "empty")
    latin = [s for s in letters if "LATIN" in unicodedata.name(s, "")]
    if not latin:
        raise WordsError(
            "Words are understood in English, French, Spanish and Vietnamese. Say it in one of "
            "these.",
            "script",
        )
    return plain


def read(
    text: str, language: str | None = None, classes: Sequence[str] = ()
) -> tuple[list[Word], Vocabulary]:
    """Split a checked sentence into words with meanings, in the language that knows most of them.

    Parameters
    ----------
    text : str
        From :func:`checked`.
    language : str, optional
        One of `LANGUAGES`; guessed if not given.
    classes : sequence of str
        Names of classes that a person made.

    Returns
    -------
    words : list of Word
    vocabulary : Vocabulary
    """
    best: tuple[tuple, list[Word], Vocabulary] | None = None
    marked = bool(VIETNAMESE & set(text))
    codes = ("vi",) if marked else LANGUAGES
    for order, code in enumerate((language,) if language else codes):
        words = vocabulary(code)
        # Who types accents means them.
        for plain in (False,) if marked else (False, True):
            found = _meanings(text, words, plain, classes)
            strange = sum(not word.meanings for word in found)
            rank = (strange, plain, order)
            if best is None or rank < best[0]:
                best = (rank, found, words)
    assert best is not None
    return best[1], best[2]


def _meanings(text: str, words: Vocabulary, plain: bool, classes: Sequence[str]) -> list[Word]:
    index = words.plain if plain else words.exact
    own = own_classes(classes, words, plain)
    longest = max(words.longest, *(len(key) for key in own)) if own else words.longest
    parts = _PART.findall(text)
    stems = [words.stem(part, plain) for part in parts]
    found: list[Word] = []
    at = 0
    while at < len(parts):
        if parts[at][0].isdigit():
            found.append(Word(parts[at], (("number", ""),), _number(parts[at], words)))
            at += 1
            continue
        if parts[at] in ",;":
            found.append(Word(",", (("and", "comma"),)))
            at += 1
            continue
        for length in range(min(longest, len(parts) - at), 0, -1):
            told = _told(tuple(stems[at : at + length]), index, own)
            if told:
                text_ = " ".join(parts[at : at + length])
                value = next((float(m) for role, m in told if role == "number"), None)
                found.append(Word(text_, told, value))
                at += length
                break
        else:
            found.append(Word(parts[at]))
            at += 1
    return found


def _told(key: Key, index: dict[Key, list[Meaning]], own: dict[Key, Meaning]) -> tuple:
    told = tuple(index.get(key, ()))
    return (own[key], *(m for m in told if m != own[key])) if key in own else told


def _number(text: str, words: Vocabulary) -> float:
    """A number as the language writes it; 1.500 is fifteen hundred where the comma is decimal."""
    text = re.sub(r"[ \u00a0\u202f]", "", text)
    for sign in ".,":
        groups = text.split(sign)
        grouped = len(groups) > 1 and all(len(g) == 3 for g in groups[1:]) and groups[0] != "0"
        if sign in words.thousands and grouped and len(groups[0]) <= 3:
            text = "".join(groups)
    if text.count(".") + text.count(",") > 1:
        return float(re.sub(r"[.,]", "", text))
    return float(text.replace(",", "."))
