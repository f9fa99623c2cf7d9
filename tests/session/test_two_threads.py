"""Two runs of a page at once: nothing is numbered twice, lost, or kept under another's name."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from operator import methodcaller

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import QueueFull
from rsam_core.objects.instance import Instance
from rsam_core.segment import automatic as found_by_itself
from tests.helpers.boxes import TWO_BOXES, plain
from tests.helpers.session import areas, automatic, fresh, side_by_side, squares
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def slow_choice(monkeypatch: pytest.MonkeyPatch) -> threading.Barrier:
    """Choosing among the automatic objects takes until two threads are at it."""
    together, real = threading.Barrier(2), found_by_itself.generate

    def generate(*args):
        chosen = real(*args)
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1.0)
        return chosen

    monkeypatch.setattr(found_by_itself, "generate", generate)
    return together


def test_two_searches_numbered_at_once_lose_no_object(slow_choice):
    session = fresh()
    first, second = automatic(squares([5] * 10)), automatic(squares([6] * 10, at=60))
    session.update(lambda book: book.step("Find everything", extra=first))

    def change() -> object:
        session.update(lambda book: book.step("Find everything", extra=second))
        return session.objects

    side_by_side(lambda: session.objects, change)
    assert sorted(areas(session).values()) == [36] * 10
    session.marks.undo()
    assert sorted(areas(session).values()) == [25] * 10
    numbers = session.marks.book.numbers
    assert len(set(numbers.values())) == len(numbers) == 20, "each number is given once"


def test_a_click_while_objects_are_numbered_gets_a_number_of_its_own(slow_choice):
    session = fresh()
    session.update(lambda book: book.step("Find everything", extra=automatic(squares([5] * 10))))
    side_by_side(
        lambda: session.objects,
        lambda: session.update(lambda book: book.add_box(100, 50, 130, 110)),
    )
    assert sorted(areas(session).values()) == [25] * 10 + [1800]


def test_what_was_slow_is_not_kept_under_the_name_of_what_came_after(monkeypatch):
    """Undo comes while the objects of before are still being made."""
    session = fresh()
    session.update(lambda book: TWO_BOXES)
    one = session.marks.book.undo()
    asked, go_on = threading.Event(), threading.Event()
    real = session.answers.prompter.instance

    def slow(entry):
        if threading.current_thread().name == "slow":
            asked.set()
            assert go_on.wait(PATIENCE)
        return real(entry)

    monkeypatch.setattr(session.answers.prompter, "instance", slow)
    page = threading.Thread(target=lambda: session.objects, name="slow")
    page.start()
    assert asked.wait(PATIENCE)
    session.marks.undo()
    session.update(lambda book: book.step("Find everything", extra=automatic(squares([5]))))
    session.marks.undo()
    assert areas(session) == {1: 1200}
    go_on.set()
    page.join(PATIENCE)
    assert areas(session) == {1: 1200}, "one box and nothing else"
    assert session.marks.book.entries == one.entries


def test_removing_one_of_three_leaves_the_one_that_answered_late(monkeypatch):
    """The queue is full when the page is drawn, and no longer when the button acts."""
    session = fresh()
    session.update(lambda book: TWO_BOXES.add_box(5, 60, 25, 80))
    real, full = session.answers.prompter.instance, {3}

    def instance(entry):
        if entry.id in full:
            raise QueueFull("full")
        return real(entry)

    monkeypatch.setattr(session.answers.prompter, "instance", instance)
    drawn = session.shown()
    assert drawn.objects.ids.tolist() == [1, 2]
    full.clear()
    session.remove([1], drawn)
    assert areas(session) == {2: 1800, 3: 400}
    assert [entry.id for entry in session.marks.book.entries] == [2, 3]


def test_a_queue_that_fills_up_takes_nothing_away(monkeypatch):
    """All three were drawn; when the button acts the third is not answered."""
    session = fresh()
    session.update(lambda book: TWO_BOXES.add_box(5, 60, 25, 80))
    drawn = session.shown()
    real, full = session.answers.prompter.instance, {3}

    def instance(entry):
        if entry.id in full:
            raise QueueFull("full")
        return real(entry)

    monkeypatch.setattr(session.answers.prompter, "instance", instance)
    # Its answer is asked for again, and refused, though the objects are known.
    session.memo.forget("found")
    wanted = drawn.objects.replace(replace(drawn.objects.get(3), label="pond")).remove(1)
    session.commit(drawn, wanted, "Label 3 and remove 1")
    full.clear()
    assert areas(session) == {2: 1800, 3: 400}
    assert session.objects.get(3).label == "pond"


def test_an_object_that_is_not_answered_can_be_removed(monkeypatch):
    session = fresh()
    session.update(lambda book: TWO_BOXES)
    real = session.answers.prompter.instance

    def instance(entry):
        if entry.id == 2:
            raise QueueFull("full")
        return real(entry)

    monkeypatch.setattr(session.answers.prompter, "instance", instance)
    session.remove([2])
    assert [entry.id for entry in session.marks.book.entries] == [1]
    assert session.marks.book.past[-1].what == "Remove object 2"
    session.remove([7])
    assert session.marks.book.past[-1].what == "Remove object 2", "there is no object 7"


def test_two_changes_from_the_same_picture_both_count():
    session = fresh()
    session.update(lambda book: TWO_BOXES)
    drawn = session.shown()
    small = Instance(np.ones((3, 3), bool), 0, 0, id=1, source="box")
    session.commit(drawn, drawn.objects.replace(small), "Reshape 1")
    labelled = drawn.objects.replace(replace(drawn.objects.get(1), label="roof"))
    numbers = session.commit(drawn, labelled.add(np.ones((4, 4), bool)), "Label 1 and draw")
    assert numbers == {3: 3}
    assert session.objects.get(1).area == 9, "the shape of the first click"
    assert session.objects.get(1).label == "roof", "the class of the second"
    again = session.commit(drawn, drawn.objects.add(np.ones((6, 6), bool)).remove(2), "Draw")
    assert again == {3: 4}, "number 3 was given away meanwhile"
    assert areas(session) == {1: 9, 3: 16, 4: 36}
    session.marks.undo()
    assert areas(session) == {1: 9, 2: 1800, 3: 16}


def test_a_number_that_was_undone_is_not_given_to_something_else():
    session = fresh()
    base = session.shown()
    session.commit(base, base.objects.add(np.ones((4, 4), bool)), "Draw")
    session.marks.undo()
    numbers = session.commit(base, base.objects.add(np.ones((5, 5), bool)), "Draw")
    assert numbers == {1: 2}
    assert areas(session) == {2: 25}


def test_an_object_that_went_meanwhile_does_not_come_back():
    session = fresh()
    session.update(lambda book: TWO_BOXES)
    drawn = session.shown()
    session.remove([2])
    session.commit(drawn, drawn.objects.replace(replace(drawn.objects.get(2), label="x")), "Label")
    assert areas(session) == {1: 1200}


def test_a_change_for_a_scene_of_another_size_is_not_made():
    session = fresh()
    base = session.shown()
    wanted = base.objects.add(np.ones((4, 4), bool))

    assert not session.change_scene(rsam.open_scene(plain(80, 60), name="small.png"))
    assert session.commit(base, wanted, "Draw") == {}
    assert areas(session) == {}


def test_forty_clicks_from_four_threads_are_forty_steps():
    session = fresh()

    def clicks(first: int) -> None:
        for k in range(10):
            x, y = 4.0 * (first + k), 2.0 * (first + k)
            session.update(methodcaller("add_box", x, y, x + 3, y + 2))

    side_by_side(*(lambda first=first: clicks(first) for first in (0, 10, 20, 30)))
    book = session.marks.book
    assert sorted(entry.id for entry in book.entries) == list(range(1, 41))
    assert len({mark.uid for entry in book.entries for mark in entry.marks}) == 40
    assert [len(step.entries) for step in book.past] == list(range(40))


def test_equal_masks_count_once_and_others_of_the_same_box_and_area_do_not():
    left, right = np.eye(6, dtype=bool), np.eye(6, dtype=bool)[::-1]
    items = [Instance(mask, 10, 10, 0.9) for mask in (left, right, left.copy())]
    state = replace(squares([5]), masks=tuple(items), stability=np.ones(3, np.float32))
    session = fresh()
    settings = replace(automatic(state).settings, max_overlap=1.0)
    extra = automatic(state).with_settings(settings)
    extra.__dict__["objects"] = tuple(items)
    session.update(lambda book: book.step("Find everything", extra=extra))
    now = session.objects
    assert now.ids.tolist() == [1, 2]
    assert [np.array_equal(i.mask, m) for i, m in zip(now, (left, right))] == [True, True]


def test_a_report_that_two_runs_read_at_once_is_taken_once():
    session = fresh()
    events = [{"n": n, "kind": "point", "x": 9.0, "y": 9.0, "label": 1} for n in range(1, 41)]
    report = {"canvas": "one", "events": events}
    taken = side_by_side(*[lambda: session.canvas.take(report, 160, 120)] * 4)
    assert sorted(map(len, taken)) == [0, 0, 0, 40]
    assert session.canvas.acknowledged.of("one") == 40


def test_two_classes_added_at_once_are_both_there():
    session = fresh()
    names = [f"class {k}" for k in range(8)]
    side_by_side(
        *(
            lambda name=name: session.marks.change_classes(methodcaller("add", name, "#102030"))
            for name in names
        )
    )
    assert set(names) <= set(session.marks.classes.names)
