"""Objects: what is done to objects shows in table, picture and history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.errors import Cancelled
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.pages import arranged, fine, opened, plain, put, texts
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

PAGE = Path(__file__).resolve().parents[3] / "pages" / "screens" / "objects.py"
Start = Callable[..., AppTest]


def block(x: int, y: int, width: int, height: int, **fields) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, **fields)


def holed(x: int, y: int, **fields) -> Instance:
    mask = np.ones((30, 30), bool)
    mask[10:14, 10:14] = False
    return Instance(mask, x, y, **fields)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Open the page on an image of 160 × 120 pixels with some objects."""
    # A run of the page waits until objects are refined, however slow the machine is.
    monkeypatch.setattr("pages.parts.objects.refine._PATIENCE", PATIENCE)

    def run(items: list[Instance] | None, content: bytes | None = None, **changes) -> AppTest:
        at = AppTest.from_file(str(PAGE), default_timeout=PATIENCE)
        if items is not None:
            work = current_session.load(content or plain(), "plain.png")
            if items:
                work.commit(work.shown(), Instances(items, work.image.shape), "Load objects")
            arranged(work, **changes)
            put(at, work)
        at.run()
        fine(at)
        return at

    return run


@pytest.fixture
def pair() -> list[Instance]:
    """Two blocks that overlap, and one with a hole of 16 pixels."""
    return [
        block(10, 10, 20, 20, id=1, score=0.9),
        block(20, 10, 30, 20, id=2, score=0.5, label="building"),
        holed(100, 60, id=3),
    ]


def now(at: AppTest) -> Instances:
    return opened(at).objects


def table(at: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in at.dataframe if "compactness" in frame.value)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    fine(at)
    return at


def test_without_an_image_the_page_says_what_to_do(start):
    at = start(None)
    assert "No image is open" in texts(at)
    assert next(b.label for b in at.button) == "Open your own image"


def test_without_objects_the_page_sends_to_segment(start):
    at = start([])
    assert "no objects yet" in texts(at)
    assert "Find objects" in [b.label for b in at.button]


def test_table_and_headline(start, pair):
    at = start(pair)
    rows = table(at)
    assert rows["id"].tolist() == [1, 2, 3]
    assert rows["area"].tolist() == [400, 600, 884]
    assert rows["holes"].tolist() == [0, 0, 1]
    assert rows["nearest_id"].tolist()[:2] == [2, 1]
    assert {"mean_red", "std_blue"} <= set(rows)
    # The two blocks share 200 of 160 × 120 pixels.
    covered = (400 + 600 - 200 + 884) / (160 * 120)
    assert f"**3 objects** · 1,684 px · mean 628 px · {covered:.1%} of the image" in texts(at)


def test_metres_and_density_of_a_georeferenced_scene(start, town: TownSample):
    items = list(Instances.from_label_map(town.labels))[:5]
    at = start(items, write_geotiff(town))
    assert "m²" in texts(at)
    assert "per hectare" in texts(at)
    rows = table(at)
    assert rows["area_m2"].tolist() == pytest.approx((0.09 * rows["area"]).tolist(), rel=0.01)


def test_refining_all_is_one_step_back_and_forth(start, pair):
    at = start(pair)
    assert at.button(key="refine-apply").label == "Apply to 3 objects"
    press(at, "refine-apply")
    assert now(at).get(3).area == 900
    assert table(at)["holes"].tolist() == [0, 0, 0]
    press(at, "objects-undo")
    assert now(at).get(3).area == 884
    press(at, "objects-redo")
    assert now(at).get(3).area == 900


def test_refining_the_selected_or_a_class_only(start, pair):
    second = holed(60, 60, id=4, label="building")
    at = start([*pair, second], selected=frozenset({3}))
    at.selectbox(key="refine-scope").select("selected").run()
    press(at, "refine-apply")
    assert now(at).areas.tolist() == [400, 600, 900, 884]
    at.selectbox(key="refine-scope").select("class building").run()
    press(at, "refine-apply")
    assert now(at).areas.tolist() == [400, 600, 900, 900]


def test_a_preset_sets_the_steps(start, pair):
    at = start(pair)
    at.selectbox(key="refine-preset").select("Buildings: straight walls").run()
    fine(at)
    assert at.toggle(key="refine-straight").value is True
    at.selectbox(key="refine-preset").select("Clean and smooth").run()
    assert at.toggle(key="refine-straight").value is False
    at.number_input(key="refine-hole_area-px").set_value(10.0).run()
    press(at, "refine-apply")
    assert now(at).get(3).area == pytest.approx(884, abs=3)


