"""Change by methods that know no objects, in the form of RSAM's own comparison: one list of places.

They stand beside it, to see what they miss and what they take for a change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.anychange import anychange_settings, chosen_masks, compared_masks
from rsam_core.change.compared import Found
from rsam_core.change.findings import DIFFERENT, Change
from rsam_core.change.methods import NDVI_STEP, grey_steps, otsu, vector_lengths
from rsam_core.change.vegetation import vegetation_steps
from rsam_core.errors import Cancelled, ChangeError
from rsam_core.objects.instance import Instance
from rsam_core.segment.segmenter import Segmenter

MAX_PIXELS = 40_000_000
"""Pixels of the common grid up to which these methods work; they look at all of it at once."""

_MOST = 20_000
"""Places at most, the largest first."""


@dataclass(frozen=True)
class Scale:
    """What a method measures.

    Attributes
    ----------
    title : str
    unit : str
    top : float
        Highest threshold worth trying.
    """

    title: str
    unit: str
    top: float


SCALES: dict[str, Scale] = {
    "anychange": Scale("AnyChange’s counterpart", "° between the features", 90.0),
    "difference": Scale("Image differencing", " grey values", 150.0),
    "vectors": Scale("Change vectors (CVA)", " standard deviations", 8.0),
    "ndvi": Scale("Vegetation index difference", " of the index", 1.0),
}
"""The methods, and what their thresholds mean."""


@dataclass(frozen=True, eq=False)
class Difference(Found):
    """What a method without objects found; see `Found`.

    Attributes
    ----------
    method : str
        One of :data:`SCALES`.
    threshold : float
        In the method's own unit.
    automatic : float
        The threshold that the method itself chooses.
    smallest : int
        Pixels of the smallest place.
    strength : ndarray of float32, shape (H, W), or None
        How much each pixel differs, 0 where nothing is said.
    masks : tuple of (Instance, float)
        Masks and their angles, of a method that compares masks.
    """

    method: str = "difference"
    threshold: float = 0.0
    automatic: float = 0.0
    smallest: int = 60
    strength: NDArray[np.float32] | None = field(default=None, repr=False)
    masks: tuple[tuple[Instance, float], ...] = field(default=(), repr=False)

    def with_threshold(self, threshold: float | None) -> Difference:
        """The same with another threshold, or the method's own one; nothing is compared again."""
        chosen = self.automatic if threshold is None else threshold
        scale = SCALES[self.method]
        if self.strength is None:
            settings = replace(anychange_settings("rsam-tiny"), angle=180 - chosen)
            kept = [(item, np.rad2deg(np.arccos(np.clip(-c, -1, 1))))
                    for item, c in chosen_masks(list(self.masks), settings)]  # fmt: skip
        else:
            kept = _places(self.strength, chosen)
        kept = [(item, value) for item, value in kept if item.area >= self.smallest]
        changes = [
            Change(number, DIFFERENT, float("nan"), item, item,
                   reason=f"{value:.3g}{scale.unit} apart; {chosen:.3g} and more count")
            for number, (item, value) in enumerate(kept[:_MOST], 1)
        ]  # fmt: skip
        return replace(self, threshold=chosen, changes=tuple(changes))


def _places(strength: NDArray[np.float32], threshold: float) -> list[tuple[Instance, float]]:
    """Connected places above a threshold with their mean strength, largest first."""
    above = (strength > threshold).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")
    result = []
    for k in order[: 2 * _MOST]:
        x, y, w, h, area = stats[k]
        if area < 4:
            break
        mask = labels[y : y + h, x : x + w] == k
        value = float(strength[y : y + h, x : x + w][mask].mean())
        result.append((Instance(mask, int(x), int(y), source="difference"), value))
    return result


def compare_pixels(
    alignment: Alignment,
    method: str,
    segmenter: Segmenter | None = None,
    *,
    smallest: int = 60,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Difference:
    """Find change by a method that knows no objects.

    Parameters
    ----------
    alignment : Alignment
    method : str
        One of :data:`SCALES`.
    segmenter : Segmenter, optional
        For "anychange".
    smallest : int
        Pixels of the smallest place that is listed.
    progress, cancelled : callable, optional

    Raises
    ------
    ChangeError
        There is no such method, the scene is too large for it, or near infrared is missing.
    Cancelled
        If `cancelled` said so.
    """
    if method not in SCALES:
        raise ChangeError(f"There is no method “{method}”. Choose from: {', '.join(SCALES)}.")
    height, width = alignment.shape
    if height * width > MAX_PIXELS:
        raise ChangeError(
            f"{SCALES[method].title} works up to {MAX_PIXELS / 1e6:.0f} million pixels; this grid "
            f"has {height * width / 1e6:.0f} million. RSAM’s own comparison works in tiles."
        )

    def tell(share: float, text: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        if progress is not None:
            progress(share, text)

    tell(0.0, "reading both dates")
    before, after, valid = alignment.read()
    empty = Difference(alignment, (), method=method, smallest=smallest, notes=alignment.notes)
    if method == "anychange":
        if segmenter is None:
            raise ChangeError("AnyChange needs a model. Choose one on the Models page.")
        tell(0.1, "masks of both dates, and their features")
        settings = anychange_settings(segmenter.model.name)
        found = compared_masks(segmenter, before, after, settings)
        seen = [entry for entry in found if _is_seen(entry[0], valid)]
        own = 180 - settings.angle
        return replace(empty, automatic=own, masks=tuple(seen)).with_threshold(None)
    tell(0.3, "comparing")
    if method == "ndvi":
        strength, own = vegetation_steps(alignment), NDVI_STEP
    else:
        strength = {"difference": grey_steps, "vectors": vector_lengths}[method](
            before, after, valid
        )
        own = otsu(strength, valid)
    strength = np.where(valid, strength, 0).astype(np.float32)
    own = own if np.isfinite(own) else SCALES[method].top
    tell(0.8, "places")
    return replace(empty, automatic=float(own), strength=strength).with_threshold(None)


def _is_seen(item: Instance, valid: NDArray[np.bool_]) -> bool:
    x0, y0, x1, y1 = item.bbox
    return bool(valid[y0:y1, x0:x1][item.mask].mean() > 0.7)
