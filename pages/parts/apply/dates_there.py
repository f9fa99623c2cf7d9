"""Pictures of other dates that are open: the second one of Change, and the series of Follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply import Answer
from rsam_core.change.apply.question import Dated
from rsam_core.change.frames import Frames
from rsam_core.change.picture import ArrayPicture
from rsam_core.formats.placement import Place
from rsam_core.scene.window import Window
from rsam_core.session.change import change_state
from rsam_core.session.following import follow_state
from rsam_core.session.session import Session

MOST = 40
"""Dates of a series that are looked at: each is read as a whole and compared with the first."""

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def series_frames(session: Session) -> Frames | None:
    """The series of the open image, if it shows one place at three dates or more, in order."""
    frames = follow_state(session).frames
    if frames is None or frames.seconds is not None or frames.unordered:
        return None
    return frames if 3 <= len(frames) <= MOST else None


def series_of(session: Session) -> Dated | None:
    """Its pictures, read one at a time, with their dates."""
    frames = series_frames(session)
    if frames is None:
        return None
    return Dated(_Pictures(frames), tuple(date or "" for date in frames.dates))


class _Pictures(Sequence[ArrayPicture]):
    """Frames as pictures that can be compared; each is read when it is asked for."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, at: Any) -> Any:
        frames = self._frames
        image = frames[at]
        # What lies beyond a date's own picture was left black when it was brought to the grid.
        valid = image.any(axis=2) if frames.transform is not None else None
        return ArrayPicture(
            image, frames.names[at], frames.crs, frames.transform, frames.gsd, valid
        )


def pair(session: Session, answer: Answer, window: Window) -> Pair | None:
    """The first and the last date that an answer looked at, on a window of its site.

    None where they are not at hand, or not on the pixels of the site.
    """
    scene = session.image.scene
    if answer.series:
        frames = series_frames(session)
        if frames is None or Place.of(scene) != answer.site.place:
            return None
        ends = session.memo.remember(
            "apply-ends", (frames,), lambda: (frames[0], frames[len(frames) - 1])
        )
        fx, fy = frames.width / answer.site.shape[1], frames.height / answer.site.shape[0]
        left, top = int(window.x * fx), int(window.y * fy)
        right = max(round((window.x + window.width) * fx), left + 1)
        bottom = max(round((window.y + window.height) * fy), top + 1)
        return ends[0][top:bottom, left:right], ends[1][top:bottom, left:right]
    change = change_state(session)
    alignment = change.alignment if change.second is not None and change.fits(scene) else None
    if alignment is None or Place.of(alignment.reference) != answer.site.place:
        return None
    return alignment.read(window)[:2]


def two_dates(session: Session, answer: Answer) -> bool:
    """Whether pictures of two dates are there to be shown."""
    return pair(session, answer, Window(0, 0, 1, 1)) is not None
