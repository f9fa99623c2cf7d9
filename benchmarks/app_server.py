"""The app on a free port of this machine, for benchmarks that use it as people do."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 600
"""Looks, a tenth of a second apart, until the app must be there."""


@dataclass(frozen=True)
class Running:
    """A started app.

    Attributes
    ----------
    address : str
    pid : int
        Number of its process.
    log : Path
        What it prints.
    """

    address: str
    pid: int
    log: Path


def free_port() -> int:
    """Port of this machine that nobody uses, and that the system gives to nobody meanwhile.

    Ports that it gives out by itself, such as those of each connection, lie higher.

    Raises
    ------
    OSError
        If there is none.
    """
    # Not the same ones each time: others may look for one at this moment.
    for port in random.SystemRandom().sample(range(15_000, 30_000), 200):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("There is no free port.")


@contextmanager
def running_app(
    folder: Path, options: dict[str, object] | None = None, **environment: object
) -> Iterator[Running]:
    """Start the app, and end it with the block.

    Parameters
    ----------
    folder : Path
        Where it keeps models, work and its log.
    options : dict, optional
        Further options of Streamlit, such as ``{"server.disconnectedSessionTTL": 20}``.
    **environment
        Further environment variables.

    Raises
    ------
    RuntimeError
        If it does not start.
    """
    port = free_port()
    options = {
        "server.headless": "true",
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.fileWatcherType": "none",
        **(options or {}),
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    places = {"RSAM_MODELS": folder / "models", "RSAM_HOME": folder / "home", **environment}
    surroundings = os.environ | {name: str(place) for name, place in places.items()}
    file = folder / "log.txt"
    with file.open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=log, stderr=log)
    try:
        for _ in range(_PATIENCE):
            if server.poll() is not None:
                raise RuntimeError("The app did not start: " + file.read_text())
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        else:
            raise RuntimeError("The app did not start: " + file.read_text())
        yield Running(f"http://127.0.0.1:{port}", server.pid, file)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
