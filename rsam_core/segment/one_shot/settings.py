"""How an image is searched for objects like an example."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from rsam_core.errors import OneShotError

Compare = Literal["head", "plain", "cosine"]
"""Ways to compare a candidate with an example."""


@dataclass(frozen=True)
class OneShotSettings:
    """How densely to look, and what counts as one object.

    Parameters
    ----------
    spacing : float
        Distance between grid points in view pixels, at least 4.
    peaks : int
        Places most like the example that are prompted besides the grid, with the guidance of
        the example; 0 for none.
    compare : {"head", "plain", "cosine"}
        How candidates are compared with the example: by the network with the projection head
        (where there is one for the model), by that without, or by cosines of features alone.
    follow : bool
        Whether the surest finds serve as further examples.
    max_overlap : float
        Of two outlines whose IoU exceeds this, only the one more like the example is kept.
    max_contained : float
        The same, where one lies in the other with more than this share of its pixels.
    propose : bool
        Outline what the model itself proposes, in place of a grid, where it can.
    """

    spacing: float = 24.0
    peaks: int = 48
    compare: Compare = "head"
    follow: bool = True
    max_overlap: float = 0.3
    max_contained: float = 0.7
    propose: bool = True

    def __post_init__(self) -> None:
        if not math.isfinite(self.spacing) or self.spacing < 4:
            raise OneShotError(
                "Grid points must be at least 4 pixels apart. Choose a coarser grid."
            )
        if self.peaks < 0:
            raise OneShotError("The number of places cannot be negative.")
        if self.compare not in get_args(Compare):
            raise OneShotError(
                f"“{self.compare}” is no way to compare objects. Choose from: "
                f"{', '.join(get_args(Compare))}."
            )
        for name in ("max_overlap", "max_contained"):
            if not 0 <= getattr(self, name) <= 1:
                raise OneShotError(f"“{name.replace('_', ' ')}” must lie between 0 and 1.")
