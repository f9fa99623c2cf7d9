"""Bring SAM's low-resolution logits to view size, touching only the part that matters.

SAM enlarges logits twice: by a whole factor (4) to the square model input, whose padding is cut
off, and from there to the image. Doing so over the whole image costs as much as the decoder, three
times per prompt, while most masks are small. The logits here are enlarged only around the cells
that can reach the threshold; the result is the same.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

STABILITY_OFFSET = 1.0
"""Distance in logits of the stricter and of the looser threshold from the usual one."""


def mask_from_logits(
    logits: torch.Tensor,
    input_side: int,
    input_size: tuple[int, int],
    view_size: tuple[int, int],
    threshold: float = 0.0,
) -> tuple[np.ndarray, int, int, float]:
    """Turn one low-resolution logit map into a mask in view pixels.

    Parameters
    ----------
    logits : Tensor of float, shape (a, a)
        Logits over the padded square that the model sees.
    input_side : int
        Side of that square in pixels, a multiple of `a`.
    input_size : tuple of int
        Height and width of the image inside it.
    view_size : tuple of int
        Height and width of the view.
    threshold : float
        Logits above it belong to the object.

    Returns
    -------
    mask : ndarray of bool, shape (h, w)
        The mask within a window of the view that holds all of it.
    x, y : int
        Top-left corner of the window.
    stability : float
        Pixels above the stricter threshold over pixels above the looser one; 0 if there are none.

    References
    ----------
    Kirillov et al., *Segment Anything*, ICCV 2023, appendix B (stability score).
    """
    factor = input_side // logits.shape[-1]
    reachable = logits > threshold - STABILITY_OFFSET
    row_span = _span(reachable.any(dim=1))
    column_span = _span(reachable.any(dim=0))
    nothing = np.zeros((1, 1), dtype=bool), 0, 0, 0.0
    if row_span is None or column_span is None:
        return nothing

    enlarged, top, left = _enlarge(logits, row_span, column_span, factor)
    enlarged = enlarged[: max(0, input_size[0] - top), : max(0, input_size[1] - left)]
    if not enlarged.numel():
        return nothing

    rows = _Resampling(input_size[0], view_size[0], top, enlarged.shape[0], logits.device)
    columns = _Resampling(input_size[1], view_size[1], left, enlarged.shape[1], logits.device)
    if not rows.length or not columns.length:
        return nothing
    window = columns(rows(enlarged).T).T
    mask = (window > threshold).cpu().numpy()
    strict = int((window > threshold + STABILITY_OFFSET).sum())
    loose = int((window > threshold - STABILITY_OFFSET).sum())
    return mask, columns.start, rows.start, strict / loose if loose else 0.0


def _span(flags: torch.Tensor) -> tuple[int, int] | None:
    """First index and one past the last index of the True flags."""
    indices = torch.nonzero(flags)
    return (int(indices[0]), int(indices[-1]) + 1) if len(indices) else None


def _enlarge(
    logits: torch.Tensor, rows: tuple[int, int], columns: tuple[int, int], factor: int
) -> tuple[torch.Tensor, int, int]:
    """Enlarge the given cells with one cell around them; also the result's top-left corner."""
    wanted, taken = [], []
    for (start, stop), count in zip((rows, columns), logits.shape, strict=True):
        wanted.append((max(0, start - 1), min(count, stop + 1)))
        # A second cell around it gives the first one its true neighbours.
        taken.append((max(0, start - 2), min(count, stop + 2)))
    (r0, r1), (c0, c1) = taken
    crop = logits[r0:r1, c0:c1]
    size = (crop.shape[0] * factor, crop.shape[1] * factor)
    large = functional.interpolate(
        crop[None, None], size=size, mode="bilinear", align_corners=False
    )[0, 0]
    top, bottom = ((cell - r0) * factor for cell in wanted[0])
    left, right = ((cell - c0) * factor for cell in wanted[1])
    return large[top:bottom, left:right], wanted[0][0] * factor, wanted[1][0] * factor


class _Resampling:
    """Linear interpolation along one axis, limited to the outputs that a window covers."""

    def __init__(
        self, source: int, target: int, offset: int, length: int, device: torch.device
    ) -> None:
        self.identity = source == target
        if self.identity:
            self.start, self.length = offset, length
            return
        position = np.maximum((np.arange(target) + 0.5) * (source / target) - 0.5, 0.0)
        low = np.minimum(position.astype(np.int64), source - 1)
        high = np.minimum(low + 1, source - 1)
        covered = np.flatnonzero((low >= offset) & (high < offset + length))
        self.start = int(covered[0]) if covered.size else 0
        self.length = int(covered.size)
        self.low = torch.as_tensor(low[covered] - offset, device=device)
        self.high = torch.as_tensor(high[covered] - offset, device=device)
        weight = (position - low)[covered].astype(np.float32)
        self.weight = torch.as_tensor(weight, device=device)[:, None]

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        if self.identity:
            return values
        return values[self.low] * (1 - self.weight) + values[self.high] * self.weight
