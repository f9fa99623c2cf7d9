"""By which address others reach this computer's class boards."""

from __future__ import annotations

import socket
from functools import cache
from urllib.parse import urlsplit

import streamlit as st

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PATH = "/learn"


def is_shared() -> bool:
    """Whether the server answers to others in the network."""
    return st.get_option("server.address") not in _LOOPBACK


def base() -> str:
    """The address of the page Learn, as others in the network open it if they can."""
    here = urlsplit(st.context.url or f"http://localhost:{st.get_option('server.port')}{_PATH}")
    host, port = here.hostname or "localhost", here.port
    if host in _LOOPBACK and is_shared():
        host = own_number() or host
    place = f"[{host}]" if ":" in host else host
    return f"{here.scheme}://{place}{'' if port is None else f':{port}'}{_PATH}"


@cache
def own_number() -> str | None:
    """This computer's number in its network; None if it is in none."""
    # Nothing is sent: the system only says from where it would be.
    for far in ("10.255.255.255", "192.168.255.255"):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                found = probe.getsockname()[0]
        except OSError:
            continue
        if not found.startswith("127."):
            return found
    return None
