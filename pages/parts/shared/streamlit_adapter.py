"""The one place that reaches for what Streamlit does not offer publicly.

RSAM has to know which session a thread belongs to, who is still connected, what was uploaded, and
it gives back what lost sessions held. Streamlit has all of it, behind names that may change with
any version: `missing` says which are gone, and a test fails then, before anything is silently not
freed any more.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import RerunException, get_script_run_ctx
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

Item = TypeVar("Item")


def session_id() -> str | None:
    """Name of the session whose page this thread runs; None in a thread of another kind."""
    context = get_script_run_ctx(suppress_warning=True)
    return None if context is None else context.session_id


def chosen_by_words() -> dict[str, Any]:
    """What is chosen where the browser knows a choice by its words, by the widgets' keys.

    Streamlit remembers the choice itself, but of those widgets the browser sends the words that it
    shows, which mean nothing any more once they are in another language.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return {}
    state = context.session_state._state
    kinds = ("string_value", "string_array_value")
    keys = [
        key for number, key in state._key_id_mapper.id_key_mapping.items()
        if (widget := state._new_widget_state.widget_metadata.get(number)) is not None
        and widget.value_type in kinds
    ]  # fmt: skip
    return {key: st.session_state[key] for key in keys if key in st.session_state}


def handle_all(items: Iterable[Item], handle: Callable[[Item], None]) -> None:
    """Handle each item in turn, whatever happens meanwhile; for what is handed out only once.

    Any look at `st.session_state` ends a callback for good when the browser has asked for the
    next run of the page by then, and what the callback had in hand would be lost. Here the item
    is handled once more, then the others, and only then the callback ends. So whatever handles an
    item looks at the page's state before it changes anything.

    Raises
    ------
    Exception
        The first that an item raised; the others were handled all the same.
    """
    ended: RerunException | None = None
    failed: Exception | None = None
    for item in items:
        while True:
            try:
                handle(item)
            except RerunException as wish:
                ended = wish
                continue
            except Exception as error:
                failed = failed or error
            break
    if failed is not None:
        raise failed
    if ended is not None:
        raise ended


def do_all(*acts: Callable[[], object]) -> None:
    """Do several things of which none may be done alone, though the browser interrupts the run.

    What is interrupted is done once more from its beginning; see `handle_all`.
    """
    handle_all(acts, lambda act: act())


def has_server() -> bool:
    """Whether a server runs here, with browsers that come and go."""
    return runtime.exists() and type(runtime.get_instance()) is runtime.Runtime


def is_connected(session: str) -> bool:
    """Whether a browser shows this session now."""
    return runtime.get_instance().is_active_session(session)


def kept_seconds() -> float:
    """For how long Streamlit keeps a session whose browser is gone."""
    return float(st.get_option("server.disconnectedSessionTTL"))


def close_session(session: str) -> None:
    """Close a session for good, with its uploads; from any thread."""
    server = runtime.get_instance()
    # Only the thread of the server's loop may close sessions.
    server.stopped.get_loop().call_soon_threadsafe(_close, server, session)


def _close(server: Any, session: str) -> None:
    """Close a session, also one that Streamlit will not name any more but still holds.

    On a busy computer this may come after the time for which Streamlit keeps lost sessions. It
    drops such a session only when the next one is lost.
    """
    server.close_session(session)
    server.uploaded_file_mgr.remove_session_files(session)
    manager = getattr(server, "_session_mgr", None)
    if manager is not None:
        manager._session_storage._cache.expire()


def uploads() -> dict[str, dict[str, Any]]:
    """Uploaded files by session and number, the earliest first."""
    if not runtime.exists():
        return {}
    manager = runtime.get_instance().uploaded_file_mgr
    if not isinstance(manager, MemoryUploadedFileManager):
        return {}
    # Uploads arrive in other threads meanwhile.
    return {session: dict(files) for session, files in list(manager.file_storage.items()) if files}


def forget_upload(session: str, number: str) -> None:
    """Forget one uploaded file."""
    runtime.get_instance().uploaded_file_mgr.remove_file(session, number)


def address(content: bytes, kind: str, place: str) -> str:
    """Where the browser fetches a picture: once, because the address follows the content.

    Parameters
    ----------
    content : bytes
    kind : str
        Such as ``"image/png"``.
    place : str
        What it is shown as; whatever was shown there before is forgotten.
    """
    if not runtime.exists():
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return runtime.get_instance().media_file_mgr.add(content, kind, place)


def draw_again(session: str) -> None:
    """Let a session's page be drawn once more, from a thread of the server's own.

    Nothing happens if the session has left meanwhile.
    """
    if not has_server():
        return
    info = runtime.get_instance()._session_mgr.get_session_info(session)
    if info is not None:
        info.session.request_rerun(info.session._client_state)


def forget_pages_directory() -> None:
    """Keep Streamlit from listing the folder `pages` by itself.

    Until the first call of `st.navigation` it takes any such folder for its old kind of pages:
    whoever came first, at another address than `/`, was told "Page not found".
    """
    PagesManager.uses_pages_directory = False


def missing() -> list[str]:
    """What this version of Streamlit no longer has of all that is reached for here."""
    storage = MemorySessionStorage()
    manager = WebsocketSessionManager.__new__(WebsocketSessionManager)
    manager.__init__(storage, *_placeholders(WebsocketSessionManager, 1))  # type: ignore[misc]
    held = (
        (runtime.Runtime, "is_active_session"),
        (runtime.Runtime, "close_session"),
        (runtime.Runtime, "stopped"),
        (runtime.Runtime, "uploaded_file_mgr"),
        (runtime.Runtime, "media_file_mgr"),
        (AppSession, "request_rerun"),
        (WebsocketSessionManager, "get_session_info"),
        (PagesManager, "uses_pages_directory"),
        (MemoryUploadedFileManager("/upload"), "file_storage"),
        (MemoryUploadedFileManager, "remove_session_files"),
        (MemoryUploadedFileManager, "remove_file"),
        (manager, "_session_storage"),
        (storage, "_cache"),
        (getattr(storage, "_cache", None), "expire"),
        (SafeSessionState(SessionState(), lambda: None), "_state"),
        (SessionState(), "_new_widget_state"),
        (SessionState(), "_key_id_mapper"),
        (getattr(SessionState(), "_new_widget_state", None), "widget_metadata"),
        (getattr(SessionState(), "_key_id_mapper", None), "id_key_mapping"),
    )
    return [
        f"{getattr(of, '__name__', type(of).__name__)}.{name}"
        for of, name in held
        # An abstract method is no more than a promise.
        if getattr(getattr(of, name, None), "__isabstractmethod__", not hasattr(of, name))
    ]


def _placeholders(kind: type, given: int) -> list[None]:
    """As many empty arguments as a class wants beside those given and itself."""
    return [None] * (kind.__init__.__code__.co_argcount - 1 - given)
