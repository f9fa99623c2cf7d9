"""Where a prompt is decoded: a small window of the view, larger or coarser when it must be."""

from __future__ import annotations

from dataclasses import dataclass

from rsam_core.models.base import PromptLike

CELL = 8
"""View pixels per cell of the coarse feature map."""

LEVELS = ((256, 1), (512, 2), (1024, 4), (2048, 8), (4096, 16))
"""Window side in view pixels, and by how much its features are averaged down.

Every window has the same number of cells, as in training. A 512-pixel window at full resolution
took four times as long and outlined large objects less well.
"""

SMALL_SIDES = (96, 128, 192)
"""Window sides for small boxes in the automatic mode.

A quarter of the cells takes a third of the time, and a tight box says by itself what a wider
window would show: of 300 boxes a view as many objects were found as in windows of 256 pixels.
With 192 besides, houses of 90 to 120 pixels take half the time, and as many are found again.
"""

RUNGS = (*((0, side) for side in SMALL_SIDES), *((k, side) for k, (side, _) in enumerate(LEVELS)))
"""Level and window side, from the smallest window to the largest."""

SCALED_LEVEL = 2
"""From this level on a window is encoded anew from the reduced picture.

Features averaged down so far are unlike anything the decoder has learned from: it took a whole
view for the field in it (IoU 0.39, and 0.98 from the reduced picture).
"""

_FILL = 0.65
"""A prompt may span this share of a window; the rest shows what surrounds the object."""


@dataclass(frozen=True)
class Window:
    """A decoding window, aligned to feature cells of its level.

    Attributes
    ----------
    x, y, width, height : int
        In view pixels; multiples of ``CELL * pool`` unless it is encoded at a scale of its own.
    pool : float
        View pixels per pixel of the decoder: 0.5, or a power of two.
    """

    x: int
    y: int
    width: int
    height: int
    pool: float

    @property
    def cell(self) -> int:
        """View pixels per cell of the masks that are decoded."""
        return round(CELL // 2 * self.pool)


def prompt_span(prompt: PromptLike) -> tuple[float, float, float, float]:
    """Bounding box x0, y0, x1, y1 of everything a prompt marks, in view pixels."""
    xs: list[float] = []
    ys: list[float] = []
    if prompt.points is not None and len(prompt.points):
        xs += [float(v) for v in prompt.points[:, 0]]
        ys += [float(v) for v in prompt.points[:, 1]]
    if prompt.box is not None:
        xs += [float(prompt.box[0]), float(prompt.box[2])]
        ys += [float(prompt.box[1]), float(prompt.box[3])]
    if prompt.mask is not None and prompt.mask.any():
        rows = prompt.mask.any(axis=1).nonzero()[0]
        columns = prompt.mask.any(axis=0).nonzero()[0]
        xs += [float(columns[0]), float(columns[-1] + 1)]
        ys += [float(rows[0]), float(rows[-1] + 1)]
    return min(xs), min(ys), max(xs), max(ys)


def is_single_click(prompt: PromptLike) -> bool:
    """Whether a prompt is one click and nothing else."""
    count = 0 if prompt.points is None else len(prompt.points)
    return count == 1 and prompt.box is None and prompt.mask is None


def first_level(span: tuple[float, float, float, float]) -> int:
    """Index of the smallest level whose window holds the prompt with room around it."""
    reach = max(span[2] - span[0], span[3] - span[1])
    for level, (side, _) in enumerate(LEVELS):
        if reach <= _FILL * side:
            return level
    return len(LEVELS) - 1


def level_for(span: tuple[float, float, float, float], shape: tuple[int, int]) -> int:
    """The level of a prompt in a view of a height and width.

    As `first_level`, but not coarser than the first whose window shows the whole view.
    """
    whole = next((k for k, (side, _) in enumerate(LEVELS) if side >= max(shape)), len(LEVELS) - 1)
    return min(first_level(span), whole)


def small_rung(span: tuple[float, float, float, float]) -> int | None:
    """Index into `RUNGS` of the small window that holds a prompt with room around it, if any."""
    reach = max(span[2] - span[0], span[3] - span[1])
    return next((k for k, side in enumerate(SMALL_SIDES) if reach <= _FILL * side), None)


def place(
    span: tuple[float, float, float, float],
    level: int,
    width: int,
    height: int,
    side: int | None = None,
) -> Window:
    """Centre a window of a level on a prompt, inside the (padded) view.

    Parameters
    ----------
    span : tuple of float
        From `prompt_span`.
    level : int
        Index into `LEVELS`.
    width, height : int
        Size of the encoded view in pixels, padding included; multiples of 32.
    side : int, optional
        Of the window in view pixels, in place of the level's.
    """
    usual, pool = LEVELS[level]
    side = usual if side is None else side
    step = CELL * pool

    def along(low: float, high: float, size: int) -> tuple[int, int]:
        # Rounded up, so that an odd remainder of the view belongs to the last window too.
        cells = -(-size // step)
        length = min(side // step, cells)
        start = round(((low + high) / 2 - length * step / 2) / step)
        return min(max(start, 0), cells - length) * step, length * step

    x, w = along(span[0], span[2], width)
    y, h = along(span[1], span[3], height)
    return Window(x, y, w, h, pool)
