"""An encoded view: its feature maps, and the picture for windows encoded at another scale."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rsam_core.models.tiny._windows import Window
from rsam_core.models.tiny.encoder import FeatureMaps

PADDING = 32
"""The encoder takes pictures whose sides are multiples of this."""


@dataclass(frozen=True, eq=False)
class TinyFeatures:
    """Encoded view.

    Attributes
    ----------
    maps : FeatureMaps
        Feature maps of the view, padded to multiples of 32 pixels.
    height, width : int
        Size of the view itself.
    picture : ndarray of uint8, shape (height, width, 3)
        The view, for small objects that are looked at enlarged, and large ones that are looked at
        reduced.
    reduced : dict of int to FeatureMaps
        The maps averaged down, as far as they were needed: most prompts ask for the same ones.
    encoded_reduced : dict of int to FeatureMaps
        Maps of the reduced picture, as far as they were needed.
    """

    maps: FeatureMaps
    height: int
    width: int
    picture: NDArray[np.uint8]
    reduced: dict[int, FeatureMaps] = field(default_factory=dict, repr=False)
    encoded_reduced: dict[int, FeatureMaps] = field(default_factory=dict, repr=False)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, with all reductions there may come to be."""
        # A quarter, a sixteenth and so on by averaging; a sixteenth and less of reduced pictures.
        return self.maps.nbytes * 17 // 12 + self.picture.nbytes

    def pooled(self, pool: int) -> FeatureMaps:
        """The maps averaged down by ``pool``."""
        if pool == 1:
            return self.maps
        # Two threads may both compute the same maps; either result will do.
        if pool not in self.reduced:
            self.reduced[pool] = self._pooled(pool)
        return self.reduced[pool]

    def _pooled(self, pool: int) -> FeatureMaps:
        m = self.maps

        def shrink(maps: Tensor) -> Tensor:
            return F.avg_pool2d(maps, pool, ceil_mode=True, count_include_pad=False)

        return FeatureMaps(
            m.features, shrink(m.image), F.normalize(shrink(m.key), dim=1), shrink(m.skip)
        )


def as_input(image: NDArray[np.uint8]) -> Tensor:
    """A picture (H, W, 3) as the encoder takes it, (1, 3, H', W'), padded to multiples of 32."""
    bottom, right = -image.shape[0] % PADDING, -image.shape[1] % PADDING
    # Edge pixels are repeated: a black margin would look like an object's border.
    padded = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="edge")
    rgb = torch.from_numpy(padded).permute(2, 0, 1)[None].float()
    return rgb.contiguous(memory_format=torch.channels_last)


def scaled(picture: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    """A window of a picture, one pixel for ``window.pool`` of the picture's.

    Beyond the picture its edge pixels are repeated.
    """
    part = picture[window.y : window.y + window.height, window.x : window.x + window.width]
    missing = (window.height - part.shape[0], window.width - part.shape[1])
    if any(missing):
        part = np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    size = round(window.width / window.pool), round(window.height / window.pool)
    method = cv2.INTER_AREA if window.pool > 1 else cv2.INTER_CUBIC
    return cv2.resize(part, size, interpolation=method)


def place_scaled(
    span: tuple[float, float, float, float], side: int, pool: float, shape: tuple[int, int]
) -> Window:
    """Centre a window that is encoded at a scale of its own on a prompt, inside the view.

    Parameters
    ----------
    span : tuple of float
        x0, y0, x1, y1 in view pixels.
    side : int
        Of the window in view pixels.
    pool : float
        View pixels a pixel that is encoded; below 1 the window is enlarged.
    shape : tuple of int
        Height and width of the view. A window of a smaller view reaches beyond it.
    """
    step = round(PADDING * pool)

    def along(low: float, high: float, size: int) -> tuple[int, int]:
        length = min(side, -(-size // step) * step)
        start = round((low + high - length) / 2 / max(pool, 1)) * round(max(pool, 1))
        return min(max(start, 0), max(size - length, 0)), length

    x, w = along(span[0], span[2], shape[1])
    y, h = along(span[1], span[3], shape[0])
    return Window(x, y, w, h, pool)
