"""Changing to another page so that it happens, even if the browser interrupts the run meanwhile.

A run that opens an image and then changes the page may be replaced by another run of the old page
between the two. Where to go is therefore kept until one has arrived.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import streamlit as st

_KEY, _SAMPLE = "destination", "destination-sample"


def head_for(page: str) -> None:
    """Change to a page, by its file, at the end of this run or with the next one."""
    st.session_state[_KEY] = page


def go(page: str) -> NoReturn:
    """Change to a page, by its file."""
    head_for(page)
    st.switch_page(page)


def arrive(url_path: str) -> None:
    """Go on to where one was sent, unless this is it.

    Parameters
    ----------
    url_path : str
        Of the page that is about to be drawn.
    """
    page = st.session_state.get(_KEY)
    if page is None:
        return
    if Path(page).stem.replace("_", "-") == url_path:
        del st.session_state[_KEY]
    else:
        st.switch_page(page)


def go_with_sample(page: str, key: str) -> NoReturn:
    """Change to a page that then opens a sample of its own; see `asked_sample`."""
    st.session_state[_SAMPLE] = key
    go(page)


def asked_sample() -> str | None:
    """Key of the sample with which one was sent to this page; told once."""
    return st.session_state.pop(_SAMPLE, None)