def test_all_steps_off(start, pair):
    at = start(pair)
    for name in ("speck_area", "hole_area", "smooth"):
        at.number_input(key=f"refine-{name}-px").set_value(0.0).run()
    assert "All steps are off" in texts(at)
    assert "refine-apply" not in [b.key for b in at.button]


def test_steps_in_metres(start, town: TownSample):
    at = start([holed(40, 40, id=1), holed(200, 40, id=2)], write_geotiff(town))
    at.segmented_control(key="refine-unit").set_value("m").run()
    fine(at)
    # 30 pixels of 0.3 m a side.
    assert at.number_input(key="refine-hole_area-m").value == pytest.approx(2.7)
    assert "fill holes 2.7 m²" in texts(at)
    at.number_input(key="refine-hole_area-m").set_value(1.0).run()
    press(at, "refine-apply")
    # The hole has 16 pixels, 1.44 m².
    assert (now(at).areas < 890).all()
    at.number_input(key="refine-hole_area-m").set_value(1.6).run()
    press(at, "refine-apply")
    assert now(at).areas.tolist() == pytest.approx([900, 900], abs=4)


def test_colours_by_class_bring_a_legend(start, pair):
    at = start(pair)
    # The pair has a class: the picture shows it at once.
    colours = next(g for g in at.button_group if (g.key or "").startswith("objects-colours"))
    assert colours.value == "Classes"
    legend = " ".join(html.proto.body for html in at.get("html"))
    assert "building" in legend
    assert "no class yet" in legend


def test_small_objects_are_removed_and_come_back(start, pair):
    at = start(pair)
    at.number_input(key="refine-smallest-px").set_value(500.0).run()
    press(at, "refine-apply")
    assert now(at).ids.tolist() == [2, 3]
    press(at, "objects-undo")
    assert now(at).ids.tolist() == [1, 2, 3]


def test_a_long_refinement_shows_progress_and_can_be_stopped(start, pair, monkeypatch):
    from pages.parts.objects import refine as objects_refine
    from rsam_core.session import refining

    monkeypatch.setattr(objects_refine, "_PATIENCE", 0.0)
    calls = SimpleNamespace(go=False)

    def slow(found, settings, *, progress, cancelled, **_):
        while not (cancelled() or calls.go):
            progress(0.5, "half")
        if cancelled():
            raise Cancelled("stopped")
        return found.remove(1)

    at = start(pair)
    monkeypatch.setattr(refining, "refine", slow)
    press(at, "refine-apply")
    assert "refine-apply" not in [b.key for b in at.button]
    job = opened(at).jobs.get("refine")
    press(at, "refine-stop")
    assert job.wait(PATIENCE)
    at.run()
    fine(at)
    assert now(at).ids.tolist() == [1, 2, 3]
    press(at, "refine-apply")
    calls.go = True
    job = opened(at).jobs.get("refine")
    assert job.wait(PATIENCE)
    at.run()
    fine(at)
    assert now(at).ids.tolist() == [2, 3]


def test_combining_needs_a_selection(start, pair):
    at = start(pair)
    buttons = {b.key: b for b in at.button}
    assert buttons["combine-Merge"].disabled
    assert buttons["combine-Split into pieces"].disabled
    assert buttons["combine-edit"].disabled
    assert not buttons["combine-draw"].disabled


def test_merge_and_undo(start, pair):
    at = start(pair, selected=frozenset({1, 2}))
    press(at, "combine-Merge")
    assert now(at).ids.tolist() == [1, 3]
    assert now(at).get(1).area == 800
    assert opened(at).marks.selected == {1}
    press(at, "objects-undo")
    assert now(at).areas.tolist() == [400, 600, 884]


def test_keep_what_they_share(start, pair):
    at = start(pair, selected=frozenset({1, 2}))
    press(at, "combine-Keep what they share")
    assert now(at).get(1).area == 200


def test_what_cannot_be_done_is_said_and_nothing_changes(start, pair):
    at = start(pair, selected=frozenset({1, 3}))
    at.button(key="combine-Keep what they share").click().run()
    assert not at.exception
    assert "no pixel in common" in at.error[0].value
    assert len(now(at)) == 3
    at.run()
    fine(at)


def test_cutting_out_of_the_largest(start, pair):
    at = start(pair, selected=frozenset({1, 2}))
    press(at, "combine-Cut out")
    assert now(at).areas.tolist() == [400, 400, 884]


