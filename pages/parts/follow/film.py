"""The film strip: all frames small, with their outlines; a click shows one large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.shared import resources, streamlit_adapter
from pages.parts.shared.javascript import script
from rsam_core.change.track_files import drawn_frame
from rsam_core.session.following import FollowState
from rsam_core.session.session import Session

_FILE = Path(__file__)
HEIGHT = 92
"""CSS pixels that the strip needs."""
_CELL = 68
"""Height of a small picture."""
_MAX_LABEL = 12

_film = st.components.v2.component(
    "rsam_film",
    html=_FILE.with_suffix(".html").read_text(encoding="utf-8"),
    css=_FILE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script(_FILE.with_suffix(".js")),
)


def film(session: Session, state: FollowState, on_frame: Callable[[int], None]) -> None:
    """Show the strip.

    Parameters
    ----------
    session : Session
    state : FollowState
    on_frame : callable
        Called with the number of a frame, from 0, before the page is drawn.
    """
    frames = state.frames
    width = max(24, round(_CELL * frames.width / frames.height))
    key = f"film-{session.image.token}"
    url = streamlit_adapter.address(_sheet(session, state, width), "image/jpeg", key)

    def clicked() -> None:
        chosen = st.session_state[key]["frame"]
        if isinstance(chosen, int):
            on_frame(chosen)

    _film(
        key=key,
        data={
            "url": url,
            "cell": [width, _CELL],
            "labels": labels(state),
            "states": states(state),
            "now": state.frame,
        },
        on_frame_change=clicked,
    )


def labels(state: FollowState) -> list[str]:
    """What each frame is called on the strip: its date, or its time, or its number."""
    frames = state.frames
    named = frames.seconds is not None
    return [
        date or (name if named else str(k + 1))[:_MAX_LABEL]
        for k, (date, name) in enumerate(zip(frames.dates, frames.names))
    ]


def states(state: FollowState) -> list[str]:
    """Of each frame: "marked" by a person, "lost" where nothing was found, else empty."""
    step = state.now
    found = ["" for _frame in range(len(state.frames))]
    if step.track is not None:
        found = ["lost" if item is None else "" for item in step.track.outlines]
    for k in step.marks:
        found[k] = "marked"
    return found


def _sheet(session: Session, state: FollowState, width: int) -> bytes:
    """All small pictures below each other, as JPEG."""
    frames = state.frames
    small = session.memo.remember("film", (frames.names, state.source), lambda: _small(state))
    outlines = tuple(state.outline(k) for k in range(len(frames)))
    marked = frozenset(state.now.marks)

    def draw() -> bytes:
        cells = []
        for k, (picture, item) in enumerate(zip(small, outlines)):
            # Drawn on twice the size, so that outlines stay fine.
            scale = picture.shape[0] / frames.height
            cell = drawn_frame(picture, _scaled(item, scale), marked=k in marked)
            cells.append(cv2.resize(cell, (width, _CELL), interpolation=cv2.INTER_AREA))
        return resources.jpeg(np.vstack(cells), 85)

    return session.memo.remember("film-sheet", (small, outlines, marked, width), draw)


def _small(state: FollowState) -> tuple[NDArray[np.uint8], ...]:
    frames = state.frames
    scale = min(1.0, 2 * _CELL / frames.height)
    size = max(1, round(frames.width * scale)), max(1, round(frames.height * scale))
    return tuple(
        cv2.resize(frames[k], size, interpolation=cv2.INTER_AREA) for k in range(len(frames))
    )


def _scaled(item, scale: float):
    """An outline in the pixels of a small picture."""
    from dataclasses import replace

    from rsam_core.objects.resample import view_mask

    if item is None or scale == 1:
        return item
    x0, y0, x1, y1 = (round(v * scale) for v in item.bbox)
    mask, x, y = view_mask(item, (0.0, 0.0), scale, (x0 - 1, y0 - 1, x1 + 2, y1 + 2))
    return replace(item, mask=mask, x=x, y=y) if mask.any() else None
