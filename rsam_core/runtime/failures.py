"""Why one of many could not be used, in words: whatever went wrong, the others go on."""

from __future__ import annotations

import logging

from rsam_core.errors import RsamError

_LOG = logging.getLogger(__name__)


def reason(error: Exception) -> str:
    """Return why something failed, for a list of what failed.

    Parameters
    ----------
    error : Exception
        Our own errors say it themselves; of others, which nobody foresaw, only the kind is told,
        and the whole goes to the log.
    """
    if isinstance(error, RsamError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for it. Close other programs, or use a smaller part."
    if isinstance(error, OSError) and error.strerror:
        return f"It cannot be read or written ({error.strerror})."
    _LOG.exception("An unforeseen problem", exc_info=error)
    return (
        f"It could not be used because of a problem that nobody foresaw ({type(error).__name__}). "
        "Please report it together with the file."
    )
