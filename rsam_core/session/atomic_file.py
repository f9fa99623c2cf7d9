"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

PREFIX = ".saving-"
"""How the names of files begin that are not finished."""


def write(target: Path, data: bytes, *, private: bool = True) -> None:
    """Write a file under another name first, so that a crash leaves the earlier one whole.

    Parameters
    ----------
    target : Path
        Its folder is made if it is not there.
    data : bytes
    private : bool
        Whether only the user of this computer who runs RSAM may look into the folder.

    Raises
    ------
    OSError
        If the folder cannot be written to; nothing is left behind then.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=PREFIX)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
