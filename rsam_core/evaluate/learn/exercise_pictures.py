"""The two pictures of an exercise's file, decoded in a process of its own: few imports."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def decode(picture: bytes, labels: bytes, largest: int) -> dict[str, NDArray]:
    """The picture and the true objects as arrays.

    Parameters
    ----------
    picture, labels : bytes
        PNG.
    largest : int
        Pixels of the longest side that they may have.

    Returns
    -------
    dict
        ``"image"``, (H, W, 3) uint8, and ``"labels"``, (H, W) int32.

    Raises
    ------
    ValueError
        If they are not two such pictures of one size.
    """
    arrays = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for content, modes in ((picture, ("RGB",)), (labels, ("I;16", "L"))):
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                # Told by the first bytes, before anything is unpacked.
                if not 1 <= min(image.size) <= max(image.size) <= largest:
                    raise ValueError("too large")
                if image.mode not in modes:
                    raise ValueError(image.mode)
                arrays.append(np.asarray(image))
    if arrays[0].shape[:2] != arrays[1].shape:
        raise ValueError("sizes differ")
    return {"image": arrays[0], "labels": arrays[1].astype(np.int32)}
