"""Read what strangers made in a process of its own, with limits of time and memory.

A library that reads files may wait, fill the memory or end the program if a file was made to do
that. In a process of its own, none of this reaches anybody else. The process gets the function and
its arguments, and hands back arrays and plain data only, never objects: what it says is data, too.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from rsam_core.errors import RsamError

SECONDS = 30.0
"""How long a reading may compute."""
PATIENCE = 4.0
"""By how much waiting may exceed computing: others use the computer as well."""
MEMORY = 3 << 30
"""Bytes of address space that a reading may have, the libraries' own included."""

NICE = 5
"""By how much such a process gives way to others."""

# Nothing that GDAL or PROJ reads there may lead to another file or to an address.
_QUIET = {
    "PROJ_NETWORK": "OFF",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "CPL_LOG": os.devnull,
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
}
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS")
_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PROJ_DATA", "PROJ_LIB")


# Many uploads at once must not fill the memory by their number.
_PLACES = threading.Semaphore(max(2, os.cpu_count() or 1))
# What goes on for minutes must not keep the short ones waiting.
_LONG_PLACES = threading.Semaphore(2)
_LOOK = 0.2


class ReadingFailed(RsamError):
    """A reading in a process of its own came to no end; `why` says how.

    Parameters
    ----------
    why : {"time", "memory", "damaged"}
    """

    def __init__(self, why: str) -> None:
        super().__init__(
            {
                "time": "Reading took too long and was stopped.",
                "memory": "Reading needed too much memory and was stopped.",
            }.get(why, "It cannot be read; it is damaged.")
        )
        self.why = why


