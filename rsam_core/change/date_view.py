"""One date of a window with what is measured on it: colour, edges, shadows, features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.registration import edges
from rsam_core.segment.features.pooling import feature_maps


@dataclass(frozen=True, eq=False)
class DateView:
    """One date of a window, encoded.

    Attributes
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        After the light was matched.
    embedding : Embedding
    """

    image: NDArray[np.uint8]
    embedding: Any

    @cached_property
    def lab(self) -> NDArray[np.float32]:
        """CIELAB, (H, W, 3), slightly smoothed: single pixels never match."""
        lab = cv2.cvtColor(self.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        return cv2.GaussianBlur(lab, (0, 0), 0.8)

    @cached_property
    def edges(self) -> NDArray[np.float32]:
        """Strength of edges, (H, W), relative to its mean."""
        strength = edges(self.image)
        strength = strength - strength.min()
        return strength / (strength.mean() + 1e-6)

    @cached_property
    def dark(self) -> float:
        """Lightness below which a pixel probably lies in shadow."""
        return float(np.quantile(self.lab[..., 0], 0.12))

    @cached_property
    def feature_mean(self) -> NDArray[np.float32] | None:
        """Mean of the model's features, (C,): season and light shift all of them alike."""
        maps = feature_maps(self.embedding)
        return None if not maps else maps[0][0].mean((1, 2))
