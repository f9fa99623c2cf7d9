"""Segment, words mode: a sentence, its pieces with counts, places, unknown words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.segment import words as panel
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.classify.classes import set_label
from rsam_core.objects.instances import Instances
from rsam_core.prompts.canvas_events import CanvasEvent
from rsam_core.session.kinds import naming
from tests.helpers.boxes import png
from tests.helpers.models import FakeModel
from tests.helpers.pages import fine, opened, texts
from tests.helpers.panels import coloured
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]


@pytest.fixture
def asked(segment: Start) -> Callable[[str], AppTest]:
    """The page in words mode with six red houses, six blue bars and two trees, and a sentence."""

    def start(text: str) -> AppTest:
        image, objects = coloured()
        labels = ["building"] * 6 + ["road"] * 6 + ["tree"] * 2
        named = Instances(
            [replace(item, label=label) for item, label in zip(objects, labels)], objects.shape
        )
        at = segment(png(image))
        session = opened(at)
        session.commit(session.shown(), named, "Draw")
        at.button_group(key="mode").set_value("Words").run()
        fine(at)
        at.text_input(key="words-text").set_value(text).run()
        fine(at)
        return at

    return start


def chips(at: AppTest) -> list[str]:
    """What stands on the pieces, with their counts."""
    found = [b.label for b in at.button if (b.key or "").startswith("words-piece-")]
    popovers = [block.proto.popover.label for block in _blocks(at) if block.type == "popover"]
    return [text.replace("**", "") for text in popovers + found]


def _blocks(at: AppTest) -> list:
    found, todo = [], [at.main]
    while todo:
        node = todo.pop(0)
        found.append(node)
        todo[:0] = list(getattr(node, "children", {}).values())
    return found


def test_a_sentence_becomes_pieces_with_the_counts_that_they_leave(asked):
    at = asked("red buildings")
    assert chips(at) == ["kind = building · 6", "colour ≈ red · 6"]
    assert "6 of 14 objects" in texts(at)
    at.text_input(key="words-text").set_value("the two largest trees or roads").run()
    fine(at)
    assert "8 of 14 objects" in texts(at)


def test_a_piece_can_be_changed_and_removed(asked):
    at = asked("red buildings")
    version = panel.state(opened(at)).version
    at.selectbox(key=f"words-edit-{version}-1").set_value("blue").run()
    fine(at)
    assert "0 of 14 objects" in texts(at)
    assert "Nothing is all of this" in texts(at)
    at.button(key=f"words-drop-{version}-0").click().run()
    fine(at)
    assert chips(at) == ["colour ≈ blue · 6"]
    assert "6 of 14 objects" in texts(at)
    at.button(key=f"words-drop-{version + 1}-0").click().run()
    fine(at)
    assert "14 of 14 objects" in texts(at)


def test_large_is_said_by_its_area_and_can_be_typed_anew(asked):
    at = asked("large trees")
    # Both trees have 709 pixels: too few for quartiles of their own, so all objects count.
    assert [chip.split(" · ")[0] for chip in chips(at)][1].startswith("area ≥ ")
    version = panel.state(opened(at)).version
    at.number_input(key=f"words-edit-{version}-1").set_value(100_000.0).run()
    fine(at)
    assert "0 of 14 objects" in texts(at)


def test_a_box_or_a_point_narrows_the_place(asked):
    at = asked("buildings")
    at.button_group(key="words-place").set_value("Box").run()
    assert "Drag a box" in texts(at)
    session = opened(at)
    panel.mark(session, CanvasEvent(1, "box", 0, 0, 62, 40, 1))
    at.run()
    fine(at)
    assert "2 of 14 objects" in texts(at), "the first two of six"
    panel.mark(session, CanvasEvent(2, "point", 14, 16, 14, 16, 1))
    at.run()
    assert "1 of 14 objects" in texts(at)
    at.button_group(key="words-place").set_value("Everywhere").run()
    assert "6 of 14 objects" in texts(at)
    assert not session.marks.book.entries, "a place is no prompt"


def test_what_is_found_can_be_selected_labelled_and_kept(asked):
    at = asked("red buildings")
    session = opened(at)
    at.button(key="words-select").click().run()
    assert len(session.marks.selected) == 6
    at.selectbox(key="words-class").set_value("water").run()
    at.button(key="words-label").click().run()
    assert [item.label for item in session.objects].count("water") == 6
    at.text_input(key="words-text").set_value("water").run()
    at.button(key="words-keep").click().run()
    fine(at)
    assert len(session.objects) == 6
    session.marks.undo()
    assert len(session.objects) == 14


def test_unknown_words_lead_to_one_shot(asked):
    at = asked("buildngs")
    assert "I do not know “buildngs”. Did you mean “building”" in texts(at)
    at.button(key="words-one-shot").click().run()
    assert "Example by" in [group.label for group in at.button_group]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("small large trees", "small and large"),
        ("12345", "numbers only"),
        ("<b>trees</b>", "markup"),
        ("вода", "English, French, Spanish and Vietnamese"),
        ("trees " * 150, "more than it takes"),
        ("buildings over 200 m²", "size of a pixel"),
    ],
)
def test_bad_input_is_answered_by_a_sentence(asked, text, answer):
    at = asked(text)
    assert answer in texts(at)


def test_without_a_list_of_objects_it_offers_to_make_one(segment: Start):
    at = segment()
    at.button_group(key="mode").set_value("Words").run()
    fine(at)
    assert "There is no list of objects yet" in texts(at)
    at.button(key="find-everything").click().run()
    job = opened(at).search.job
    assert job is None or job.wait(PATIENCE)
    at.run()
    fine(at)
    assert opened(at).marks.automatic is not None


def test_kinds_are_looked_up_when_a_sentence_asks_for_them(segment, model, monkeypatch):
    asked: list[int] = []

    def name_objects(features, objects):
        asked.append(len(objects))
        shares = np.full((len(objects), len(KINDS)), 0.01, np.float32)
        for row, one in zip(shares, objects):
            row[KINDS.index("car" if len(one.mask) == 16 else "tree")] = 0.9
        return shares

    monkeypatch.setattr(FakeModel, "names", True)
    monkeypatch.setattr(model, "name_objects", name_objects, raising=False)
    image, objects = coloured()
    at = segment(png(image))
    session = opened(at)
    # A person's word counts more than the model's.
    first = objects.select([objects[0].id]).ids.tolist()
    session.commit(session.shown(), set_label(objects, first, "building"), "Draw")
    at.button_group(key="mode").set_value("Words").run()
    at.text_input(key="words-text").set_value("red things").run()
    fine(at)
    assert asked == [], "nothing was asked about kinds"
    at.text_input(key="words-text").set_value("red cars").run()
    job = naming(session).job
    if job is not None:
        assert job.wait(PATIENCE)
    at.run()
    fine(at)
    assert "5 of 14 objects" in texts(at)
    seen = list(asked)
    at.text_input(key="words-text").set_value("trees").run()
    fine(at)
    assert "8 of 14 objects" in texts(at)
    assert asked == seen, "the model is asked once"


def test_what_counts_as_water_between_the_objects_is_found_and_shown(segment, model, monkeypatch):
    image, objects = coloured()
    areas = {item.area for item in objects}

    def name_objects(features, some):
        shares = np.full((len(some), len(KINDS)), 0.01, np.float32)
        for row, one in zip(shares, some):
            row[KINDS.index("car" if one.mask.sum() in areas else "water")] = 0.9
        return shares

    monkeypatch.setattr(FakeModel, "names", True)
    monkeypatch.setattr(model, "name_objects", name_objects, raising=False)
    at = segment(png(image))
    session = opened(at)
    session.commit(session.shown(), objects, "Draw")
    at.button_group(key="mode").set_value("Words").run()
    at.text_input(key="words-text").set_value("cars touching water").run()
    job = naming(session).job
    assert job is None or job.wait(PATIENCE)
    at.run()
    fine(at)
    assert chips(at) == ["kind = car · 14", "touching water · 14"]
    assert "What counts as water" in [box.label for box in at.expander]
    at.text_input(key="words-text").set_value("cars").run()
    fine(at)
    assert "What counts as water" not in [box.label for box in at.expander]


def test_a_model_of_words_finds_what_was_not_known(asked, monkeypatch):
    from pages.parts.segment import by_model
    from rsam_core.models.hub.catalog import HUB
    from rsam_core.models.hub.text import TextFeatures, TextMatch
    from rsam_core.objects.crops import Crop

    class Knowing:
        name, outlines = "sam3", True

        def encode(self, image):
            return TextFeatures(None, image.shape[:2], 0)

        def find(self, features, words, lowest=0.3):
            crop = Crop(np.ones((12, 12), bool), 3, 4)
            return [TextMatch(word, 0.9, np.array([3.0, 4, 15, 16]), crop) for word in words]

    infos = [info for info in HUB if info.name == "sam3"]
    monkeypatch.setattr(by_model, "ready_models", lambda task: infos)
    monkeypatch.setattr(by_model, "_text_model", lambda name: Knowing())
    at = asked("heliports")
    assert "I do not know “heliports”" in texts(at)
    known = panel.state(opened(at))
    assert at.text_input(key=f"by-model-words-{known.version}").value == "heliports"
    at.button(key="by-model-start").click().run()
    job = opened(at).search.job
    assert job is None or job.wait(PATIENCE)
    at.run()
    at.run()
    fine(at)
    assert "I do not know" not in texts(at)
    assert chips(at) == ["kind = heliports · 1"]
