"""Opening an image, and the samples as a gallery to choose from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.shared import banner, current_session, destination, resources
from pages.parts.shared.going_on import remind
from rsam_core.samples import GALLERY

COLUMNS = 3


SEGMENT = "pages/screens/segment.py"


def open_and_go(
    source: bytes | Path,
    name: str,
    sample: str | None = None,
    *,
    page: str = SEGMENT,
    tried: Callable[[], None] = lambda: None,
    **options: Any,
) -> None:
    """Open an image and change to a page; say what is wrong if that fails.

    Parameters
    ----------
    source, name, sample, **options
        For `current_session.open_source`.
    page : str
    tried : callable, optional
        Called once it is known whether the image opens. A run of the page that the browser
        interrupts in the middle did not try: the next one does.
    """
    with banner.guard("open-image"):
        try:
            current_session.open_source(source, name, sample, **options)
        except Exception:
            tried()
            raise
        tried()
        # What was said about another image.
        banner.forget_all()
        destination.go(page)


def no_image(advice: str, *, icon: str = ":material/image:", page: str = SEGMENT) -> None:
    """What a page shows while no image is open: what to do, and samples to start with.

    Parameters
    ----------
    advice : str
        What to do, and what the page is then for.
    icon : str
    page : str
        Where one lands with a sample.
    """
    remind()
    st.info(advice, icon=icon)
    label, upload = "Open your own image", ":material/upload:"
    if st.button(label, type="primary", icon=upload, key="open-own"):
        st.switch_page("pages/screens/home.py")
    st.subheader("Samples")
    gallery(page)


def gallery(page: str = SEGMENT) -> None:
    """Pictures of the samples, each with a button that opens it and changes to a page."""
    for start in range(0, len(GALLERY), COLUMNS):
        for column, entry in zip(st.columns(COLUMNS), GALLERY[start : start + COLUMNS]):
            with column:
                st.image(resources.sample_thumbnail(entry.key), width="stretch")
                if st.button(
                    entry.title, key=f"sample-{entry.key}", width="stretch", help=entry.caption
                ):
                    content = resources.sample_file(entry.key)
                    open_and_go(content, f"{entry.title}.tif", entry.key, page=page)
