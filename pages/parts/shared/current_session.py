"""The visit of this browser tab and the image that is open in it: get, open, close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import model_queue as queueing
from pages.parts.shared import session_memory as memory
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit

_KEY = "visit"


def visit() -> Visit:
    """What this tab holds; it is closed when its user has left."""
    known = st.session_state.get(_KEY)
    if known is None:
        known = st.session_state[_KEY] = Visit(queueing.owner())
    memory.cancel_on_disconnect(known)
    return known


def current() -> Session | None:
    """The image that is open, or None."""
    known: Visit | None = st.session_state.get(_KEY)
    return None if known is None else known.session


def settings() -> dict[str, Any]:
    """What each new `Session` of this tab is told: whose it is, and how it waits for the model."""
    return {"owner": queueing.owner(), "together": queueing.hold_slot}


def of_scene(scene: rsam.Scene, sample: str | None = None) -> Session:
    """A session with nothing done yet."""
    return Session(scene, sample, **settings())


def load(
    source: bytes | Path,
    name: str,
    sample: str | None = None,
    *,
    gsd: float | None = None,
    **options: Any,
) -> Session:
    """Open an image without making it the one of this tab.

    Parameters
    ----------
    source, name, sample
        Content or place of the file, its name, and key of the sample it is.
    gsd : float, optional
        Metres a pixel, where the file does not say so.
    **options
        For `rsam_core.open_scene`, such as a world file.

    Raises
    ------
    SceneError
        If it is not a usable image.
    BudgetError
        If there is no room for it among all that was uploaded.
    """
    memory.keep_uploads_within_limits()
    scene = rsam.open_scene(source, name=name, **options)
    session = of_scene(scene if gsd is None else scene.with_gsd(gsd), sample)
    if isinstance(source, Path):
        session.safekeeping.place = str(source)
    else:
        session.safekeeping.source = source
    return session


def enter(session: Session) -> Session:
    """Make an image the one of this tab; what runs for the one of before is stopped."""
    visit().open(session)
    memory.track_session()
    memory.something_closed()
    return session


def open_source(
    source: bytes | Path, name: str, sample: str | None = None, **options: Any
) -> Session:
    """Open an image and make it the one of this tab.

    The earlier image stays if this one cannot be opened.

    Raises
    ------
    SceneError, BudgetError
        If it is not a usable image, or there is no room for it.
    """
    return enter(load(source, name, sample, **options))


def close() -> None:
    """Forget the image; everything that runs for it is stopped."""
    visit().open(None)
    memory.something_closed()


def model_name() -> str:
    """The model in use."""
    return st.session_state.setdefault("model_name", DEFAULT_MODEL)
