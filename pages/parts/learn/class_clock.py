"""A clock for exercises: it runs down, or up where there is no limit, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.parts.shared.javascript import script
from rsam_core.runtime.language import _

_FILE = Path(__file__)
_clock = st.components.v2.component(
    "rsam_clock",
    html=_FILE.with_suffix(".html").read_text(encoding="utf-8"),
    css=_FILE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script(_FILE.with_suffix(".js")),
)


def clock(key: str, seconds: float, *, down: bool, on_end: Callable[[], None]) -> None:
    """Show a clock.

    Parameters
    ----------
    key : str
    seconds : float
        That are left, or that have passed.
    down : bool
        Whether it runs down.
    on_end : callable
        Called once when no time is left.
    """
    _clock(
        key=key,
        data={
            "seconds": round(seconds, 2),
            # Whatever is drawn again has the right time; the browser begins from it.
            "stamp": round(seconds, 2),
            "down": down,
            "label": _("Time that is left") if down else _("Time that has passed"),
            "hurry": _("Only a few seconds are left."),
        },
        on_end_change=on_end,
    )
