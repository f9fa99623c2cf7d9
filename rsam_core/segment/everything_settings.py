"""What everything mode looks at, and what it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rsam_core.errors import PromptError
from rsam_core.models.catalog import traits_of

_FLOOR = 0.25
"""Masks below this predicted IoU are not kept unless asked for: no slider goes lower."""

MAX_PROPOSALS = 500
"""Proposals that are looked at in a view, unless asked otherwise."""


@dataclass(frozen=True)
class EverythingSettings:
    """How densely to look and what to keep.

    Parameters
    ----------
    spacing : float
        Distance between grid points in view pixels. Objects much smaller than this are missed.
    min_quality : float
        Lowest predicted IoU, 0.25 to 1.
    min_stability : float
        Lowest stability, 0 to 1.
    max_overlap : float
        Of two masks whose IoU exceeds this, the one with the lower score is dropped.
    min_area : float
        Smallest object in pixels.
    max_share : float
        Largest object as a share of the view, 0 to 1: larger ones are background. Where a scene
        is worked through in tiles, it is a share of the tile.
    skip_covered : bool
        Leave out grid points that lie on a mask of moderate size found before that passes these
        thresholds: quicker by about a sixth, and a few objects are missed.
    propose : bool
        Look where the model itself proposes objects, in place of a grid, if it can: quicker, and
        more is found.
    look_between : bool
        After the proposals, prompt the grid points that no object found covers.
    max_proposals : int
        Proposals that are looked at in a view, at most.
    keep_quality, keep_stability : float
        `initialize` does not keep masks below these predicted IoUs and stabilities, so that the
        thresholds above can be lowered no further afterwards. With the large models, higher ones
        save up to a third of the time: what is not kept need not be drawn.
    """

    spacing: float = 32.0
    min_quality: float = 0.55
    min_stability: float = 0.75
    max_overlap: float = 0.6
    min_area: float = 30.0
    max_share: float = 0.4
    skip_covered: bool = False
    propose: bool = True
    look_between: bool = False
    max_proposals: int = MAX_PROPOSALS
    keep_quality: float = _FLOOR
    keep_stability: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.spacing) or self.spacing < 4:
            raise PromptError("Grid points must be at least 4 pixels apart. Choose a coarser grid.")
        for name in (
            "min_quality",
            "min_stability",
            "max_overlap",
            "max_share",
            "keep_quality",
            "keep_stability",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise PromptError(f"“{name.replace('_', ' ')}” must lie between 0 and 1.")
        if self.max_proposals < 1:
            raise PromptError("At least one proposal must be allowed. Choose a larger number.")
        if not self.min_area >= 0:
            raise PromptError("The smallest area cannot be negative.")


def settings_for(model_name: str, **changes: float) -> EverythingSettings:
    """Sane settings for a model.

    They follow the scores that the model gives; see `rsam_core.models.catalog.Traits`.
    """
    traits = traits_of(model_name)
    base = EverythingSettings(
        min_quality=traits.min_quality,
        min_stability=traits.min_stability,
        keep_quality=traits.keep_quality,
        keep_stability=traits.keep_stability,
    )
    return replace(base, **changes)
