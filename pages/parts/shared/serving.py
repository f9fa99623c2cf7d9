"""What the web server adds to every answer, and whom it does not answer at all."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rsam_core.session import safekeeping

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_CLOSE = {"type": "websocket.close", "code": 1008}
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
STOPPING = 5.0
"""Seconds that the server has to close its connections once it was told to stop."""
_NOT_HERE = (
    "RSAM is meant for this computer only and was called by another name. Open "
    "http://localhost with the same port, or start it with `python run.py --share NAME`, where "
    "NAME is the name in the address.\n"
)


@asynccontextmanager
async def saving_at_the_end(app: object) -> AsyncIterator[None]:
    """Save what waits for its moment when the server is told to stop; see `st.App`."""
    _end_in_time()
    yield
    safekeeping.flush()


def _end_in_time() -> None:
    """End the server some seconds after it was told to stop, whatever still holds it.

    The web server waits for its connections to close, and a browser that was just connecting may
    never close its own: it would wait for ever, with work that is not saved yet.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only there signals can be taken; a server elsewhere is not stopped by one.
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, partial(_told_to_stop, before))


def _told_to_stop(before: Callable[..., object], number: int, frame: object) -> None:
    waiting = threading.Timer(STOPPING, _end)
    waiting.daemon = True
    waiting.start()
    before(number, frame)


def _end() -> None:
    try:
        safekeeping.flush()
    finally:
        os._exit(0)


class Shield:
    """Answer only to known names, and tell the browser what the pages may do.

    A page on the internet can let its own name point to this computer and would then talk to
    RSAM as if it were RSAM; so a server that listens to this computer only does not answer to
    foreign names. The headers keep a script that came in by some name or file from running, and
    the page from calling any other server.

    Parameters
    ----------
    app : ASGIApp
        What is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.inline = inline_scripts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = {key: value.decode("latin-1") for key, value in scope["headers"]}
        host, origin = asked.get(b"host", ""), asked.get(b"origin")
        if not answers_to(host):
            if scope["type"] == "websocket":
                await send(_CLOSE)
            else:
                await PlainTextResponse(_NOT_HERE, 421)(scope, receive, send)
            return
        if scope["type"] == "websocket" and origin is not None and not welcomes(origin, host):
            await send(_CLOSE)
            return
        extra = [(k.encode(), v.encode()) for k, v in headers(host, self.inline).items()]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        await self.app(scope, receive, with_headers)


def answers_to(host: str) -> bool:
    """Whether the server answers to the name (and port) that a browser calls it by.

    Parameters
    ----------
    host : str
        The request's ``Host`` header.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    if st.get_option("server.address") not in ("localhost", "127.0.0.1", "::1"):
        # Shared on purpose; only its people know by which names.
        return True
    return match[1].lower().strip("[]") in _LOOPBACK | _known_names()


def welcomes(origin: str, host: str) -> bool:
    """Whether a page of another address may talk to the server.

    Parameters
    ----------
    origin : str
        Where the page came from: the request's ``Origin`` header.
    host : str
        The request's ``Host`` header.
    """
    parts = urlsplit(origin)
    # Another program on this computer is another address, too.
    return parts.netloc == host or parts.hostname in _known_names() - _LOOPBACK


def _known_names() -> set[str]:
    """Names that whoever runs the server has written into its settings."""
    told = [st.get_option("browser.serverAddress"), *st.get_option("server.corsAllowedOrigins")]
    names = (urlsplit(name if "//" in name else f"//{name}").hostname for name in told if name)
    return {name for name in names if name}


def headers(host: str, inline: tuple[str, ...] = ()) -> dict[str, str]:
    """What every answer says about what a page may do.

    Parameters
    ----------
    host : str
        The server's name as the browser knows it, already checked.
    inline : tuple of str, optional
        Hashes of the scripts that Streamlit's page itself contains.
    """
    policy = {
        "default-src": "'self'",
        # Components are loaded from blobs that Streamlit makes; its charts compile expressions.
        "script-src": " ".join(["'self'", "blob:", "'unsafe-eval'", *inline]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        # Some browsers do not count web sockets as 'self'.
        "connect-src": f"'self' ws://{host} wss://{host}",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }


def inline_scripts() -> tuple[str, ...]:
    """Hashes of the scripts within Streamlit's own page, which may run."""
    page = Path(st.__file__).parent / "static" / "index.html"
    if not page.is_file():
        return ()
    found = _INLINE_SCRIPT.findall(page.read_bytes())
    digests = (base64.b64encode(hashlib.sha256(text).digest()).decode() for text in found)
    return tuple(f"'sha256-{digest}'" for digest in digests)
