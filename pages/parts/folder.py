"""Images in a folder of the computer that runs RSAM: opened in place, however large they are."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from .gallery import open_and_go

ENDINGS = (".tif", ".tiff", ".jp2", ".jpg", ".jpeg", ".png")
MOST_LISTED = 500


def images(folder: Path) -> list[Path]:
    """Images in a folder and the folders in it, by name; none from outside it."""
    root = folder.resolve()
    found = []
    for path in sorted(root.rglob("*")):
        if (
            path.suffix.lower() in ENDINGS
            and path.is_file()
            and path.resolve().is_relative_to(root)
        ):
            found.append(path)
            if len(found) == MOST_LISTED:
                break
    return found


def chooser() -> None:
    """Choose among the images of the folder that ``RSAM_IMAGES`` names; nothing without it."""
    named = os.environ.get("RSAM_IMAGES")
    if not named or not Path(named).is_dir():
        return
    found = images(Path(named))
    if not found:
        return
    root = Path(named).resolve()
    choice = st.selectbox(
        "Or one from the image folder",
        found,
        index=None,
        format_func=lambda path: str(path.relative_to(root)),
        placeholder="Choose an image",
        key="folder-image",
        help="These files lie on the computer that runs RSAM and are read in place: best for "
        "images of several hundred megabytes.",
    )
    if choice is not None and st.button("Open", key="folder-open", icon=":material/folder_open:"):
        open_and_go(choice, choice.name)
