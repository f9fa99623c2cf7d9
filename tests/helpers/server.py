"""What the tests with a started app share beside the app itself."""

from __future__ import annotations

import re

TTL = 4
"""Seconds that the app keeps a session whose browser is gone; Streamlit keeps them two minutes."""


def without_departures(printed: str) -> str:
    """What the server printed, but for browsers that left while it was talking to them.

    Streamlit's web server reports those with a traceback in which nothing of RSAM occurs.
    """
    parts = re.split(r"(?=^Exception in ASGI application)", printed, flags=re.MULTILINE)
    ours = ("rsam_core", "pages/", "app.py")
    return "".join(
        part
        for part in parts
        if not ("WebSocketDisconnected" in part and not any(name in part for name in ours))
    )
