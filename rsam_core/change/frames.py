"""Frames of a series: scenes, arrays, or a video that is decoded once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from rsam_core.change._overviews import reduced
from rsam_core.change.alignment import check_overlap
from rsam_core.change.dates import day_of
from rsam_core.change.grid import Layer, is_placed
from rsam_core.change.picture import date_in_name
from rsam_core.change.video import video_frames
from rsam_core.errors import FollowError
from rsam_core.runtime.progress import Progress
from rsam_core.scene.coordinates import Frame, view_frame
from rsam_core.scene.window import Window

MOST = 600
"""Frames that are followed unasked."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of one size, read one at a time.

    Attributes
    ----------
    names : tuple of str
        Of each frame: a file name, or a time in seconds.
    shape : tuple of int
        Height and width.
    dates : tuple of (str or None)
        Of each frame, "2016", "2016-05" or "2016-05-31"; None where nothing tells it.
    seconds : tuple of float or None
        Time of each frame of a video.
    gsd : float or None
        Metres a pixel.
    crs : str or None
        Coordinate reference system.
    transform : Affine or None
        From pixels to the map; None where the frames have no place, or not the same.
    notes : tuple of str
    attribution : str
        Whom the files name as their source.
    """

    names: tuple[str, ...]
    shape: tuple[int, int]
    _read: Callable[[int], NDArray[np.uint8]] = field(repr=False)
    gsd: float | None = None
    notes: tuple[str, ...] = ()
    dates: tuple[str | None, ...] = ()
    seconds: tuple[float, ...] | None = None
    crs: str | None = None
    transform: Affine | None = None
    attribution: str = ""

    def __post_init__(self) -> None:
        if not self.dates:
            found = () if self.seconds is not None else map(date_in_name, self.names)
            object.__setattr__(self, "dates", tuple(found) or (None,) * len(self.names))
        if len(self.dates) != len(self.names):
            raise FollowError("Give one date a frame, or none at all.")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self._read(index)

    @property
    def width(self) -> int:
        """Columns."""
        return self.shape[1]

    @property
    def height(self) -> int:
        """Rows."""
        return self.shape[0]

    @property
    def name(self) -> str:
        """Of the first frame."""
        return self.names[0]

    def dated(self, dates: Sequence[str | None]) -> Frames:
        """The same frames with other dates.

        Raises
        ------
        FollowError
            There are not as many dates as frames.
        """
        return replace(self, dates=tuple(dates))

    def ordered(self, order: Sequence[int]) -> Frames:
        """The same frames in another order."""
        order = list(order)
        seconds = self.seconds
        return replace(
            self,
            names=tuple(self.names[k] for k in order),
            dates=tuple(self.dates[k] for k in order),
            seconds=None if seconds is None else tuple(seconds[k] for k in order),
            _read=lambda index: self._read(order[index]),
        )

    @property
    def unordered(self) -> bool:
        """Whether the dates do not rise from frame to frame."""
        days = [day for text in self.dates if (day := day_of(text)) is not None]
        return days != sorted(days)


def read_frames(
    source: Any,
    *,
    most: int = MOST,
    every: int | None = None,
    dates: Sequence[str | None] | None = None,
    name: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Frames:
    """Frames of a series.

    Scenes with a place on the map are brought to the grid of the first one; all others need one
    size. Frames of more than 2048 pixels are reduced, as the views of the app are.

    Parameters
    ----------
    source : sequence of Scene or ndarray, ndarray (T, H, W, 3), or path or bytes of a video
        A video may be MP4, MOV, MKV, WebM, AVI or GIF.
    most : int
        Frames at most; a longer video is refused unless `every` is given.
    every : int, optional
        Take every so many frames of a video.
    dates : sequence of (str or None), optional
        Of each frame; from the names by default.
    name : str, optional
        Of a video, for messages.
    progress : callable, optional
        Called with a share from 0 to 1 and a text while a video is decoded.
    cancelled : callable, optional
        True ends the reading.

    Raises
    ------
    VideoError
        The video cannot be decoded, is broken off at its start, or too long.
    FollowError
        There are fewer than two frames, or they differ in size.
    AlignError
        They show different places.
    """
    if isinstance(source, (str, os.PathLike, bytes)):
        names, pictures, seconds, notes = video_frames(
            source, most, every, name=name, progress=progress, cancelled=cancelled
        )
        shape = pictures.shape
        return Frames(names, shape, pictures.__getitem__, None, notes, (), seconds)
    frames = list(source)
    if len(frames) < 2:
        raise FollowError("A series needs at least two frames. Add another date.")
    if len(frames) > most:
        raise FollowError(
            f"These are {len(frames):,} frames; {most:,} are followed unasked. Take fewer, or "
            f"allow more with most={len(frames)}."
        )
    for frame in frames:
        if not hasattr(frame, "read_rgb") and (
            np.asarray(frame).dtype != np.uint8 or np.asarray(frame).ndim != 3
        ):
            raise FollowError("A frame must be (H, W, 3) and uint8. Open files with open_scene.")
    names = tuple(getattr(f, "name", f"frame {k + 1}") for k, f in enumerate(frames))
    given = tuple(dates) if dates is not None else ()
    first = frames[0]
    if all(hasattr(f, "read_rgb") and is_placed(f) for f in frames):
        return _placed(frames, names, given)
    shapes = {tuple(f.shape[:2]) for f in frames}
    if len(shapes) > 1:
        sizes = " and ".join(f"{w} × {h}" for h, w in sorted(shapes)[:2])
        raise FollowError(
            f"All frames need one size; these are {sizes} pixels. Align the dates first, or cut "
            "them to one size."
        )
    view = view_frame(first.shape[1], first.shape[0])

    def read(index: int) -> NDArray[np.uint8]:
        frame = frames[index]
        if hasattr(frame, "read_rgb"):
            return frame.read_rgb(max_size=max(view.columns, view.rows))
        return np.asarray(frame)

    if not hasattr(first, "read_rgb"):
        view = Frame(0, 0, first.shape[1], first.shape[0], first.shape[1], first.shape[0])
    gsd = getattr(first, "gsd", None)
    return Frames(
        names, (view.rows, view.columns), read, gsd and gsd / view.scale[0], (), given,
        attribution=_credits(frames),
    )  # fmt: skip


def _placed(frames: list[Any], names: tuple[str, ...], dates: tuple[str | None, ...]) -> Frames:
    """Scenes with a place on the map, on the grid of the first."""
    first = frames[0]
    view = view_frame(first.width, first.height)
    shape = view.rows, view.columns
    notes = []
    for frame in frames[1:]:
        check_overlap(first, frame)
        if not _same_grid(first, frame):
            notes.append(f"“{frame.name}” was brought to the grid of “{first.name}”.")

    def read(index: int) -> NDArray[np.uint8]:
        frame = frames[index]
        if _same_grid(first, frame):
            return frame.read_rgb(max_size=max(shape))
        layer = Layer(frame, first, np.eye(3))
        return reduced(layer, Window(0, 0, first.width, first.height), shape)[0]

    gsd = None if first.gsd is None else first.gsd / view.scale[0]
    transform = first.transform @ Affine.scale(1 / view.scale[0], 1 / view.scale[1])
    return Frames(names, shape, read, gsd, tuple(notes), dates, crs=first.crs, transform=transform,
                  attribution=_credits(frames))  # fmt: skip


def _credits(frames: list[Any]) -> str:
    """Whom all files together name, each once."""
    named = dict.fromkeys(getattr(frame, "attribution", "") for frame in frames)
    return "; ".join(name for name in named if name)


def _same_grid(first: Any, other: Any) -> bool:
    return first is other or (
        first.shape == other.shape
        and str(first.crs) == str(other.crs)
        and first.transform.almost_equals(other.transform, 1e-6 * abs(first.transform.a))
    )


def as_frames(source: Any, **options: Any) -> Frames:
    """Frames as they are, anything else by :func:`read_frames`."""
    return source if isinstance(source, Frames) else read_frames(source, **options)
