"""Apply: cards, a question on the sample, checks with undo, what is missing, an earlier answer."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts.apply.sources import chosen, counts, offered
from rsam_core.change.apply import Features, Site
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.objects.instances import Instances
from rsam_core.session.apply import ApplyState, KeptLayer, apply_state
from rsam_core.session.session import Session
from tests.helpers.pages import click, fine, put, texts, wait_for
from tests.helpers.rasters import tiff

PAGE = "pages/screens/apply.py"


def session(gsd: float | None = 0.5) -> Session:
    noise = np.random.default_rng(1).integers(60, 200, (3, 120, 160), np.uint8)
    scene = rsam.open_scene(tiff(noise), name="place.tif", examine=False)
    return Session(scene if gsd is None else scene.with_gsd(gsd))


def given(made: Session) -> ApplyState:
    """Two buildings, of which one stands on a permit."""
    state, site = apply_state(made), Site.of(made.image.scene)
    buildings = [shapely.box(10, 10, 40, 40), shapely.box(80, 50, 110, 90)]
    permits = [shapely.box(5, 5, 50, 50)]
    for name, shapes, need in (("houses", buildings, "buildings"), ("plan", permits, "permits")):
        layer = KeptLayer.of(Features.of_shapes(name, site.plane(shapes)), site)
        state.give(layer, f"permits/{need}")
    state.ask("permits")
    return state


def test_cards_stand_before_any_image(app: AppTest):
    page = app.switch_page(PAGE).run()
    fine(page)
    tries = [b for b in page.button if (b.key or "").startswith("try-")]
    assert [b.key[4:] for b in tries] == list(QUESTIONS)


def test_a_question_from_its_inputs_to_a_checked_finding(app: AppTest):
    made = session()
    state = given(made)
    put(app, made)
    page = app.switch_page(PAGE).run()
    fine(page)
    click(page, "Answer")
    wait_for(made.jobs, "apply")
    page.run()
    fine(page)
    answer = state.answers["permits"]
    assert answer.findings.column("verdict") == ["no permit"]
    # 30 × 40 pixels of half a metre.
    assert answer.findings.areas.tolist() == pytest.approx([300])
    assert "0 of 1 findings" in texts(page)
    click(page, "Check 1 one by one")
    click(page, "Refuse")
    fine(page)
    assert state.checks("permits")[answer.keys()[0]].state == "refused"
    click(page, "Undo")
    assert not state.checks("permits")


def test_missing_things_are_named(app: AppTest):
    made = session(gsd=None)
    apply_state(made).ask("damage")
    put(app, made)
    page = app.switch_page(PAGE).run()
    fine(page)
    assert "ground sample distance" in page.warning[0].value
    made.rescale(made.image.scene.with_gsd(0.5))
    page.run()
    fine(page)
    assert "second picture of the same place" in texts(page)
    assert [b.disabled for b in page.button if b.label == "Answer"] == [True]


def test_what_is_offered_for_a_need():
    made = session()
    state = given(made)
    mask = np.ones((10, 10), bool)
    objects = Instances.empty((120, 160)).add(mask, origin=(5, 5), label="water")
    base = made.shown()
    made.commit(base, objects, "Add")
    question = QUESTIONS["sensitive"]
    things, areas = question.needs
    options = offered(made, state, question, areas)
    assert "objects:water" in options
    assert options["layer:plan"] == "plan (1)"
    # Water is taken for water; nothing is taken for buildings, where there are none.
    assert chosen(made, state, question, areas, options) == "objects:water"
    assert chosen(made, state, question, things, offered(made, state, question, things)) == (
        "objects"
    )
    assert counts(state.layers["houses"]) == "2 areas"
