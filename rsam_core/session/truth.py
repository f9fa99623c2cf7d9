"""The ground truth of the open image, and where it came from."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rsam_core.errors import RsamError

if TYPE_CHECKING:
    from rsam_core.formats.truth import Truth

_NUMBERS = itertools.count(1)


class TruthState:
    """The truth of a session.

    Attributes
    ----------
    file : str
        Number of the uploaded file that was read last.
    error : RsamError or None
        Why that file could not be used.
    number : int
        Another one for each truth that was given: what was computed with one truth is never
        taken for what belongs to another.
    lost : str
        Name of a truth that belonged to work which was brought back without it; empty if none.
    """

    def __init__(self) -> None:
        self._value: Truth | None = None
        self.file = ""
        self.error: RsamError | None = None
        self.number = next(_NUMBERS)
        self.lost = ""

    @property
    def value(self) -> Truth | None:
        """The truth in force."""
        return self._value

    def give(self, truth: Truth | None) -> None:
        """Put another truth in force; None takes it away."""
        self._value, self.error, self.number, self.lost = truth, None, next(_NUMBERS), ""

    def refuse(self, error: RsamError) -> None:
        """Note why a truth could not be used; there is none then."""
        self.give(None)
        self.error = error
