"""Apply: a zone that is drawn on the picture becomes a layer that answers and projects know."""

from __future__ import annotations

import numpy as np
import pytest

import rsam_core as rsam
from pages.parts.apply.draw_layer import PARTS, Drawing, give, names_of, part_of
from rsam_core.change.apply import Site
from rsam_core.errors import ApplyError
from rsam_core.session import load_project, save_project
from rsam_core.session.apply import apply_state
from rsam_core.session.project_state import from_state, to_state
from rsam_core.session.session import Session
from tests.helpers.rasters import tiff

SQUARE = np.array([(10, 10), (50, 10), (50, 40), (10, 40)], float)


@pytest.fixture
def session() -> Session:
    content = tiff(np.full((3, 60, 80), 90, np.uint8))
    return Session(rsam.open_scene(content, name="place.tif", examine=False).with_gsd(0.5))


def test_a_drawn_zone_is_taken_and_kept(session: Session):
    state, site = apply_state(session), Site.of(session.image.scene)
    drawing = Drawing("density/zones", "Zones", fresh=[SQUARE])
    drawing.turn()
    drawing.fresh = [SQUARE + 5]
    assert (len(drawing.kept), drawing.canvas) == (1, 1)
    assert give(state, drawing, site, " ", "North") == "Zones"
    assert names_of("a, , b") == ["a", "", "b"]
    assert state.choices == {"density/zones": "layer:Zones"}
    back = apply_state(
        from_state(load_project(save_project(to_state(session))), session.image.source)
    )
    layer = back.layers["Zones"].features(site)
    # 40 × 30 pixels of half a metre.
    assert layer.areas.tolist() == pytest.approx([300, 300])
    assert layer.names() == ["North", "Zones 2"]
    state.drop("Zones")
    assert not state.layers
    assert not state.choices


def test_what_encloses_nothing_is_refused_and_nothing_is_lost(session: Session):
    state, site = apply_state(session), Site.of(session.image.scene)
    drawing = Drawing("density/zones", "Zones", fresh=[SQUARE[[0, 1, 0]]])
    with pytest.raises(ApplyError, match="encloses nothing"):
        give(state, drawing, site, "x", "")
    assert len(drawing.fresh) == 1
    drawing.clear()
    assert not drawing.fresh


def test_parts_cover_the_picture_and_overlap():
    seen = np.zeros((61, 101), int)
    for name in PARTS[1:]:
        part = part_of(name, 101, 61)
        assert (part.width, part.height) == (51, 31)
        seen[part.slices] += 1
    assert seen.min() >= 1
    assert seen[30, 50] == 9
    whole = part_of(PARTS[0], 101, 61)
    assert (whole.width, whole.height) == (101, 61)
