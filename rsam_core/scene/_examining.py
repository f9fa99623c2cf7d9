"""The other side of an examiner: a process that looks at one file after the other."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from rsam_core.errors import SceneError
from rsam_core.runtime.limited_reading import give_way
from rsam_core.scene._examination import examine, try_out
from rsam_core.scene.raster_file import RasterFile

_TIRED_BYTES = 2**29


def serve() -> None:
    """Examine one file after the other until the input ends.

    A request is as `Examiners.look` makes it. The answer has ``error`` (what to tell the user), or
    ``notes``, ``turned`` and what to read in place of the file: as its content, or ``written``,
    the name of a file in the room.
    """
    give_way()
    # All that the first file would ask for.
    import pyproj  # noqa: F401
    import rasterio  # noqa: F401
    from PIL import Image

    # What Pillow may decode was checked against the memory.
    Image.MAX_IMAGE_PIXELS = None

    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the answers.
    os.dup2(2, 1)
    give(answers, {}, b"")
    while (request := taken(sys.stdin.buffer)) is not None:
        try:
            _limit(request["seconds"], request["memory"])
            answer, content = _examined_here(request)
        except SceneError as error:
            answer, content = {"error": str(error)}, b""
        except MemoryError:
            name = request["name"]
            answer, content = {"error": str(RasterFile(name, b"").out_of_memory())}, b""
        # Whatever else a library raises means the same to whoever opened the file.
        except Exception:
            answer, content = {"error": str(RasterFile(request["name"], b"").damaged())}, b""
        request = None
        give(answers, answer | {"tired": _tired()}, content)


def _examined_here(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    content, path, linked = request["content"], request["path"], request["linked"]
    room = request["room"] and Path(request["room"])
    file = RasterFile(
        request["name"], content if path is None else Path(path), linked and Path(linked)
    )
    found = examine(file, room, world=request["world"], picture=request["picture"])
    if request["picture"]:
        try_out(replace(found.applied(file, None), name=file.name))
    source = found.source
    written = source.name if isinstance(source, Path) else None
    answer = {"written": written, "notes": found.notes, "turned": found.turned}
    return answer, source if isinstance(source, bytes) else b""


def _tired() -> bool:
    """Tell whether this process holds so much memory that a new one had better go on."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") > _TIRED_BYTES
    except (OSError, ValueError, IndexError, AttributeError):
        # Only Linux tells this way.
        return False


def _limit(seconds: float, memory: int) -> None:
    """Limit what this process may still compute, and hold."""
    try:
        import resource
    except ImportError:
        # Windows: the other side watches the clock.
        return
    used = time.process_time()
    for kind, most in (
        (resource.RLIMIT_CPU, max(1, int(used + seconds) + 1)),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        try:
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):
            # macOS does not limit the address space.
            continue


def give(stream: BinaryIO, message: dict[str, Any], content: bytes) -> None:
    """Send a message and bytes that go with it."""
    text = json.dumps(message).encode()
    stream.write(struct.pack("<QQ", len(text), len(content)) + text)
    stream.write(content)
    stream.flush()


def taken(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the next message, its content under that name; None at the end."""
    try:
        head = stream.read(16)
        if len(head) < 16:
            return None
        length, size = struct.unpack("<QQ", head)
        text, content = stream.read(length), stream.read(size)
        if len(text) < length or len(content) < size:
            return None
        return json.loads(text) | {"content": content}
    except (OSError, ValueError):
        return None
