"""The editor of corners and control points: clicks, typed rows, errors that are shown."""

from __future__ import annotations

import base64
import io
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from rsam_core.prepare.steps.geometric import GroundControlPoints, Straighten
from tests.helpers.pages import fine, texts
from tests.helpers.waiting import PATIENCE

CORNERS = ((10.0, 10.0), (150.0, 14.0), (140.0, 100.0), (16.0, 90.0))
CONTROL = tuple(
    (x, y, 500_000 + 0.5 * x + 0.02 * y, 9_000_000 - 0.5 * y)
    for x, y in ((5, 8), (150, 10), (148, 110), (8, 104), (80, 60))
)

APP = """
import numpy as np
import streamlit as st
from pages.parts.prepare import points as prepare_points
from rsam_core.prepare import Raster

values = np.indices((120, 160)).sum(0).astype(np.uint8)
raster = Raster.of_array(values, scale=st.session_state.get("scale", 1.0))
step = st.session_state["step"]
if "reported" in st.session_state:
    st.session_state["made-up"] = {"report": st.session_state.pop("reported")}
    prepare_points._take("k", "made-up")
value = prepare_points.point_editor(raster, step, "k")
st.session_state["value"] = value
if st.session_state.get("keep", True):
    name = next(p.name for p in step.parameters() if p.kind == "points")
    st.session_state["step"] = type(step)(**{**step.to_dict(), name: value})
"""


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # The component registers itself with a running app, so the first import happens inside one.
    AppTest.from_string("import pages.parts.prepare.points", default_timeout=PATIENCE).run()
    from pages.parts.prepare import points as prepare_points

    return prepare_points


