"""Ways to read a file of truth: asked for where it has to be said, offered where it was a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from pages.parts.shared.names import MAX_LENGTH, plain, visible
from rsam_core.errors import TruthChoice
from rsam_core.formats.truth import Truth
from rsam_core.runtime.language import N_, _

_KEY = "evaluate-truth-source"
_ASKED = {
    "layer": N_("Which layer holds the true objects?"),
    "placed": N_("What do its coordinates mean?"),
    "values": N_("What do its values mean?"),
}
_TITLES = {"placed": N_("Coordinates"), "values": N_("Values"), "encoding": N_("Texts")}


@dataclass(frozen=True)
class Source:
    """The file that the truth in force came from, and how it was read.

    Attributes
    ----------
    token : str
        Of the image it was read for.
    content : bytes
    name : str
    options : dict
        Those of `rsam_core.formats.truth.read_truth`.
    """

    token: object
    content: bytes = field(repr=False)
    name: str
    options: dict


def keep(source: Source | None) -> None:
    """Remember the file as long as it may be read in another way."""
    if source is None:
        st.session_state.pop(_KEY, None)
    else:
        st.session_state[_KEY] = source


def options(token: object, name: str) -> dict:
    """What was chosen already of how to read a file."""
    source = st.session_state.get(_KEY)
    fits = source is not None and source.token == token and source.name == name
    return dict(source.options) if fits else {}


def ask(error: TruthChoice, take: Callable[[str, str], None]) -> None:
    """Let the user choose between the readings that an error names.

    Parameters
    ----------
    error : TruthChoice
    take : callable
        Given the option and its value.
    """
    if not error.choices:
        return
    words = {value: visible(title, MAX_LENGTH) for value, title in error.choices}

    def use() -> None:
        take(error.option, st.session_state["evaluate-reading"])

    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        st.selectbox(
            _(_ASKED.get(error.option, N_("How is it meant?"))),
            list(words),
            format_func=lambda value: words.get(value, visible(value, MAX_LENGTH)),
            key="evaluate-reading",
        )
        st.button(_("Read it"), icon=":material/check:", key="use-reading", on_click=use)


def offer(token: object, truth: Truth, take: Callable[[Source, str, str], None]) -> None:
    """Offer the other readings of the truth in force, if there are any and its file is still here.

    Parameters
    ----------
    token : object
        Of the image.
    truth : Truth
    take : callable
        Given the file, the option and its value.
    """
    source = st.session_state.get(_KEY)
    if not truth.others or source is None or source.token != token or source.name != truth.name:
        return
    with st.popover(_("Read it another way"), icon=":material/alt_route:", type="tertiary"):
        st.caption(_("RSAM had to guess how this file is meant. If it looks wrong, read it as:"))
        for number, other in enumerate(truth.others):
            title = _(_TITLES.get(other.option, N_("Read")))
            st.button(
                f"{title}: {plain(other.words, 120)}",
                key=f"other-reading-{number}",
                width="stretch",
                on_click=take,
                args=(source, other.option, other.value),
            )
