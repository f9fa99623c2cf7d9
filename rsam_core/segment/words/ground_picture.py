"""What was taken for road, field, bare ground and water, to be looked at.

>>> image = ground_picture(ground, objects, scene, {"road"})             # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.segment.words.description import Description
from rsam_core.segment.words.ground import GROUND, Ground

TINTS = {
    "road": (214, 39, 98),
    "grass or field": (120, 190, 30),
    "bare ground": (230, 150, 30),
    "water": (30, 110, 230),
}
"""Colour of each kind of ground, red, green and blue."""


def ground_picture(
    ground: Ground, known: Description, scene: Any, kinds: Collection[str], side: int = 480
) -> NDArray[np.uint8]:
    """The place with all that is of some kinds tinted, outlined as objects or not.

    Parameters
    ----------
    ground : Ground
    known : Description
        Of the objects.
    scene : Scene
    kinds : collection of str
        Of `GROUND`.
    side : int
        Pixels of the longer side at most.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)

    Raises
    ------
    SceneError
        If the picture cannot be read.
    """
    import cv2

    window = ground.window
    seen = ground.kinds.copy()
    seen[known.objects.union_mask(window)] = 0
    told = known.table["kind"].to_numpy(object)
    for number, name in enumerate(GROUND, 1):
        own = known.objects.select(known.objects.ids[told == name].tolist())
        seen[own.union_mask(window)] = number
    picture = scene.read_rgb(window, max_size=side)
    size = (picture.shape[1], picture.shape[0])
    seen = cv2.resize(seen, size, interpolation=cv2.INTER_NEAREST)
    result = picture.astype(np.float32)
    for number, name in enumerate(GROUND, 1):
        if name in kinds:
            result[seen == number] = (result[seen == number] + TINTS[name]) / 2
    return result.round().astype(np.uint8)