@pytest.fixture
def shown(part: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the picture was last given to show."""
    last: dict = {}
    real = part._component

    def record(**settings):
        last.clear()
        last.update(settings["data"])
        return real(**settings)

    monkeypatch.setattr(part, "_component", record)
    return last


def start(step, **state) -> AppTest:
    at = AppTest.from_string(APP, default_timeout=PATIENCE)
    at.session_state["step"] = step
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def click(at: AppTest, *events: tuple[float, ...]) -> AppTest:
    """Report clicks (number, x, y, label) from the picture."""
    names = ("n", "x", "y", "label")
    at.session_state["reported"] = {
        "canvas": "test",
        "events": [{"kind": "point", **dict(zip(names, event))} for event in events],
    }
    at.run()
    assert not at.exception
    return at


def test_four_clicks_make_four_corners(shown: dict):
    at = start(Straighten())
    assert "0 of 4 corners" in texts(at)
    click(at, *((n, *corner, 1) for n, corner in enumerate(CORNERS[:3], start=1)))
    assert at.session_state["value"] == ()
    assert len(shown["marks"]) == 3
    assert (shown["canvas"], shown["ack"]) == ("test", 3)
    # The third comes again, because the picture had not heard yet that it was taken.
    click(at, (3, *CORNERS[2], 1), (4, *CORNERS[3], 1))
    assert at.session_state["value"] == CORNERS
    click(at, (5, 80, 60, 1))
    assert at.session_state["value"] == CORNERS
    assert "All 4 points" in at.toast[0].value
    fine(at)


def test_a_right_click_removes_the_nearest_point(shown: dict):
    at = start(Straighten(corners=CORNERS))
    click(at, (1, 149, 15, 0))
    assert at.session_state["value"] == ()
    click(at, (2, 80, 60, 0))  # nothing is near
    assert len(shown["marks"]) == 3
    click(at, (3, 151, 13, 1))
    assert set(at.session_state["value"]) == {*CORNERS[:1], *CORNERS[2:], (151.0, 13.0)}


def test_impossible_corners_are_explained(shown: dict):
    at = start(Straighten(corners=((0, 0), (40, 0), (80, 0), (120, 0))))
    assert "four-sided" in at.error[0].value
    assert not at.exception


def test_control_points_show_their_errors(shown: dict):
    wrong = [list(point) for point in CONTROL]
    wrong[2][0] += 8
    at = start(GroundControlPoints(control=tuple(map(tuple, wrong)), crs="EPSG:32737"))
    fine(at)
    values = {metric.label: metric.value for metric in at.metric}
    assert set(values) == {"RMSE", "On the ground", "Points left out"}
    step = at.session_state["step"]
    fit = step.fitted_points()
    assert values["RMSE"] == f"{fit.rmse_px:.2f} px"
    errors = next(f.value for f in at.dataframe if "left_out_px" in f.value)
    assert np.allclose(errors["error_px"], fit.errors_px)
    assert errors["left_out_px"][2] == pytest.approx(8)
    assert "Point 3 contradicts" in at.warning[0].value
    assert "times as long" in texts(at)
    assert at.session_state["value"] == step.control


def test_the_layer_lies_over_the_picture_with_a_rim(shown: dict):
    start(Straighten(corners=((20, 20), (140, 20), (140, 100), (20, 100))))
    content = base64.b64decode(shown["overlay"]["url"].split(",", 1)[1])
    layer = np.asarray(Image.open(io.BytesIO(content)))
    x0, y0, x1, y1 = shown["overlay"]["box"]
    assert (x0 + x1, y0 + y1) == (160, 120)
    columns = layer.shape[1] / (x1 - x0)
    rows = layer.shape[0] / (y1 - y0)
    # Halfway along the upper side and the left side of the rectangle, and in its middle.
    for x, y, drawn in ((80, 20, True), (20, 60, True), (80, 60, False)):
        row, column = round((y - y0) * rows), round((x - x0) * columns)
        assert layer[row - 2 : row + 2, column - 2 : column + 2, 3].any() == drawn


def test_exact_and_missing_points_are_commented(shown: dict):
    at = start(GroundControlPoints(control=CONTROL[:3], crs="EPSG:32737"))
    assert "say nothing" in texts(at)
    at = start(GroundControlPoints(control=CONTROL[:1], crs="EPSG:32737"))
    assert "1 of at least 3 control points" in texts(at)
    assert not at.metric
    at = start(GroundControlPoints(control=CONTROL, crs="EPSG:4326"))
    assert "degrees" in at.error[0].value


def test_swapped_coordinates_are_noticed(shown: dict):
    swapped = tuple((x, y, north, east) for x, y, east, north in CONTROL)
    at = start(GroundControlPoints(control=swapped, crs="EPSG:32737"))
    assert "mirrored" in at.warning[0].value


def test_a_clicked_control_point_waits_for_its_map_coordinates(shown: dict):
    at = start(GroundControlPoints(control=CONTROL[:3], crs="EPSG:32737"))
    click(at, (1, 60.5, 40.5, 1))
    assert at.session_state["value"] == CONTROL[:3]
    assert len(shown["marks"]) == 4
    desk = at.session_state["k-desk"]
    assert desk.table.iloc[3, :2].tolist() == [60.5, 40.5]
    assert desk.table.iloc[3, 2:].isna().all()


def test_points_are_in_full_pixels_of_a_reduced_picture(shown: dict):
    at = start(Straighten(), scale=4.0)
    assert shown["scene"] == [640, 480]
    assert shown["pictures"][0]["box"] == [0, 0, 640, 480]
    click(at, (1, 600, 400, 1))
    assert shown["marks"][0]["x"] == 600


def test_a_recipe_replaces_what_was_typed(shown: dict):
    at = start(Straighten(corners=CORNERS))
    other = tuple((x + 1, y + 1) for x, y in CORNERS)
    at.session_state["step"] = Straighten(corners=other)
    at.run()
    assert at.session_state["value"] == other
    assert [mark["x"] for mark in shown["marks"]] == [x for x, _ in other]


def test_clicks_are_kept_when_the_page_saves_later(shown: dict):
    at = start(Straighten(), keep=False)
    click(at, *((n, *corner, 1) for n, corner in enumerate(CORNERS, start=1)))
    assert at.session_state["value"] == CORNERS
    at.run()
    assert at.session_state["value"] == CORNERS
