"""The language of a browser: its own at first, then the chosen one, wherever one goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.parts.shared import speech
from rsam_core.runtime import language
from tests.helpers.catalogs import written
from tests.helpers.pages import fine

PAGE = "pages/screens/learn.py"


@pytest.fixture(autouse=True)
def _catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A few words in two languages."""
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    monkeypatch.setattr(language, "_asked", [])
    written(tmp_path, "fr", {"Learn": "Apprendre", "Compare": "Comparer", "Samples": "Exemples"})
    written(tmp_path, "vi", {"Learn": "Học"})
    language._catalog.cache_clear()
    yield
    language._catalog.cache_clear()


def says(monkeypatch: pytest.MonkeyPatch, locale: str | None) -> None:
    """Let the browser say which language it has."""
    monkeypatch.setattr(st, "context", SimpleNamespace(locale=locale, url=None))


@pytest.mark.parametrize(
    ("locale", "title"),
    [("fr-CA", "Apprendre"), ("vi", "Học"), ("de-DE", "Learn"), (None, "Learn")],
)
def test_the_language_of_the_browser_comes_first(app: AppTest, monkeypatch, locale, title):
    says(monkeypatch, locale)
    app.switch_page(PAGE).run()
    fine(app)
    assert app.title[0].value == title
    assert app.selectbox(key="language-choice").value == language.known(locale or "en")


def test_a_chosen_language_stays_on_the_way_to_other_pages_and_back(app: AppTest, monkeypatch):
    says(monkeypatch, "vi-VN")
    app.switch_page(PAGE).run()
    app.selectbox(key="language-choice").select("fr").run()
    fine(app)
    assert app.title[0].value == "Apprendre"
    app.switch_page("pages/screens/prepare.py").run()
    fine(app)
    # What other pages share speaks it, too; the rest is English until it is translated.
    assert "Exemples" in [heading.value for heading in app.subheader]
    app.switch_page(PAGE).run()
    assert app.title[0].value == "Apprendre"
    assert app.selectbox(key="language-choice").value == "fr"


def test_each_browser_keeps_its_own(monkeypatch):
    says(monkeypatch, "fr")
    sessions = iter(["one", "one", "two", "one", "two", "nobody"])
    monkeypatch.setattr(speech.streamlit_adapter, "session_id", lambda: next(sessions))
    monkeypatch.setattr(speech, "_spoken", {"two": "vi"})
    monkeypatch.setattr(st, "session_state", {})
    speech.begin()
    assert [language.current() for _k in range(2)] == ["fr", "vi"]
    speech._forget("one")
    assert [language.current() for _k in range(3)] == ["en", "vi", "en"]
