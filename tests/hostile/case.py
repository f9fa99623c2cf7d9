"""One hostile file, and the trap that notices when it makes the program look elsewhere."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = (
    "image",
    "world file",
    "truth",
    "project",
    "recipe",
    "batch recipe",
    "data set",
    "class list",
    "video",
    "layer",
    "exercise",
    "exercise link",
    "result",
)
"""What can be uploaded."""

REFUSED, OPENED, EITHER = "refused", "opened", "either"
"""What may come of a case: an error of our own, opening, or one as well as the other."""


@dataclass(frozen=True)
class Lure:
    """What a file may name that it must never reach.

    Attributes
    ----------
    raster : str
        Path of an image of this machine.
    words : str
        Path of a text of this machine.
    address : str
        An address that nobody answers.
    """

    raster: str = "/nowhere/raster.tif"
    words: str = "/nowhere/words.txt"
    address: str = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Case:
    """A hostile file.

    Attributes
    ----------
    name : str
        Unique in the corpus.
    kind : str
        One of `KINDS`.
    file : str
        What the upload is called.
    make : callable
        Makes the content, given a `Lure`; the same each time.
    expect : str
        `REFUSED`, `OPENED` or `EITHER`.
    """

    name: str
    kind: str
    file: str
    make: Callable[[Lure], bytes]
    expect: str = EITHER


def cases_of(
    kind: str,
    file: str,
    contents: dict[str, bytes | Callable[..., bytes]],
    expect: str = EITHER,
) -> Iterator[Case]:
    """Make a case of each entry: bytes, a function without arguments, or one of a lure.

    Parameters
    ----------
    kind, file : str
        As for `Case`; the case is called after the file and the key.
    contents : dict
    expect : str
    """
    for key, content in contents.items():
        yield Case(f"{kind}: {file}: {key}", kind, file, _maker(content), expect)


def _maker(content: bytes | Callable[..., bytes]) -> Callable[[Lure], bytes]:
    if isinstance(content, (bytes, bytearray)):
        return lambda lure: bytes(content)
    wants = content.__code__.co_argcount - len(content.__defaults__ or ())
    return content if wants else lambda lure: content()


def cuts(content: bytes, places: Iterable[int]) -> dict[str, bytes]:
    """Return the content cut short at each of the places."""
    return {f"cut at {place}": content[:place] for place in sorted({p for p in places if p >= 0})}


class Trap:
    """A folder of bait and a port that both notice a visit.

    Attributes
    ----------
    lure : Lure
        What to name in a file.
    """

    _OPENED = 0x20  # IN_OPEN of inotify
    _EVENT = struct.Struct("iIII")

    def __init__(self, folder: Path) -> None:
        import rasterio

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        raster, words = folder / "bait.tif", folder / "bait.txt"
        with rasterio.open(
            raster, "w", driver="GTiff", width=96, height=64, count=3, dtype="uint8"
        ) as target:
            target.write(np.full((3, 64, 96), 200, np.uint8))
        words.write_text("a private word\n" * 2000)
        self._port = socket.create_server(("127.0.0.1", 0))
        self._port.setblocking(False)
        address = f"http://127.0.0.1:{self._port.getsockname()[1]}"
        self.lure = Lure(str(raster), str(words), address)
        self._notices = _watch(folder, self._OPENED)

    def visits(self) -> list[str]:
        """Tell who came since the last question: names of files opened, and "the port"."""
        found = []
        while True:
            try:
                visitor, _ = self._port.accept()
            except BlockingIOError:
                break
            visitor.close()
            found.append("the port")
        return found + self._opened()

    def _opened(self) -> list[str]:
        if self._notices is None:
            return []
        try:
            data = os.read(self._notices, 1 << 16)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(data):
            *_, length = self._EVENT.unpack_from(data, at)
            at += self._EVENT.size
            name = data[at : at + length].rstrip(b"\0").decode()
            at += length
            # Without a name it is the folder itself that was listed.
            if name:
                found.append(name)
        return found

    def close(self) -> None:
        """Stop watching."""
        self._port.close()
        if self._notices is not None:
            os.close(self._notices)


def _watch(folder: Path, what: int) -> int | None:
    """Ask Linux to tell which files of a folder are opened; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    system = ctypes.CDLL(None, use_errno=True)
    notices = system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if notices < 0:
        return None
    if system.inotify_add_watch(notices, os.fsencode(folder), what) < 0:
        os.close(notices)
        return None
    return notices


@contextmanager
def trap(folder: Path) -> Iterator[Trap]:
    """Set a trap for as long as the block lasts."""
    laid = Trap(folder)
    try:
        yield laid
    finally:
        laid.close()
