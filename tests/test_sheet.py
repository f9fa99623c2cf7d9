"""Layouts of the canvas: nothing that was drawn is lost or read twice, however late it comes."""

from __future__ import annotations

import copy

import pytest

from rsam_core.coordinates import CanvasMark, Frame, draw_canvas
from rsam_core.promptbook import Book
from rsam_core.sheet import KEPT_SHEETS, Sheet, lay_out, stamp_of, take

FRAME = Frame(0, 0, 200, 100, 400, 200)
"""Two canvas pixels a scene pixel."""


def point(x: float, y: float, label: int = 1) -> dict:
    """The shape that the canvas makes of a click at canvas pixel (x, y)."""
    return draw_canvas([CanvasMark("point", x, y, x, y, label)])["objects"][0]


def box(x: float, y: float, x1: float, y1: float) -> dict:
    return draw_canvas([CanvasMark("box", x, y, x1, y1)])["objects"][0]


class Browser:
    """A stand-in for the canvas: draws on the layout it was last given and sends it back."""

    def __init__(self) -> None:
        self.drawing: dict = {}

    def show(self, sheets: tuple[Sheet, ...]) -> None:
        if sheets[0].stamp != self.drawing.get("overlay"):
            self.drawing = copy.deepcopy(sheets[0].drawing)

    def draw(self, *shapes: dict) -> dict:
        self.drawing["objects"].extend(shapes)
        return copy.deepcopy(self.drawing)


def scene_points(book: Book) -> list[list[tuple[float, float]]]:
    return [[(m.x, m.y) for m in entry.marks] for entry in book.entries]


@pytest.fixture
def page():
    book, sheets = lay_out(Book(), FRAME)
    browser = Browser()
    browser.show(sheets)
    return book, sheets, browser


def test_a_click_reaches_the_book_in_scene_pixels(page):
    book, sheets, browser = page
    book, sheets, slip = take(book, sheets, browser.draw(point(50, 30)))
    assert scene_points(book) == [[(25.0, 15.0)]]
    assert not slip
    again = lay_out(book, FRAME, sheets)
    assert again == (book, sheets), "a click must not lay the canvas out anew"


def test_the_same_drawing_twice_is_read_once(page):
    book, sheets, browser = page
    drawing = browser.draw(point(50, 30))
    book, sheets, _ = take(book, sheets, drawing)
    book, sheets, _ = take(book, sheets, drawing)
    assert scene_points(book) == [[(25.0, 15.0)]]


def test_two_quick_clicks_in_one_drawing_are_both_read(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30), point(80, 30, 0)))
    assert scene_points(book) == [[(25.0, 15.0), (40.0, 15.0)]]
    assert [m.label for m in book.entries[0].marks] == [1, 0]


def test_a_click_under_way_while_the_canvas_is_renewed_is_kept_once(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30)))
    book = book.new_object()
    late = browser.draw(point(150, 30))  # on the old layout, after "New object" was pressed
    book, sheets = lay_out(book, FRAME, sheets)
    book, sheets, _ = take(book, sheets, late)
    assert scene_points(book) == [[(25.0, 15.0)], [(75.0, 15.0)]]
    book, sheets, _ = take(book, sheets, late)
    assert scene_points(book) == [[(25.0, 15.0)], [(75.0, 15.0)]]
    # The next layout shows the late click, and going on from there works as ever.
    book, sheets = lay_out(book, FRAME, sheets)
    browser.show(sheets)
    assert len(browser.drawing["objects"]) == 1
    book, sheets, _ = take(book, sheets, browser.draw(point(160, 30, 0)))
    assert scene_points(book) == [[(25.0, 15.0)], [(75.0, 15.0), (80.0, 15.0)]]


