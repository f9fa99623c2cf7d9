"""Waiting for the model: in a fair order among all sessions, with one's place in it on screen."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

import streamlit as st

from pages.parts.shared import banner, streamlit_adapter
from rsam_core.errors import Cancelled, QueueFull
from rsam_core.runtime import courtesy
from rsam_core.runtime.acting import acting
from rsam_core.runtime.budgets import UNOWNED
from rsam_core.runtime.fair_queue import BACKGROUND, INTERACTIVE, FairQueue, model_slots
from rsam_core.runtime.language import N_, _
from rsam_core.runtime.timing import span

# Before PyTorch is loaded: its threads shall sleep while they wait for each other within a step.
# Spinning took twice the processor time beside any other busy thread, and made clicks three to six
# times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

TURNS = model_slots()
"""Steps of the model that run side by side."""
SHOWN_AFTER = 0.7
"""Seconds of waiting after which one is told; most turns come sooner."""
TOLD_EVERY = 1.0
"""Seconds between two changes of what one is told."""
_ORDINALS = (
    N_("next"), N_("second"), N_("third"), N_("fourth"), N_("fifth"), N_("sixth"), N_("seventh"),
    N_("eighth"), N_("ninth"),
)  # fmt: skip

_QUEUE = FairQueue(TURNS)
_acting = threading.local()


def _queue() -> FairQueue:
    return _QUEUE


def owner() -> Hashable:
    """Name of the session that this thread works for, as a page or as a job."""
    session, errand = streamlit_adapter.session_id(), acting()
    if session is not None:
        return session
    return UNOWNED if errand is None else errand.owner


@contextmanager
def slot(whose: Hashable, line: int = INTERACTIVE) -> Iterator[Callable[[], bool]]:
    """A slot at the model for a session.

    In the thread of a page it shows one's place while waiting. Any other thread is a job, which
    lets the clicks of all go ahead unless somebody waits for it, pauses while pages are drawn, and
    gives its place back when it is stopped; see `rsam_core.runtime.acting`.

    Parameters
    ----------
    whose : hashable
        The session.
    line : int
        `INTERACTIVE` or `ENCODE`, see `rsam_core.runtime.fair_queue`; a job stands in `BACKGROUND`.

    Yields
    ------
    callable
        Whether anybody waits who goes first; see `FairQueue.slot`.
    """
    block = getattr(_acting, "block", None)
    if block is None:
        with _slot(whose, line) as wanted:
            yield wanted
        return
    # Within a block that goes together this one is held to the block's end.
    yield block.enter_context(_slot(whose, line))


@contextmanager
def hold_slot() -> Iterator[None]:
    """Hold the first turn that is taken in the block to its end.

    What belongs together is done without going to the end of the queue in between.
    """
    if getattr(_acting, "block", None) is not None:
        yield
        return
    _acting.block = ExitStack()
    try:
        with _acting.block:
            yield
    finally:
        _acting.block = None


def release_slot() -> None:
    """Give back the turn of `hold_slot`, before waiting for what another thread may do."""
    block = getattr(_acting, "block", None)
    if block is not None:
        block.close()


@contextmanager
def _slot(whose: Hashable, line: int) -> Iterator[Callable[[], bool]]:
    if streamlit_adapter.session_id() is None:
        errand = acting()
        if errand is None or not errand.awaited:
            line = BACKGROUND
        cancelled = None if errand is None else errand.cancelled
        if line == BACKGROUND:
            # A page that answers needs the processors, too, before and after the model's part.
            courtesy.give_way(courtesy.GENEROSITY * getattr(_acting, "worked", 0.0))
        with _queue().slot(whose, line=line, cancelled=cancelled) as wanted, span("turn"):
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped when its turn came.")
            began = time.monotonic()
            yield lambda: wanted() or (line == BACKGROUND and courtesy.expected())
            _acting.worked = time.monotonic() - began
        return
    sign = _Sign()
    try:
        with _queue().slot(whose, line=line, waiting=sign) as wanted:
            sign.take_down()
            with span("turn"), courtesy.answering():
                yield wanted
    except QueueFull:
        sign.take_down()
        raise


class _Sign:
    """Says how many are ahead, once the waiting is long enough to be noticed."""

    def __init__(self) -> None:
        self._next = time.monotonic() + SHOWN_AFTER
        self._place = 0
        self._toast: Any = None

    def __call__(self, place: int) -> None:
        if place == self._place or time.monotonic() < self._next:
            return
        self._place, self._next = place, time.monotonic() + TOLD_EVERY
        # A toast, because whatever stood in the page itself would push the picture down.
        show = st.toast if self._toast is None else self._toast.toast
        self._toast = show(words(place), icon="spinner", duration="infinite")

    def take_down(self) -> None:
        if self._toast is not None:
            # An emptied toast would stay where it is.
            self._toast.toast(_("It is your turn."), icon=":material/check:", duration=1)
            self._toast = None


def words(place: int) -> str:
    """What somebody at a place of the queue is told; 1 is next."""
    if place == 1:
        return _("Others use the model at the moment. You are **next**.")
    if place <= len(_ORDINALS):
        name = _(_ORDINALS[place - 1])
    else:
        name = _("number {place}").format(place=place)
    return _("Others use the model at the moment. You are **{name}** in line.").format(name=name)


def turned_away(error: QueueFull) -> NoReturn:
    """Say that there was no place in the queue, and offer to try again; nothing else is drawn."""
    banner.show(error)
    st.button(_("Try again"), icon=":material/refresh:", key="queue-again")
    st.stop()
