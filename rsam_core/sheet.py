"""What the canvas in the browser was given to show, so that late answers are understood.

The browser and the program work side by side: a click can be under way while the program lays the
canvas out anew (after *New object*, *Undo*, ...). Each layout therefore carries a stamp, which the
canvas sends back with every drawing. A drawing on an earlier layout holds clicks that the user saw
land there; those that were not read before are taken over, and nothing is read twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rsam_core.coordinates import CanvasMark, Frame, compare_marks, draw_canvas, read_canvas
from rsam_core.promptbook import Book

KEPT_SHEETS = 6
"""Layouts whose drawings are understood: the present one and those before it."""


@dataclass(frozen=True)
class Sheet:
    """One layout of the canvas.

    Attributes
    ----------
    generation : int
        The book's generation that it shows.
    frame : Frame
        The canvas and the window it shows.
    drawing : dict
        The Fabric drawing to start from, with the stamp.
    marks : tuple of CanvasMark
        What it held when it was last read.
    """

    generation: int
    frame: Frame
    drawing: dict[str, Any]
    marks: tuple[CanvasMark, ...] = ()

    @property
    def stamp(self) -> str:
        """What tells drawings on this layout from those on others."""
        return self.drawing["overlay"]


def stamp_of(generation: int) -> str:
    """A fully transparent colour that stands for a generation.

    The overlay colour is the one property of a Fabric canvas that shows nothing when transparent
    and still comes back with the drawing.
    """
    return f"rgba({generation & 255},{generation >> 8 & 255},{generation >> 16 & 255},0)"


def lay_out(
    book: Book, frame: Frame, sheets: tuple[Sheet, ...] = ()
) -> tuple[Book, tuple[Sheet, ...]]:
    """Show a book on the canvas: on the present sheet, or on a new one if that is out of date.

    Parameters
    ----------
    book : Book
    frame : Frame
        The canvas and the window it shows.
    sheets : tuple of Sheet
        Layouts so far, the present one first; none if the canvas is empty, as it is whenever
        the page is entered.

    Returns
    -------
    book : Book
        It knows which marks are shown.
    sheets : tuple of Sheet
        The first is to be shown.
    """
    present = sheets[0] if sheets else None
    if present is not None and present.generation == book.generation:
        if present.frame == frame:
            return book, sheets
        book = book.redrawn()
    elif present is None:
        book = book.redrawn()
    book = book.to_show(frame)
    marks = tuple(mark for _, mark in book.shown)
    drawing = draw_canvas(list(marks)) | {"overlay": stamp_of(book.generation)}
    return book, (Sheet(book.generation, frame, drawing, marks), *sheets)[:KEPT_SHEETS]


def take(
    book: Book,
    sheets: tuple[Sheet, ...],
    drawing: dict[str, Any] | None,
    *,
    own_objects: bool = False,
) -> tuple[Book, tuple[Sheet, ...], bool]:
    """Take over what was drawn since the canvas was last read.

    Parameters
    ----------
    book : Book
    sheets : tuple of Sheet
        Layouts so far, the present one first.
    drawing : dict or None
        From the canvas component.
    own_objects : bool
        Every click is an object of its own.

    Returns
    -------
    book : Book
    sheets : tuple of Sheet
    slip : bool
        Whether something too small to mean anything was drawn; the book then asks for a fresh
        canvas without it.
    """
    if not drawing or not sheets:
        return book, sheets, False
    # A canvas that does not return the stamp is taken for the present one.
    stamp = drawing.get("overlay") or sheets[0].stamp
    place = next((i for i, sheet in enumerate(sheets) if sheet.stamp == stamp), None)
    if place is None:
        return book, sheets, False
    sheet = sheets[place]
    marks = read_canvas(drawing, sheet.frame.columns, sheet.frame.rows)
    slip = False
    if sheet.generation == book.generation:
        book = book.read(marks, sheet.frame, own_objects=own_objects)
        slip = len(book.shown) < len(drawing.get("objects", ()))
        if slip:
            book = book.redrawn()
    else:
        new = [marks[j] for j in compare_marks(list(sheet.marks), marks).added]
        if new:
            unread = replace(book, shown=()).read(new, sheet.frame, own_objects=own_objects)
            book = unread.redrawn()
    known = replace(sheet, marks=tuple(marks))
    return book, (*sheets[:place], known, *sheets[place + 1 :]), slip
