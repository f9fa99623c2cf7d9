"""Evaluate: truth in, the numbers are those counted by hand, methods, studies and data sets run."""

from __future__ import annotations

import io
import json
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session, resources
from rsam_core.errors import Cancelled
from rsam_core.formats.truth import truth_from_labels
from rsam_core.prompts.history import PromptHistory
from rsam_core.samples import TownSample
from rsam_core.session.evaluation import evaluations
from tests.helpers.models import FakeModel
from tests.helpers.pages import HEIGHT, TWO_BOXES, WIDTH, fine, opened, plain, png, put, texts
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]
PAGE = "pages/screens/evaluate.py"
TRUTH = np.zeros((HEIGHT, WIDTH), np.uint8)
TRUTH[10:40, 30:70] = 255
"""40 × 30 pixels, ten to the right of the first of TWO_BOXES; the second is a false alarm."""


@pytest.fixture
def evaluate(segment: Start) -> Start:
    """The Evaluate page with an image open and two boxes drawn."""

    def start(tab: str = "This image", **changes) -> AppTest:
        at = segment(**({"book": TWO_BOXES} | changes))
        at.session_state["evaluate-tab"] = tab
        at.switch_page(PAGE).run()
        fine(at)
        return at

    return start


def give(at: AppTest, content: bytes, name: str = "truth.png") -> AppTest:
    token = opened(at).image.token
    return at.file_uploader(key=f"evaluate-truth-{token}").upload(name, content).run()


def tiles(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def frame(at: AppTest, column: str) -> pd.DataFrame:
    return next(f.value for f in at.dataframe if column in f.value)


def finish(at: AppTest, kind: str) -> AppTest:
    settle(at, kind)
    fine(at)
    return at


def settle(at: AppTest, kind: str) -> None:
    """Wait until work has ended and its result was taken over, which may have happened already."""
    job = evaluations(at.session_state["visit"]).job(kind)
    if job is not None:
        assert job.wait(PATIENCE)
        at.run()
    assert not evaluations(at.session_state["visit"]).running(kind)


def test_without_an_image_it_says_what_to_do(app: AppTest):
    app.run()
    for tab in ("This image", "Compare methods", "Studies", "Data sets"):
        app.session_state["evaluate-tab"] = tab
        app.switch_page(PAGE).run()
        fine(app)
        assert ("No image is open yet" in texts(app)) == (tab != "Data sets")
    assert "ZIP" in app.file_uploader(key="dataset-file").label


def test_numbers_are_those_counted_by_hand(evaluate: Start):
    at = evaluate()
    assert "What is true?" in texts(at)
    give(at, png(TRUTH))
    fine(at)
    found = tiles(at)
    assert found["Found"] == "1 of 1"
    assert found["Right"] == "1 of 2"
    assert found["Overlap of an object"] == "0.600"
    assert found["Overlap of all pixels"] == f"{900 / (1200 + 1200 + 1800 - 900):.3f}"
    assert found["Found and how well"] == "0.400"
    values = frame(at, "Formula").set_index("Metric")["Value"]
    assert values["FPR"] == pytest.approx(2100 / (HEIGHT * WIDTH - 1200))
    assert values["TPR (recall)"] == pytest.approx(0.75)
    assert "FP / (FP + FN)" in texts(at)
    worst = frame(at, "hausdorff_95")
    assert worst["iou"].tolist() == pytest.approx([0.6])
    counts = frame(at, "Meaning").set_index("Metric")["Value"]
    assert counts["Count error"] == 1
    assert counts["Area error (%)"] == pytest.approx(100 * (3000 - 1200) / 1200)


@pytest.mark.parametrize("view", ["Overlap of each object", "Both outlines", "Swipe"])
def test_every_picture_is_drawn(evaluate: Start, view: str):
    at = evaluate()
    give(at, png(TRUTH))
    at.session_state["evaluate-view"] = view
    at.run()
    fine(at)
    assert tiles(at)["Found"] == "1 of 1"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("small.png", png(TRUTH[:100]), "160 × 100"),
        ("notes.png", b"no mask at all", "not an image"),
        ("far.geojson", json.dumps({"type": "Polygon", "coordinates": [
            [[500, 500], [600, 500], [600, 600], [500, 500]]]}).encode(), "do not meet the image"),
        ("table.json", b'{"a": 1}', "neither GeoJSON"),
    ],
)  # fmt: skip
def test_bad_truth_is_one_message(evaluate: Start, name: str, content: bytes, message: str):
    at = evaluate()
    give(at, content, name)
    assert not at.exception
    assert len(at.error) == 1
    assert message in at.error[0].value
    token = opened(at).image.token
    at.file_uploader(key=f"evaluate-truth-{token}").set_value(("good.png", png(TRUTH), "image/png"))
    at.run()
    fine(at)
    assert tiles(at)["Found"] == "1 of 1"


