"""The session's objects: found, edited, undone, and kept or dropped with the scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers_pages import HEIGHT, TWO_BOXES, WIDTH, painter, plain

import rsam_core as rsam
from pages.parts import workspace
from rsam_core.automatic import Automatic
from rsam_core.coordinates import Frame
from rsam_core.everything import EverythingSettings, EverythingState
from rsam_core.instance import Instance
from rsam_core.prompting import Prompter
from rsam_core.segmenter import Segmenter

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def work() -> workspace.Workspace:
    """A picture with two boxes, answered by a model that fills them."""
    made = workspace.load(plain(), "plain.png")
    segmenter = Segmenter(painter())
    made.prompter = Prompter(segmenter, lambda view: segmenter.embed(made.image), made.overview)
    made.book = TWO_BOXES
    return made


def automatic(*sizes: int, scores: tuple[float, ...] = ()) -> Automatic:
    """Squares of these sides, side by side at the lower edge."""
    masks = tuple(
        Instance(np.ones((side, side), bool), 30 * i, 80, (scores or [0.9] * len(sizes))[i])
        for i, side in enumerate(sizes)
    )
    state = EverythingState(masks, np.ones(len(masks), np.float32), (HEIGHT, WIDTH), 9, True)
    view = Frame(0, 0, WIDTH, HEIGHT, WIDTH, HEIGHT)
    return Automatic(state, EverythingSettings(min_area=0, max_overlap=1), "rsam-tiny", view)


def areas(work: workspace.Workspace) -> dict[int, int]:
    return {item.id: item.area for item in workspace.objects(work)[0]}


def test_prompted_and_automatic_objects_together(work):
    work.book = work.book.step("Find everything", extra=automatic(5, 7))
    assert areas(work) == {1: 1200, 2: 1800, 3: 25, 4: 49}


def test_a_commit_changes_removes_and_adds_and_is_one_step(work):
    work.book = work.book.step("Find everything", extra=automatic(5, 7))
    now, _ = workspace.objects(work)
    small = Instance(np.ones((3, 3), bool), 0, 0, id=1, source="box")
    wanted = now.remove([2, 3]).replace(small).add(np.ones((2, 2), bool))
    work.selected = frozenset({1, 3})
    workspace.commit(work, wanted, "Tidy up")
    assert areas(work) == {1: 9, 4: 49, 5: 4}
    assert work.selected == {1}
    assert [entry.id for entry in work.book.entries] == [1], "the prompts of object 2 go with it"
    assert work.book.past[-1].what == "Tidy up"
    workspace.undo(work)
    assert areas(work) == {1: 1200, 2: 1800, 3: 25, 4: 49}
    workspace.redo(work)
    assert areas(work) == {1: 9, 4: 49, 5: 4}


def test_automatic_objects_keep_number_label_and_shape_under_other_thresholds(work):
    found = automatic(5, 7, 9, scores=(0.9, 0.8, 0.7))
    work.book = work.book.step("Find everything", extra=found)
    now, _ = workspace.objects(work)
    wanted = now.replace(replace(now.get(4), label="roof")).remove(3)
    workspace.commit(work, wanted, "Label and remove")

    def at_least(quality: float) -> None:
        settings = replace(found.settings, min_quality=quality)
        work.book = replace(work.book, extra=work.automatic.with_settings(settings))

    at_least(0.85)
    assert areas(work) == {1: 1200, 2: 1800}, "the removed one does not come back"
    at_least(0.75)
    assert areas(work) == {1: 1200, 2: 1800, 4: 49}
    assert workspace.objects(work)[0].get(4).label == "roof"
    at_least(0.5)
    work.book = work.book.add_box(0, 60, 10, 70)
    assert areas(work) == {1: 1200, 2: 1800, 4: 49, 5: 81, 6: 100}


def test_removing_is_told_in_words(work):
    workspace.remove(work, [2])
    assert areas(work) == {1: 1200}
    assert work.book.past[-1].what == "Remove object 2"
    workspace.undo(work)
    workspace.remove(work, [1, 2])
    assert areas(work) == {}
    assert work.book.past[-1].what == "Remove 2 objects"


def test_a_new_search_finds_what_was_removed(work):
    work.book = work.book.step("Find everything", extra=automatic(5, 7))
    workspace.remove(work, [3])

    class Done:
        finished, state, error = True, "done", None
        result = automatic(5, 7).state

    work.job, work.job_view = Done(), work.overview
    assert workspace.collect(work)
    work.book = replace(
        work.book, extra=work.automatic.with_settings(EverythingSettings(min_area=0))
    )
    assert areas(work) == {1: 1200, 2: 1800, 3: 25, 4: 49}
    workspace.undo(work)
    assert areas(work) == {1: 1200, 2: 1800, 4: 49}


def test_objects_stay_when_the_picture_changes_and_go_when_its_size_does(work):
    before = areas(work)
    brighter = rsam.open_scene(plain(), name="brighter.png")
    assert workspace.use_prepared(work, brighter, "recipe")
    assert areas(work) == before
    assert work.original.name == "plain.png"
    assert work.pipeline == "recipe"
    assert workspace.use_original(work)
    assert (work.original, work.pipeline, work.scene.name) == (None, None, "plain.png")
    token = work.token
    smaller = rsam.open_scene(plain(80, 60), name="smaller.png")
    assert not workspace.use_prepared(work, smaller, "crop")
    assert areas(work) == {}
    assert work.token != token, "widgets of the old place must not act on the new one"
    assert work.shape == (60, 80)


def test_pictures_of_views_are_read_once_and_bounded(work, monkeypatch):
    reads = []
    real = type(work.scene).read_rgb

    def read(self, *args, **kwargs):
        reads.append(args)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(type(work.scene), "read_rgb", read)
    part = Frame(10, 20, 40, 30, 40, 30)
    assert np.array_equal(work.picture(part), work.image[20:50, 10:50])
    work.picture(part)
    assert len(reads) == 1
    for x in range(5):
        work.picture(Frame(x, 0, 40, 30, 40, 30))
    assert len(work.pictures) == 3
