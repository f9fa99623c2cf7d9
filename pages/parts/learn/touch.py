"""A picture that can be clicked and dragged on, with mouse, finger or keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.shared import resources, streamlit_adapter
from pages.parts.shared.javascript import script
from rsam_core.runtime.language import _

_FILE = Path(__file__)
_touch = st.components.v2.component(
    "rsam_touch",
    html=_FILE.with_suffix(".html").read_text(encoding="utf-8"),
    css=_FILE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script(_FILE.with_suffix(".js")),
)


@dataclass(frozen=True)
class Mark:
    """Something drawn over the picture, in its pixels.

    Attributes
    ----------
    x, y : float
    kind : str
        ``"include"`` (green point), ``"exclude"`` (red point), ``"spot"`` (ring), ``"label"`` (only
        its text), or ``"box"`` (to `x2`, `y2`).
    text : str
        Written beside it.
    """

    x: float
    y: float
    kind: Literal["include", "exclude", "spot", "label", "box"] = "include"
    x2: float = 0.0
    y2: float = 0.0
    text: str = ""


@dataclass(frozen=True)
class Touch:
    """What somebody did on the picture, in its pixels.

    Attributes
    ----------
    kind : str
        ``"click"``; ``"drag"`` from `x`, `y` to `x2`, `y2`; or ``"rest"``, where the pointer rests.
    x, y, x2, y2 : float
    other : bool
        With the right button, or with Shift: the other meaning, such as "not this".
    """

    kind: Literal["click", "drag", "rest"]
    x: float
    y: float
    x2: float
    y2: float
    other: bool


def touch(
    key: str,
    image: NDArray[np.uint8] | bytes,
    *,
    label: str,
    marks: Sequence[Mark] = (),
    on_touch: Callable[[Touch], None] | None = None,
    drag: Literal["", "box", "move"] = "",
    rest: bool = False,
    size: tuple[int, int] | None = None,
    pixelated: bool = False,
) -> None:
    """Show a picture over the width of its column, or narrower where it would be too tall.

    Parameters
    ----------
    key : str
    image : ndarray or bytes
        (H, W, 3) uint8 RGB, or JPEG or PNG bytes with `size`.
    label : str
        What it shows and what one can do on it, in the language in use, for those who hear the
        page.
    marks : sequence of Mark
    on_touch : callable, optional
        Called once for each click or drag, before the page is drawn; without it the picture is
        only looked at. It must look at the page's state before it changes anything.
    drag : str
        What a drag draws meanwhile: a ``"box"``, or an arrow for something that will ``"move"``;
        empty where drags mean nothing. By keys: Enter begins and ends a drag, with Space a click.
    rest : bool
        Whether resting pointers are told, too.
    size : (int, int), optional
        Width and height of `image` in pixels, where it is given as bytes.
    pixelated : bool
        Whether pixels are shown as squares where the picture is enlarged.
    """
    if isinstance(image, bytes):
        if size is None:
            raise ValueError("A picture given as bytes needs its size.")
        content, (width, height) = image, size
        kind = "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"
    else:
        height, width = image.shape[:2]
        content, kind = resources.jpeg(image, 90), "image/jpeg"

    def touched() -> None:
        # A trigger is told once only.
        event = _told(st.session_state[key].get("touch"))
        if event is not None and on_touch is not None:
            on_touch(event)

    _touch(
        key=key,
        data={
            "url": streamlit_adapter.address(content, kind, key),
            "size": [width, height],
            "label": label,
            "keys": _("Arrow keys move a cursor, Space clicks, Shift and Space clicks with the "
                      "other meaning, Enter begins and ends a drag.") if on_touch else "",
            "marks": [asdict(mark) for mark in marks],
            "live": on_touch is not None,
            "drag": drag,
            "rest": rest,
            "pixelated": pixelated,
        },
        on_touch_change=touched,
    )  # fmt: skip


def _told(told: Any) -> Touch | None:
    """What the browser tells; it comes from outside."""
    if not isinstance(told, dict) or told.get("kind") not in ("click", "drag", "rest"):
        return None
    places = [told.get(name) for name in ("x", "y", "x2", "y2")]
    if not all(isinstance(place, (int, float)) and -1e5 < place < 1e5 for place in places):
        return None
    return Touch(told["kind"], *map(float, places), other=bool(told.get("other")))
