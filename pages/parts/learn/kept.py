"""What a lesson computes once: for all browsers on a sample, for one browser on its own image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pages.parts.learn.stage import Stage
from rsam_core.evaluate.learn.subject import Subject

T = TypeVar("T")
_MOST = 24
"""Results on samples that are kept; there are fewer samples in lessons."""


@st.cache_resource(show_spinner=False)
def _shared() -> dict[str, object]:
    return {}


def kept(stage: Stage, name: str, subject: Subject, make: Callable[[], T], said: str) -> T:
    """A result about a subject, made when it is first wanted.

    Parameters
    ----------
    stage : Stage
    name : str
        Of the result.
    subject : Subject
        An own image's result stays in its session, and only the last one.
    make : callable
    said : str
        Shown meanwhile.
    """
    key = f"{name}-{subject.key}"
    if subject.own:
        place = stage.name(f"kept-{name}")
        if st.session_state.get(place, ("",))[0] != key:
            with st.spinner(said):
                st.session_state[place] = (key, make())
        return st.session_state[place][1]
    shared = _shared()
    if key not in shared:
        with st.spinner(said):
            made = make()
        while len(shared) >= _MOST:
            shared.pop(next(iter(shared)), None)
        shared[key] = made
    return shared[key]
