"""What a batch has done, kept beside its results, so that a later run goes on from there."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from rsam_core.errors import BatchError

FORMAT, VERSION = "rsam-batch-manifest", 1


class Manifest:
    """State of each scene of a batch; safe between threads.

    Parameters
    ----------
    folder : Path
        Where the results are.

    Raises
    ------
    BatchError
        If there is a manifest that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "manifest.json"
        self._lock = threading.Lock()
        self._scenes: dict[str, dict[str, Any]] = {}
        if self.file.exists():
            self._scenes = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            data = json.loads(self.file.read_text("utf-8"))
            if data["format"] == FORMAT and data["version"] == VERSION:
                return dict(data["scenes"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        raise BatchError(
            f"{self.file} is not the record of an earlier batch. Choose another output folder, "
            "or delete that file to begin anew."
        )

    def get(self, name: str) -> dict[str, Any] | None:
        """What is known of a scene."""
        with self._lock:
            return self._scenes.get(name)

    def is_done(self, name: str, mark: dict[str, Any]) -> bool:
        """Whether a scene was done with this file and recipe, and its results are all there."""
        entry = self.get(name)
        if entry is None or entry.get("state") != "done":
            return False
        if any(entry.get(key) != value for key, value in mark.items()):
            return False
        return all((self.folder / name / file).is_file() for file in entry.get("files", []))

    def put(self, name: str, entry: dict[str, Any]) -> None:
        """Note the state of a scene, on disk, too.

        Raises
        ------
        BatchError
            If it cannot be written.
        """
        with self._lock:
            self._scenes[name] = entry
            data = {"format": FORMAT, "version": VERSION, "scenes": self._scenes}
            partial = self.file.with_suffix(".partial")
            try:
                partial.write_text(json.dumps(data, indent=1), "utf-8")
                os.replace(partial, self.file)
            except OSError as error:
                raise BatchError(
                    f"The record {self.file} cannot be written ({error.strerror or error}). Free "
                    "some space, or choose another folder."
                ) from error


def file_mark(path: Path) -> dict[str, int]:
    """Size and time of a file: another file of the same name has others."""
    status = path.stat()
    return {"size": status.st_size, "modified": status.st_mtime_ns}
