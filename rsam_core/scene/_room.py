"""A folder of one's own for as long as somebody holds it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path


class Room:
    """A new folder that only this user may enter; it goes with the object, and with the program.

    Attributes
    ----------
    path : pathlib.Path

    Raises
    ------
    OSError
        No folder can be made.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="rsam-"))
        # On Windows a file that somebody still reads stays; the system's own clean-up takes it.
        weakref.finalize(self, shutil.rmtree, self.path, True)
