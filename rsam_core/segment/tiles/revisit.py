"""Objects that tiles cut and no tile holds whole: look again, in a tile laid over the seam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rsam_core.prompts.simulated import centre_click
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.tiles.grid import STEP, Tile
from rsam_core.segment.tiles.state import Plan, TiledState, corners
from rsam_core.segment.tiles.stitching import EDGE, TileMask, covers, is_cut

_REACH = 0.75
"""Objects larger than this share of a tile are not looked for again: it would cut them, too."""


def with_second_look(state: TiledState, settings: EverythingSettings, size: int) -> Plan:
    """The plan of a finished run with further tiles, each over objects that were cut.

    Parameters
    ----------
    state : TiledState
        All regular tiles done.
    settings : EverythingSettings
        Thresholds that a cut object must pass to be worth a second look.
    size : int
        Side of a tile in pixels.

    Returns
    -------
    Plan
        Each further tile holds one point for each object, deep inside of it. There are at most as
        many further tiles as regular ones.
    """
    found, joined = state.pieces(settings)
    plan = state.plan
    windows = [corners(tile.window) for tile in plan.tiles]
    whole = found + [piece for piece in joined if not is_cut(piece)]
    smallest = settings.min_area / plan.factor**2
    lost = [p for p in joined if is_cut(p) and p.area >= smallest and _extent(p) <= _REACH * size]
    lost = [p for p in lost if not any(covers(w, p, windows[p.tile]) for w in whole)]
    lost.sort(key=lambda piece: -piece.score)
    extra: list[Tile] = []
    points: list[np.ndarray] = []
    while lost and len(extra) < plan.regular:
        window = _over(lost[0], windows[lost[0].tile], plan.region, size)
        inside = [p for p in lost if p is lost[0] or _is_central(p, window, plan.region)]
        lost = [p for p in lost if not any(p is q for q in inside)]
        clicks = [np.add(centre_click(p.mask), p.box[:2]) for p in inside]
        extra.append(Tile(window, window))
        points.append(np.array(clicks, float))
    return replace(plan, tiles=plan.tiles + tuple(extra), points=plan.points + tuple(points))


def _extent(piece: TileMask) -> int:
    x0, y0, x1, y1 = piece.box
    return max(x1 - x0, y1 - y0)


def _over(piece: TileMask, edge: tuple[int, int, int, int], region: Window, size: int) -> Window:
    """A tile whose middle is where an edge cuts a piece."""

    def along(low: int, high: int, start: int, end: int, origin: int, length: int) -> tuple:
        at_start, at_end = low <= start + EDGE, high >= end - EDGE
        middle = (low + high) / 2
        if at_start != at_end:
            middle = start if at_start else end
        # As the regular tiles, it begins at a multiple of the step from the region's corner.
        begin = round((middle - size / 2 - origin) / STEP) * STEP
        last = -(-max(length - size, 0) // STEP) * STEP
        begin = min(max(begin, 0), last)
        return origin + begin, min(size, length - begin)

    x0, y0, x1, y1 = piece.box
    x, width = along(x0, x1, edge[0], edge[2], region.x, region.width)
    y, height = along(y0, y1, edge[1], edge[3], region.y, region.height)
    return Window(x, y, width, height)


def _is_central(piece: TileMask, window: Window, region: Window) -> bool:
    """Whether a tile sees a piece with a quarter of its side to spare for what was cut off."""
    x0, y0, x1, y1 = corners(window)
    left, top, right, bottom = corners(region)
    dx, dy = window.width // 4, window.height // 4
    return (
        (piece.box[0] >= x0 + dx or x0 == left)
        and (piece.box[1] >= y0 + dy or y0 == top)
        and (piece.box[2] <= x1 - dx or x1 == right)
        and (piece.box[3] <= y1 - dy or y1 == bottom)
        and piece.box[0] >= x0
        and piece.box[1] >= y0
        and piece.box[2] <= x1
        and piece.box[3] <= y1
    )
