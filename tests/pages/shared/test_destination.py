"""One arrives where one was sent, though the run that sent was replaced by another."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.helpers.pages import fine


def test_a_run_of_the_old_page_goes_on_to_the_new_one(app: AppTest):
    app.run()
    assert app.title[0].value == "Outline anything in an aerial image"
    # What is left of a run that was replaced before it could change the page.
    app.session_state["destination"] = "pages/screens/segment.py"
    app.run()
    fine(app)
    assert "Outline anything in an aerial image" not in [title.value for title in app.title]
    assert "destination" not in app.session_state


def test_who_has_arrived_may_leave_again(app: AppTest):
    app.session_state["destination"] = "pages/screens/one_shot.py"
    app.run()
    assert "destination" not in app.session_state
    app.switch_page("pages/screens/home.py").run()
    fine(app)
    assert app.title[0].value == "Outline anything in an aerial image"
