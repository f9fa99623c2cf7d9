"""Lesson 1 on the page: sliders change the numbers, what was done stays done."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from tests.helpers.pages import fine, texts

NAME = "learn-remote_sensing-{}".format


def begun(app: AppTest) -> AppTest:
    app.query_params["lesson"] = "remote_sensing"
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    return app


def test_sizes_of_pixels_and_what_is_seen(app: AppTest) -> None:
    at = begun(app)
    assert "6 × 3 pixels" in texts(at)
    slider = at.select_slider(key=NAME("gsd"))
    slider.set_value(3.0).run()
    assert "60 × 30 pixels" in texts(at)
    at.button(key=NAME("see-road")).click().run()
    at.button(key=NAME("see-roof")).click().run()
    assert "marks" not in at.session_state["learn-done-remote_sensing"]
    at.select_slider(key=NAME("gsd")).set_value(1.0).run()
    at.button(key=NAME("see-car")).click().run()
    assert "Cars: you at 1 m" in texts(at)
    assert "marks" in at.session_state["learn-done-remote_sensing"]
    fine(at)


def test_near_infrared_and_slant(app: AppTest) -> None:
    at = begun(app)
    at.segmented_control(key=NAME("part")).set_value("bands").run()
    at.session_state[NAME("spot-place-campus")] = (284.0, 25.0, True)
    at.slider(key=NAME("least")).set_value(0.2).run()
    assert "no living plant" in texts(at)
    at.segmented_control(key=NAME("part")).set_value("view").run()
    at.slider(key=NAME("sun")).set_value(40).run()
    assert f"{36 / np.tan(np.deg2rad(40)):.1f}\u00a0m" in texts(at)
    at.slider(key=NAME("lean")).set_value(21).run()
    assert f"{36 * np.tan(np.deg2rad(21)):.1f}\u00a0m" in texts(at)
    assert at.session_state["learn-done-remote_sensing"] >= {"paint", "beside"}
    at.segmented_control(key=NAME("kind")).set_value("ortho").run()
    assert "put back to its place" in texts(at)
    fine(at)
