"""Examiners: processes that take the first look at what somebody uploads.

A file that was made to fill the memory, to go round in circles or to end the program does that to
an examiner, which is stopped and replaced, and to nobody else. Only what it lets pass is opened in
the program itself. Examiners are started once and wait for the next file; there are several, so
that one bad file does not keep others waiting. What they say is plain data, never objects.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from rsam_core.errors import SceneError
from rsam_core.runtime.budgets import setting
from rsam_core.scene import _examining
from rsam_core.scene._examination import examine
from rsam_core.scene._examined import Examined
from rsam_core.scene._room import Room
from rsam_core.scene.checks import MEMORY
from rsam_core.scene.raster_file import GDAL_CLOSED, RasterFile

SECONDS = 4.0
"""Computing time for any file."""
BYTES_A_SECOND = 1_000_000
"""And for large ones a second more for so many bytes."""
MAX_SECONDS = 300.0
"""And for none more than this."""
PATIENCE = 4.0
"""By how much waiting may exceed computing: others use the computer as well."""
ADDRESS_SPACE = setting("RSAM_EXAMINER_MB", MEMORY + 2**30)
"""Bytes of memory that an examiner may have."""
MOST = max(2, min(4, os.cpu_count() or 1))
"""Examiners at the same time."""
_START_SECONDS = 120.0

_LOG = logging.getLogger("rsam")
_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PROJ_DATA", "PROJ_LIB")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS")
# Formats that name other files or addresses. None is opened by its content; here they are not
# even there.
_NEVER = (
    "VRT WMS WCS WMTS HTTP STACTA STACIT PLMOSAIC EEDA EEDAI GTI DERIVED MBTiles Zarr netCDF HDF5 "
    "HDF5Image BAG S102 S104 S111 GPKG SQLite Rasterlite PDF DAAS ESRIC TIL DIMAP SAFE SENTINEL2 "
    "RS2 TSX ECRGTOC RPFTOC MRF KMLSUPEROVERLAY ENVI EHdr ERS PAux GenBin ISIS2 ISIS3 PDS PDS4 "
    "HFA NITF"
)


class _Unable(Exception):
    """No examiner can be started on this computer."""


class _Examiner:
    """One process; see `rsam_core.scene._examining.serve` for what it is told and answers."""

    def __init__(self) -> None:
        env = {key: os.environ[key] for key in _KEPT if key in os.environ}
        env |= GDAL_CLOSED | dict.fromkeys(_ONE_THREAD, "1")
        env |= {"GDAL_SKIP": _NEVER, "CPL_LOG": os.devnull}
        start = (
            "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
            f"from {_examining.__name__} import serve; serve()"
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=env,
            )
        except (OSError, ValueError) as error:
            raise _Unable from error
        try:
            path = json.dumps([path or os.getcwd() for path in sys.path])
            self._process.stdin.write(path.encode() + b"\n")
            self._process.stdin.flush()
            answer, _ = self._within(_START_SECONDS, lambda: _examining.taken(self._process.stdout))
        except OSError as error:
            raise _Unable from error
        if answer is None:
            self.end()
            raise _Unable

    def ask(self, request: dict[str, Any], content: bytes, seconds: float) -> Answer:
        """Send a file; return the answer and whether time was up, which leave it ended."""

        def talk() -> dict[str, Any] | None:
            try:
                _examining.give(self._process.stdin, request, content)
            except OSError:
                return None
            return _examining.taken(self._process.stdout)

        return self._within(seconds, talk)

    def _within(self, seconds: float, talk: Any) -> Answer:
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            return talk(), late.is_set()
        finally:
            timer.cancel()

    @property
    def overran(self) -> bool:
        """Whether the system ended it for the time that it had computed."""
        try:
            return self._process.wait(10) == -getattr(signal, "SIGXCPU", 0)
        except subprocess.TimeoutExpired:
            return True

    def end(self) -> None:
        """End it."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()
            except OSError:
                # What was not sent is of no interest any more.
                continue
        self._process.wait()


Answer = tuple[dict[str, Any] | None, bool]


