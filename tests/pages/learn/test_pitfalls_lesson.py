"""Lesson 9 on the page: the model answers to what a slider does, and sentences are sorted."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.evaluate.learn.asking import segmenter
from rsam_core.evaluate.learn.lessons import pitfalls_borders as borders
from rsam_core.evaluate.learn.lessons import pitfalls_hiding as hiding
from rsam_core.evaluate.learn.lessons.pitfalls_claims import CLAIMS
from tests.helpers.pages import fine, png, put, texts
from tests.helpers.shots import lawn

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

NAME = "learn-pitfalls-{}".format


def begun(app: AppTest) -> AppTest:
    app.query_params["lesson"] = "pitfalls"
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    return app


def done(at: AppTest) -> set[str]:
    return at.session_state["learn-done-pitfalls"]


def test_haze_and_trees_deceive_the_model(app: AppTest) -> None:
    at = begun(app)
    at.slider(key=NAME("amount-haze")).set_value(90).run()
    model = segmenter()
    found = hiding.find(model, model.embed(hiding.disturbed("haze", 0.9)))
    assert f"**{found.areas[0]:,.0f} m²** found" in texts(at)
    assert "hidden" not in done(at)
    at.segmented_control(key=NAME("kind")).set_value("trees").run()
    at.slider(key=NAME("amount-trees")).set_value(60).run()
    assert "hidden" in done(at)
    fine(at)


def test_borders_training_places_and_sentences(app: AppTest) -> None:
    at = begun(app)
    at.segmented_control(key=NAME("part")).set_value("borders").run()
    at.slider(key=NAME("pixels")).set_value(2.0).run()
    more = borders.share_of_area("roof", 1.2) - 1
    assert f"**+{more:.0%}**" in texts(at)
    at.segmented_control(key=NAME("part")).set_value("learnt").run()
    assert "Learnt in: Estate of blocks" in texts(at)
    at.pills(key=NAME("places")).set_value([]).run()
    assert "at least one place" in texts(at)
    at.pills(key=NAME("places")).set_value(["village", "estate"]).run()
    assert "taught" in done(at)
    at.segmented_control(key=NAME("part")).set_value("claims").run()
    for claim in CLAIMS:
        at.segmented_control(key=NAME(f"claim-{claim.key}")).set_value(claim.verdict)
    at.run()
    assert "6 of 6 right" in texts(at)
    assert "sorted" in done(at)
    fine(at)


def test_haze_over_the_open_image(app: AppTest) -> None:
    put(app, current_session.load(png(lawn()), "lawn.png"))
    app.session_state["learn-own"] = True
    at = begun(app)
    assert "the clear picture's outline stands for it" in texts(at)
    at.slider(key=NAME("own-amount-haze")).set_value(50).run()
    fine(at)
    assert "hidden" not in done(at)
