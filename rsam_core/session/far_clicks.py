"""Clicks far from the present object: is it the same object, or a new one?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_fill_holes

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
    x0, y0, x1, y1 = item.bbox
    if x0 - limit < x < x1 + limit and y0 - limit < y < y1 + limit:
        # A courtyard is nobody else's.
        rows, columns = np.nonzero(binary_fill_holes(item.mask))
        across = np.maximum(np.abs(columns + item.x + 0.5 - x) - 0.5, 0)
        down = np.maximum(np.abs(rows + item.y + 0.5 - y) - 0.5, 0)
        return bool((across**2 + down**2).min() > limit**2)
    return True


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
