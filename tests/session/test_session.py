"""The session's objects: found, edited, undone, and kept or dropped with the scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.objects.instance import Instance
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.automatic import Automatic
from rsam_core.segment.everything import EverythingSettings, EverythingState
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.search import with_thresholds
from rsam_core.session.session import Session
from tests.helpers.boxes import HEIGHT, TWO_BOXES, WIDTH, painter, plain
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def work() -> Session:
    """A picture with two boxes, answered by a model that fills them."""
    made = Session(rsam.open_scene(plain(), name="plain.png"))
    segmenter = Segmenter(painter())
    made.answers.use(
        Prompter(segmenter, lambda view: segmenter.embed(made.image.shown), made.image.overview)
    )
    made.update(lambda book: TWO_BOXES)
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


def areas(work: Session) -> dict[int, int]:
    return {item.id: item.area for item in work.objects}


def test_prompted_and_automatic_objects_together(work):
    work.update(lambda book: book.step("Find everything", extra=automatic(5, 7)))
    assert areas(work) == {1: 1200, 2: 1800, 3: 25, 4: 49}


def test_a_commit_changes_removes_and_adds_and_is_one_step(work):
    work.update(lambda book: book.step("Find everything", extra=automatic(5, 7)))
    now = work.objects
    small = Instance(np.ones((3, 3), bool), 0, 0, id=1, source="box")
    wanted = now.remove([2, 3]).replace(small).add(np.ones((2, 2), bool))
    work.marks.select({1, 3})
    work.commit(work.shown(), wanted, "Tidy up")
    assert areas(work) == {1: 9, 4: 49, 5: 4}
    assert work.marks.selected == {1}
    assert [entry.id for entry in work.marks.book.entries] == [1], (
        "the prompts of object 2 go with it"
    )
    assert work.marks.book.past[-1].what == "Tidy up"
    work.marks.undo()
    assert areas(work) == {1: 1200, 2: 1800, 3: 25, 4: 49}
    work.marks.redo()
    assert areas(work) == {1: 9, 4: 49, 5: 4}


def test_automatic_objects_keep_number_label_and_shape_under_other_thresholds(work):
    found = automatic(5, 7, 9, scores=(0.9, 0.8, 0.7))
    work.update(lambda book: book.step("Find everything", extra=found))
    now = work.objects
    wanted = now.replace(replace(now.get(4), label="roof")).remove(3)
    work.commit(work.shown(), wanted, "Label and remove")

    def at_least(quality: float) -> None:
        settings = replace(found.settings, min_quality=quality)
        work.update(lambda book: replace(book, extra=work.marks.automatic.with_settings(settings)))

    at_least(0.85)
    assert areas(work) == {1: 1200, 2: 1800}, "the removed one does not come back"
    at_least(0.75)
    assert areas(work) == {1: 1200, 2: 1800, 4: 49}
    assert work.objects.get(4).label == "roof"
    at_least(0.5)
    work.update(lambda book: book.add_box(0, 60, 10, 70))
    assert areas(work) == {1: 1200, 2: 1800, 4: 49, 5: 81, 6: 100}


def test_removing_is_told_in_words(work):
    work.remove([2])
    assert areas(work) == {1: 1200}
    assert work.marks.book.past[-1].what == "Remove object 2"
    work.marks.undo()
    work.remove([1, 2])
    assert areas(work) == {}
    assert work.marks.book.past[-1].what == "Remove 2 objects"


def test_a_new_search_finds_what_was_removed(work):
    work.update(lambda book: book.step("Find everything", extra=automatic(5, 7)))
    work.remove([3])

    again = automatic(5, 7)
    job = work.search.start(lambda **_: again.state, "rsam-tiny", work.image.overview)
    assert job.wait(PATIENCE)
    assert work.search.collect(work.marks)
    assert not work.search.collect(work.marks), "only once"
    work.update(lambda book: with_thresholds(book, EverythingSettings(min_area=0)))
    assert areas(work) == {1: 1200, 2: 1800, 3: 25, 4: 49}
    work.marks.undo()
    assert areas(work) == {1: 1200, 2: 1800, 4: 49}


def test_objects_stay_when_the_picture_changes_and_go_when_its_size_does(work):
    before = areas(work)
    brighter = rsam.open_scene(plain(), name="brighter.png")
    assert work.use_prepared(brighter, "recipe")
    assert areas(work) == before
    assert work.image.original.name == "plain.png"
    assert work.image.pipeline == "recipe"
    assert work.use_original()
    assert (work.image.original, work.image.pipeline, work.image.scene.name) == (
        None,
        None,
        "plain.png",
    )
    token = work.image.token
    smaller = rsam.open_scene(plain(80, 60), name="smaller.png")
    assert not work.use_prepared(smaller, "crop")
    assert areas(work) == {}
    assert work.image.token != token, "widgets of the old place must not act on the new one"
    assert work.image.shape == (60, 80)


def test_pictures_of_views_are_read_once_and_bounded(work, monkeypatch):
    reads = []
    real = type(work.image.scene).read_rgb

    def read(self, *args, **kwargs):
        reads.append(args)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(type(work.image.scene), "read_rgb", read)
    part = Frame(10, 20, 40, 30, 40, 30)
    assert np.array_equal(work.image.picture(part), work.image.shown[20:50, 10:50])
    work.image.picture(part)
    assert len(reads) == 1
    for x in range(5):
        work.image.picture(Frame(x, 0, 40, 30, 40, 30))
    assert work.image.kept_pictures == 3
