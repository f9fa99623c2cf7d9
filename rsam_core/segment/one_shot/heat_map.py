"""The similarity with the example as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OPACITY = 0.7
_PERCENTILES = (2, 99.5)


def heat_layer(cells: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw a similarity map to be laid over the image.

    From dark violet (least alike, hardly visible) to yellow (most alike), between the 2nd and the
    99.5th percentile.

    Parameters
    ----------
    cells : ndarray of float32, shape (h, w)
        Cosine similarity of each feature cell.
    shape : (int, int)
        Height and width of the layer.

    Returns
    -------
    ndarray of uint8, shape (H, W, 4)
        RGBA.
    """
    import cv2

    low, high = np.percentile(cells, _PERCENTILES)
    share = np.clip((cells - low) / max(float(high - low), 1e-6), 0, 1).astype(np.float32)
    large = np.clip(cv2.resize(share, shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
    levels = np.round(large * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    opacity = np.round((0.25 + 0.75 * large) * _OPACITY * 255).astype(np.uint8)
    return np.dstack([colours, opacity])
