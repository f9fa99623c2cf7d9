"""300 free sentences, written before the grammar, are understood as a person means them."""

from __future__ import annotations

import pytest

from rsam_core.errors import WordsError
from rsam_core.segment.words import words
from tests.segment.words.notation import comparable, expected, sentences

LANGUAGES = ("en", "fr", "es", "vi")


def differences(language: str) -> list[str]:
    """Sentences of a language that are not understood as expected, with what was understood."""
    wrong = []
    for text, meaning in sentences(language):
        rule, unknown, here, reason = expected(meaning)
        try:
            query = words(text)
        except WordsError as error:
            if error.reason != reason:
                wrong.append(f"{text!r}: refused as {error.reason}, expected {meaning}")
            continue
        told = (comparable(query.conditions), list(query.unknown), query.here)
        if reason is not None or told != (rule, unknown, here):
            found = f"{query.conditions} ? {list(query.unknown)} {query.here} [{query.language}]"
            wrong.append(f"{text!r}: {found}, expected {meaning}")
    return wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_all_sentences_are_understood(language):
    assert len(sentences(language)) == 75
    wrong = differences(language)
    assert len(wrong) <= 3, "\n".join(wrong)


def test_the_notation_tells_different_rules_apart():
    first = expected("kind=car & (colour=red | colour=blue)")[0]
    assert first == expected("(colour=blue | colour=red) & kind=car")[0]
    assert first != expected("kind=car & colour=red")[0]
    assert expected("!(kind=car | size=small)")[0] == expected("!kind=car & !size=small")[0]
    assert expected("near[kind=water]")[0] != expected("near[kind=pool]")[0]
