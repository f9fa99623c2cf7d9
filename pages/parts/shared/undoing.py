"""Undo and redo, in the row above the picture of each page that has them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from rsam_core.runtime.language import _


def undo_button(key: str, undoable: str | None, undo: Callable[[], object]) -> None:
    """Draw the button that takes the last step back.

    Parameters
    ----------
    key : str
        Of the page, such as ``"change"``.
    undoable : str or None
        The step that would be taken back, as it is shown; None for nothing.
    undo : callable
    """
    st.button(
        _("Undo"), icon=":material/undo:", shortcut="Ctrl+Z", disabled=undoable is None,
        help=None if undoable is None else _("Undo: {what}").format(what=undoable),
        key=f"{key}-undo", on_click=undo,
    )  # fmt: skip


def redo_button(key: str, redoable: str | None, redo: Callable[[], object]) -> None:
    """Draw the button that does again what was taken back; see `undo_button`."""
    st.button(
        _("Redo"), icon=":material/redo:", shortcut="Ctrl+Y", disabled=redoable is None,
        help=None if redoable is None else _("Redo: {what}").format(what=redoable),
        key=f"{key}-redo", on_click=redo,
    )  # fmt: skip
