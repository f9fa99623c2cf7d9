"""What sessions may hold, and giving back what they held when they have left."""

from __future__ import annotations

import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rsam_core.budgets import Held, make_room, setting, share_of_memory
from rsam_core.departures import Departures, settle_objects, share_arenas, trim_memory

UPLOADS = setting("RSAM_UPLOAD_MB", share_of_memory(0.3, 2 << 30))
"""Bytes of uploaded files that all sessions together may hold."""
UPLOADS_EACH = setting("RSAM_UPLOAD_SESSION_MB", UPLOADS)
"""Bytes of uploaded files that one session may hold."""
ARENAS = 2
MANY_MODULES = 50
"""So many modules make up a library whose objects are worth settling."""

_LOG = logging.getLogger("rsam")
_leaving: list[Callable[[str], Any]] = []
_working: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_modules = 0


def when_leaving(release: Callable[[str], Any]) -> None:
    """Call a function with the name of each session that has left for good."""
    if release not in _leaving:
        _leaving.append(release)


def look_after_session() -> None:
    """Give back what this session holds once its user has left; to be called at every run."""
    _spare_collector()
    context, caretaker = get_script_run_ctx(suppress_warning=True), _caretaker()
    if context is not None and caretaker is not None:
        caretaker.note(context.session_id)


def stop_with_session(work: Any) -> None:
    """Stop the ``job`` of a workspace when its user has left."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None:
        _working[context.session_id] = work


def _spare_collector() -> None:
    """Settle what newly loaded libraries have brought."""
    global _modules
    if len(sys.modules) > _modules + MANY_MODULES:
        _modules = len(sys.modules)
        settle_objects()


@cache
def _caretaker() -> Departures | None:
    # Tests of pages run without a server.
    if not runtime.exists() or type(runtime.get_instance()) is not runtime.Runtime:
        return None
    share_arenas(ARENAS)
    kept = max(4.0, float(st.get_option("server.disconnectedSessionTTL")))
    # Streamlit itself forgets a lost session only when the next one is lost, which after the
    # last one never happens. Sooner than Streamlit, because then it cannot be closed any more.
    departures = Departures(runtime.get_instance().is_active_session, 0.6 * kept)
    threading.Thread(target=_watch, args=(departures, kept / 8), daemon=True).start()
    return departures


def _watch(departures: Departures, pause: float) -> None:
    while True:
        time.sleep(pause)
        try:
            gone = departures.look()
            for session in gone:
                _dismiss(session)
            if gone:
                # The loop of the server closes them first.
                time.sleep(1.0)
                trim_memory()
        except Exception:
            _LOG.warning("memory of sessions that have left could not be freed", exc_info=True)


def _dismiss(session: str) -> None:
    """Close a session for good, with its uploads, pictures and objects."""
    server = runtime.get_instance()
    # Only the thread of the server's loop may close sessions.
    server.stopped.get_loop().call_soon_threadsafe(_close, server, session)
    work = _working.pop(session, None)
    if work is not None and work.job is not None:
        work.job.cancel()
    for release in _leaving:
        release(session)


def _close(server: Any, session: str) -> None:
    """Close a session, also one that Streamlit will not name any more but still holds.

    On a busy computer this may come after the time for which Streamlit keeps lost sessions. It
    drops such a session only when the next one is lost.
    """
    server.close_session(session)
    server.uploaded_file_mgr.remove_session_files(session)
    storage = getattr(getattr(server, "_session_mgr", None), "_session_storage", None)
    expire = getattr(getattr(storage, "_cache", None), "expire", None)
    if expire is not None:
        expire()


def keep_uploads_within_limits(name: str = "this file") -> list[Held]:
    """Check what this session has uploaded against its limits.

    Of sessions that were left, the uploads go first, the longest absent first.

    Parameters
    ----------
    name : str
        What came last, for the message.

    Returns
    -------
    list of Held
        What was let go.

    Raises
    ------
    BudgetError
        If there is no room; what came last is forgotten then.
    """
    context = get_script_run_ctx(suppress_warning=True)
    files = _uploads()
    if context is None or not files.get(context.session_id):
        return []
    caretaker = _caretaker()
    away = caretaker.away() if caretaker is not None else []
    order = [*(s for s in away if s in files), *(s for s in files if s not in away)]
    order = [s for s in order if s != context.session_id] + [context.session_id]
    held = [
        Held(session, key, len(record.data), session not in away, record.name)
        for session in order
        for key, record in files[session].items()
    ]
    manager = runtime.get_instance().uploaded_file_mgr
    try:
        gone = make_room(held, UPLOADS, UPLOADS_EACH, what=held[-1].name or name)
    except Exception:
        manager.remove_file(held[-1].owner, held[-1].key)
        raise
    for session in dict.fromkeys(item.owner for item in gone):
        caretaker.dismiss(session)
        _dismiss(session)
    return gone


def _uploads() -> dict[str, dict[str, Any]]:
    """Uploaded files by session and number, the earliest first."""
    if not runtime.exists():
        return {}
    stored = getattr(runtime.get_instance().uploaded_file_mgr, "file_storage", None)
    if not isinstance(stored, dict):
        return {}
    # Uploads arrive in other threads meanwhile.
    return {session: dict(files) for session, files in list(stored.items()) if files}
