"""The folder of the computer that runs RSAM whose images may be opened where they lie."""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path | None:
    """The folder that ``RSAM_IMAGES`` names, if there is one.

    Only what lies in it may be opened by its path: whoever uses the app in a browser has no
    business in other folders of the computer that runs it.
    """
    named = os.environ.get("RSAM_IMAGES")
    return Path(named).resolve() if named and Path(named).is_dir() else None