def test_overlaps_split_hull_and_rectangle(start, pair):
    pieces = np.zeros((20, 40), bool)
    pieces[:10, :10] = pieces[10:, 20:] = True
    at = start([*pair, Instance(pieces, 20, 60, id=7)], selected=frozenset({7}))
    press(at, "combine-Assign overlaps of all objects")
    assert now(at).areas.tolist()[:2] == [400, 400]
    press(at, "combine-Smallest rectangle")
    assert now(at).get(7).area > 300
    press(at, "objects-undo")
    press(at, "combine-Convex hull")
    hull = now(at).get(7).area
    assert 300 < hull <= 800
    press(at, "objects-undo")
    press(at, "combine-Split into pieces")
    assert len(now(at)) == 5
    assert sorted(now(at).areas.tolist())[:2] == [100, 200]


def test_select_all_none_zoom_and_remove(start, pair):
    at = start(pair)
    work = opened(at)
    assert at.button(key="objects-remove").disabled
    press(at, "objects-all")
    assert work.marks.selected == {1, 2, 3}
    press(at, "objects-none")
    assert work.marks.selected == frozenset()
    work.marks.select({3})
    at.run()
    press(at, "objects-zoom")
    _, x0, y0, x1, y1 = work.canvas.look_at
    assert x0 < 100 < 130 < x1
    assert y0 < 60 < 90 < y1
    press(at, "objects-remove")
    assert now(at).ids.tolist() == [1, 2]


def test_measuring_less(start, pair):
    at = start(pair)
    token = opened(at).image.token
    at.toggle(key=f"measure-bands-{token}").set_value(False).run()
    at.toggle(key=f"measure-neighbours-{token}").set_value(False).run()
    fine(at)
    assert not [name for name in table(at) if name.startswith(("mean_", "nearest"))]


def test_charts_follow_the_choice_of_columns(start, pair):
    at = start(pair)
    at.selectbox(key="chart-size").select("perimeter").run()
    at.selectbox(key="chart-shape").select("mean_red").run()
    fine(at)
    press(at, "objects-all")


def test_colours_are_read_for_new_masks_only(start, pair, monkeypatch):
    from pages.parts.shared import measured as objects_measure

    asked = []
    real = objects_measure.band_table

    def spy(found, scene):
        asked.append(found.ids.tolist())
        return real(found, scene)

    monkeypatch.setattr(objects_measure, "band_table", spy)
    at = start(pair)
    press(at, "refine-apply")
    assert asked == [[1, 2, 3], [3]]
    rows = table(at)
    assert rows["mean_red"].tolist() == pytest.approx([19.5, 19.5, 74.5])


def test_direction_is_shown_in_degrees_from_the_top(start):
    rows, columns = np.mgrid[:60, :60]
    stripe = np.abs(columns + rows - 59) < 9  # from the bottom left to the top right
    at = start([Instance(stripe, 10, 10, id=1), block(100, 10, 40, 8, id=2)])
    shown = next(frame.value for frame in at.dataframe if "orientation" in frame.value)
    assert shown["orientation"].tolist() == pytest.approx([45, 90], abs=0.5)


def test_the_mask_editor_paints(start, pair, monkeypatch):
    AppTest.from_string("import streamlit_drawable_canvas", default_timeout=PATIENCE).run()
    import streamlit_drawable_canvas

    drawing: dict = {}

    def canvas(**settings):
        drawing["settings"] = settings
        return SimpleNamespace(json_data=drawing.get("json"))

    monkeypatch.setattr(streamlit_drawable_canvas, "st_canvas", canvas)
    at = start(pair, selected=frozenset({1}))
    press(at, "combine-edit")
    assert drawing["settings"]["drawing_mode"] == "freedraw"
    assert at.button(key="editor-apply").disabled
    # Window of object 1, which lies at (10, 10): 16 and a third of its side around it.
    scale = drawing["settings"]["width"] / 52
    corners = [(0, 20), (10, 20), (10, 30), (0, 30)]
    path = [["M" if i == 0 else "L", x * scale, y * scale] for i, (x, y) in enumerate(corners)]
    drawing["json"] = {"objects": [{"type": "path", "path": [*path, ["z"]], "strokeWidth": 2}]}
    at.run()
    press(at, "editor-apply")
    assert now(at).get(1).area == 500
    assert now(at).get(1).bbox == (0, 10, 30, 30)
    at.segmented_control(key="editor-how").set_value("Erase").run()
    press(at, "editor-apply")
    assert now(at).get(1).area == 400
    drawing["json"] = None
    press(at, "editor-close")
    assert "editor-apply" not in [b.key for b in at.button]
    press(at, "objects-undo")
    assert now(at).get(1).area == 500
