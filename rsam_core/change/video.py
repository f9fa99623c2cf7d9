"""Videos: what they hold, and their frames."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, VideoError
from rsam_core.runtime.progress import Progress

VIDEO_TYPES = ("mp4", "webm", "gif", "mov", "avi", "mkv", "m4v")
"""Endings of videos."""

_LONGEST = 1024
"""Longest side to which frames are reduced."""

_QUALITY = 95
"""Of the JPEG in which decoded frames are kept: a tenth of the memory, nothing to be seen."""

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
    """Decoded frames of one size, kept compressed.

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

    def append(self, picture: NDArray[np.uint8]) -> None:
        """Keep one more, (H, W, 3)."""
        bgr = np.ascontiguousarray(picture[..., ::-1])
        self._kept.append(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        bgr = cv2.imdecode(self._kept[index], cv2.IMREAD_COLOR)
        return np.ascontiguousarray(bgr[..., ::-1])


def video_facts(source: Source, name: str | None = None) -> VideoFacts:
    """What a video says of itself, without decoding it.

    Raises
    ------
    VideoError
        It cannot be opened, holds no pictures, or there is no decoder for it.
    """
    name = f"“{name}”" if name else _name(source)
    with _opened(source, name) as container:
        stream = _stream(container, name)
        seconds = None
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            seconds = container.duration / 1e6
        frames = stream.frames or None
        if frames is None and seconds and stream.average_rate:
            frames = max(1, round(seconds * float(stream.average_rate)))
        return VideoFacts(frames, seconds, stream.width, stream.height)


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
    import av

    name = f"“{name}”" if name else _name(source)
    if every is not None and every < 1:
        raise VideoError("Take every frame (1) or every so many (2 and more).")
    pictures: Pictures | None = None
    size = (0, 0)
    seconds: list[float] = []
    notes: list[str] = []
    with _opened(source, name) as container:
        stream = _stream(container, name)
        count, step = stream.frames or 0, every or 1
        if count // step > most:
            raise VideoError(_too_long(name, count // step, most))
        try:
            for seen, frame in enumerate(container.decode(stream)):
                if cancelled is not None and cancelled():
                    raise Cancelled("Stopped. Nothing was changed.")
                if progress is not None and count and seen % 8 == 0:
                    progress(min(seen / count, 1.0), f"frame {seen:,} of {count:,}")
                if seen % step:
                    continue
                if pictures is None:
                    scale = min(1.0, _LONGEST / max(frame.width, frame.height))
                    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
                    pictures = Pictures(size[::-1])
                if len(pictures) >= most:
                    raise VideoError(_too_long(name, None, most))
                # Some videos change their size on the way.
                pictures.append(frame.to_ndarray(format="rgb24", width=size[0], height=size[1]))
                seconds.append(frame.time if frame.time is not None else float(seen))
        except av.error.FFmpegError as error:
            if pictures is None or len(pictures) < 2:
                raise VideoError(
                    f"{name} is damaged or broken off, and hardly a frame can be read. Copy or "
                    "download it again."
                ) from error
            notes.append(f"{name} is broken off; the {len(pictures)} frames before are used.")
    if pictures is None or len(pictures) < 2:
        raise VideoError(f"{name} holds fewer than two frames that can be read.")
    if count and not every and len(pictures) < count and not notes:
        text = f"{name} says it has {count} frames, of which {len(pictures)} can be read."
        notes.append(text)
    names = tuple(f"{moment:.2f} s" for moment in seconds)
    return names, pictures, tuple(seconds), tuple(notes)


def _name(source: Source) -> str:
    return "The video" if isinstance(source, bytes) else f"“{os.path.basename(source)}”"


def _opened(source: Source, name: str) -> Any:
    try:
        import av
    except ImportError as error:
        raise VideoError(
            "Reading videos needs the package PyAV, which is not installed. Install it with "
            "“pip install av”, or give the frames as pictures."
        ) from error
    try:
        return av.open(io.BytesIO(source) if isinstance(source, bytes) else os.fspath(source))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{name} cannot be opened as a video. Choose an MP4, WebM or GIF, or save it again."
        ) from error


def _stream(container: Any, name: str) -> Any:
    if not container.streams.video:
        raise VideoError(f"{name} holds no pictures. Choose another file.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise VideoError(f"There is no decoder here for {name}. Convert it to MP4 (H.264) or WebM.")
    return stream


def _too_long(name: str, count: int | None, most: int) -> str:
    told = f"{count:,} frames" if count else f"more than {most:,} frames"
    every = max(2, -(-(count or 2 * most) // most))
    return (
        f"{name} has {told}; {most:,} are followed unasked. Take every {every}th frame "
        f"(every={every}), or allow more with most."
    )
