"""The prompt book: objects, undo, and what it takes over from the canvas."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.coordinates import CanvasMark, Frame, draw_canvas, read_canvas
from rsam_core.errors import PromptError
from rsam_core.promptbook import UNDO_STEPS, Book, Entry

CANVAS = Frame(100, 50, 400, 300, 800, 600)
"""Two canvas pixels a scene pixel; the window starts at (100, 50)."""


def click(x: float, y: float, label: int = 1) -> CanvasMark:
    return CanvasMark("point", x, y, x, y, label)


def drag(x: float, y: float, x1: float, y1: float) -> CanvasMark:
    return CanvasMark("box", x, y, x1, y1)


def layout(book: Book) -> list[tuple[int, list[str]]]:
    """Objects and their marks in a readable form."""
    names = {("point", 1): "+", ("point", 0): "-", ("box", 1): "box"}
    return [(e.id, [names[m.kind, m.label] for m in e.marks]) for e in book.entries]


def all_uids(book: Book) -> list[int]:
    return [mark.uid for entry in book.entries for mark in entry.marks]


# ------------------------------------------------------------------ objects


def test_points_group_to_the_current_object_until_a_new_one_is_asked_for():
    book = Book().add_point(1, 1).add_point(2, 2, 0).new_object().add_point(9, 9)
    assert layout(book) == [(1, ["+", "-"]), (2, ["+"])]
    assert book.current == 2
    assert layout(book.select(1).add_point(3, 3)) == [(1, ["+", "-", "+"]), (2, ["+"])]


def test_every_box_is_an_object_of_its_own():
    book = Book().add_box(0, 0, 5, 5).add_box(10, 10, 15, 15)
    assert layout(book) == [(1, ["box"]), (2, ["box"])]
    assert [e.source for e in book.entries] == ["box", "box"]


def test_point_after_a_box_refines_it():
    book = Book().add_box(0, 0, 5, 5).add_point(2, 2, 0)
    assert layout(book) == [(1, ["box", "-"])]
    prompt = book.entries[0].prompt()
    assert prompt.box.tolist() == [0, 0, 5, 5]
    assert prompt.points.tolist() == [[2, 2]]
    assert prompt.labels.tolist() == [0]
    assert book.entries[0].source == "box+point"


def test_box_after_points_starts_another_object():
    assert layout(Book().add_point(1, 1).add_box(0, 0, 5, 5)) == [(1, ["+"]), (2, ["box"])]


def test_own_objects_make_every_click_an_object():
    book = Book()
    for x in range(3):
        book = book.add_point(x, 0, own_object=True)
    assert layout(book) == [(1, ["+"]), (2, ["+"]), (3, ["+"])]


def test_first_marks_of_an_entry_as_a_prompt():
    entry = Book().add_box(4, 3, 1, 2).add_point(2, 2).add_point(9, 9, 0).entries[0]
    assert entry.prompt(1).box.tolist() == [1, 2, 4, 3]
    assert len(entry.prompt(1).points) == 0
    assert entry.prompt(2).labels.tolist() == [1]
    assert entry.prompt(3).labels.tolist() == entry.prompt().labels.tolist() == [1, 0]


def test_box_without_area_is_refused():
    with pytest.raises(PromptError, match="no area"):
        Book().add_box(3, 3, 3, 9)


def test_removing_a_mark_an_object_and_everything():
    book = Book().add_point(1, 1).add_point(2, 2).add_box(0, 0, 5, 5)
    first, second, third = all_uids(book)
    assert layout(book.remove_mark(first)) == [(1, ["+"]), (2, ["box"])]
    assert all_uids(book.remove_mark(first)) == [second, third]
    without_box = book.remove_mark(third)
    assert layout(without_box) == [(1, ["+", "+"])]
    assert without_box.current is None
    assert layout(book.remove(1)) == [(2, ["box"])]
    assert book.remove(1).current == 2
    assert book.clear().entries == ()
    assert layout(book.clear().undo()) == layout(book)
    assert Book().clear() == Book()


def test_number_of_a_removed_object_is_not_given_away_again():
    book = Book().add_box(0, 0, 5, 5).remove(1).add_box(0, 0, 5, 5)
    assert layout(book) == [(2, ["box"])]


def test_selecting_what_is_not_there_selects_nothing():
    assert Book().add_point(1, 1).select(7).current is None


# ------------------------------------------------------------------ choices


def test_chosen_candidates_belong_to_a_number_of_marks():
    book = Book().add_point(1, 1)
    assert book.entries[0].chosen() == (0,)
    book = book.choose(1, [2, 1]).add_point(2, 2)
    entry = book.entries[0]
    assert entry.chosen(1) == (1, 2)
    assert entry.chosen() == entry.chosen(2) == (0,)
    assert book.choose(1, [1]).entries[0].choices == ((1, (1, 2)), (2, (1,)))


def test_choice_can_be_undone_and_ends_when_a_mark_is_removed():
    book = Book().add_point(1, 1).add_point(2, 2).choose(1, [1])
    assert book.undo().entries[0].chosen() == (0,)
    assert book.undo().redo().entries[0].chosen() == (1,)
    assert book.remove_mark(1).entries[0].choices == ()


@pytest.mark.parametrize(("id", "candidates"), [(1, []), (5, [0])])
def test_impossible_choice_is_refused(id, candidates):
    with pytest.raises(PromptError, match="at least one of the proposed masks"):
        Book().add_point(1, 1).choose(id, candidates)


# ------------------------------------------------------------------ undo


def test_fifty_steps_back_and_forth():
    assert UNDO_STEPS >= 50
    books = [Book()]
    for i in range(UNDO_STEPS):
        books.append(books[-1].add_point(i, i, own_object=i % 3 == 0))
    book = books[-1]
    for earlier in reversed(books[:-1]):
        book = book.undo()
        assert (book.entries, book.current) == (earlier.entries, earlier.current)
    assert book.undo() is book
    for later in books[1:]:
        book = book.redo()
        assert (book.entries, book.current) == (later.entries, later.current)
    assert book.redo() is book


def test_memory_for_undo_has_an_end():
    book = Book()
    for i in range(UNDO_STEPS + 20):
        book = book.add_point(i, i)
    for _ in range(UNDO_STEPS + 20):
        book = book.undo()
    assert len(book.entries[0].marks) == 20


def test_new_action_ends_redo():
    book = Book().add_point(1, 1).add_point(2, 2).undo().add_point(3, 3)
    assert book.redo() is book
    assert [m.x for m in book.entries[0].marks] == [1, 3]


def test_canvas_is_drawn_anew_after_what_it_cannot_know():
    book = Book().add_point(1, 1)
    start = book.generation
    for changed in (book.undo(), book.undo().redo(), book.clear(), book.new_object()):
        assert changed.generation != start
    assert book.remove(1).generation != start
    assert book.remove_mark(1).generation != start
    assert book.add_point(2, 2).generation == start


@pytest.mark.parametrize("seed", range(6))
def test_random_walk_undoes_to_the_start_and_numbers_stay_unique(seed):
    rng = np.random.default_rng(seed)
    book = Book()
    ids_of: dict[int, int] = {}
    for _ in range(45):
        action = rng.integers(9)
        x, y = (float(v) for v in rng.uniform(0, 90, 2))
        known = [e.id for e in book.entries]
        if action <= 2:
            book = book.add_point(x, y, int(rng.integers(2)), own_object=bool(rng.random() < 0.2))
        elif action == 3:
            book = book.add_box(x, y, x + 5, y + 5)
        elif action == 4:
            book = book.new_object()
        elif action == 5 and known:
            book = book.select(int(rng.choice(known)))
        elif action == 6 and known:
            book = book.choose(int(rng.choice(known)), [int(rng.integers(3))])
        elif action == 7 and known:
            book = book.remove_mark(int(rng.choice(all_uids(book))))
        elif action == 8:
            book = book.undo() if rng.random() < 0.7 else book.redo()
        ids = [e.id for e in book.entries]
        assert len(set(ids)) == len(ids)
        uids = all_uids(book)
        assert len(set(uids)) == len(uids)
        assert all(e.marks for e in book.entries)
        assert book.current is None or book.current in ids
        for entry in book.entries:
            for mark in entry.marks:
                # A mark's number never comes to mean a mark of another object.
                assert ids_of.setdefault(mark.uid, entry.id) == entry.id
    reached = book
    steps = 0
    while book.past:
        book = book.undo()
        steps += 1
    assert (book.entries, book.current) == ((), None)
    for _ in range(steps):
        book = book.redo()
    assert (book.entries, book.current) == (reached.entries, reached.current)


# ------------------------------------------------------------------ the canvas


def test_clicks_and_boxes_on_the_canvas_come_in_scene_pixels():
    book = Book().read([click(20, 40), drag(200, 100, 260, 180)], CANVAS)
    point, box = book.entries[0].marks[0], book.entries[1].marks[0]
    assert (point.kind, point.x, point.y) == ("point", 110, 70)
    assert (box.x, box.y, box.x1, box.y1) == (200, 100, 230, 140)


def test_same_canvas_read_again_changes_nothing():
    marks = [click(20, 40), drag(200, 100, 260, 180)]
    book = Book().read(marks, CANVAS)
    assert book.read(marks, CANVAS) is book
    assert book.read([click(20.3, 39.8), marks[1]], CANVAS).entries == book.entries


def test_drawing_on_and_undoing_on_the_canvas():
    marks = [click(20, 40), click(30, 40, 0), click(50, 60)]
    book = Book()
    for count in range(1, 4):
        book = book.read(marks[:count], CANVAS)
    assert layout(book) == [(1, ["+", "-", "+"])]
    undone = book.read(marks[:2], CANVAS)
    assert layout(undone) == [(1, ["+", "-"])]
    assert undone.generation == book.generation
    assert layout(undone.read(marks, CANVAS)) == [(1, ["+", "-", "+"])]
    # Undoing in the book takes the canvas's undo back.
    assert layout(undone.undo()) == [(1, ["+", "-", "+"])]


def test_mark_in_the_middle_removed_on_the_canvas():
    marks = [click(20, 40), click(30, 40), click(50, 60)]
    book = Book().read(marks, CANVAS)
    first, _, third = all_uids(book)
    assert all_uids(book.read([marks[0], marks[2]], CANVAS)) == [first, third]


def test_moved_marks_keep_their_number_and_object():
    book = Book().read([drag(200, 100, 260, 180), click(220, 120)], CANVAS).choose(1, [1])
    moved = book.read([drag(200, 100, 300, 180), click(240, 140)], CANVAS)
    assert layout(moved) == [(1, ["box", "+"])]
    assert all_uids(moved) == all_uids(book)
    box, point = moved.entries[0].marks
    assert (box.x, box.y, box.x1, box.y1) == (200, 100, 250, 140)
    assert (point.x, point.y) == (220, 120)
    # Candidates chosen for the old place mean nothing at the new one.
    assert moved.entries[0].choices == ()
    assert moved.undo().entries == book.entries


def test_undone_include_and_new_exclude_seen_at_once_keep_their_meaning():
    book = Book().read([click(20, 40), click(30, 40)], CANVAS)
    assert layout(book.read([click(20, 40), click(90, 90, 0)], CANVAS)) == [(1, ["+", "-"])]


def test_own_objects_on_the_canvas():
    book = Book().read([click(20, 40), click(30, 40)], CANVAS, own_objects=True)
    assert layout(book) == [(1, ["+"]), (2, ["+"])]


def test_marks_stay_within_the_window():
    book = Book().read([click(800, 600), drag(700, 500, 800, 600)], CANVAS)
    point, box = book.entries[0].marks[0], book.entries[1].marks[0]
    assert (point.x, point.y) == (500, 350)
    assert (box.x1, box.y1) == (500, 350)
    # Rounding takes the canvas's last column a hair beyond the scene.
    wide = Frame(0, 0, 1270, 900, 638, 452)
    assert wide.to_scene((638, 452))[0] > 1270
    book = Book().read([click(10, 10)], wide).read([click(638, 452)], wide)
    book.entries[0].prompt().clipped((900, 1270))
    assert book.entries[0].marks[0].x == 1270


def test_slip_of_the_mouse_makes_no_object():
    book = Book().read([drag(20, 20, 24, 24)], CANVAS)
    assert book.entries == ()
    assert layout(book.read([drag(20, 20, 24, 24), click(90, 90)], CANVAS)) == [(1, ["+"])]


def test_small_typed_box_survives_the_next_click_on_the_canvas():
    far = Frame(0, 0, 4000, 3000, 800, 600)
    book = Book().add_box(100, 100, 110, 108).redrawn().to_show(far)
    shown = read_canvas(draw_canvas([mark for _, mark in book.shown]), 800, 600)
    assert layout(book.read([*shown, click(21, 21)], far)) == [(1, ["box", "+"])]


@pytest.mark.parametrize(
    ("drawn", "pixel"),
    [
        ((340, 170, 390, 195), (3, 1, 4, 2)),
        ((0, 0, 20, 20), (0, 0, 1, 1)),
        ((690, 490, 800, 600), (6, 4, 8, 6)),
        ((790, 10, 800, 20), (7, 0, 8, 1)),
    ],
)
def test_box_within_one_pixel_of_a_tiny_image_means_that_pixel(drawn, pixel):
    tiny = Frame(0, 0, 8, 6, 800, 600)
    book = Book().read([drag(*drawn)], tiny)
    box = book.entries[0].prompt().clipped((6, 8)).box
    expected = [float(v) for v in pixel]
    if drawn == (690, 490, 800, 600):
        expected = [6.9, 4.9, 8, 6]
    assert box == pytest.approx(expected)


def test_fresh_canvas_shows_the_marks_of_the_current_object():
    book = Book().add_box(150, 100, 200, 150).add_point(160, 110, 0).new_object().add_point(120, 70)
    shown = book.select(1).to_show(CANVAS).shown
    assert [mark for _, mark in shown] == [drag(100, 100, 200, 200), click(120, 120, 0)]
    assert [mark for _, mark in book.to_show(CANVAS).shown] == [click(40, 40)]
    assert book.new_object().to_show(CANVAS).shown == ()


def test_marks_survive_a_fresh_canvas_of_another_size():
    book = Book().add_box(150, 100, 200, 150).add_point(160, 110, 0)
    small = CANVAS.resized(523, 392)
    again = book.redrawn().to_show(small)
    reported = read_canvas(draw_canvas([mark for _, mark in again.shown]), 523, 392)
    assert again.read(reported, small).entries == book.entries
    more = again.read([*reported, click(50, 60)], small)
    assert layout(more) == [(1, ["box", "-", "+"])]


def test_entry_without_marks_has_nothing_to_find():
    with pytest.raises(PromptError, match="Nothing is marked"):
        Entry(1).prompt()
