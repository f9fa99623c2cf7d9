"""The app in a process of its own, to be stopped and started again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.app_server import free_port
from tests.helpers.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """The app on a port of its own, to be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process = folder, None
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = self.folder / "log.txt"
        folders = {name: str(self.folder / name) for name in ("RSAM_HOME", "RSAM_MODELS")}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port"]
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [*command, str(self.port)], cwd=ROOT, env=os.environ | folders,
                stdout=output, stderr=output,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the app did not start:\n{log.read_text()}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def picture(folder: Path, name: str = "field.png") -> Path:
    """A bright square on dark ground."""
    image = np.full((300, 400, 3), 60, np.uint8)
    image[100:180, 150:250] = 220
    path = folder / name
    Image.fromarray(image).save(path, "PNG")
    return path
