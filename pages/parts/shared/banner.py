"""One place for everything that goes wrong: what it is and what to do, never a stack trace.

There are two kinds of errors, by how they end:

- A *state* that is wrong, found whenever the page is drawn: a file that cannot be read, settings
  that contradict each other. `show` (or `guard` around the drawing) says it where it belongs, again
  at every run, until the state is right.
- An *action* that failed: a button, an upload, a job that ended. The next run would know nothing
  of it, so `guard("name of the action")` remembers it. It stays in the corner of the window, on
  every page, until the same action succeeds, the user dismisses it, or another image is opened.

Callbacks (``on_click``, ``on_change``) are actions: what is drawn in them is lost.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import streamlit as st

from pages.parts.shared.names import MAX_LENGTH, paragraphs, shortened
from rsam_core.errors import RsamError
from rsam_core.runtime.language import _

_LOG = logging.getLogger("rsam")
_LONG = re.compile(rf"\S{{{MAX_LENGTH + 1},}}")
_KEY = "banner-standing"
_DRAWN = "banner-corner"
_PAGE = "page"
_LOGGED = "_rsam_logged"
MOST = 3
"""Failed actions in the corner at most; the oldest go first."""


@dataclass(frozen=True)
class Words:
    """What is said about an error.

    Attributes
    ----------
    text : str
        Markdown.
    icon : str
    """

    text: str
    icon: str = ":material/error:"


def words(error: BaseException) -> Words:
    """Say an error to the user.

    Errors that RSAM raises on purpose carry their own remedy. Any other is logged in full for
    whoever runs the server, and the user is told that nothing was lost.
    """
    if isinstance(error, RsamError):
        # The message may hold names from outside.
        return Words(paragraphs(_LONG.sub(lambda found: shortened(found[0]), str(error))))
    if isinstance(error, MemoryError):
        return Words(
            _("There is not enough memory for this. Use a smaller image or close other programs, "
              "then try again. Your work so far is kept."),
            ":material/memory:",
        )  # fmt: skip
    if not getattr(error, _LOGGED, False):
        _LOG.error("unexpected error", exc_info=error)
        # Shown at every run, it is told once.
        with suppress(AttributeError):
            setattr(error, _LOGGED, True)
    return Words(
        _("Something went wrong that RSAM did not expect. Your work so far is kept: try again, "
          "or go on with something else. The details are in the window in which RSAM was started.")
    )  # fmt: skip


def show(error: BaseException) -> None:
    """Show an error where the page stands."""
    said = words(error)
    st.error(said.text, icon=said.icon)


@contextmanager
def guard(action: str | None = None) -> Iterator[None]:
    """Show an error of the block and go on after it.

    Parameters
    ----------
    action : str, optional
        For what is done once, such as after a click: a short name of what is done
        (``"open-image"``). A failure then stays until the action of that name succeeds. Leave
        it out around what is done at every run.
    """
    try:
        yield
    except Exception as error:
        if action is None:
            show(error)
        else:
            fail(action, error)
    except BaseException:
        # Not an error: the page is drawn again, because the block asked for it.
        forget(action)
        raise
    else:
        forget(action)


def fail(action: str, error: BaseException) -> None:
    """Remember that an action failed, and show it.

    Parameters
    ----------
    action : str
        As for `guard`.
    error : BaseException
    """
    standing = st.session_state.setdefault(_KEY, {})
    standing.pop(action, None)
    said = standing[action] = words(error)
    for name in list(standing)[:-MOST]:
        del standing[name]
    if not st.session_state.get(_DRAWN):
        # In a piece of the page that is drawn alone; the corner follows with the whole page.
        st.error(said.text, icon=said.icon)


def forget(action: str | None) -> None:
    """Take back what was said about an action, because it succeeded or no longer matters."""
    if action is not None:
        st.session_state.get(_KEY, {}).pop(action, None)


def forget_all() -> None:
    """Take back everything that was said: something new begins."""
    st.session_state.pop(_KEY, None)


def standing() -> dict[str, str]:
    """What is still said, by action."""
    return {name: said.text for name, said in st.session_state.get(_KEY, {}).items()}


@contextmanager
def corner() -> Iterator[None]:
    """Draw what failed in the corner of the window, after the block that draws the page."""
    place = st.container(key="errors", gap="xsmall")
    st.session_state[_DRAWN] = True
    try:
        yield
        forget(_PAGE)
    except Exception as error:
        fail(_PAGE, error)
    finally:
        st.session_state[_DRAWN] = False
    with place:
        for action, said in list(st.session_state.get(_KEY, {}).items()):
            with st.container(horizontal=True, gap="xxsmall", key=f"error-{action}"):
                st.error(said.text, icon=said.icon)
                st.button(
                    _("Dismiss"), icon=":material/close:", type="tertiary", key=f"dismiss-{action}",
                    on_click=forget, args=(action,),
                )  # fmt: skip


def uncaught(error: Exception) -> bool:
    """Say an error of a callback, which no guard was around; for the server.

    Returns
    -------
    bool
        True: Streamlit need not show it.
    """
    fail("callback", error)
    return True
