"""One banner for everything that goes wrong: what it is and what to do, never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from rsam_core.errors import RsamError

_LOG = logging.getLogger("rsam")


def show(error: BaseException) -> None:
    """Show an error where the page stands.

    Errors that RSAM raises on purpose carry their own remedy. Any other is logged in full for
    whoever runs the server, and the user is told that nothing was lost.
    """
    if isinstance(error, RsamError):
        st.error(str(error), icon=":material/error:")
    elif isinstance(error, MemoryError):
        st.error(
            "There is not enough memory for this. Use a smaller image or close other programs, "
            "then try again. Your work so far is kept.",
            icon=":material/memory:",
        )
    else:
        _LOG.error("unexpected error", exc_info=error)
        st.error(
            "Something went wrong that RSAM did not expect. Your work so far is kept: try again, "
            "or go on with something else. The details are in the server's log.",
            icon=":material/error:",
        )


@contextmanager
def guard() -> Iterator[None]:
    """Show an error of the block as a banner and go on after it."""
    try:
        yield
    except Exception as error:
        show(error)
