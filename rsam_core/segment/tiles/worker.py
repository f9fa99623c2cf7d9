"""The work on one tile of a large scene: read, embed, prompt, keep the masks packed.

It needs nothing but the scene, the model and the plan, so that it can be done anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, shared_pixels
from rsam_core.objects.packed_masks import PackedMasks
from rsam_core.objects.suppression import near_pairs
from rsam_core.scene.window import Window
from rsam_core.segment.dense_proposals import look_at_proposals
from rsam_core.segment.everything import (
    EverythingSettings,
    EverythingState,
    MaskCollector,
    by_proposals,
    propose,
)
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.grid import Tile, TileSource
from rsam_core.segment.tiles.state import Plan

_REPEATED = 0.9
"""Within a tile, a mask this like (IoU) a better and stabler one is not kept at all."""


_VIEW = 1024
"""Side of a usual view in pixels."""


@dataclass(frozen=True, eq=False)
class TileResult:
    """What was found in a tile.

    Attributes
    ----------
    masks : PackedMasks
        In reduced scene pixels, best first.
    stability : ndarray of float32
        One value a mask.
    points : int
        Grid points dealt with; where proposals are looked at, as many as lie in their part.
    objects : int
        Masks that pass the thresholds and have their centre in the tile's core, for progress.
    empty : bool
        Whether it holds no data, or no grid point.
    finished : bool
        False if it was cancelled before the last point.
    """

    masks: PackedMasks
    stability: NDArray[np.float32]
    points: int
    objects: int = 0
    empty: bool = False
    finished: bool = True


def look_at_tile(
    segmenter: Segmenter,
    source: TileSource,
    plan: Plan,
    index: int,
    settings: EverythingSettings,
    *,
    report: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TileResult:
    """Look at the proposals or grid points of a tile; nothing but the masks outlives this.

    Parameters
    ----------
    segmenter : Segmenter
    source : TileSource
    plan : Plan
    index : int
        Of the tile in the plan.
    settings : EverythingSettings
    report : callable, optional
        Told now and then how many points are dealt with.
    cancelled : callable, optional
        Asked between chunks of points.

    Returns
    -------
    TileResult

    Raises
    ------
    SceneError
        If the tile cannot be read.
    """
    tile, points = plan.tiles[index], plan.points[index]
    part = scene_window(source, tile.window, plan.factor)
    local = points - (tile.window.x, tile.window.y)
    valid = source.valid_mask(part)
    scaled = (local * plan.factor).astype(int)
    rows = np.minimum(scaled[:, 1], part.height - 1)
    wanted = local[valid[rows, np.minimum(scaled[:, 0], part.width - 1)]]
    without = len(points) - len(wanted)
    if len(wanted):
        image = read_reduced(source, tile.window, plan.factor)
    if not len(wanted) or not image.any():
        return TileResult(PackedMasks.concat([]), np.zeros(0, np.float32), len(points), empty=True)
    harvest = MaskCollector(segmenter, segmenter.embed(image), settings)
    # A further tile, laid over a seam, is asked about the objects that were cut there.
    if index < plan.regular and by_proposals(segmenter, settings):
        told, share = report, 0.5 if settings.look_between else 1.0

        def in_points(part: float) -> None:
            if told is not None:
                told(without + round(share * part * len(wanted)))

        proposals = propose(segmenter, harvest.embedding, _as_many(settings, tile.window))
        mine = _answered(proposals.centres, tile, valid, plan.factor)
        _, finished = look_at_proposals(harvest, proposals.take(mine), in_points, cancelled)
        if not finished or not settings.look_between:
            done = len(wanted) if finished else 0
            return _packed(harvest, tile.window, tile.core, without + done, finished)
        wanted_now = wanted[harvest.is_open(wanted)]
        without, wanted = without + len(wanted) - len(wanted_now), wanted_now
    done = harvest.work(
        wanted, None if report is None else lambda n: report(without + n), cancelled
    )
    return _packed(harvest, tile.window, tile.core, without + done, done == len(wanted))


def _as_many(settings: EverythingSettings, window: Window) -> EverythingSettings:
    """Settings with as many proposals for the area of a tile as for that of a usual view."""
    times = max(window.width * window.height / _VIEW**2, 1.0)
    return replace(settings, max_proposals=round(settings.max_proposals * times))


def _answered(
    centres: NDArray[np.float32], tile: Tile, valid: NDArray[np.bool_], factor: int
) -> NDArray[np.bool_]:
    """Which proposals, by their centres in the tile, it answers for, and has data at."""
    core = replace(tile.core, x=tile.core.x - tile.window.x, y=tile.core.y - tile.window.y)
    rows = np.minimum((centres[:, 1] * factor).astype(int), valid.shape[0] - 1)
    columns = np.minimum((centres[:, 0] * factor).astype(int), valid.shape[1] - 1)
    return inside(centres.astype(float), core) & valid[rows, columns]


def _packed(
    harvest: MaskCollector, window: Window, core: Window, points: int, finished: bool
) -> TileResult:
    """A tile's masks in scene pixels, best first."""
    order = np.argsort([-mask.score for mask in harvest.masks], kind="stable")
    masks = [harvest.masks[i] for i in order]
    stability = np.array(harvest.stability, np.float32)[order]
    stay = _distinct(PackedMasks.pack(masks), stability, lambda i: masks[i].mask)
    masks, stability = [masks[i] for i in stay], stability[stay]
    moved = [replace(m, x=m.x + window.x, y=m.y + window.y) for m in masks]
    shape = (window.height, window.width)
    chosen = EverythingState(moved, stability, shape, 0, True).choose(harvest.settings)
    centres = [((m.bbox[0] + m.bbox[2]) / 2, (m.bbox[1] + m.bbox[3]) / 2) for m in chosen]
    objects = int(inside(np.array(centres).reshape(-1, 2), core).sum())
    return TileResult(PackedMasks.pack(moved), stability, points, objects, False, finished)


