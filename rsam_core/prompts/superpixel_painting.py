"""Painting an area patch by patch: superpixels of what is on the screen, chosen by clicks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import RsamError
from rsam_core.objects import palette
from rsam_core.objects.instance import Instance
from rsam_core.objects.resample import to_scene
from rsam_core.prompts.superpixels import SuperpixelSettings, borders, superpixels
from rsam_core.scene.coordinates import Frame

_BORDER, _FILL = 150, 120
"""Opacity of the borders between patches and of the chosen patches, of 255."""


@dataclass(frozen=True, eq=False)
class Painting:
    """Patches of a part of the scene, and those that are chosen.

    Attributes
    ----------
    frame : Frame
        The part of the scene, and the size of the picture that was divided.
    labels : ndarray of int32, shape (H, W)
        Patch at each pixel of that picture, from 1.
    chosen : frozenset of int
    """

    frame: Frame
    labels: NDArray[np.int32]
    chosen: frozenset[int] = frozenset()

    @classmethod
    def start(
        cls, image: NDArray[np.uint8], frame: Frame, settings: SuperpixelSettings | None = None
    ) -> Painting:
        """Divide a picture into patches that follow its colours (SLIC).

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3)
            The picture of `frame`.
        frame : Frame
        settings : SuperpixelSettings, optional
        """
        return cls(frame, superpixels(image, settings))

    def toggled(self, x: float, y: float) -> Painting:
        """Choose the patch under a point in scene pixels, or leave it out again.

        A point beside the picture changes nothing.
        """
        column, row = (int(np.floor(v)) for v in self.frame.from_scene((x, y)))
        height, width = self.labels.shape
        if not (0 <= row < height and 0 <= column < width):
            return self
        patch = int(self.labels[row, column])
        return replace(self, chosen=self.chosen.symmetric_difference({patch}))

    def instance(self, label: str | None = None) -> Instance:
        """The chosen patches as one object in scene pixels.

        Raises
        ------
        RsamError
            If none is chosen.
        """
        if not self.chosen:
            raise RsamError("No patch is chosen yet. Click the patches in the picture.")
        mask = np.isin(self.labels, list(self.chosen))
        return to_scene(Instance(mask, 0, 0, source="superpixel", label=label), self.frame)

    def layer(self, color: str = palette.HIGHLIGHT) -> NDArray[np.uint8]:
        """The borders of the patches, and the chosen ones filled, as a transparent picture.

        Returns
        -------
        ndarray of uint8, shape (H, W, 4)
            Red, green, blue and opacity.
        """
        layer = np.zeros((*self.labels.shape, 4), np.uint8)
        layer[np.isin(self.labels, list(self.chosen))] = (*palette.to_rgb(color), _FILL)
        layer[borders(self.labels)] = (255, 255, 255, _BORDER)
        return layer