def test_a_smaller_mask_can_be_stretched(evaluate: Start):
    at = evaluate()
    give(at, png(TRUTH[::2, ::2]), "half.png")
    assert "80 × 60" in at.error[0].value
    at.button(key="fit-truth").click().run()
    fine(at)
    assert tiles(at)["Overlap of an object"] == "0.600"
    assert "stretched from 80 × 60" in texts(at)


def test_suspicious_truth_is_warned_about(evaluate: Start):
    at = evaluate()
    give(at, png(np.full((HEIGHT, WIDTH), 255, np.uint8)))
    fine(at)
    assert "whole image" in at.warning[0].value


def test_objects_become_truth_and_truth_can_go(evaluate: Start):
    at = evaluate()
    at.button(key="use-objects").click().run()
    fine(at)
    assert tiles(at) == {
        "Found": "2 of 2",
        "Right": "2 of 2",
        "Overlap of an object": "1.000",
        "Overlap of all pixels": "1.000",
        "Found and how well": "1.000",
    }
    # The objects change, the truth stays.
    opened(at).update(lambda book: PromptHistory().add_box(20, 10, 60, 40))
    at.run()
    assert tiles(at)["Found"] == "1 of 2"
    at.button(key="remove-truth").click().run()
    fine(at)
    assert not at.metric
    assert "What is true?" in texts(at)


def test_without_objects_it_says_where_to_outline_some(evaluate: Start):
    at = evaluate(book=PromptHistory())
    assert at.button(key="use-objects").disabled
    give(at, png(TRUTH))
    fine(at)
    assert "no objects to compare yet" in texts(at)


def test_prompts_are_answered_without_a_visit_to_the_segment_page(app: AppTest, model: FakeModel):
    work = current_session.load(plain(), "plain.png")
    work.update(lambda book: TWO_BOXES)
    put(app, work)
    app.run()
    app.switch_page(PAGE).run()
    fine(app)
    assert app.button(key="use-objects").label == "Use these 2 objects"


def test_truth_of_the_segment_page_is_known_here(evaluate: Start):
    labels = (TRUTH > 0).astype(np.int32) * 7
    at = evaluate(truth=truth_from_labels(labels, "mask"))
    assert tiles(at)["Found"] == "1 of 1"


def test_a_sample_brings_its_own_truth(app: AppTest, town: TownSample, model: FakeModel):
    app.run()
    work = current_session.load(resources.sample_file("suburb"), "town.tif", "suburb")
    put(app, work)
    app.switch_page(PAGE).run()
    app.button(key="use-sample-truth").click().run()
    fine(app)
    roofs = sum(kind == "roof" for kind in town.classes.values())
    assert f"{roofs} objects" in texts(app)


def test_the_tab_stays_open_over_a_change_of_page(evaluate: Start):
    at = evaluate("Studies")
    at.switch_page("pages/screens/models.py").run()
    at.switch_page(PAGE).run()
    fine(at)
    assert at.session_state["evaluate-tab"] == "Studies"


# --- methods and studies -------------------------------------------------------------------