def _distinct(
    masks: PackedMasks, stability: NDArray[np.float32], opened: Callable[[int], NDArray[np.bool_]]
) -> NDArray[np.int64]:
    """Positions of the masks (best first) that no better and stabler one all but repeats.

    Whatever threshold lets such a repetition pass lets the other one pass, too.
    """
    alive = np.ones(len(masks), bool)
    first, second = near_pairs(masks.boxes, masks.areas, _REPEATED)
    for i, j in zip(first.tolist(), second.tolist()):
        if alive[i] and alive[j] and stability[i] >= stability[j]:
            one, two = (Crop(opened(k), *masks.boxes[k, :2].tolist()) for k in (i, j))
            shared = shared_pixels(one, two)
            if shared > _REPEATED * (masks.areas[i] + masks.areas[j] - shared):
                alive[j] = False
    return np.flatnonzero(alive)


def inside(points: NDArray[np.float64], window: Window) -> NDArray[np.bool_]:
    """Which points (N, 2) lie in a window; its right and lower border belong to the next one."""
    low = np.array([window.x, window.y])
    high = low + np.array([window.width, window.height])
    return ((points >= low) & (points < high)).all(axis=1)


def scene_window(source: TileSource, window: Window, factor: int) -> Window:
    """Scene pixels of a window in reduced ones."""
    x, y = window.x * factor, window.y * factor
    return Window(
        x,
        y,
        min(window.width * factor, source.width - x),
        min(window.height * factor, source.height - y),
    )


def read_reduced(source: TileSource, window: Window, factor: int) -> NDArray[np.uint8]:
    """Read a window of the reduced scene."""
    part = scene_window(source, window, factor)
    if factor == 1:
        return source.read_rgb(part)
    image = source.read_rgb(part, max(window.width, window.height))
    if image.shape[:2] == (window.height, window.width):
        return image
    import cv2

    # The last column or row of a scene may hold less than a whole reduced pixel.
    return cv2.resize(image, (window.width, window.height), interpolation=cv2.INTER_LINEAR)
