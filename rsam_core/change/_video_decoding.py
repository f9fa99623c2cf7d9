"""The side of a video's reader that runs in a process of its own: containers and codecs.

Only containers that hold all of their pictures themselves are opened, by their content, and no
other file or address ever is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import VideoError

_LONGEST = 1024
"""Longest side to which frames are reduced."""

_QUALITY = 95
"""Of the JPEG in which decoded frames are kept: a tenth of the memory, nothing to be seen."""

# Names of FFmpeg's readers of containers. None of them is a list of other files, as HLS, DASH, SDP
# and concatenations are; sound alone is told as such.
_CONTAINERS = "mov,mp4,matroska,webm,gif,avi,wav,mp3,ogg,flac"
_CLOSED = {
    "format_whitelist": _CONTAINERS,
    # No protocol has this name.
    "protocol_whitelist": "none",
    "enable_drefs": "0",
}
_LISTS = (b"#EXTM3U", b"ffconcat", b"<MPD", b"v=0", b"[playlist]", b"<smil", b"<asx", b"<ASX",
          b"[Reference]")  # fmt: skip
"""How texts begin that name other files or addresses to be played."""
_MAX_PIXELS = 1 << 26
"""Pixels of a frame: twice as many as films of the highest resolution have."""
_TOLD_EVERY = 8


def facts(source: str | bytes, name: str) -> dict[str, Any]:
    """What a video says of itself, as plain data; see `rsam_core.change.video.VideoFacts`."""
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
        width, height = stream.width, stream.height
        return {"frames": frames, "seconds": seconds, "width": width, "height": height}


def frames(
    source: str | bytes, most: int, every: int | None, name: str
) -> Iterator[dict[str, Any]]:
    """Yield how far the decoding is, each frame as a JPEG, and at the end the notes."""
    import av

    taken, size, turns, notes = 0, None, 0, []
    with _opened(source, name) as container:
        stream = _stream(container, name)
        # Others use the computer as well.
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(_MAX_PIXELS)}
        count, step = stream.frames or 0, every or 1
        if count // step > most:
            raise VideoError(_too_long(name, count // step, most))
        try:
            for seen, frame in enumerate(container.decode(stream)):
                if seen % _TOLD_EVERY == 0:
                    yield {"seen": seen, "count": count}
                if seen % step or not (frame.width and frame.height):
                    continue
                if taken >= most:
                    raise VideoError(_too_long(name, None, most))
                if size is None:
                    scale = min(1.0, _LONGEST / max(frame.width, frame.height))
                    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
                    # As the camera was held; to the left where positive.
                    turns = round(frame.rotation / 90)
                # Some videos change their size on the way.
                picture = frame.to_ndarray(format="rgb24", width=size[0], height=size[1])
                picture = np.rot90(picture, turns)
                moment = frame.time if frame.time is not None else float(seen)
                taken += 1
                yield {"picture": _jpeg(picture), "shape": picture.shape[:2], "seconds": moment}
        except (av.error.FFmpegError, ValueError) as error:
            if taken < 2:
                raise VideoError(
                    f"{name} is damaged or broken off, and hardly a frame can be read. Copy or "
                    "download it again."
                ) from error
            notes.append(f"{name} is broken off; the {taken} frames before are used.")
    if taken < 2:
        raise VideoError(f"{name} holds fewer than two frames that can be read.")
    if count and not every and taken < count and not notes:
        notes.append(f"{name} says it has {count} frames, of which {taken} can be read.")
    yield {"notes": notes}


def _jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bgr = np.ascontiguousarray(picture[..., ::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]


@contextmanager
def _opened(source: str | bytes, name: str) -> Iterator[Any]:
    """Open a video by its content; never by a path, from which others could be told."""
    import av

    try:
        # Closed below.
        file = io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")  # noqa: SIM115
    except OSError as error:
        raise unreadable(name) from error
    with file:
        head = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(0)
        if head.startswith(_LISTS) or b"<MPD" in head:
            raise VideoError(
                f"{name} is no video but a list that names other files or addresses. RSAM reads "
                "nothing but the file itself. Choose the video that is meant, as MP4, WebM or GIF."
            )
        try:
            container = av.open(file, options=dict(_CLOSED), metadata_errors="replace")
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise VideoError(
                f"{name} cannot be opened as a video. Choose an MP4, WebM or GIF, or save it again."
            ) from error
        with container:
            yield container


def _stream(container: Any, name: str) -> Any:
    if not container.streams.video:
        raise VideoError(f"{name} holds no pictures. Choose another file.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise VideoError(f"There is no decoder here for {name}. Convert it to MP4 (H.264) or WebM.")
    if stream.width * stream.height > _MAX_PIXELS:
        raise VideoError(
            f"{name} has frames of {stream.width:,} × {stream.height:,} pixels, more than any "
            "camera films. Save it with a lower resolution and choose that."
        )
    return stream


def _too_long(name: str, count: int | None, most: int) -> str:
    told = f"{count:,} frames" if count else f"more than {most:,} frames"
    every = max(2, -(-(count or 2 * most) // most))
    return (
        f"{name} has {told}; {most:,} are followed unasked. Take one frame in {every} "
        f"(every={every}), or allow more with most."
    )


def unreadable(name: str) -> VideoError:
    """The error for a file that is not there, or may not be read."""
    return VideoError(f"{name} cannot be read. Check that it is still there, and choose it again.")
