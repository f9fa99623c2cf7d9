"""How much two dates differ at each pixel, in colour and in the model's features."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import cut_out
from rsam_core.objects.instance import Instance

_SLACK = 2
_FLOOR = 0.05
"""Added before logarithms: small distances are all alike."""


def steps(
    first: NDArray[np.float32], second: NDArray[np.float32], slack: int = _SLACK
) -> NDArray[np.float32]:
    """Smallest distance in colour within `slack` pixels, (H, W), from CIELAB, (H, W, 3).

    Lightness counts half and colour twice, since light differs between dates more than colour.
    """
    best = None
    for dy in range(-slack, slack + 1, slack):
        for dx in range(-slack, slack + 1, slack):
            moved = np.roll(second, (dy, dx), (0, 1)) if dx or dy else second
            apart = first - moved
            distance = np.sqrt(0.5 * apart[..., 0] ** 2 + 2 * (apart[..., 1:] ** 2).sum(2))
            best = distance if best is None else np.minimum(best, distance)
    return best


@dataclass(frozen=True, eq=False)
class Likeness:
    """Distances between two dates and what is usual between them.

    Attributes
    ----------
    step : ndarray of float32, shape (H, W)
        Of colour; see :func:`steps`.
    cells : ndarray of float32, shape (H, W), or None
        Of features: 1 minus the cosine; None if the model gives none.
    usual_step, usual_cells : float
        Medians: a hazy day or another season makes everything differ.
    """

    step: NDArray[np.float32]
    cells: NDArray[np.float32] | None
    usual_step: float
    usual_cells: float

    @classmethod
    def between(
        cls,
        first: NDArray[np.float32],
        second: NDArray[np.float32],
        first_cells: tuple[NDArray[np.float32], float] | None,
        second_cells: tuple[NDArray[np.float32], float] | None,
    ) -> Likeness:
        """From CIELAB, (H, W, 3), and features, (C, h, w) with the pixels that a cell spans."""
        step = steps(first, second)
        cells = None
        if first_cells is not None and second_cells is not None:
            cells = _apart(first_cells[0], second_cells[0], first_cells[1], step.shape)
        usual = 0.0 if cells is None else float(np.median(cells))
        return cls(step, cells, float(np.median(step)), usual)

    def of(self, item: Instance, ring: Instance) -> list[float]:
        """What lies under an object and around it.

        Returns
        -------
        list of float
            Mean and 90th percentile of the features' distance, its mean in the ring, and how
            much more than usual both distances are, as logarithms.
        """
        step = _under(self.step, item)
        more = float(np.log((step.mean() + 1) / (self.usual_step + 1)))
        if self.cells is None:
            return [0.0, 0.0, 0.0, 0.0, more]
        cells = _under(self.cells, item)
        mean = float(cells.mean())
        relative = float(np.log((mean + _FLOOR) / (self.usual_cells + _FLOOR)))
        around = float(_under(self.cells, ring).mean())
        return [mean, float(np.quantile(cells, 0.9)), around, relative, more]


def _under(values: NDArray[np.float32], item: Instance) -> NDArray[np.float32]:
    x0, y0, x1, y1 = item.bbox
    height, width = values.shape
    mask = cut_out(item, (max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)))
    return values[max(y0, 0) : y1, max(x0, 0) : x1][mask]


def _apart(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    per_cell: float,
    shape: tuple[int, int],
) -> NDArray[np.float32]:
    """1 minus the cosine of features of two dates, at the size of the pictures."""
    length = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
    apart = (1 - (first * second).sum(0) / (length + 1e-9)).astype(np.float32)
    height, width = shape
    rows, columns = (min(int(np.ceil(n / per_cell)), m) for n, m in zip(shape, apart.shape))
    # Cells keep their place: (i + 0.5) cells lie at (i + 0.5) times their size.
    y = (np.arange(height, dtype=np.float32) + 0.5) / np.float32(per_cell) - np.float32(0.5)
    x = (np.arange(width, dtype=np.float32) + 0.5) / np.float32(per_cell) - np.float32(0.5)
    return cv2.remap(
        np.ascontiguousarray(apart[:rows, :columns]), *np.meshgrid(x, y), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
