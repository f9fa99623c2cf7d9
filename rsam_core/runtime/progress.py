"""How long work tells how far it is, and is told to stop."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with a share from 0 to 1 and a text."""

Stop = Callable[[], bool]
"""Asked between parts of the work; True ends it."""
