"""Another language changes what is said, and nothing that a person did."""

from __future__ import annotations

import gettext
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import speech
from rsam_core.runtime import language
from tests.helpers.pages import TWO_BOXES, fine

Start = Callable[..., AppTest]


class Told(gettext.NullTranslations):
    """A language that is English with its code before each message."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def gettext(self, message: str) -> str:
        return f"{self.code}: {message}"

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)


@pytest.fixture(autouse=True)
def _languages(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {code: Told(code) for code in language.LANGUAGES if code != language.SOURCE}
    known[language.SOURCE] = gettext.NullTranslations()
    monkeypatch.setattr(language, "_catalog", known.__getitem__)
    # What a browser sends back, Streamlit's tests put into words here, outside of any session: in
    # the language of the last run, as a browser has them.
    monkeypatch.setattr(speech, "_spoken", {})
    monkeypatch.setattr(
        speech, "_of_this_thread", lambda: next(iter(speech._spoken.values()), None)
    )


def speak(at: AppTest, code: str) -> None:
    """Choose a language, as on another page, and let the page be drawn twice."""
    at.session_state["language"] = code
    at.run()
    fine(at)
    at.run()
    fine(at)


def test_what_was_chosen_on_segment_stays(segment: Start) -> None:
    at = segment(book=TWO_BOXES)
    at.segmented_control(key="mode").set_value("Points").run()
    at.segmented_control(key="point-kind").set_value("Take away")
    at.segmented_control(key="typed-kind").set_value("Box")
    at.selectbox(key="fill").select("One colour")
    at.toggle(key="large-on").set_value(True).run()
    at.segmented_control(key="large-others").set_value("faded")
    at.slider(key="opacity").set_value(0.2).run()

    for code in ("vi", "fr", "en"):
        speak(at, code)
        assert at.selectbox(key="fill").label == ("Filling" if code == "en" else f"{code}: Filling")
        assert at.segmented_control(key="mode").value == "Points"
        assert at.segmented_control(key="point-kind").value == "Take away"
        assert at.segmented_control(key="typed-kind").value == "Box"
        assert at.selectbox(key="fill").value == "One colour"
        assert at.segmented_control(key="large-others").value == "faded"
        assert at.slider(key="opacity").value == 0.2


def test_what_was_chosen_on_objects_stays(segment: Start) -> None:
    at = segment(book=TWO_BOXES)
    at.switch_page("pages/screens/objects.py").run()
    at.selectbox(key="refine-preset").select("Few corners, for a map")
    at.segmented_control(key="classify-way").set_value("By rule").run()
    at.selectbox(key="rule-operator-0").select("<=")
    at.selectbox(key="edit-class").select("road").run()
    at.number_input(key="refine-simplify-px").set_value(2.5).run()

    for code in ("es", "en"):
        speak(at, code)
        assert at.selectbox(key="refine-preset").value == "Few corners, for a map"
        assert at.number_input(key="refine-simplify-px").value == 2.5
        assert at.segmented_control(key="classify-way").value == "By rule"
        assert at.selectbox(key="rule-operator-0").value == "<="
        assert at.selectbox(key="edit-class").value == "road"


def test_choices_beside_the_language_stay_in_sight_of_the_browser(app: AppTest) -> None:
    """It knows a choice by its words: those of the old language would mean the first choice."""
    app.query_params["part"] = "class"
    app.switch_page("pages/screens/learn.py").run()
    app.button(key="learn-class-make").click().run()
    app.selectbox(key="learn-maker-kind").select("tree").run()
    app.selectbox(key="language-choice").select("es").run()
    fine(app)
    kind = app.selectbox(key="learn-maker-kind")
    assert kind.value == "tree"
    assert kind.proto.set_value
    assert kind.proto.raw_value == "es: trees"
    app.toggle(key="learn-maker-iou").set_value(False).run()
    assert app.selectbox(key="learn-maker-kind").value == "tree"
    assert app.selectbox(key="language-choice").value == "es"
