"""What masks must fulfil before they are compared, drawn or written."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError


def object_mask(mask: ArrayLike, name: str = "mask") -> NDArray[np.bool_]:
    """Return where a mask or label map is not 0.

    Parameters
    ----------
    mask : array_like of bool or int, shape (H, W)
        Decimal numbers are accepted where they are all 0 or 1.
    name : str
        What to call it in a message.

    Raises
    ------
    MetricError
        If it is not two-dimensional, or holds probabilities.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise MetricError(
            f"The {name} must have one value a pixel (rows, columns); this one has "
            f"{mask.ndim} dimensions: {' × '.join(map(str, mask.shape)) or 'a single number'}."
        )
    if mask.dtype == bool:
        return mask
    if mask.dtype.kind == "f" and not np.isin(mask, (0.0, 1.0)).all():
        raise MetricError(
            f"The {name} holds decimal numbers, such as probabilities. Turn it into a mask "
            "first, for example by 'values > 0.5'."
        )
    if mask.dtype.kind not in "uif":
        raise MetricError(f"The {name} must hold whole numbers or true/false, not {mask.dtype}.")
    return mask != 0


def check_same_size(
    expected: tuple[int, int],
    actual: tuple[int, int],
    name: str = "prediction",
    *,
    reference: str = "ground truth",
) -> None:
    """Raise a :class:`MetricError` with both sizes unless two (height, width) are equal.

    Parameters
    ----------
    expected, actual : (int, int)
        Height and width of `reference` and of `name`.
    name, reference : str
        What to call them in the message.
    """
    if tuple(expected) != tuple(actual):
        raise MetricError(
            f"The {name} has {actual[1]} × {actual[0]} pixels (width × height) but the "
            f"{reference} has {expected[1]} × {expected[0]}. Both must show the same area at the "
            "same size: export the mask at the size of the image, without cropping or turning "
            "it, and if it must be resized, with the nearest-neighbour method."
        )
