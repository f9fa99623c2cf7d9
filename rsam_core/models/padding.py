"""Maps of models that see a view enlarged and padded to a square."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


@torch.inference_mode()
def unpadded(
    cells: NDArray[np.float32],
    stride: int,
    input_size: tuple[int, int],
    view_size: tuple[int, int],
) -> NDArray[np.float32]:
    """Bring a map over cells to the size of a view, bilinearly, as PerSAM does.

    Parameters
    ----------
    cells : ndarray of float32, shape (h, w)
    stride : int
        Pixels of the model's input a cell.
    input_size : (int, int)
        Height and width of what of the input is no padding.
    view_size : (int, int)
        Height and width of the view.

    Returns
    -------
    ndarray of float32, shape (H, W)
    """
    maps = torch.from_numpy(np.ascontiguousarray(cells, np.float32))[None, None]
    large = functional.interpolate(
        maps, scale_factor=float(stride), mode="bilinear", align_corners=False
    )
    height, width = input_size
    return functional.interpolate(
        large[..., :height, :width], view_size, mode="bilinear", align_corners=False
    )[0, 0].numpy()