class Examiners:
    """Several examiners, started as they are needed.

    Parameters
    ----------
    most : int
        So many at the same time; who comes when all are at work waits.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._turns = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[_Examiner] = []
        self._process = os.getpid()

    def look(self, file: RasterFile, *, world: bool, picture: bool) -> tuple[Examined, Room | None]:
        """Have a file examined by the next process that is free."""
        size = file.size
        seconds = min(SECONDS + size / BYTES_A_SECOND, MAX_SECONDS)
        try:
            room: Room | None = Room()
        except OSError:
            room = None
        content = file.source if isinstance(file.source, bytes) else b""
        request = {
            "name": file.name,
            "path": None if content else str(file.source),
            "linked": None if file.linked is None else str(file.linked),
            "room": None if room is None else str(room.path),
            "world": world,
            "picture": picture,
            "seconds": seconds,
            "memory": ADDRESS_SPACE,
        }
        with self._turns:
            answer = self._answer(file, request, content, seconds)
        if "error" in answer:
            raise SceneError(answer["error"])
        source: bytes | Path | None = answer["content"] or None
        if answer["written"] and room is not None:
            source = room.path / answer["written"]
        return Examined(source, tuple(answer["notes"]), answer["turned"]), room

    def _answer(
        self, file: RasterFile, request: dict[str, Any], content: bytes, seconds: float
    ) -> dict[str, Any]:
        """Ask an examiner, and another one if that does not live to answer."""
        for fresh in (False, True):
            examiner = _Examiner() if fresh else self._take()
            answer, late = examiner.ask(request, content, PATIENCE * seconds)
            if answer is not None and not answer["tired"]:
                with self._lock:
                    self._idle.append(examiner)
                return answer
            late = late or (answer is None and examiner.overran)
            examiner.end()
            if answer is not None:
                return answer
            if late:
                threading.Thread(target=self.refill, daemon=True).start()
                raise _too_slow(file, seconds)
            # Perhaps the system ended it, for lack of memory, before the file came.
        raise file.damaged()

    def _take(self) -> _Examiner:
        with self._lock:
            if self._process != os.getpid():
                # A copy of the program must not talk to the examiners of the original.
                self._idle, self._process = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return _Examiner()

    def refill(self) -> None:
        """Start a new one in place of one that ended, so that nobody waits for it."""
        if len(self._idle) >= self._most:
            return
        try:
            examiner = _Examiner()
        except _Unable:
            return
        with self._lock:
            self._idle.append(examiner)

    def end(self) -> None:
        """End all that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._process == os.getpid():
            for examiner in idle:
                examiner.end()


def _too_slow(file: RasterFile, seconds: float) -> SceneError:
    return SceneError(
        f"Reading “{file.name}” took more than {seconds:.0f} seconds and was stopped, so that "
        "others need not wait. It is damaged, or packed so tightly that unpacking it takes too "
        "long. Save it again as a tiled GeoTIFF and open that."
    )


_EXAMINERS = Examiners()
atexit.register(_EXAMINERS.end)


def warm_up() -> None:
    """Start an examiner in the background, so that the first image does not wait for it."""
    threading.Thread(target=_EXAMINERS.refill, daemon=True).start()


def examined(
    file: RasterFile, *, elsewhere: bool, world: bool = False, picture: bool = True
) -> tuple[RasterFile, Examined]:
    """Take the first look at a file.

    Parameters
    ----------
    file : RasterFile
    elsewhere : bool
        In a process of its own, as for everything that a stranger may have made.
    world : bool
        Whether a world file came with it.
    picture : bool
        Whether it shall be shown, rather than read as a mask.

    Returns
    -------
    file : RasterFile
        What to read from then on.
    found : Examined

    Raises
    ------
    SceneError
        The file cannot or may not be read.
    """
    if elsewhere:
        try:
            found, room = _EXAMINERS.look(file, world=world, picture=picture)
            return found.applied(file, room), found
        except _Unable:
            _LOG.warning(
                "This computer cannot start a process to look at uploads; they are read in the "
                "program itself, where a bad file can make everybody wait."
            )
    try:
        room = Room()
    except OSError:
        room = None
    found = examine(file, room and room.path, world=world, picture=picture)
    return found.applied(file, room), found
