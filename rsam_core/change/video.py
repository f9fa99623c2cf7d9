"""Videos: what they hold, and their frames.

A video is opened and decoded in a process of its own: containers and codecs are many, and one may
be made to do harm.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change import _video_decoding as decoding
from rsam_core.errors import Cancelled, VideoError
from rsam_core.runtime.limited_reading import (
    MEMORY,
    SECONDS,
    ReadingFailed,
    run_limited,
    stream_limited,
)
from rsam_core.runtime.progress import Progress

VIDEO_TYPES = ("mp4", "webm", "gif", "mov", "avi", "mkv", "m4v")
"""Endings of videos."""

Source = str | os.PathLike[str] | bytes


@dataclass(frozen=True)
class VideoFacts:
    """What a video says of itself.

    Attributes
    ----------
    frames : int or None
        How many, or about how many; None if it does not tell.
    seconds : float or None
        How long.
    width, height : int
        In pixels.
    """

    frames: int | None
    seconds: float | None
    width: int
    height: int

    def every(self, most: int) -> int:
        """Every how many frames are to be taken so that there are `most` at most."""
        return max(1, -(-(self.frames or 0) // most))


class Pictures:
    """Decoded frames of one size, kept as JPEG.

    Attributes
    ----------
    shape : tuple of int
        Height and width.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._kept: list[NDArray[np.uint8]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def append(self, packed: NDArray[np.uint8]) -> None:
        """Keep one more, (N,) bytes of a JPEG."""
        self._kept.append(packed)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        bgr = cv2.imdecode(self._kept[index], cv2.IMREAD_COLOR)
        return np.ascontiguousarray(bgr[..., ::-1])


def video_facts(source: Source, name: str | None = None) -> VideoFacts:
    """What a video says of itself; hardly anything of it is decoded for that.

    Raises
    ------
    VideoError
        It cannot be opened, holds no pictures, or there is no decoder for it.
    """
    shown = f"“{name}”" if name else _name(source)
    check_installed()
    try:
        found = run_limited(decoding.facts, _plain(source), shown, memory=_memory(source))
    except ReadingFailed as error:
        raise _failed(error, shown) from error
    except OSError as error:
        raise decoding.unreadable(shown) from error
    return VideoFacts(**found)


def video_frames(
    source: Source,
    most: int,
    every: int | None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[tuple[str, ...], Pictures, tuple[float, ...], tuple[str, ...]]:
    """Names, pictures and seconds of a video's frames, and what there is to note.

    Parameters
    ----------
    source : path or bytes
    most : int
        Frames at most.
    every : int or None
        Take every so many; all of them if None.
    name : str, optional
        Of the file, for messages.
    progress, cancelled : callable, optional

    Raises
    ------
    VideoError
        See `read_frames`.
    Cancelled
        If `cancelled` said so.
    """
    shown = f"“{name}”" if name else _name(source)
    if every is not None and every < 1:
        raise VideoError("Take every frame (1) or every so many (2 and more).")
    check_installed()

    def stop_if_cancelled() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")

    pictures: Pictures | None = None
    seconds: list[float] = []
    notes: list[str] = []
    answers = stream_limited(
        decoding.frames, _plain(source), most, every, shown,
        memory=_memory(source), waiting=stop_if_cancelled,
    )  # fmt: skip
    try:
        for answer in answers:
            stop_if_cancelled()
            if "picture" in answer:
                pictures = pictures or Pictures(tuple(answer["shape"]))
                pictures.append(answer["picture"])
                seconds.append(answer["seconds"])
            elif "notes" in answer:
                notes += answer["notes"]
            elif progress is not None and answer["count"]:
                seen, count = answer["seen"], answer["count"]
                progress(min(seen / count, 1.0), f"frame {seen:,} of {count:,}")
    except ReadingFailed as error:
        raise _failed(error, shown) from error
    except OSError as error:
        raise decoding.unreadable(shown) from error
    finally:
        answers.close()
    assert pictures is not None
    names = tuple(f"{moment:.2f} s" for moment in seconds)
    return names, pictures, tuple(seconds), tuple(notes)


def check_installed() -> None:
    """Make sure that videos can be read at all.

    Raises
    ------
    VideoError
        The package for that is missing; the message says how to install it.
    """
    from importlib.util import find_spec

    if find_spec("av") is None:
        raise VideoError(
            "Reading videos needs the package PyAV, which is not installed. Install it with "
            "“pip install av”, or give the frames as pictures."
        )


def _plain(source: Source) -> str | bytes:
    return source if isinstance(source, bytes) else os.path.abspath(source)


def _memory(source: Source) -> int:
    """Bytes that the process may have: beside its own, what it is handed and a copy of that."""
    return MEMORY + (3 * len(source) if isinstance(source, bytes) else 0)


def _failed(error: ReadingFailed, name: str) -> VideoError:
    if error.why == "time":
        return VideoError(
            f"{name} takes too long to decode: a single part of it took more than {SECONDS:.0f} "
            "seconds and was stopped. Save it again as MP4 (H.264) and choose that."
        )
    if error.why == "memory":
        return VideoError(
            f"{name} needs too much memory. Save it with a lower resolution and choose that."
        )
    return VideoError(
        f"{name} is damaged: decoding it came to a sudden end. Copy or download it again, or save "
        "it again as MP4."
    )


def _name(source: Source) -> str:
    return "The video" if isinstance(source, bytes) else f"“{os.path.basename(source)}”"
