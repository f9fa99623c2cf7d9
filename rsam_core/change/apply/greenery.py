"""What is green in a picture, as areas: a first outline of forest, to be corrected."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Site
from rsam_core.change.vegetation import has_infrared
from rsam_core.errors import ApplyError
from rsam_core.objects.instances import Instances

_LARGEST = 36_000_000
_NDVI, _EXCESS = 0.3, 0.06
"""Index from which on a pixel is green: from near infrared, and of excess green in colours."""


def green_index(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Excess green, 2g − r − b of the shares of each colour, (H, W)."""
    colours = image.astype(np.float32)
    total = colours.sum(axis=2) + 1e-3
    return (2 * colours[..., 1] - colours[..., 0] - colours[..., 2]) / total


def green_areas(scene: Any, site: Site, least: float = 100.0, name: str = "green") -> Features:
    """Outline what is green.

    Parameters
    ----------
    scene : Scene
        The vegetation index is taken if it has near infrared, else the colours.
    site : Site
        Of the scene.
    least : float
        Square metres of the smallest area, and of the smallest gap.
    name : str

    Raises
    ------
    ApplyError
        The picture is too large.
    """
    if site.shape[0] * site.shape[1] > _LARGEST:
        raise ApplyError(
            "The picture is too large to outline what is green in it at once. Open a part of it, "
            "or give the forest as a layer."
        )
    if has_infrared(scene):
        green, how = np.nan_to_num(scene.index("ndvi"), nan=-1.0) >= _NDVI, "NDVI of 0.3 or more"
    else:
        image = cv2.GaussianBlur(scene.read_rgb(), (0, 0), 1.5)
        green, how = green_index(image) >= _EXCESS, "excess green of its colours"
    side = max(1, round(2.0 / site.gsd)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    mask = cv2.morphologyEx(green.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    smallest = max(1, round(least / site.gsd**2))
    mask = _without_specks(mask, smallest)
    mask = 1 - _without_specks(1 - mask, smallest)
    pieces = Instances.from_label_map(cv2.connectedComponents(mask)[1], source="index")
    layer = Features.of_objects(pieces, site, name)
    table = layer.table.assign(kind="vegetation")
    note = f"“{name}” was outlined by {how}; grass and crops are in it as well as trees."
    return Features(name, layer.shapes, table, (note,))


def _without_specks(mask: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    return keep[labels].astype(np.uint8)