def run_limited(
    function: Callable[..., Mapping[str, Any]],
    *arguments: Any,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Call a function in a process of its own.

    Parameters
    ----------
    function : callable
        Of a module, by whose name it is found there. It returns a mapping of names to arrays
        (without objects) and values that JSON knows.
    *arguments
        Anything that can be pickled.
    seconds : float
        Computing time after which it is stopped; waiting may take `PATIENCE` times as long.
    memory : int
        Bytes that it may take (not on Windows, which has no such limit).
    environment : mapping, optional
        Further environment variables.

    Returns
    -------
    dict
        What the function returned.

    Raises
    ------
    RsamError
        What the function raised of our own types, as the same type.
    ReadingFailed
        If it raised anything else, ended without an answer, or went beyond a limit.
    """
    with _PLACES, _process("serve", environment) as child:
        try:
            request = _request(function, arguments, seconds, memory)
            answer, _ = child.communicate(request, timeout=PATIENCE * seconds)
        except subprocess.TimeoutExpired as error:
            raise ReadingFailed("time") from error
        if _overran(child):
            raise ReadingFailed("time")
    return _taken(answer)


def stream_limited(
    function: Callable[..., Iterator[Mapping[str, Any]]],
    *arguments: Any,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    waiting: Callable[[], Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Call a function in a process of its own, and yield what it yields there as it comes.

    Parameters
    ----------
    function : callable
        As for :func:`run_limited`, but it yields mappings.
    *arguments
        Anything that can be pickled.
    seconds : float
        As for :func:`run_limited`, between two mappings.
    memory : int
        As for :func:`run_limited`.
    waiting : callable, optional
        Called again and again while others are read first; what it raises ends the waiting.

    Yields
    ------
    dict

    Raises
    ------
    RsamError, ReadingFailed
        As for :func:`run_limited`.
    """
    while not _LONG_PLACES.acquire(timeout=_LOOK):
        if waiting is not None:
            waiting()
    try:
        with _process("serve_stream", None) as child:
            request: bytes | None = _request(function, arguments, seconds, memory)
            while True:
                late = threading.Event()
                timer = threading.Timer(
                    PATIENCE * seconds, lambda late=late: (late.set(), child.kill())
                )
                timer.daemon = True
                timer.start()
                try:
                    answer = _next_answer(child, request)
                finally:
                    timer.cancel()
                request = None
                if answer is None:
                    slow = late.is_set() or _overran(child)
                    raise ReadingFailed("time" if slow else "damaged")
                if not answer:
                    return
                yield _taken(answer)
    finally:
        _LONG_PLACES.release()


def _next_answer(child: subprocess.Popen, request: bytes | None) -> bytes | None:
    """Send the request, if it was not yet; return what comes; None if the process ended."""
    try:
        if request is not None:
            child.stdin.write(request)
            child.stdin.close()
        head = child.stdout.read(8)
        if len(head) < 8:
            return None
        (length,) = struct.unpack("<Q", head)
        answer = child.stdout.read(length)
        return answer if len(answer) == length else None
    except OSError:
        return None


def _overran(child: subprocess.Popen) -> bool:
    """Whether the system ended a process, of which nothing more comes, for what it computed."""
    try:
        return child.wait(10) == -getattr(signal, "SIGXCPU", 0) != 0
    except subprocess.TimeoutExpired:
        return False


def _request(function: Any, arguments: tuple, seconds: float, memory: int) -> bytes:
    path = json.dumps([path or os.getcwd() for path in sys.path]).encode() + b"\n"
    return path + pickle.dumps((function, arguments, seconds, memory))


@contextmanager
def _process(
    serve: str, environment: Mapping[str, str] | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process of its own, in a folder of its own; it is ended with the block."""
    with tempfile.TemporaryDirectory(prefix="rsam-", ignore_cleanup_errors=True) as folder:
        env = {key: os.environ[key] for key in _KEPT if key in os.environ}
        env |= _QUIET | dict.fromkeys(_ONE_THREAD, "1") | dict(environment or {})
        env |= {"TMPDIR": folder, "TEMP": folder, "TMP": folder}
        start = (
            "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
            f"from {__name__} import {serve}; {serve}()"
        )
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=env,
        )
        try:
            yield child
        finally:
            child.kill()
            for stream in (child.stdin, child.stdout):
                try:
                    stream.close()
                except OSError:
                    # What was not sent is of no interest any more.
                    continue
            child.wait()


def _taken(answer: bytes) -> dict[str, Any]:
    """What the other process said, as arrays and plain data, or as the error it names."""
    try:
        with np.load(io.BytesIO(answer), allow_pickle=False) as parts:
            values = {name: parts[name] for name in parts.files}
        plain = json.loads(values.pop("json").tobytes())
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ReadingFailed("damaged") from error
    if "error" in plain:
        raise _error(plain)
    return values | plain["values"]


def _error(plain: Mapping[str, Any]) -> RsamError:
    if plain["error"] == "MemoryError":
        return ReadingFailed("memory")
    for kind in _own(RsamError):
        if kind.__name__ == plain["error"] and kind is not ReadingFailed:
            return kind(*plain["facts"])
    return ReadingFailed("damaged")


def _own(kind: type[RsamError]) -> Iterator[type[RsamError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _own(below)


def serve() -> None:
    """Answer one request; the other side of :func:`run_limited`."""
    give_way()
    function, arguments, seconds, memory = pickle.load(sys.stdin.buffer)
    _limit(seconds, memory)
    try:
        answer = _packed(dict(function(*arguments)))
    # Whatever a library raises is an answer, too.
    except BaseException as error:
        answer = _failed(error)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def serve_stream() -> None:
    """Answer one request again and again; the other side of :func:`stream_limited`."""
    give_way()
    function, arguments, seconds, memory = pickle.load(sys.stdin.buffer)
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        _limit(seconds, memory)
        for found in function(*arguments):
            _send(answers, _packed(dict(found)))
            _limit(seconds, memory)
        _send(answers, b"")
    except BaseException as error:
        _send(answers, _failed(error))


def _send(answers: BinaryIO, answer: bytes) -> None:
    answers.write(struct.pack("<Q", len(answer)) + answer)
    answers.flush()


def _packed(found: dict[str, Any]) -> bytes:
    arrays = {name: v for name, v in found.items() if isinstance(v, np.ndarray)}
    return _written({"values": {k: v for k, v in found.items() if k not in arrays}}, arrays)


def _failed(error: BaseException) -> bytes:
    told = error.facts if isinstance(error, RsamError) else ()
    return _written({"error": type(error).__name__, "facts": told}, {})


def _written(plain: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    text = np.frombuffer(json.dumps(plain).encode(), np.uint8)
    np.savez(stream, json=text, **arrays)
    return stream.getvalue()


def give_way() -> None:
    """Let the program itself go ahead of this process: somebody may be clicking there."""
    try:
        os.nice(NICE)
    except (AttributeError, OSError):
        # Windows knows no such thing; some computers forbid it.
        return


def _limit(seconds: float, memory: int) -> None:
    """Limit what this process may take, and compute from now on."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, int(time.process_time() + seconds) + 1),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, hard))
