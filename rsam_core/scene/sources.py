"""Where an image comes from: a path, bytes or a file object such as an upload."""

from __future__ import annotations

import os
from pathlib import Path

from rsam_core.errors import SceneError
from rsam_core.scene import _beside
from rsam_core.scene._room import Room
from rsam_core.scene.raster_file import RasterFile

# Larger uploads are laid down in a temporary file, so that they do not fill the memory for as long
# as a session lasts.
SPOOL_ABOVE = 64 * 2**20


def file_of(source: object, name: str | None) -> RasterFile:
    """Return the file behind a path, bytes or a binary file object.

    Raises
    ------
    SceneError
        It cannot be read, or is no file at all.
    """
    if isinstance(source, (str, os.PathLike)):
        return _file_at(source, name)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _in_memory(name or "image", bytes(source))
    if not hasattr(source, "read"):
        raise SceneError(
            f"RSAM cannot open a {type(source).__name__}. Give the path of an image, its bytes or "
            "an open binary file."
        )
    label = getattr(source, "name", None)
    label = name or (Path(label).name if isinstance(label, str) and label else "image")
    try:
        # Uploads are read more than once: never rely on where the last reader stopped.
        if hasattr(source, "getvalue"):
            content = source.getvalue()
        else:
            if hasattr(source, "seekable") and source.seekable():
                source.seek(0)
            content = source.read()
    except (OSError, ValueError) as error:
        raise SceneError(f"“{label}” cannot be read: {error}. Open it again.") from error
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise SceneError(f"“{label}” was opened as text. Open it in binary mode, with mode 'rb'.")
    return _in_memory(label, bytes(content))


def _in_memory(label: str, content: bytes) -> RasterFile:
    """Return the file of that content; a large one on disk, where it stays as long as needed."""
    if len(content) <= SPOOL_ABOVE:
        return RasterFile(label, content)
    try:
        # A folder of its own, which nobody else may enter: what somebody else lays down can never
        # lie beside it. It goes with the file, also when the program ends.
        room = Room()
        path = room.path / "image"
        path.write_bytes(content)
    except OSError:
        # The disk is full or read only: memory must do.
        return RasterFile(label, content)
    return RasterFile(label, path, room=room)


def _file_at(path: str | os.PathLike[str], name: str | None) -> RasterFile:
    """Return the file at a path after checking that it is one."""
    label = name or Path(path).name or str(path)
    try:
        resolved = Path(path).resolve()
        if resolved.is_dir():
            raise SceneError(f"“{label}” is a folder. Open one of the images inside it.")
        if not resolved.exists():
            raise SceneError(f"“{label}” does not exist. Check the path and its spelling: {path}")
        if not resolved.is_file():
            raise SceneError(f"“{label}” is not a file. Open an image file.")
        file = RasterFile(label, resolved)
        file.head()
        beside = _beside.linked(resolved)
        if beside is not None:
            file = RasterFile(label, resolved, *beside)
    except (OSError, ValueError) as error:
        raise SceneError(
            f"“{label}” cannot be read: {error}. Check the path and your permissions."
        ) from error
    return file
