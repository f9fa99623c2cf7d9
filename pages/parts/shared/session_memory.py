"""What sessions may hold, and giving back what they held when they have left."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

from pages.parts.shared import streamlit_adapter
from rsam_core.runtime.budgets import Holding, choose_evictions, setting, share_of_memory
from rsam_core.runtime.idle_collector import QUIET, IdleCollector
from rsam_core.runtime.presence import SessionMonitor, freeze_gc, limit_malloc_arenas, trim_memory
from rsam_core.session.visit import Visit

UPLOADS = setting("RSAM_UPLOAD_MB", share_of_memory(0.3, 2 << 30))
"""Bytes of uploaded files that all sessions together may hold."""
UPLOADS_EACH = setting("RSAM_UPLOAD_SESSION_MB", UPLOADS)
"""Bytes of uploaded files that one session may hold."""
ARENAS = 2
MANY_MODULES = 50
"""So many modules make up a library whose objects are worth settling."""

_PAUSE = 1.0
"""Seconds that the server's loop and the pages are given before memory is collected."""

_LOG = logging.getLogger("rsam")
_leaving: list[Callable[[str], Any]] = []
_visits: weakref.WeakValueDictionary[str, Visit] = weakref.WeakValueDictionary()
_left: deque[Hashable] = deque(maxlen=1000)
_modules = 0
_closed = threading.Event()


def when_leaving(release: Callable[[str], Any]) -> None:
    """Call a function with the name of each session that has left for good."""
    if release not in _leaving:
        _leaving.append(release)


def has_left(session: Hashable) -> bool:
    """Whether a session has left for good, not long ago."""
    return session in _left


def track_session() -> None:
    """Give back what this session holds once its user has left; to be called at every run."""
    _spare_collector()
    session, caretaker = streamlit_adapter.session_id(), _caretaker()
    if session is not None and caretaker is not None:
        caretaker.note(session)


def cancel_on_disconnect(visit: Visit) -> None:
    """Stop everything that runs for a visit when its user has left."""
    session = streamlit_adapter.session_id()
    if session is not None:
        _visits[session] = visit


def something_closed() -> None:
    """Collect what a closed image has left, soon and in another thread.

    Settling newly loaded libraries spares the collector the objects of open images, too: what
    holds itself in a circle among them is found only now.
    """
    _closed.set()


def _spare_collector() -> bool:
    """Settle what newly loaded libraries have brought; whether there was something."""
    global _modules
    if len(sys.modules) <= _modules + MANY_MODULES:
        return False
    _modules = len(sys.modules)
    freeze_gc()
    return True


@cache
def _caretaker() -> SessionMonitor | None:
    # Tests of pages run without a server.
    if not streamlit_adapter.has_server():
        return None
    limit_malloc_arenas(ARENAS)
    kept = max(4.0, streamlit_adapter.kept_seconds())
    # Streamlit itself forgets a lost session only when the next one is lost, which after the
    # last one never happens. Before Streamlit does, because then it cannot be closed any more.
    departures = SessionMonitor(streamlit_adapter.is_connected, 0.6 * kept)
    threading.Thread(target=_watch, args=(departures, kept / 8), daemon=True).start()
    threading.Thread(target=_collect_when_quiet, daemon=True).start()
    return departures


def _collect_when_quiet() -> None:
    """In place of Streamlit's collection after each run, for which everybody would wait."""
    collector = IdleCollector(_collect)
    while True:
        time.sleep(QUIET)
        collector.look(time.monotonic())


def _collect() -> None:
    if not _spare_collector():
        gc.collect()


def _watch(departures: SessionMonitor, pause: float) -> None:
    while True:
        _closed.wait(pause)
        try:
            _tidy(departures)
        except Exception:
            _LOG.warning("memory of sessions that have left could not be freed", exc_info=True)


def _tidy(departures: SessionMonitor) -> None:
    """Give back what those held who have left, and what closed images held."""
    closed = _closed.is_set()
    gone = departures.look()
    for session in gone:
        _dismiss(session)
    if gone or closed:
        # The loop of the server closes them first, and a page gives up its image.
        time.sleep(_PAUSE)
        _closed.clear()
        trim_memory()


def _dismiss(session: str) -> None:
    """Close a session for good, with its uploads, pictures and objects."""
    streamlit_adapter.close_session(session)
    _left.append(session)
    visit = _visits.pop(session, None)
    if visit is not None:
        visit.close()
    for release in _leaving:
        release(session)


def keep_uploads_within_limits(name: str = "this file") -> list[Holding]:
    """Check what this session has uploaded against its limits.

    Of sessions that were left, the uploads go first, the longest absent first.

    Parameters
    ----------
    name : str
        What came last, for the message.

    Returns
    -------
    list of Holding
        What was evicted.

    Raises
    ------
    BudgetError
        If there is no room; what came last is forgotten then.
    """
    mine, files = streamlit_adapter.session_id(), streamlit_adapter.uploads()
    if mine is None or not files.get(mine):
        return []
    caretaker = _caretaker()
    away = caretaker.away() if caretaker is not None else []
    order = [*(s for s in away if s in files), *(s for s in files if s not in away)]
    order = [s for s in order if s != mine] + [mine]
    held = [
        Holding(session, key, len(record.data), session not in away, record.name)
        for session in order
        for key, record in files[session].items()
    ]
    try:
        gone = choose_evictions(held, UPLOADS, UPLOADS_EACH, what=held[-1].name or name)
    except Exception:
        streamlit_adapter.forget_upload(held[-1].owner, held[-1].key)
        raise
    for session in dict.fromkeys(item.owner for item in gone):
        caretaker.dismiss(session)
        _dismiss(session)
    return gone
