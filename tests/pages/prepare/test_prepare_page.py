"""Prepare: steps are added, set, ordered and replayed; the result is what all pages use."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.prepare import ImageFile, Pipeline, load_steps
from rsam_core.prepare.steps.colours import MatchHistogram, RemoveHaze
from rsam_core.prepare.steps.noise import Bilateral
from rsam_core.prepare.steps.tones import Brightness, Gamma
from rsam_core.prompts.history import PromptHistory
from rsam_core.samples import TownSample, write_geotiff
from rsam_core.session.preparation import Preparations
from tests.helpers.pages import arranged, fine, opened, plain, png, put, texts
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning", "ignore::PendingDeprecationWarning"
)

Start = Callable[..., AppTest]
load_steps()


@pytest.fixture
def prepare(app: AppTest, town: TownSample) -> Start:
    """Start the app on the Prepare page with an image open."""

    def start(picture: np.ndarray | None = None, **changes) -> AppTest:
        content = write_geotiff(town) if picture is None else png(picture)
        work = current_session.load(content, "town.tif" if picture is None else "town.png")
        arranged(work, **changes)
        put(app, work)
        app.run()
        app.switch_page("pages/screens/prepare.py").run()
        fine(app)
        return app

    return start


def hazy(town: TownSample) -> np.ndarray:
    """The town behind haze and noise."""
    noise = np.random.default_rng(0).normal(0, 7, town.image.shape)
    return np.clip(town.image * 0.6 + 96 + noise, 0, 255).astype(np.uint8)


def pipeline(at: AppTest) -> Pipeline:
    return at.session_state["visit"].attached(Preparations).known.pipeline


def number(at: AppTest, index: int = -1) -> int:
    """What stays with a step, wherever it moves."""
    return at.session_state["visit"].attached(Preparations).known.ids[index]


def add(at: AppTest, key: str) -> AppTest:
    at.button(key="add-step").click().run()
    at.button(key=f"add-{key}").click().run()
    return at


def end_of_job(at: AppTest) -> None:
    """Wait until the image is prepared."""
    job = opened(at).jobs.get("prepare")
    assert job is None or job.wait(PATIENCE)
    at.run()
    assert opened(at).jobs.get("prepare") is None


def test_without_an_image_the_page_says_what_to_do(app: AppTest):
    app.run()
    app.switch_page("pages/screens/prepare.py").run()
    fine(app)
    assert "No image is open yet" in app.info[0].value


def test_a_good_image_needs_nothing_and_the_first_step_is_said(prepare: Start):
    at = prepare()
    assert "add a step. The original image is never changed" in at.info[0].value
    assert not [b for b in at.button if b.key.startswith("advise-")]
    assert at.button(key="use-prepared").disabled
    assert "town.tif" in texts(at)


def test_suggestions_are_added_with_one_click(prepare: Start, town: TownSample):
    at = prepare(hazy(town))
    assert "σ ≈ 7" in texts(at)
    assert "looks hazy" in texts(at)
    at.button(key="advise-bilateral").click().run()
    at.button(key="advise-haze").click().run()
    fine(at)
    smooth, haze = pipeline(at).steps
    assert smooth.sigma == pytest.approx(7, abs=1)
    assert haze == RemoveHaze()
    assert not [b for b in at.button if b.key.startswith("advise-")]
    assert not at.button(key="use-prepared").disabled


def test_every_step_can_be_added_and_shows_its_form(prepare: Start):
    from rsam_core.prepare import STEPS

    at = prepare()
    at.button(key="add-step").click().run()
    offered = {b.key.removeprefix("add-") for b in at.button if b.key.startswith("add-")}
    assert offered - {"step"} == set(STEPS)
    table = at.session_state["visit"].attached(Preparations).known
    for key, kind in STEPS.items():
        table.take(Pipeline())
        table.add(kind())
        at.run()
        assert not at.exception, key
        assert not at.error, (key, [e.value for e in at.error])
        widgets = [*at.slider, *at.number_input, *at.selectbox, *at.toggle, *at.text_input]
        drawn = [w for w in widgets if (w.key or "").startswith(f"prepare-{number(at)}-")]
        plain_kinds = ("number", "integer", "choice", "switch", "text", "band")
        assert len(drawn) == sum(p.kind in plain_kinds for p in kind.parameters()), key


def test_settings_reach_the_step_and_bad_ones_are_explained(prepare: Start):
    at = prepare()
    add(at, "gamma")
    fine(at)
    at.slider(key=f"prepare-{number(at)}-exponent").set_value(2.2).run()
    assert pipeline(at).steps == (Gamma(2.2),)
    add(at, "calibrate")
    at.text_input(key=f"prepare-{number(at)}-gains").set_value("1.1, oops").run()
    assert len(at.error) == 1
    assert "not a list of numbers" in at.error[0].value
    assert pipeline(at).steps[1].gains == "1"
    at.text_input(key=f"prepare-{number(at)}-gains").set_value("1.1, 1, 0.9").run()
    fine(at)
    assert pipeline(at).steps[1].gains == "1.1, 1, 0.9"


def test_order_switch_and_removal(prepare: Start):
    at = prepare()
    for key in ("brightness", "contrast", "gamma"):
        add(at, key)
    keys = [stage.step.key for stage in pipeline(at).stages]
    assert keys == ["brightness", "contrast", "gamma"]
    gamma = number(at, 2)
    assert at.button(key=f"Later-{gamma}").disabled
    at.button(key=f"Earlier-{gamma}").click().run()
    at.button(key=f"Earlier-{gamma}").click().run()
    assert [s.step.key for s in pipeline(at).stages] == ["gamma", "brightness", "contrast"]
    assert at.button(key=f"Earlier-{gamma}").disabled
    assert at.slider(key=f"prepare-{gamma}-exponent").value == 1.4, "it stays open"
    at.toggle(key=f"on-{gamma}").set_value(False).run()
    assert [s.key for s in pipeline(at).steps] == ["brightness", "contrast"]
    at.button(key=f"Remove-{number(at, 1)}").click().run()
    assert [s.step.key for s in pipeline(at).stages] == ["gamma", "contrast"]
    fine(at)


def test_the_measured_noise_is_the_strength_and_can_be_had_again(prepare: Start, town: TownSample):
    at = prepare(hazy(town))
    add(at, "total-variation")
    assert "σ ≈ 7" in texts(at)
    measured = pipeline(at).steps[0].sigma
    assert measured == pytest.approx(7, abs=1)
    slider = f"prepare-{number(at)}-sigma"
    at.slider(key=slider).set_value(20.0).run()
    assert pipeline(at).steps[0].sigma == 20
    at.button(key=f"prepare-{number(at)}-measured").click().run()
    fine(at)
    assert pipeline(at).steps[0].sigma == at.slider(key=slider).value == measured


@pytest.mark.parametrize("mode", ["Whole picture", "Detail at 100 %"])
@pytest.mark.parametrize("pair", [False, True])
def test_both_views_of_the_picture(prepare: Start, town: TownSample, mode: str, pair: bool):
    at = prepare(hazy(town))
    add(at, "gamma")
    at.button_group(key="prepare-mode-all").set_value(mode).run()
    at.toggle(key="prepare-pair").set_value(pair).run()
    fine(at)
    assert ("handle" in texts(at)) is not pair


def test_a_detail_says_what_it_cannot_show(prepare: Start):
    at = prepare()
    add(at, "flip")
    at.button_group(key="prepare-mode-all").set_value("Detail at 100 %").run()
    fine(at)
    assert "Not shown in a detail: “Mirror”" in texts(at)


def test_the_prepared_image_is_used_everywhere_and_given_back(prepare: Start, town: TownSample):
    at = prepare(book=PromptHistory().add_box(20, 10, 60, 40))
    add(at, "brightness")
    at.slider(key=f"prepare-{number(at)}-percent").set_value(20).run()
    at.button(key="use-prepared").click().run()
    end_of_job(at)
    fine(at)
    work = opened(at)
    expected = np.clip(np.rint(town.image + 51.0), 0, 255)
    np.testing.assert_array_equal(work.image.scene.read_rgb(), expected)
    np.testing.assert_array_equal(work.image.original.read_rgb(), town.image)
    assert work.image.pipeline.steps == (Brightness(20),)
    assert len(work.marks.book.entries) == 1, "objects stay where size and place stay"
    assert "In use: **town.tif**, prepared" in texts(at)
    assert at.button(key="to-segment")
    # Another setting is not in use yet; it starts from the original again.
    at.slider(key=f"prepare-{number(at)}-percent").set_value(-20).run()
    assert "earlier version" in texts(at)
    at.button(key="use-prepared").click().run()
    end_of_job(at)
    expected = np.clip(np.rint(town.image - 51.0), 0, 255)
    np.testing.assert_array_equal(work.image.scene.read_rgb(), expected)
    at.button(key="use-original").click().run()
    fine(at)
    assert work.image.original is None
    np.testing.assert_array_equal(work.image.scene.read_rgb(), town.image)
    assert len(pipeline(at)) == 1, "the list stays"
    assert "as it was opened" in texts(at)


def test_objects_go_when_the_place_changes_and_that_is_said(prepare: Start):
    at = prepare(book=PromptHistory().add_box(20, 10, 60, 40))
    add(at, "gamma")
    assert not at.warning
    add(at, "flip")
    assert "will be removed" in at.warning[0].value
    at.button(key="use-prepared").click().run()
    end_of_job(at)
    assert not opened(at).marks.book.entries
    assert any("were removed" in note.value for note in at.info)


def test_stopping_leaves_everything_as_it_was(
    prepare: Start, monkeypatch: pytest.MonkeyPatch, town: TownSample
):
    def wait(self, scene, progress=None, cancelled=None):
        import time

        from rsam_core.errors import Cancelled

        while not cancelled():
            time.sleep(0.01)
        raise Cancelled("stopped")

    monkeypatch.setattr(Pipeline, "run_scene", wait)
    at = prepare()
    add(at, "gamma")
    at.button(key="use-prepared").click().run()
    at.button(key="stop-preparing").click().run()
    end_of_job(at)
    fine(at)
    assert opened(at).image.original is None
    assert not at.button(key="use-prepared").disabled


def test_what_is_not_set_yet_is_said_and_does_nothing(prepare: Start, town: TownSample):
    at = prepare()
    add(at, "match")
    fine(at)
    assert "Choose the reference image; until then this step does nothing" in texts(at)
    at.button(key="use-prepared").click().run()
    end_of_job(at)
    fine(at)
    np.testing.assert_array_equal(opened(at).image.scene.read_rgb(), town.image)


def test_what_fails_is_one_message_and_the_session_goes_on(prepare: Start):
    at = prepare()
    recipe = Pipeline().add(MatchHistogram(ImageFile("lost.tif"))).to_json()
    at.file_uploader(key="load-recipe").upload("my.recipe.json", recipe.encode()).run()
    assert len(at.error) == 1
    assert "lost.tif" in at.error[0].value
    at.button(key="use-prepared").click().run()
    end_of_job(at)
    for _ in range(2):
        assert not at.exception
        assert len([e for e in at.error if "lost.tif" in e.value]) == 2, "preview and result"
        at.run()
    at.button(key=f"Remove-{number(at)}").click().run()
    fine(at)
    assert opened(at).image.original is None


def test_a_reference_image_is_uploaded_and_kept(prepare: Start, town: TownSample):
    at = prepare()
    add(at, "match")
    upload = at.file_uploader(key=f"prepare-{number(at)}-reference")
    upload.upload("dark.png", png((town.image * 0.5).astype(np.uint8))).run()
    fine(at)
    (step,) = pipeline(at).steps
    assert isinstance(step, MatchHistogram)
    assert step.reference.name == "dark.png"
    after = (
        at.session_state["visit"]
        .attached(Preparations)
        .known.previewer.overall((step,))
        .after.values.mean()
    )
    assert after == pytest.approx(town.image.mean() * 0.5, rel=0.05)


def test_a_recipe_is_saved_and_replayed_on_another_image(prepare: Start):
    recipe = Pipeline().add(Bilateral(5)).add(Gamma(1.3), on=False)
    at = prepare()
    at.file_uploader(key="load-recipe").upload("my.recipe.json", recipe.to_json().encode()).run()
    fine(at)
    assert pipeline(at) == recipe
    assert at.toggle(key=f"on-{number(at, 1)}").value is False
    # The same file stays uploaded; what is done after loading must not be undone by it.
    at.button(key=f"Remove-{number(at, 0)}").click().run()
    assert len(pipeline(at)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no recipe", "not valid JSON"),
        (json.dumps({"format": "rsam-recipe", "version": 9, "steps": []}).encode(), "version 9"),
    ],
)
def test_a_bad_recipe_is_one_message_and_the_list_stays(
    prepare: Start, content: bytes, message: str
):
    at = prepare()
    add(at, "gamma")
    at.file_uploader(key="load-recipe").upload("bad.json", content).run()
    assert not at.exception
    assert len(at.error) == 1
    assert message in at.error[0].value
    assert [s.key for s in pipeline(at).steps] == ["gamma"]
    at.run()
    assert len(at.error) == 1, "it stays until something is done about it"
    add(at, "contrast")
    fine(at)


def test_the_list_survives_other_pages_and_goes_with_the_image(prepare: Start, model):
    at = prepare()
    add(at, "gamma")
    at.slider(key=f"prepare-{number(at)}-exponent").set_value(2.0).run()
    at.switch_page("pages/screens/segment.py").run()
    at.switch_page("pages/screens/prepare.py").run()
    fine(at)
    assert pipeline(at).steps == (Gamma(2.0),)
    assert at.slider(key=f"prepare-{number(at)}-exponent").value == 2.0
    put(at, current_session.load(plain(), "other.png"))
    at.run()
    fine(at)
    assert len(pipeline(at)) == 0


def test_the_points_of_a_step_are_set_in_the_picture(prepare: Start):
    at = prepare()
    add(at, "straighten")
    fine(at)
    open_ = number(at)
    assert at.button_group(key=f"prepare-mode-{open_}").value == "Points"
    at.button_group(key=f"prepare-mode-{open_}").set_value("Whole picture").run()
    fine(at)
    at.button(key=f"title-{open_}").click().run()
    assert at.button_group(key="prepare-mode-all").value == "Whole picture"
    fine(at)
