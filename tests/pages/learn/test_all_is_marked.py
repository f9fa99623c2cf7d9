"""Nothing that Learn says is left out of its translations: all of it comes from the catalogue."""

from __future__ import annotations

import gettext
import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.learn import touch
from rsam_core.evaluate.learn.catalog import LESSONS
from rsam_core.runtime import language

SIGN = "¿"
"""Stands before each translation below."""
KINDS = (
    "title", "header", "subheader", "markdown", "caption", "info", "success", "warning", "metric",
    "button", "slider", "select_slider", "toggle", "number_input", "text_input",
)  # fmt: skip
CHOICES = ("button_group", "select_slider", "radio")
SAME = {"Dice", *language.LANGUAGES.values()}
"""Words that are the same in all languages."""


class Marked(gettext.NullTranslations):
    """A language that is English with a sign before each message."""

    def gettext(self, message: str) -> str:
        return SIGN + message

    def ngettext(self, one: str, many: str, count: int) -> str:
        return SIGN + (one if count == 1 else many)


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said about pictures; all that is translated begins with the sign."""
    monkeypatch.setattr(language, "_catalog", lambda code: Marked())
    said: list[str] = []
    real = touch._touch

    def note(**settings):
        said.append(settings["data"]["label"])
        said.extend(mark["text"] for mark in settings["data"]["marks"])
        return real(**settings)

    monkeypatch.setattr(touch, "_touch", note)
    return said


def told(page: AppTest) -> list[str]:
    """All texts of a page that a person reads or hears."""
    found = []
    for kind in KINDS:
        for item in getattr(page, kind):
            texts = [getattr(item, name, None) for name in ("label", "value", "help", "delta")]
            found += [text for text in texts if isinstance(text, str)]
    found += [option for kind in CHOICES for item in getattr(page, kind) for option in item.options]
    for item in page.get("html"):
        if "{" not in item.proto.body:
            found += re.findall(r">([^<>]+)<", item.proto.body)
    return found


def unmarked(texts: list[str]) -> list[str]:
    """Texts with words that no catalogue translates."""
    plain = [re.sub(r":material/\w+:|https?:\S+", "", text) for text in texts]
    return [t for t in plain if SIGN not in t and re.search("[a-z]{3}", t) and t not in SAME]


def test_what_is_not_marked_is_found() -> None:
    texts = [f"{SIGN}Open", "Open", "IoU", "12.0%", ":material/check: TP", "Dice", "Français"]
    assert unmarked(texts) == ["Open"]


@pytest.mark.parametrize("address", [f"lesson={key}" for key in LESSONS]
                         + ["part=lessons", "part=class", "part=teacher"])  # fmt: skip
def test_all_that_is_said_can_be_translated(app: AppTest, spoken: list[str], address: str) -> None:
    name, value = address.split("=")
    app.query_params[name] = value
    app.switch_page("pages/screens/learn.py").run()
    assert not app.exception
    said = told(app) + spoken
    assert sum(SIGN in text for text in said) > 5
    assert unmarked(said) == []
