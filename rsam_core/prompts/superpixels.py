"""Superpixels: small patches of like colour, to paint large areas by click."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import RsamError

MAX_PIXELS = 16_000_000


@dataclass(frozen=True)
class SuperpixelSettings:
    """How to divide an image.

    Parameters
    ----------
    size : int
        Side, in pixels, that a patch has about, 4 to 500.
    compactness : float
        How much patches prefer to be square rather than to follow colours, above 0. 10 suits
        most images.
    smoothing : float
        Standard deviation, in pixels, of the smoothing beforehand; 0 for none.

    Raises
    ------
    RsamError
        If a value is out of range.
    """

    size: int = 24
    compactness: float = 10.0
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if not 4 <= self.size <= 500:
            raise RsamError("A superpixel is 4 to 500 pixels wide. Choose a size in between.")
        if not 0 < self.compactness <= 1000:
            raise RsamError("The compactness of superpixels lies above 0, up to 1000.")
        if not 0 <= self.smoothing <= 20:
            raise RsamError("The smoothing of superpixels lies between 0 and 20 pixels.")


def superpixels(image: ArrayLike, settings: SuperpixelSettings | None = None) -> NDArray[np.int32]:
    """Divide an image into connected patches of like colour by SLIC [1]_.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
    settings : SuperpixelSettings, optional

    Returns
    -------
    ndarray of int32, shape (H, W)
        Number of the patch, from 1 without gaps; every pixel belongs to one.

    Raises
    ------
    RsamError
        If it is not an RGB image of 8 bits, or has more than 16 million pixels.

    References
    ----------
    .. [1] Radhakrishna Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel
       Methods", TPAMI 34, 2012.
    """
    from skimage.segmentation import slic

    settings = settings or SuperpixelSettings()
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise RsamError("Superpixels need a colour image of 8 bits. Read it with read_rgb().")
    height, width = image.shape[:2]
    if height * width > MAX_PIXELS:
        raise RsamError(
            f"Superpixels are made of at most {MAX_PIXELS / 1e6:.0f} million pixels; this image "
            f"has {height * width / 1e6:.0f}. Zoom in, so that a smaller part is shown."
        )
    count = max(1, round(height * width / settings.size**2))
    labels = slic(
        image,
        n_segments=count,
        compactness=settings.compactness,
        sigma=settings.smoothing,
        start_label=1,
        enforce_connectivity=True,
    )
    _, dense = np.unique(labels, return_inverse=True)
    return (dense.reshape(height, width) + 1).astype(np.int32)


def borders(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the pixels, shape (H, W), right of or below which another patch begins."""
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    return edge
