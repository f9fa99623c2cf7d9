"""Clicks far from the present object: is it the same object, or a new one?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rsam_core.objects.instance import Instance
from rsam_core.prompts.history import PromptHistory

FAR = 0.6
"""Share of an object's own diameter beyond which a click is far from it."""


def is_far(item: Instance, x: float, y: float, least: float = 0.0) -> bool:
    """Whether a click is far from an object.

    Parameters
    ----------
    item : Instance
    x, y : float
        The click, in scene pixels.
    least : float
        Scene pixels within which nothing is far, however small the object.

    Returns
    -------
    bool
        True if the nearest pixel of the object, its holes filled, is farther away than `least`,
        and than `FAR` of the diameter of the disc that is as large as the object.
    """
    limit = max(FAR * 2 * (item.area / np.pi) ** 0.5, least)
    # A courtyard is nobody else's.
    return not (_within(item, x, y, limit) or _in_hole(item, x, y))


def _within(item: Instance, x: float, y: float, limit: float) -> bool:
    """Whether any pixel of the object is at most so far away; row by row, for masks of any size."""
    height, width = item.mask.shape
    x, y = x - item.x, y - item.y
    for row in range(max(0, math.ceil(y - 1 - limit)), min(height, math.floor(y + limit) + 1)):
        down = max(abs(row + 0.5 - y) - 0.5, 0.0)
        reach = math.sqrt(max(limit**2 - down**2, 0.0))
        first, last = max(0, math.ceil(x - 1 - reach)), min(width, math.floor(x + reach) + 1)
        if first < last and item.mask[row, first:last].any():
            return True
    return False


def _in_hole(item: Instance, x: float, y: float) -> bool:
    """Whether a place lies in a hole of the object: what is outside does not flow there."""
    import cv2

    height, width = item.mask.shape
    column, row = math.floor(x) - item.x, math.floor(y) - item.y
    if not (0 <= column < width and 0 <= row < height):
        return False
    ground = np.pad(item.mask.view(np.uint8), 1)
    cv2.floodFill(ground, None, (0, 0), 2)
    return bool(ground[row + 1, column + 1] == 0)


@dataclass(frozen=True)
class FarClick:
    """A click far from the object that was the present one.

    Attributes
    ----------
    uid : int
        Number of the mark.
    before : int
        The object that was the present one.
    own : int or None
        Number of the object that the click began, if it ever did.
    """

    uid: int
    before: int
    own: int | None = None

    def stands(self, book: PromptHistory) -> bool:
        """Whether the question is still open: the click is there, the last one, and on its own."""
        if book.next_uid != self.uid + 1 or book.entry(self.before) is None:
            return False
        owner = self.owner(book)
        entry = book.entry(owner)
        return owner == book.current and entry is not None and entry.marks[-1].uid == self.uid

    def owner(self, book: PromptHistory) -> int | None:
        """The object that the click belongs to now."""
        for entry in book.entries:
            if any(mark.uid == self.uid for mark in entry.marks):
                return entry.id
        return None

    def as_new(self, book: PromptHistory, new: bool) -> PromptHistory:
        """The book with the click as a new object, or as part of the one before."""
        own = book.next_id if self.own is None else self.own
        return book.move_mark(self.uid, own if new else self.before)


@dataclass
class FarClicks:
    """The last far click of a session, if there was one."""

    last: FarClick | None = None


def clicked(
    book: PromptHistory, far: bool, new: bool, mark: dict[str, object]
) -> tuple[PromptHistory, FarClick | None]:
    """Add a click to a book, and say what is to be asked about it.

    Parameters
    ----------
    book : PromptHistory
    far : bool
        Whether it is far from the present object.
    new : bool
        Whether a far click begins a new object.
    mark : dict
        Arguments of `PromptHistory.add_point`.

    Returns
    -------
    PromptHistory
    FarClick or None
        None where nothing is to be asked.
    """
    before = book.current
    after = book.add_point(**mark, own_object=far and new)
    if not far or before is None:
        return after, None
    return after, FarClick(after.next_uid - 1, before, after.current if new else None)
