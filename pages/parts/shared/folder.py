"""Images in a folder of the computer that runs RSAM: opened in place, however large they are."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.shared.gallery import open_and_go
from pages.parts.shared.image_root import root
from pages.parts.shared.names import visible
from rsam_core.errors import DatasetError
from rsam_core.runtime.language import _

ENDINGS = (".tif", ".tiff", ".jp2", ".jpg", ".jpeg", ".png")
MAX_LISTED = 500
MAX_SHOWN = 80
"""Characters of a path in the list."""


def inside(path: str) -> Path:
    """A file or folder of the image folder, by its path in it or its whole path.

    Raises
    ------
    DatasetError
        It is not there.
    """
    top = root()
    place = (top / path).resolve() if top else None
    if place is None or not place.is_relative_to(top) or not place.exists():
        raise DatasetError(
            _(
                "There is no “{path}” in the image folder. Type the name of a folder in it, or "
                "upload the data set as a ZIP archive."
            ).format(path=path)
        )
    return place


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
            if len(found) == MAX_LISTED:
                break
    return found


def chooser() -> None:
    """Choose among the images of the folder that ``RSAM_IMAGES`` names; nothing without it."""
    top = root()
    found = images(top) if top else []
    if not found:
        return
    choice = st.selectbox(
        _("Or one from the image folder"),
        found,
        index=None,
        format_func=lambda path: visible(path.relative_to(top), MAX_SHOWN),
        placeholder=_("Choose an image"),
        key="folder-image",
        help=_(
            "These files lie on the computer that runs RSAM and are read in place: best for "
            "images of several hundred megabytes."
        ),
    )
    if choice is not None and st.button(
        _("Open"), key="folder-open", icon=":material/folder_open:"
    ):
        # Whoever may write into the folder is a stranger like those who upload.
        open_and_go(choice.resolve(), choice.name, examine=True)
