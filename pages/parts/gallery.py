"""Opening an image, and the samples as a gallery to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from rsam_core.samples import GALLERY

from . import banner, resources, workspace

COLUMNS = 3


def open_and_go(source: bytes | Path, name: str, sample: str | None = None, **options: Any) -> None:
    """Open an image and change to the Segment page; say what is wrong if that fails."""
    with banner.guard():
        workspace.open_source(source, name, sample, **options)
        st.switch_page("pages/segment.py")


def gallery() -> None:
    """Pictures of the samples, each with a button that opens it."""
    for start in range(0, len(GALLERY), COLUMNS):
        for column, entry in zip(st.columns(COLUMNS), GALLERY[start : start + COLUMNS]):
            with column:
                st.image(resources.sample_thumbnail(entry.key), width="stretch")
                if st.button(
                    entry.title, key=f"sample-{entry.key}", width="stretch", help=entry.caption
                ):
                    open_and_go(resources.sample_file(entry.key), f"{entry.title}.tif", entry.key)
