"""Follow: the page without and with a series, following, correcting, what cannot be opened."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.follow import chart, film, opening_series, panel, picture
from pages.parts.shared import resources
from rsam_core.change.frames import Frames
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.following import FOLLOW, FollowState, follow_state
from rsam_core.session.series_source import Series, series_of_files
from rsam_core.session.session import Session
from tests.change.test_frames import video
from tests.helpers.colour_model import ColourModel
from tests.helpers.pages import click, fine, opened, put, texts, wait_for
from tests.session.test_following import FILES, follow, settle

PAGE = "pages/screens/follow.py"


@pytest.fixture(autouse=True)
def _red(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that outlines what is red."""
    segmenter = Segmenter(ColourModel())
    monkeypatch.setattr(resources, "segmenter", lambda name: segmenter)
    monkeypatch.setattr(resources, "embed", lambda image, key: segmenter.embed(image))


def series() -> tuple[Session, FollowState]:
    found: Series = series_of_files(FILES)
    session = Session(found.first)
    state = follow_state(session)
    state.open(found)
    return session, state


def test_from_the_first_click_to_the_table_and_back(app: AppTest):
    session, state = series()
    put(app, session)
    page = app.switch_page(PAGE).run()
    fine(page)
    assert "Start here" in texts(page)
    state.look(1)
    state.click(30, 40)
    page.run()
    fine(page)
    assert state.outline(1).area == 576
    click(page, "Follow through 3 frames")
    wait_for(session.jobs, FOLLOW)
    page.run()
    fine(page)
    table = next(d.value for d in page.dataframe if "area" in d.value)
    assert list(table["area"]) == [576] * 3
    assert list(table["date"]) == ["2016", "2018", "2020-05"]
    assert "frames a second" in texts(page)
    click(page, "Undo")
    assert state.now.track is None


def test_a_correction_is_followed_by_itself(app: AppTest):
    session, state = series()
    state.click(30, 40)
    settle(state)
    follow(session, state)
    put(app, session)
    state.look(2)
    state.draw_box(28, 30, 52, 42)
    page = app.switch_page(PAGE).run()
    fine(page)
    wait_for(session.jobs, FOLLOW)
    page.run()
    fine(page)
    assert state.outline(2).area == 288
    assert state.now.pending == ()


def test_dates_and_a_video_are_opened_from_the_page(app: AppTest):
    page = app.switch_page(PAGE).run()
    fine(page)
    assert "A lake that shrinks" in [button.label for button in page.button]
    upload = page.file_uploader[0]
    upload.set_value([(*FILES[0], "image/png")]).run()
    assert "One date is open" in texts(page)
    upload = page.file_uploader[0]
    upload.set_value([(name, content, "image/png") for name, content in FILES]).run()
    wait_for(page.session_state["visit"].jobs, opening_series.JOB)
    page.run()
    fine(page)
    assert follow_state(opened(page)).frames.dates == ("2016", "2018", "2020-05")


def test_a_long_video_is_asked_about_first(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening_series, "MAX_FRAMES", 50)
    page = app.switch_page(PAGE).run()
    page.file_uploader[0].set_value([("flight.mp4", video(120), "video/mp4")]).run()
    fine(page)
    assert "120 frames" in page.warning[0].value
    page.slider(key="video-frames").set_value(40).run()
    click(page, "Take one frame in 3: 40 frames")
    wait_for(page.session_state["visit"].jobs, opening_series.JOB)
    page.run()
    fine(page)
    assert len(follow_state(opened(page)).frames) == 40


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("flight.mp4", video(6)[:400], "video/mp4")], "flight.mp4"),
        ([("flight.mp4", video(6), "video/mp4"), (*FILES[0], "image/png")], "stands for itself"),
        ([(*FILES[0], "image/png"), ("copy.png", FILES[0][1], "image/png")], "twice"),
    ],
)
def test_what_cannot_be_opened_is_told_in_one_sentence(app: AppTest, files, message):
    page = app.switch_page(PAGE).run()
    page.file_uploader[0].set_value(files).run()
    wait_for(page.session_state["visit"].jobs, opening_series.JOB)
    page.run()
    assert not page.exception
    assert len(page.error) == 1
    assert message in page.error[0].value
    assert opened(page) is None


# ------------------------------------------------------------------ without the app


def test_the_strip_tells_what_became_of_each_frame():
    session, state = series()
    state.click(30, 40)
    settle(state)
    assert film.states(state) == ["marked", "", ""]
    follow(session, state)
    assert film.states(state) == ["marked", "", ""]
    assert film.labels(state) == ["2016", "2018", "2020-05"]
    flight = Frames(("0.00 s", "0.20 s"), (4, 4), lambda k: np.zeros((4, 4, 3), np.uint8),
                    seconds=(0.0, 0.2))  # fmt: skip
    state.frames = flight
    assert film.labels(state) == ["0.00 s", "0.20 s"]


def test_the_hint_says_what_a_click_means():
    session, state = series()
    assert "need not be the first" in picture.hint(state, "Points", 1)
    assert "corner" in picture.hint(state, "Box", 1)
    state.click(30, 40)
    settle(state)
    follow(session, state)
    assert "followed again from here" in picture.hint(state, "Points", 1)


def test_rows_of_lost_frames_are_told_together():
    assert panel.ranges([3, 5, 6, 7, 12]) == ["3", "5 to 7", "12"]
    assert panel.ranges([]) == []


def test_the_chart_leaves_lost_frames_out():
    table = pd.DataFrame({
        "frame": [1, 2, 3], "date": [None] * 3, "found": [True, False, True],
        "marked": [True, False, False], "area": [10, 0, 30], "change": [0.0, np.nan, 2.0],
    })  # fmt: skip
    data, column, what = chart.points(table, "Area")
    assert (column, what) == ("area", "frame")
    assert data["value"].tolist()[::2] == [10, 30]
    assert np.isnan(data["value"][1])
    assert data["kind"].tolist() == ["marked", "followed", "followed"]
    assert chart.points(table, "Change of area")[0]["value"][2] == 200
