"""Questions of a session: what was given and said survives a project file, and can be undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

import rsam_core as rsam
from rsam_core.change.apply import Check, Features, Inputs, Site
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.errors import ApplyError, ProjectError
from rsam_core.session import load_project, save_project
from rsam_core.session.apply import MAX_LAYERS, KeptLayer, apply_state
from rsam_core.session.project_state import from_state, is_empty, to_state, version
from rsam_core.session.session import Session
from tests.helpers.rasters import tiff
from tests.helpers.waiting import PATIENCE


@pytest.fixture
def session() -> Session:
    content = tiff(np.full((3, 60, 80), 90, np.uint8))
    return Session(rsam.open_scene(content, name="place.tif", examine=False).with_gsd(0.5))


def zones(session: Session) -> KeptLayer:
    site = Site.of(session.image.scene)
    shapes = site.plane([shapely.box(0, 0, 40, 60), shapely.box(40, 0, 80, 60)])
    rows = [{"name": "Ost", "people": 120}, {"name": None, "people": float("nan")}]
    return KeptLayer.of(Features.of_shapes("zones.gpkg", shapes, rows, ["2 repaired"]), site)


def test_all_of_it_survives_a_project(session: Session):
    state = apply_state(session)
    assert is_empty(session)
    before = version(session)
    state.ask("density")
    assert state.give(zones(session), "density/zones") == "zones.gpkg"
    assert state.give(zones(session)) == "zones.gpkg (2)"
    state.set("density", "size", 25.0)
    state.say("density", "low|20|30|2400", Check("refused", "a shed"))
    assert version(session) != before
    assert not is_empty(session)
    saved = load_project(save_project(to_state(session)))
    again = from_state(saved, session.image.source)
    back = apply_state(again)
    assert back.question == "density"
    assert back.choices == {"density/zones": "layer:zones.gpkg"}
    assert back.values == {"density": {"size": 25.0}}
    assert back.checks("density") == {"low|20|30|2400": Check("refused", "a shed")}
    layer = back.layers["zones.gpkg"]
    assert layer.notes == ("2 repaired",)
    assert layer.rows == ({"name": "Ost", "people": 120.0}, {"name": None, "people": None})
    features = layer.features(Site.of(again.image.scene))
    # 40 × 60 pixels of half a metre.
    assert features.areas.tolist() == pytest.approx([600, 600])


def test_a_layer_stays_on_its_pixels_when_their_size_is_typed_anew(session: Session):
    kept = zones(session)
    session.rescale(session.image.scene.with_gsd(2.0))
    assert kept.features(Site.of(session.image.scene)).areas[0] == pytest.approx(2400 * 4)


def test_checks_can_be_undone_and_done_again(session: Session):
    state = apply_state(session)
    state.say("permits", "a", Check("accepted"))
    state.say_all("permits", {"a": Check("refused"), "b": Check("", "look")}, "Check 2 findings")
    assert state.undoable == "Check 2 findings"
    state.undo()
    assert state.checks("permits") == {"a": Check("accepted")}
    state.redo()
    assert state.checks("permits")["b"].comment == "look"
    state.say("permits", "b", Check())
    assert set(state.checks("permits")) == {"a"}


def test_an_answer_comes_from_the_background(session: Session):
    state = apply_state(session)
    site = Site.of(session.image.scene)
    house = Features.of_shapes("house", site.plane([shapely.box(10, 10, 30, 30)]))
    state.start(QUESTIONS["density"], lambda: Inputs(site, {"buildings": house}, {"size": 20.0}))
    assert session.jobs.get("apply").wait(PATIENCE)
    assert state.collect()
    assert state.answers["density"].summary().figures[2].value == 1
    state.start(QUESTIONS["density"], lambda: Inputs(site))
    assert session.jobs.get("apply").wait(PATIENCE)
    state.collect()
    assert "Buildings" in str(state.error)


def test_closing_a_layer_takes_it_from_its_questions(session: Session):
    state = apply_state(session)
    name = state.give(zones(session), "density/zones")
    state.drop(name)
    assert not state.layers
    assert not state.choices
    for _ in range(MAX_LAYERS):
        state.give(zones(session))
    with pytest.raises(ApplyError, match="open already"):
        state.give(zones(session))


@pytest.mark.parametrize(
    "damage",
    [
        lambda facts: facts.pop("layers"),
        lambda facts: facts.update(layers=[{"name": "a", "notes": [], "rows": [{}],
                                            "lengths": [10**9]}]),
        lambda facts: facts.update(layers=[{"name": "a", "notes": [], "rows": [{}],
                                            "lengths": [5]}]),
        lambda facts: facts.update(checks={"permits": [["a", "maybe", "", ""]]}),
        lambda facts: facts.update(values={"permits": {"share": [1, 2]}}),
        lambda facts: facts.update(choices=[]),
    ],
)  # fmt: skip
def test_damaged_questions_are_refused(session: Session, damage):
    apply_state(session).give(zones(session))
    state = to_state(session)
    facts = dict(state.apply.facts)
    damage(facts)
    broken = replace(state, apply=replace(state.apply, facts=facts))
    with pytest.raises(ProjectError, match="questions are not readable"):
        from_state(load_project(save_project(broken)), session.image.source)