def test_a_click_reported_together_with_a_button_is_kept_once(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30)))
    # One run brings both: the button is handled first, the canvas was not laid out in between.
    book = book.new_object()
    book, sheets, _ = take(book, sheets, browser.draw(point(150, 30)))
    assert scene_points(book) == [[(25.0, 15.0)], [(75.0, 15.0)]]
    book, sheets = lay_out(book, FRAME, sheets)
    book, sheets, _ = take(book, sheets, browser.drawing)
    assert scene_points(book) == [[(25.0, 15.0)], [(75.0, 15.0)]]


def test_undo_while_a_click_is_under_way_takes_back_the_earlier_one(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30)))
    book, sheets = lay_out(book.undo(), FRAME, sheets)
    book, sheets, _ = take(book, sheets, browser.draw(point(150, 30)))
    assert scene_points(book) == [[(75.0, 15.0)]]


def test_the_echo_of_a_fresh_layout_changes_nothing(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30), point(80, 30)))
    book, sheets = lay_out(book.undo(), FRAME, sheets)
    browser.show(sheets)
    after, _, slip = take(book, sheets, browser.drawing)
    assert after == book
    assert len(after.future) == 1, "nothing may spoil redo"
    assert not slip


def test_another_canvas_size_keeps_the_marks_in_their_places(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30)))
    smaller = Frame(0, 0, 200, 100, 300, 150)
    late = browser.draw(point(80, 30))  # still on the old size
    book, sheets = lay_out(book, smaller, sheets)
    book, sheets, _ = take(book, sheets, late)
    assert scene_points(book) == [[(25.0, 15.0), (40.0, 15.0)]]
    book, sheets = lay_out(book, smaller, sheets)
    shown = sheets[0].marks
    assert [(m.x, m.y) for m in shown] == [(37.5, 22.5), (60.0, 22.5)]


def test_entering_the_page_again_shows_the_marks_on_a_fresh_canvas(page):
    book, sheets, browser = page
    book, sheets, _ = take(book, sheets, browser.draw(point(50, 30)))
    book, sheets = lay_out(book, FRAME)
    browser.show(sheets)
    assert len(browser.drawing["objects"]) == 1
    book, sheets, _ = take(book, sheets, browser.draw(point(150, 30)))
    assert scene_points(book) == [[(25.0, 15.0), (75.0, 15.0)]]


def test_a_click_in_box_mode_is_a_slip_and_leaves_nothing_behind(page):
    book, sheets, browser = page
    before = book.generation
    book, sheets, slip = take(book, sheets, browser.draw(box(50, 30, 52, 32)))
    assert slip
    assert book.entries == ()
    assert book.generation > before, "the speck on the canvas has to go"


def test_three_boxes_are_three_objects(page):
    book, sheets, browser = page
    for x in (20, 120, 220):
        book, sheets, _ = take(book, sheets, browser.draw(box(x, 20, x + 60, 80)))
    corners = [(e.marks[0].x, e.marks[0].y, e.marks[0].x1, e.marks[0].y1) for e in book.entries]
    assert corners == [(10, 10, 40, 40), (60, 10, 90, 40), (110, 10, 140, 40)]


def test_drawings_of_unknown_layouts_are_left_alone(page):
    book, sheets, browser = page
    stranger = browser.draw(point(50, 30)) | {"overlay": stamp_of(999)}
    assert take(book, sheets, stranger) == (book, sheets, False)
    assert take(book, sheets, None) == (book, sheets, False)


def test_only_a_few_layouts_are_kept(page):
    book, sheets, browser = page
    for x in range(0, 200, 20):
        book, sheets, _ = take(book, sheets, browser.draw(point(x, 30)))
        book, sheets = lay_out(book.new_object(), FRAME, sheets)
        browser.show(sheets)
    assert len(book.entries) == 10
    assert len(sheets) == KEPT_SHEETS


def test_stamps_tell_many_layouts_apart():
    assert len({stamp_of(n) for n in range(0, 70_000, 7)}) == 10_000
    assert stamp_of(0) == "rgba(0,0,0,0)"
