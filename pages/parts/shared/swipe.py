"""One picture over another (before and after, truth and outlines), with a handle between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.shared import streamlit_adapter
from pages.parts.shared.javascript import script
from rsam_core.runtime.language import N_, _

_FILE = Path(__file__)


@dataclass(frozen=True)
class Words:
    """What the two pictures are called.

    Attributes
    ----------
    before, after : str
        Written on the pictures.
    share : str
        What the handle chooses, for those who hear the page.
    """

    before: str = N_("Before")
    after: str = N_("After")
    share: str = N_("Share of the picture before")


BEFORE_AFTER = Words()
TRUTH_OUTLINED = Words(N_("Truth"), N_("Outlined"), N_("Share of the picture of the truth"))

_swipe = st.components.v2.component(
    "rsam_swipe",
    html=_FILE.with_suffix(".html").read_text(encoding="utf-8"),
    css=_FILE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script(_FILE.with_suffix(".js")),
)


def swipe(
    before: bytes,
    after: bytes,
    *,
    size: tuple[int, int],
    height: int | None,
    key: str,
    size_after: tuple[int, int] | None = None,
    words: Words = BEFORE_AFTER,
    pair: bool = False,
    plain: bool = False,
    full: bool = False,
    overview: tuple[bytes, tuple[int, int], tuple[float, float, float, float]] | None = None,
    blink: bool = False,
    on_spot: Callable[[float, float], None] | None = None,
) -> tuple[float, float] | None:
    """Show two pictures.

    Parameters
    ----------
    before, after : bytes
        JPEG.
    size : (int, int)
        Width and height in pixels.
    height : int or None
        Room in CSS pixels; None for what the picture takes over the whole width.
    key : str
        Widget key.
    size_after : (int, int), optional
        Width and height of the second picture, where it has another size.
    words : Words
        What the pictures are called.
    pair : bool
        Side by side, otherwise one over the other with a handle.
    plain : bool
        There is nothing to compare yet: a picture without handle and labels.
    full : bool
        Pixel for pixel: never enlarged; otherwise as large as there is room.
    overview : tuple, optional
        A small picture of the whole (JPEG), its size, and the part shown: x, y, width and height
        as shares of the whole. A click on it chooses another part.
    blink : bool
        Both in turn, instead of a handle.
    on_spot : callable, optional
        Called with the place of a click on the picture, as shares of width and height, before the
        page is drawn. The handle then moves only where it is dragged.

    Returns
    -------
    (float, float) or None
        Where the overview was last clicked, as shares of width and height.
    """
    data: dict[str, Any] = {
        "before": _address(before, f"{key}-before"),
        "after": _address(after, f"{key}-after"),
        "size": list(size),
        "size_after": list(size_after or size),
        "words": [_(words.before), _(words.after)],
        "share": _(words.share),
        "height": height,
        "pair": pair,
        "plain": plain,
        "largest": 1.0 if full else 40.0,
        "sharp": full,
        "map": None,
        "blink": blink,
        "spots": on_spot is not None,
    }
    if overview is not None:
        picture, whole, part = overview
        data["map"] = {"url": _address(picture, f"{key}-map"), "size": whole, "part": part}

    def spot() -> None:
        if on_spot is not None:
            x, y, _number = st.session_state[key]["spot"]
            on_spot(float(x), float(y))

    result = _swipe(
        key=key, data=data, default={"place": None}, on_place_change=lambda: None,
        on_spot_change=spot,
    )  # fmt: skip
    place = result.get("place")
    return (float(place[0]), float(place[1])) if place else None


def _address(content: bytes, place: str) -> str:
    """Where the browser fetches a picture."""
    return streamlit_adapter.address(content, "image/jpeg", place)
