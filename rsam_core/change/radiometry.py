"""The second date made to look as if it had been taken with the light of the first."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """A curve for each channel.

    Attributes
    ----------
    table : ndarray of uint8, shape (256, 3)
        New value by old value.
    """

    table: NDArray[np.uint8]

    @classmethod
    def unchanged(cls) -> ToneCurve:
        """The curve that leaves a picture as it is."""
        return cls(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))

    @classmethod
    def matching(
        cls, source: NDArray[np.uint8], wanted: NDArray[np.uint8], valid: NDArray[np.bool_]
    ) -> ToneCurve:
        """The curves that give a picture the histogram of another one.

        Parameters
        ----------
        source, wanted : ndarray of uint8, shape (H, W, 3)
            Both on one grid.
        valid : ndarray of bool, shape (H, W)
            Where both show the ground.
        """
        if np.count_nonzero(valid) < 64:
            return cls.unchanged()
        curves = []
        for channel in range(3):
            shares = []
            for image in (source, wanted):
                counts = np.bincount(image[..., channel][valid], minlength=256).astype(float)
                # The middle of each step: otherwise every value moves up by half its share.
                shares.append((np.cumsum(counts) - counts / 2) / counts.sum())
            levels = np.arange(256)
            used = np.diff(shares[1], prepend=-1.0) > 0
            curves.append(np.interp(shares[0], shares[1][used], levels[used]))
        return cls(np.rint(np.stack(curves, 1)).astype(np.uint8))

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Apply the curves to (H, W, 3) uint8."""
        return cv2.LUT(image, self.table[:, None, :])
