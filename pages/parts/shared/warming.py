"""What takes seconds to load is loaded while the first visitor still reads the first page."""

from __future__ import annotations

import logging
import threading

from pages.parts.shared import streamlit_adapter

_LOG = logging.getLogger("rsam")
_begun = threading.Event()


def warm_up() -> None:
    """Load PyTorch and the rest in the background, once; called when a page has been drawn."""
    if _begun.is_set() or not streamlit_adapter.has_server():
        return
    _begun.set()
    threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    try:
        # What a page with a picture needs: the model, the canvas, tables and files.
        import pages.parts.shared.canvas
        import pages.parts.shared.export_panel  # noqa: F401
        import rsam_core.models.tiny.model  # noqa: F401
    except Exception:
        # Whoever needs it is told what is wrong.
        _LOG.warning("PyTorch could not be loaded beforehand", exc_info=True)