def test_methods_are_compared_on_the_true_objects(evaluate: Start):
    at = evaluate("Compare methods")
    give(at, png(TRUTH))
    fine(at)
    at.multiselect(key="image-methods").set_value(["filled-box", "otsu"])
    at.button(key="image-start").click().run()
    finish(at, "image")
    table = frame(at, "sees_truth").set_index("method")
    # The painter fills the box exactly; one click gives it a disc of radius 10.
    assert table.loc["rsam-tiny:box", "iou"] == 1
    assert table.loc["filled-box", "iou"] == 1
    assert table.loc["rsam-tiny:1", "iou"] == pytest.approx(314 / 1200, abs=0.01)
    assert list(table.index[:3]) == ["rsam-tiny:box", "rsam-tiny:1", "rsam-tiny:3"]
    assert "No clear difference" in at.info[-1].value or "too few" in at.info[-1].value
    assert {b.label for b in at.get("download_button")} >= {"Report (HTML)", "Everything (JSON)"}
    at.button(key="image-draw-worst").click().run()
    fine(at)
    memory = evaluations(at.session_state["visit"])
    assert ["IoU 1.00" in text for text, _ in memory.pictures[memory.image]] == [True]
    # Another truth: the old figures are not shown for it.
    at.button(key="remove-truth").click().run()
    fine(at)
    assert not [f for f in at.dataframe if "sees_truth" in f.value]


def test_running_work_can_be_stopped(evaluate: Start):
    at = evaluate("Compare methods")
    give(at, png(TRUTH))
    asked = threading.Event()

    def endless(progress, cancelled):
        progress(0.25, "one of four")
        while not cancelled():
            asked.wait(0.01)
        raise Cancelled("stopped")

    evaluations(at.session_state["visit"]).start("image", endless)
    at.run()
    fine(at)
    assert [b.label for b in at.button if b.key == "image-start"] == []
    at.button(key="stop-image").click().run()
    settle(at, "image")
    at.run()
    fine(at)
    assert at.button(key="image-start")
    assert not [f for f in at.dataframe if "sees_truth" in f.value]


def test_nothing_chosen_cannot_be_started(evaluate: Start):
    at = evaluate("Compare methods")
    give(at, png(TRUTH))
    at.multiselect(key="image-methods").set_value([])
    at.session_state["image-prompts"] = []
    at.run()
    assert at.button(key="image-start").disabled


def test_objects_too_small_are_said_to_be_so(evaluate: Start):
    at = evaluate("Studies")
    small = np.zeros((HEIGHT, WIDTH), np.uint8)
    small[5:10, 5:10] = 255
    give(at, png(small))
    at.button(key="study-size").click().run()
    settle(at, "study")
    assert not at.exception
    assert "no true object of 100 pixels or more" in at.error[0].value


def test_a_study_is_one_button(evaluate: Start):
    at = evaluate("Studies")
    give(at, png(TRUTH))
    fine(at)
    assert len([b for b in at.button if b.label == "Run"]) == 8
    at.button(key="study-jitter").click().run()
    finish(at, "study")
    table = frame(at, "condition")
    assert {"condition", "prompt", "objects", "mean", "low", "high"} <= set(table)
    assert (table["objects"] == 1).all()
    assert table["mean"].between(0, 1).all()
    assert at.button(key="study-jitter").label == "Run again"
    assert "Figure (PNG)" in {b.label for b in at.get("download_button")}


# --- data sets -----------------------------------------------------------------------------


def archive(count: int = 2) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for index in range(count):
            file.writestr(f"images/{index}.png", plain())
            file.writestr(f"masks/{index}.png", png(np.roll(TRUTH, 10 * index, axis=1)))
    return stream.getvalue()


