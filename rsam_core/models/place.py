"""Where models are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pooch

State = Literal["ready", "downloadable", "damaged"]
"""What is known about a checkpoint without touching the network."""


def models_folder() -> Path:
    """Folder of the checkpoints: ``RSAM_MODELS``, or one in the user's cache.

    Returns
    -------
    Path
        It need not exist yet.
    """
    chosen = os.environ.get("RSAM_MODELS", "").strip()
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("rsam"))
