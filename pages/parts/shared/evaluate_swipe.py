"""Truth and outlines: one picture over the other, with a handle to drag between them."""

from __future__ import annotations

import streamlit as st

# The slider of the Prepare page; only what it calls the two pictures differs.
from pages.parts.shared.prepare_swipe import CSS, HTML, SCRIPT, address

_WORDS = {"picture before": "picture of the truth", "Before": "Truth", "After": "Outlined"}


def _renamed(html: str) -> str:
    for old, new in _WORDS.items():
        html = html.replace(old, new)
    return html


_component = st.components.v2.component("rsam_truth_swipe", html=_renamed(HTML), css=CSS, js=SCRIPT)


def swipe(truth: bytes, outlined: bytes, size: tuple[int, int], *, height: int, key: str) -> None:
    """Show two pictures of one size.

    Parameters
    ----------
    truth, outlined : bytes
        JPEG.
    size : (int, int)
        Width and height in pixels.
    height : int
        Room in CSS pixels.
    key : str
        Widget key.
    """
    _component(
        key=key,
        data={
            "before": address(truth, f"{key}-truth"),
            "after": address(outlined, f"{key}-outlined"),
            "size": list(size),
            "size_after": list(size),
            "height": height,
            "pair": False,
            "largest": 2.0,
            "sharp": False,
            "map": None,
        },
        default={"place": None},
        on_place_change=lambda: None,
    )
