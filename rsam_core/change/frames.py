"""Frames of a series: scenes, arrays, or a video that is decoded as it is needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, FollowError, VideoError

MOST = 600
"""Frames that are followed unasked."""

_LONGEST = 1024
"""Longest side to which frames are reduced."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of one size, read one at a time.

    Attributes
    ----------
    names : tuple of str
        Of each frame: a file name, a date, or a time in seconds.
    shape : tuple of int
        Height and width.
    gsd : float or None
        Metres a pixel.
    notes : tuple of str
    """

    names: tuple[str, ...]
    shape: tuple[int, int]
    _read: Callable[[int], NDArray[np.uint8]] = field(repr=False)
    gsd: float | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self._read(index)


def read_frames(
    source: Any,
    *,
    most: int = MOST,
    every: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Frames:
    """Frames of a series.

    Parameters
    ----------
    source : sequence of Scene or ndarray, ndarray (T, H, W, 3), or path or bytes of a video
        A video may be MP4, WebM, GIF or whatever PyAV opens.
    most : int
        Frames at most; a longer video is refused unless `every` is given.
    every : int, optional
        Take every so many frames of a video.
    cancelled : callable, optional
        True ends the reading.

    Raises
    ------
    VideoError
        The video cannot be decoded, is broken off at its start, or too long.
    FollowError
        There are fewer than two frames, or they differ in size.
    """
    if isinstance(source, (str, os.PathLike, bytes)):
        return _video(source, most, every, cancelled)
    frames = list(source)
    if len(frames) < 2:
        raise FollowError("A series needs at least two frames. Add another date.")
    if len(frames) > most:
        raise FollowError(
            f"These are {len(frames):,} frames; {most:,} are followed unasked. Take fewer, or "
            f"allow more with most={len(frames)}."
        )
    shapes = {tuple(f.shape[:2]) for f in frames}
    if len(shapes) > 1:
        sizes = " and ".join(f"{w} × {h}" for h, w in sorted(shapes)[:2])
        raise FollowError(
            f"All frames need one size; these are {sizes} pixels. Align the dates first, or cut "
            "them to one size."
        )
    names = tuple(getattr(f, "name", f"frame {k + 1}") for k, f in enumerate(frames))

    def read(index: int) -> NDArray[np.uint8]:
        frame = frames[index]
        return frame.read_rgb() if hasattr(frame, "read_rgb") else np.asarray(frame)

    for frame in frames:
        if not hasattr(frame, "read_rgb") and (
            np.asarray(frame).dtype != np.uint8 or np.asarray(frame).ndim != 3
        ):
            raise FollowError("A frame must be (H, W, 3) and uint8. Open files with open_scene.")
    return Frames(names, next(iter(shapes)), read, getattr(frames[0], "gsd", None))


def _video(
    source: str | os.PathLike[str] | bytes,
    most: int,
    every: int | None,
    cancelled: Callable[[], bool] | None,
) -> Frames:
    try:
        import av
    except ImportError as error:
        raise VideoError(
            "Reading videos needs the package PyAV, which is not installed. Install it with "
            "“pip install av”, or give the frames as pictures."
        ) from error
    import io

    name = "the video" if isinstance(source, bytes) else f"“{os.path.basename(source)}”"
    if every is not None and every < 1:
        raise VideoError("Take every frame (1) or every so many (2 and more).")
    pictures: list[NDArray[np.uint8]] = []
    names: list[str] = []
    notes: list[str] = []
    try:
        opened = av.open(io.BytesIO(source) if isinstance(source, bytes) else os.fspath(source))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{name} cannot be opened as a video. Choose an MP4, WebM or GIF, or save it again."
        ) from error
    with opened as container:
        if not container.streams.video:
            raise VideoError(f"{name} holds no pictures. Choose another file.")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise VideoError(
                f"There is no decoder here for {name}. Convert it to MP4 (H.264) or WebM."
            )
        count = stream.frames or 0
        step = every or 1
        if count // step > most:
            raise VideoError(_too_long(name, count // step, most))
        seen = 0
        try:
            for seen, frame in enumerate(container.decode(stream)):
                if cancelled is not None and cancelled():
                    raise Cancelled("Stopped. Nothing was changed.")
                if seen % step:
                    continue
                if len(pictures) >= most:
                    raise VideoError(_too_long(name, None, most))
                scale = min(1.0, _LONGEST / max(frame.width, frame.height))
                size = round(frame.width * scale), round(frame.height * scale)
                pictures.append(frame.to_ndarray(format="rgb24", width=size[0], height=size[1]))
                seconds = frame.time if frame.time is not None else float(seen)
                names.append(f"{seconds:.2f} s")
        except av.error.FFmpegError as error:
            if len(pictures) < 2:
                raise VideoError(
                    f"{name} is damaged or broken off, and hardly a frame can be read. Copy or "
                    "download it again."
                ) from error
            notes.append(f"{name} is broken off; the {len(pictures)} frames before are used.")
    if len(pictures) < 2:
        raise VideoError(f"{name} holds fewer than two frames that can be read.")
    if count and not every and len(pictures) < count:
        text = f"{name} says it has {count} frames, of which {len(pictures)} can be read."
        notes.append(text)
    return Frames(tuple(names), pictures[0].shape[:2], pictures.__getitem__, None, tuple(notes))


def _too_long(name: str, count: int | None, most: int) -> str:
    told = f"{count:,} frames" if count else f"more than {most:,} frames"
    every = max(2, -(-(count or 2 * most) // most))
    return (
        f"{name} has {told}; {most:,} are followed unasked. Take every {every}th frame "
        f"(every={every}), or allow more with most."
    )


def as_frames(source: Any, **options: Any) -> Frames:
    """Frames as they are, anything else by :func:`read_frames`."""
    return source if isinstance(source, Frames) else read_frames(source, **options)
