"""Where the picture and what belongs to it stand: at the same place on every page."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.shared.screen_size import room

_SPLIT = (66, 34)
_AROUND, _BELOW, _LOWEST = 194, 34, 400
"""Heights in CSS pixels: of what stands above and below the picture; of the line below it; the
least of the picture and of the column beside it."""


@dataclass(frozen=True)
class Frame:
    """The places of a page with a picture.

    Attributes
    ----------
    picture, line, panel : DeltaGenerator
        For the picture, for one line below it, and for all that belongs to it, on its right. The
        panel is as high as the picture and its line, so that nothing below ever moves.
    size : (int, int)
        Width and height of the picture in CSS pixels; the width is an estimate until the browser
        has told.
    """

    picture: DeltaGenerator
    line: DeltaGenerator
    panel: DeltaGenerator
    size: tuple[int, int]


def toolbar() -> DeltaGenerator:
    """The row above the picture, always one: where it is narrow, buttons show their icons only."""
    return st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="toolbar"
    )  # fmt: skip


def frame() -> Frame:
    """Make the places, below the `toolbar`."""
    left, right = st.columns(_SPLIT, gap="small")
    with left:
        width, height = room()
        height = max(height - _AROUND, _LOWEST)
        picture = st.container(key="picture")
        line = st.container(
            horizontal=True, vertical_alignment="center", gap="xsmall", key="hint", wrap=False
        )
    panel = right.container(height=height + _BELOW, border=False, gap="xsmall", key="objects")
    return Frame(picture, line, panel, (width, height))
