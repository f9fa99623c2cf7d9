"""Segment: what is prompted appears in picture, table and metrics, and survives everything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session, resources
from rsam_core.models import weights
from rsam_core.prompts.history import PromptHistory
from rsam_core.samples import TownSample, write_geotiff
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import disc
from tests.helpers.pages import (
    HEIGHT,
    RADII,
    TWO_BOXES,
    WIDTH,
    click,
    fine,
    opened,
    over,
    painter,
    plain,
    put,
    table,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]


def enabled(at: AppTest) -> dict[str, bool]:
    names = ("New object", "Undo", "Redo", "Clear")
    return {b.label: not b.disabled for b in at.button if b.label in names}


# ------------------------------------------------------------------ before the first object


def test_without_an_image_the_page_says_what_to_do(app: AppTest, model):
    app.run()
    app.switch_page("pages/screens/segment.py").run()
    fine(app)
    assert "No image is open yet" in app.info[0].value
    click(app, "Harbour")
    assert "448 × 320 pixels" in texts(app)
    assert not enabled(app)["Undo"]


def test_with_an_image_the_next_step_is_said(segment: Start):
    at = segment()
    assert "**plain.png**" in texts(at)
    assert f"{WIDTH} × {HEIGHT} pixels" in texts(at)
    assert "Start here" in at.info[0].value
    assert "Objects appear here" in texts(at)
    assert next(b for b in at.button if b.label == "Export").disabled
    assert enabled(at) == {"New object": False, "Undo": False, "Redo": False, "Clear": False}


# ------------------------------------------------------------------ prompts and their objects


def test_boxes_are_listed_with_their_exact_size_and_place(segment: Start):
    found = table(segment(book=TWO_BOXES))
    assert found["id"].tolist() == [1, 2]
    assert found["source"].tolist() == ["box", "box"]
    assert found["area"].tolist() == [40 * 30, 30 * 60]
    assert found["bbox_x"].tolist() == [20, 100]
    assert found["bbox_y"].tolist() == [10, 50]
    assert found["bbox_width"].tolist() == [40, 30]
    assert found["bbox_height"].tolist() == [30, 60]
    assert found["score"].tolist() == pytest.approx([0.9, 0.9])
    assert "area_m2" not in found


def test_the_headline_counts_objects_and_pixels(segment: Start):
    at = segment(book=TWO_BOXES)
    assert "**2 objects** · 3,000 px" in texts(at)
    opened(at).update(lambda book: PromptHistory().add_box(20, 10, 60, 40))
    assert "**1 object** · 1,200 px" in texts(at.run())


def test_each_object_is_listed_with_its_picture_area_and_how_sure(segment: Start):
    at = segment(book=TWO_BOXES)
    listed = [element.proto.body for element in at.get("html")]
    facts = [body for body in listed if 'class="facts"' in body]
    assert ["1,800 px · sure" in facts[0], "1,200 px · sure" in facts[1]] == [True, True]
    assert sum('class="thumb"' in body for body in listed) == 2


def test_an_exclude_point_takes_away_from_its_object(segment: Start):
    found = table(segment(book=PromptHistory().add_point(80.5, 60.5).add_point(80.5, 60.5, 0)))
    ring = disc((HEIGHT, WIDTH), 80.5, 60.5, 10) & ~disc((HEIGHT, WIDTH), 80.5, 60.5, 6)
    assert found["area"].tolist() == [ring.sum()]


def test_an_exclude_point_alone_asks_for_more(segment: Start):
    at = segment(book=PromptHistory().add_point(80, 60, 0))
    assert table(at).empty
    assert any("include" in item.value.lower() or "object" in item.value for item in at.info)


def test_a_click_has_three_proposals_to_choose_or_combine(segment: Start):
    at = segment(book=PromptHistory().add_point(80.5, 60.5))
    areas = [int(disc((HEIGHT, WIDTH), 80.5, 60.5, radius).sum()) for radius in RADII]
    choice = next(group for group in at.button_group if "1 · " in group.options[0])
    assert choice.options == ["1 · sure", "2 · sure", "3 · sure"]
    assert table(at)["area"].tolist() == areas[:1]
    choice.set_value([2]).run()
    fine(at)
    assert table(at)["area"].tolist() == areas[2:]
    choice = next(group for group in at.button_group if "1 · " in group.options[0])
    choice.set_value([1, 2]).run()
    assert table(at)["area"].tolist() == areas[1:2], "the small disc lies in the large one"
    choice = next(group for group in at.button_group if "1 · " in group.options[0])
    choice.set_value([]).run()
    fine(at)
    choice = next(group for group in at.button_group if "1 · " in group.options[0])
    assert choice.value == [1, 2], "something is always chosen"
    click(at, "Undo")
    assert table(at)["area"].tolist() == areas[2:]


def test_undo_redo_and_clear(segment: Start):
    at = segment(book=TWO_BOXES)
    assert enabled(at) == {"New object": True, "Undo": True, "Redo": False, "Clear": True}
    click(at, "Undo")
    assert table(at)["id"].tolist() == [1]
    assert enabled(at)["Redo"]
    click(at, "Redo")
    assert table(at)["id"].tolist() == [1, 2]
    click(at, "Clear")
    assert table(at).empty
    assert enabled(at) == {"New object": False, "Undo": True, "Redo": False, "Clear": False}
    click(at, "Undo")
    assert table(at)["id"].tolist() == [1, 2]


def test_new_object_ends_the_present_one(segment: Start):
    at = segment(book=PromptHistory().add_point(40, 40))
    click(at, "New object")
    assert not enabled(at)["New object"]
    work = opened(at)
    work.update(lambda book: book.add_point(120, 80))
    assert table(at.run())["id"].tolist() == [1, 2]


def test_objects_and_marks_can_be_removed_and_made_current(segment: Start):
    at = segment(
        book=PromptHistory().add_point(40, 40).add_point(50, 40).new_object().add_box(9, 9, 29, 29)
    )
    labels = [b.label for b in at.button if b.label.startswith("Object")]
    assert labels == ["Object 2 · 1 box", "Object 1 · 2 clicks"]
    assert not [b for b in at.button if " at " in b.label]
    click(at, "Object 1 · 2 clicks")
    assert [b.label for b in at.button if " at " in b.label] == [
        "Click at 40, 40",
        "Click at 50, 40",
    ]
    click(at, "Click at 40, 40")
    left = opened(at).marks.book.entry(1).marks
    assert [(m.x, m.y) for m in left] == [(50, 40)]
    token = opened(at).image.token
    at.button(key=f"drop-{token}-2").click().run()
    fine(at)
    assert table(at)["id"].tolist() == [1]


def test_ticked_rows_follow_their_objects(segment: Start, shown: dict):
    book = TWO_BOXES.add_box(60, 5, 90, 35)
    at = segment(book=book)
    without = shown["overlay"]["url"]
    work = opened(at)
    work.marks.select({2})
    at.run()
    assert [b.label for b in at.button if "selected" in b.label] == ["Remove selected (1)"]
    assert ticked(at) == [1]
    assert shown["overlay"]["url"] != without, "it is highlighted"
    work.update(lambda book: book.remove(1))
    at.run()
    assert table(at)["id"].tolist() == [2, 3]
    assert ticked(at) == [0]
    click(at, "Remove selected (1)")
    assert table(at)["id"].tolist() == [3]
    assert ticked(at) == []
    assert [b.disabled for b in at.button if "selected" in b.label] == [True]
    click(at, "Undo")
    assert table(at)["id"].tolist() == [2, 3]


def ticked(at: AppTest) -> list[int]:
    """Ticked rows of the table of objects, from 0."""
    return at.session_state[f"table-{opened(at).image.token}"]["selection"]["rows"]


def test_coordinates_can_be_typed(segment: Start):
    at = segment()
    at.number_input(key="typed-x").set_value(80.5)
    at.number_input(key="typed-y").set_value(60.5)
    click(at, "Add")
    assert table(at)["area"].tolist() == [disc((HEIGHT, WIDTH), 80.5, 60.5, 10).sum()]
    at.button_group(key="typed-kind").set_value("Box").run()
    at.number_input(key="typed-x").set_value(90.0)
    at.number_input(key="typed-y").set_value(100.0)
    at.number_input(key="typed-x1").set_value(30.0)
    at.number_input(key="typed-y1").set_value(60.0)
    click(at, "Add")
    box = table(at).iloc[1]
    corner = (box["bbox_x"], box["bbox_y"], box["bbox_width"], box["bbox_height"])
    assert corner == (30, 60, 60, 40), "corners may come in any order"


def test_a_typed_box_without_area_is_one_message(segment: Start):
    at = segment(book=TWO_BOXES)
    at.button_group(key="typed-kind").set_value("Box").run()
    next(b for b in at.button if b.label == "Add").click().run()
    assert not at.exception
    assert len(at.error) == 1
    assert "area" in at.error[0].value
    assert table(at)["id"].tolist() == [1, 2]
    # It stays until it is done right.
    assert len(at.run().error) == 1
    at.number_input(key="typed-x1").set_value(10.0)
    at.number_input(key="typed-y1").set_value(10.0)
    next(b for b in at.button if b.label == "Add").click().run()
    fine(at)
    assert table(at)["id"].tolist() == [1, 2, 3]


# ------------------------------------------------------------------ measures and looks


def test_a_georeferenced_image_is_measured_in_metres(segment: Start, town: TownSample, monkeypatch):
    segmenter = Segmenter(painter(town.labels.shape))
    monkeypatch.setattr(resources, "segmenter", lambda name: segmenter)
    monkeypatch.setattr(resources, "embed", lambda image, key: segmenter.embed(image))
    at = segment(write_geotiff(town), "town.tif", book=PromptHistory().add_box(100, 100, 200, 150))
    found = table(at)
    assert found["area"].tolist() == [5000]
    assert found["area_m2"].tolist() == pytest.approx([5000 * 0.3**2])
    assert "**1 object** · 450 m²" in texts(at)
    assert not [item for item in at.number_input if "ground" in item.label]


def test_a_typed_pixel_size_gives_square_metres(segment: Start):
    at = segment(book=TWO_BOXES)
    ground = next(item for item in at.number_input if "ground" in item.label)
    ground.set_value(0.5).run()
    fine(at)
    assert table(at)["area_m2"].tolist() == [1200 * 0.25, 1800 * 0.25]
    assert "**2 objects** · 750 m²" in texts(at)
    at.switch_page("pages/screens/home.py").run()
    at.switch_page("pages/screens/segment.py").run()
    assert "area_m2" in table(at), "it is kept over other pages"
    ground = next(item for item in at.number_input if "ground" in item.label)
    assert ground.value == 0.5
    ground.set_value(0.0).run()
    assert "area_m2" not in table(at)


def test_large_objects_only(segment: Start, shown: dict):
    at = segment(book=TWO_BOXES)
    at.toggle(key="large-on").set_value(True).run()
    at.slider(key="large-area-px").set_value(1500).run()
    fine(at)
    red, _, blue, opacity = over(shown, 115, 80)
    assert red > 150 > 90 > blue, "the large one is red"
    assert opacity > 90
    assert over(shown, 40, 25)[3] == 0, "the others are hidden"
    assert any("1,500 px" in item.value for item in at.html)
    at.button_group(key="large-look").set_value("outlined red").run()
    fine(at)
    assert over(shown, 115, 80)[3] == 0, "only the outline is drawn"
    edge = over(shown, 100.2, 80)
    assert edge[0] > edge[1:3].max() + 60
    assert edge[3] > 200
    at.button_group(key="large-others").set_value("shown").run()
    assert over(shown, 40, 25)[3] > 90


def test_the_limit_of_large_objects_stays_when_a_larger_one_comes(segment: Start):
    at = segment(book=TWO_BOXES)
    at.toggle(key="large-on").set_value(True).run()
    at.slider(key="large-area-px").set_value(700).run()
    work = opened(at)
    work.update(lambda book: book.add_box(0, 0, 150, 110))
    at.run()
    assert at.slider(key="large-area-px").max >= 150 * 110
    assert at.slider(key="large-area-px").value == 700


def test_the_model_can_be_changed(segment: Start, monkeypatch):
    at = segment(book=PromptHistory().add_box(20, 10, 60, 40))
    assert "**RSAM tiny**" in texts(at)
    other = painter()
    other.name = "sam-vit-b"
    full = other.answer
    left = np.indices((HEIGHT, WIDTH))[1] < 40

    def halves(prompt, multimask):
        masks, scores = full(prompt, multimask)
        return [mask & left for mask in masks], scores

    other.answer = halves
    ours = resources.segmenter("rsam-tiny")
    both = {"rsam-tiny": ours, "sam-vit-b": Segmenter(other)}
    monkeypatch.setattr(weights, "state", lambda info: "ready")
    monkeypatch.setattr(resources, "segmenter", both.__getitem__)
    monkeypatch.setattr(resources, "embed", lambda image, key: both[key[1]].embed(image))
    at.run()
    choice = next(box for box in at.selectbox if box.label == "Model")
    assert len(choice.options) > 1
    choice.set_value("sam-vit-b").run()
    fine(at)
    assert at.session_state["model_name"] == "sam-vit-b"
    assert table(at)["area"].tolist() == [20 * 30]


def test_another_image_opens_with_start_here(segment: Start):
    at = segment(book=TWO_BOXES)
    at.button_group(key="mode").set_value("Everything").run()
    put(at, current_session.load(plain(), "other.png"))
    at.run()
    fine(at)
    assert at.button_group(key="mode").value == "Points"
    assert "Start here" in at.info[0].value
