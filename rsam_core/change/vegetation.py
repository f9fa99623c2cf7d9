"""The vegetation index of both dates on the common grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.picture import Picture
from rsam_core.errors import ChangeError
from rsam_core.scene.scene import Scene
from rsam_core.scene.window import Window

_MIDDLE, _STEPS = 127.0, 127.0
"""Value of a pixel whose index is 0, and steps to an index of 1."""


def has_infrared(picture: Picture) -> bool:
    """Whether the vegetation index of a picture can be computed."""
    return isinstance(picture, Scene) and picture.roles.bands(("nir", "red")) is not None


@dataclass(frozen=True, eq=False)
class _IndexPicture:
    """The vegetation index of a scene as a picture, so that it is read like one."""

    scene: Scene
    name: str
    width: int
    height: int
    crs: str | None
    transform: Affine | None
    gsd: float | None

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    def read_rgb(
        self, window: Window | None = None, max_size: int | None = None
    ) -> NDArray[np.uint8]:
        import cv2

        part = Window(0, 0, self.width, self.height).part(window)
        values = np.nan_to_num(self.scene.index("ndvi", part))
        image = np.clip(np.rint(_MIDDLE + _STEPS * values), 0, 254).astype(np.uint8)
        shape = part.reduced_shape(max_size)
        if shape != image.shape:
            image = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)
        return np.repeat(image[..., None], 3, axis=2)

    def valid_mask(self, window: Window | None = None) -> NDArray[np.bool_]:
        return self.scene.valid_mask(window)


def vegetation_steps(alignment: Alignment) -> NDArray[np.float32]:
    """Difference of the vegetation index between the dates on the common grid, (H, W).

    Raises
    ------
    ChangeError
        A date has no near infrared band.
    """
    layers = (alignment.before, alignment.after)
    for layer in layers:
        if not has_infrared(layer.picture):
            raise ChangeError(
                f"“{layer.picture.name}” has no near infrared band, which the vegetation index "
                "needs. Choose another method, or files with that band at both dates."
            )
    pictures = {id(layer.picture): _as_index(layer.picture) for layer in layers}
    reference = pictures[id(alignment.reference)]
    values = []
    for layer in layers:
        moved = replace(layer, picture=pictures[id(layer.picture)], reference=reference)
        values.append(moved.read()[0][..., 0].astype(np.float32))
    return np.abs(values[0] - values[1]) / np.float32(_STEPS)


def _as_index(scene: Scene) -> _IndexPicture:
    return _IndexPicture(scene, scene.name, scene.width, scene.height, scene.crs,
                         scene.transform, scene.gsd)  # fmt: skip
