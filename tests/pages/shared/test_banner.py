"""What went wrong stays until it is right, done again, or dismissed."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import banner
from rsam_core.errors import SceneError
from tests.helpers.waiting import PATIENCE

SCRIPT = """
import streamlit as st
from pages.parts.shared import banner
from rsam_core.errors import SceneError

def fail(kind):
    raise {"known": SceneError("Not <b>an image</b>.\\nTry [this](x)."), "memory": MemoryError(),
           "unknown": KeyError("/srv/secret.py")}[kind]

with banner.corner():
    st.button("again")
    for kind in ("known", "memory", "unknown"):
        if st.button(kind):
            with banner.guard("open"):
                fail(kind)
    if st.button("other"):
        with banner.guard("other"):
            fail("known")
    if st.button("right"):
        with banner.guard("open"):
            st.write("done")
    if st.button("rerun"):
        with banner.guard("open"):
            st.rerun()
    if st.button("new"):
        banner.forget_all()
    def callback():
        with banner.guard("callback"):
            fail("known")
    st.button("callback", on_click=callback)
    with banner.guard():
        if st.checkbox("wrong setting"):
            fail("known")
    if st.checkbox("page breaks"):
        fail("known")
"""


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=PATIENCE).run()


def press(page: AppTest, label: str) -> AppTest:
    next(b for b in page.button if b.label == label).click().run()
    assert not page.exception
    return page


def said(page: AppTest) -> list[str]:
    return [error.value for error in page.error]


def test_a_failed_action_is_said_until_it_succeeds(page: AppTest) -> None:
    press(page, "known")
    assert len(said(page)) == 1
    press(page, "again")
    press(page, "again")
    assert len(said(page)) == 1
    press(page, "right")
    assert said(page) == []


def test_a_failed_action_can_be_dismissed_and_its_text_is_no_markup(page: AppTest) -> None:
    press(page, "known")
    assert said(page) == ["Not \\<b\\>an image\\</b\\>.  \nTry \\[this\\](x)."]
    press(page, "Dismiss")
    assert said(page) == []


def test_the_same_action_is_said_once_with_its_last_error(page: AppTest) -> None:
    press(page, "known")
    press(page, "memory")
    assert len(said(page)) == 1
    assert "not enough memory" in said(page)[0]


def test_two_actions_are_said_side_by_side(page: AppTest) -> None:
    press(page, "known")
    press(page, "other")
    assert len(said(page)) == 2
    press(page, "right")
    assert len(said(page)) == 1


@pytest.mark.parametrize("way", ["rerun", "new"])
def test_success_that_draws_anew_and_a_new_beginning_take_it_back(page: AppTest, way: str) -> None:
    press(page, "known")
    press(page, way)
    assert said(page) == []


def test_an_error_of_a_callback_is_seen(page: AppTest) -> None:
    press(page, "callback")
    press(page, "again")
    assert len(said(page)) == 1


def test_a_wrong_state_is_said_exactly_as_long_as_it_lasts(page: AppTest) -> None:
    page.checkbox[0].check().run()
    press(page, "again")
    assert len(said(page)) == 1
    page.checkbox[0].uncheck().run()
    assert said(page) == []


def test_a_page_that_breaks_says_so_and_comes_back(page: AppTest) -> None:
    page.checkbox[1].check().run()
    assert not page.exception
    assert len(said(page)) == 1
    page.checkbox[1].uncheck().run()
    assert said(page) == []


def test_a_long_name_in_a_message_is_shortened() -> None:
    said = banner.words(SceneError(f"“{'x' * 300}.tif” is not an image.")).text
    assert said == f"“{'x' * 29}…{'x' * 24}.tif” is not an image."


def test_the_unexpected_is_logged_and_shows_no_path(
    page: AppTest, caplog: pytest.LogCaptureFixture
) -> None:
    press(page, "unknown")
    records = [r for r in caplog.records if r.name == "rsam"]
    assert [r.levelno for r in records] == [logging.ERROR]
    assert "secret" not in said(page)[0]
    assert "window in which RSAM was started" in said(page)[0]
    # Said again at the next run, but logged once.
    press(page, "again")
    assert len([r for r in caplog.records if r.name == "rsam"]) == 1
    # What this test provokes is no fault of the page.
    caplog.clear()
