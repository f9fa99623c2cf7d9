"""Ways to find change that need no comparison of objects.

All take both dates on one grid (see `rsam_core.change.aligned.Alignment.read`) and give a mask:
how much each pixel differs, and a threshold.

References
----------
Otsu, *A threshold selection method from gray-level histograms*, 1979. Malila, *Change vector
analysis*, 1980.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.anychange import anychange
from rsam_core.errors import ChangeError
from rsam_core.scene.indices import ndvi

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Strength = NDArray[np.float32]

NDVI_STEP = 0.2
"""Difference of the vegetation index that counts as change."""


def image_difference(before: Rgb, after: Rgb, valid: Mask) -> Mask:
    """Difference of grey values, thresholded after Otsu, (H, W)."""
    return _over(grey_steps(before, after, valid), valid)


def change_vectors(before: Rgb, after: Rgb, valid: Mask) -> Mask:
    """Length of the change vector of standardised bands, thresholded after Otsu, (H, W)."""
    return _over(vector_lengths(before, after, valid), valid)


def ndvi_difference(before: NDArray, after: NDArray, valid: Mask) -> Mask:
    """Difference of the vegetation index of bands (H, W, 4: red, green, blue, near infrared)."""
    if before.shape[2] < 4 or after.shape[2] < 4:
        raise ChangeError("The vegetation index needs a near infrared band at both dates.")
    values = [ndvi(bands[..., 3], bands[..., 0]) for bands in (before, after)]
    step = np.abs(values[0] - values[1])
    return (np.nan_to_num(step) > NDVI_STEP) & valid


def grey_steps(before: Rgb, after: Rgb, valid: Mask) -> Strength:
    """Difference of grey values, (H, W)."""
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (before, after)]
    return np.abs(grey[0] - grey[1])


def vector_lengths(before: Rgb, after: Rgb, valid: Mask) -> Strength:
    """Length of the change vector of standardised bands, in standard deviations, (H, W)."""
    return np.linalg.norm(_standard(before, valid) - _standard(after, valid), axis=2)


def otsu(values: Strength, valid: Mask) -> float:
    """Otsu's threshold of the valid values; infinite where all are alike."""
    from skimage.filters import threshold_otsu

    known = values[valid]
    if not known.size or np.ptp(known) == 0:
        return float("inf")
    return float(threshold_otsu(known))


def _standard(image: Rgb, valid: Mask) -> Strength:
    values = image.astype(np.float32)
    known = values[valid] if valid.any() else values.reshape(-1, values.shape[2])
    return (values - known.mean(0)) / (known.std(0) + 1e-3)


def _over(values: Strength, valid: Mask) -> Mask:
    return (values > otsu(values, valid)) & valid


@dataclass(frozen=True)
class Method:
    """A method of the table.

    Attributes
    ----------
    key, title : str
    learned : bool
        Whether it needs a model.
    run : callable
        ``run(before, after, valid)`` or, with a model, ``run(segmenter, before, after, valid)``.
    """

    key: str
    title: str
    learned: bool
    run: Callable[..., Mask]


METHODS: tuple[Method, ...] = (
    Method("difference", "image differencing, Otsu", False, image_difference),
    Method("vectors", "change vector analysis, Otsu", False, change_vectors),
    Method("ndvi", "NDVI difference", False, ndvi_difference),
    Method("anychange", "AnyChange", True, anychange),
)
"""What stands beside RSAM's comparison of objects."""