@pytest.fixture
def dataset(app: AppTest, model: FakeModel, monkeypatch, tmp_path: Path) -> AppTest:
    """The tab for data sets with two images open."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    app.run()
    app.session_state["evaluate-tab"] = "Data sets"
    app.switch_page(PAGE).run()
    app.file_uploader(key="dataset-file").upload("tiles.zip", archive()).run()
    fine(app)
    return app


def run(at: AppTest, methods: list[str]) -> AppTest:
    at.multiselect(key="dataset-methods").set_value(methods)
    at.button(key="dataset-start").click().run()
    return finish(at, "dataset")


def test_a_data_set_runs_and_two_runs_are_compared(dataset: AppTest, tmp_path: Path):
    assert "2 images with truth" in texts(dataset)
    run(dataset, ["filled-box"])
    table = frame(dataset, "sees_truth").set_index("method")
    assert table.loc["rsam-tiny:box", "iou"] == 1
    assert table.loc["rsam-tiny:box", "objects"] == 2
    assert frame(dataset, "lowest")["image"].tolist() == ["images/0.png", "images/1.png"]
    assert len(list((tmp_path / "rsam-evaluations").glob("*.jsonl"))) == 1
    dataset.button(key="run-0-draw-worst").click().run()
    fine(dataset)
    memory = evaluations(dataset.session_state["visit"])
    assert len(memory.pictures[memory.runs[0]]) == 2
    run(dataset, ["otsu"])
    assert len(evaluations(dataset.session_state["visit"]).runs) == 2
    assert any(
        "on tiles" in i.value or "tiles" in i.value or "IoU" in i.value for i in dataset.info
    )
    assert dataset.selectbox(key="other-run").value == 0


def test_the_same_run_goes_on_where_it_stopped(dataset: AppTest):
    run(dataset, [])
    run(dataset, [])
    notes = evaluations(dataset.session_state["visit"]).runs[1].notes
    assert any("2 images were evaluated in an earlier run" in note for note in notes)


def test_a_bad_archive_is_one_message(dataset: AppTest):
    dataset.file_uploader(key="dataset-file").set_value(("x.zip", b"no archive", "application/zip"))
    dataset.run()
    assert not dataset.exception
    assert len(dataset.error) == 1
    dataset.run()
    assert not dataset.exception


@pytest.mark.parametrize("path", ["no/such/folder", "..", "/etc"])
def test_a_folder_that_does_not_exist_is_one_message(app: AppTest, tmp_path, monkeypatch, path):
    monkeypatch.setenv("RSAM_IMAGES", str(tmp_path))
    app.run()
    app.session_state["evaluate-tab"] = "Data sets"
    app.switch_page(PAGE).run()
    app.text_input(key="dataset-path").input(path).run()
    assert not app.exception
    assert len(app.error) == 1


# --- truth that can be read in several ways --------------------------------------------------


def _layers(tmp_path: Path, **boxes: tuple[int, int, int, int]) -> bytes:
    """A GeoPackage without a coordinate system, a layer for each box; y is minus the row."""
    path = tmp_path / "layers.gpkg"
    for name, (x0, y0, x1, y1) in boxes.items():
        frame = geopandas.GeoDataFrame({"label": [name]}, geometry=[shapely.box(x0, -y1, x1, -y0)])
        frame.to_file(path, driver="GPKG", layer=name)
    return path.read_bytes()


def test_of_several_layers_the_page_asks_for_one(evaluate: Start, tmp_path: Path):
    at = evaluate()
    give(at, _layers(tmp_path, roofs=(30, 10, 70, 40), roads=(0, 0, 5, 5)), "layers.gpkg")
    assert not at.exception
    assert "several layers" in at.error[0].value
    at.selectbox(key="evaluate-reading").select("roofs")
    at.button(key="use-reading").click().run()
    fine(at)
    truth = opened(at).truth.value
    assert truth.objects[0].bbox == (30, 10, 70, 40)
    assert "minus the row" in texts(at)


def test_a_guess_can_be_taken_back_for_the_other_reading(evaluate: Start):
    small = Image.fromarray(TRUTH[::2, ::2])
    soft = np.asarray(small.resize((WIDTH, HEIGHT), Image.BILINEAR))
    at = evaluate()
    give(at, png(soft))
    fine(at)
    assert opened(at).truth.value.count == 1
    assert "smooth resizing" in texts(at)
    at.button(key="other-reading-0").click().run()
    fine(at)
    assert opened(at).truth.value.count == len(np.unique(soft)) - 1
