"""A table of numbers that objects are classified by; where they come from is no matter here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Features:
    """A row of numbers for each object.

    Attributes
    ----------
    values : ndarray of float32, shape (N, F)
        Finite.
    names : tuple of str, length F
    ids : ndarray of int64, shape (N,)
        Numbers of the objects.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)
