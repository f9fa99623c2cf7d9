"""What the class room keeps: the boards of the server, and the exercise of this browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from pages.parts.learn.stage import Stage
from pages.parts.shared import streamlit_adapter
from pages.parts.shared.browser_id import browser_id
from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.boards import Boards
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.evaluate.learn.own_work import OwnWork
from rsam_core.prompts.prompt import Prompt

_WORK, _WHO = "learn-class-work", "learn-class-who"
SCREEN, ANEW = "learn-class-screen", "learn-class-anew"
"""Keys: which screen of the class room is shown; on which board another pupil wants to join."""
DESK = "desk"
"""Name in the address of the board that a teacher looks at."""
_WIDTH = 860


@st.cache_resource(show_spinner=False)
def boards() -> Boards:
    """The class boards of this server."""
    return Boards()


@st.cache_resource(show_spinner=False)
def own_work() -> OwnWork:
    """Exercises that are done without a board."""
    return OwnWork()


def who() -> str:
    """By what this browser is known on boards; secret, and never shown."""
    return browser_id() or st.session_state.get(_WHO) or f"tab {streamlit_adapter.session_id()}"


def settle() -> str:
    """The same, from now on also if the browser tells its number only later."""
    return st.session_state.setdefault(_WHO, who())


def now() -> float:
    """The clock by which exercises are timed."""
    return time.monotonic()


@dataclass(frozen=True)
class Work:
    """The exercise that is done in this tab.

    Attributes
    ----------
    made : Assignment
    attempt : Attempt
    code : str
        Of its board; empty without one.
    number : int
        Of the pupil on the board.
    name : str
        Of the pupil; may be empty.
    """

    made: Assignment
    attempt: Attempt
    code: str = ""
    number: int = 0
    name: str = ""


def work() -> Work | None:
    """The exercise of this tab, as it was left."""
    return st.session_state.get(_WORK)


def take(found: Work | None) -> None:
    """Make it the exercise of this tab."""
    st.session_state[_WORK] = found


def save(attempt: Attempt) -> None:
    """Keep what was done, here and where a reload finds it.

    Raises
    ------
    LearnError
        If the board is gone or the pupil was taken off it; it is kept in this tab all the same.
    """
    before: Work = st.session_state[_WORK]
    whose = who()
    st.session_state[_WORK] = replace(before, attempt=attempt)
    if before.code:
        boards().keep(before.code, whose, before.number, attempt)
    else:
        own_work().keep(whose, before.made.key, attempt)


def save_quietly(attempt: Attempt) -> None:
    """The same, where a board that is gone is said elsewhere."""
    try:
        save(attempt)
    except LearnError:
        return


def stage(projector: bool = False) -> Stage:
    """Where pictures of the class room stand."""
    return Stage("class", projector, _WIDTH)


def predictor(made: Assignment) -> Callable[[Prompt], object]:
    """The model in use, on the picture of an exercise."""
    place = stage()

    def predict(prompt: Prompt) -> object:
        embedding = place.embedding(made.subject.image)
        return place.segmenter().predict(embedding, prompt).masks[0]

    return predict
