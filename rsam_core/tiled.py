"""Automatic mode over a scene of any size: tile by tile, then without seams.

Each tile is read at native resolution, embedded, prompted and forgotten; the masks stay, packed.
Which of them become objects is decided by `rsam_core.everything.generate`, as for a single view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError, SceneError
from rsam_core.everything import (
    EverythingSettings,
    EverythingState,
    Harvest,
    estimate_seconds,
    grid_points,
    settings_for,
)
from rsam_core.packed import PackedMasks
from rsam_core.second_look import with_second_look
from rsam_core.segmenter import Segmenter
from rsam_core.suppression import near_pairs, shared_area
from rsam_core.tile_sources import ArraySource, Tile, TileSource, tiles
from rsam_core.tiled_state import Plan, TiledState
from rsam_core.window import Window

__all__ = ["ArraySource", "Tile", "TiledState", "estimate_tiled", "initialize_tiled", "tiles"]

TILE = 1024
"""Side of a tile in pixels: what official SAM sees without reduction."""

_REPEATED = 0.9
"""Within a tile, a mask this like (IoU) a better and stabler one is not kept at all."""


def initialize_tiled(
    segmenter: Segmenter,
    source: TileSource | NDArray[np.uint8],
    window: Window | None = None,
    settings: EverythingSettings | None = None,
    *,
    size: int = TILE,
    overlap: int | None = None,
    scale: float = 1.0,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TiledState:
    """Prompt a grid over a whole scene, tile by tile, and keep all masks that may be wanted.

    Only one tile's picture and embedding are held at a time. The grid is that of the whole scene,
    whatever the tiles, and each point is prompted in one tile only: the one whose core it lies in.
    Objects that tiles cut are joined by `generate`; where that cannot be done, because no two
    pieces fit, a further tile is laid over the seam and the object is prompted again.

    Parameters
    ----------
    segmenter : Segmenter
    source : Scene, other TileSource, or ndarray of uint8, shape (H, W, 3)
        What to look at.
    window : Window, optional
        Part of the scene to look at, in scene pixels, such as the present view; its border cuts
        objects as an image's border does. The whole scene by default.
    settings : EverythingSettings, optional
        ``spacing`` (in pixels of the reduced scene) and ``skip_covered`` matter here; the
        thresholds only say which cut objects are worth a second look, and how many objects the
        progress text counts.
    size : int
        Side of a tile in pixels.
    overlap : int, optional
        Pixels that neighbouring tiles share at least; three eighths of `size` by default. With
        less, the model sees too little around points near a border, and finds fewer objects.
    scale : float
        1, or 1/2, 1/3, ... to look at the scene reduced, for objects that are large in pixels.
    progress : callable, optional
        Called with a share from 0 to 1 and a text such as "tile 3 of 40, 212 objects".
    cancelled : callable, optional
        Asked between chunks of points; True ends the work and keeps what was found.

    Returns
    -------
    TiledState
        For `rsam_core.everything.generate`.

    Raises
    ------
    SceneError
        If the window lies outside the scene, or a tile cannot be read.
    PromptError
        If sizes or scale make no sense.
    """
    settings = settings or settings_for(segmenter.model.name)
    source = ArraySource(source) if isinstance(source, np.ndarray) else source
    plan = make_plan(source, window, settings.spacing, size, overlap, scale)
    walk = _Walk(segmenter, source, plan, settings, size, progress, cancelled)
    walk.run()
    return walk.state()


def estimate_tiled(
    segmenter: Segmenter,
    source: TileSource | NDArray[np.uint8],
    window: Window | None = None,
    settings: EverythingSettings | None = None,
    *,
    size: int = TILE,
    overlap: int | None = None,
    scale: float = 1.0,
) -> float:
    """Expected seconds of `initialize_tiled`, from one tile that is embedded for trial.

    Parameters are those of `initialize_tiled`.
    """
    import time

    settings = settings or settings_for(segmenter.model.name)
    source = ArraySource(source) if isinstance(source, np.ndarray) else source
    plan = make_plan(source, window, settings.spacing, size, overlap, scale)
    middle = plan.tiles[len(plan.tiles) // 2]
    began = time.perf_counter()
    embedding = segmenter.embed(_read(source, middle.window, plan.factor))
    once = time.perf_counter() - began
    points = len(grid_points(embedding.shape, settings.spacing))
    for_a_point = estimate_seconds(segmenter, embedding, settings) / points
    return once * len(plan.tiles) + for_a_point * plan.total


def make_plan(
    source: TileSource,
    window: Window | None,
    spacing: float,
    size: int = TILE,
    overlap: int | None = None,
    scale: float = 1.0,
) -> Plan:
    """Tiles and grid points of a run; see `initialize_tiled`."""
    factor = round(1 / scale) if 0 < scale <= 1 else 0
    if not factor or abs(factor * scale - 1) > 1e-6:
        raise PromptError(f"A scale of {scale!r} is not possible. Choose 1, 1/2, 1/3, 1/4, ...")
    width, height = -(-source.width // factor), -(-source.height // factor)
    region = Window(0, 0, width, height)
    if window is not None:
        right, bottom = window.x + window.width, window.y + window.height
        if window.x < 0 or window.y < 0 or right > source.width or bottom > source.height:
            raise SceneError(
                f"The window from ({window.x}, {window.y}) to ({right}, {bottom}) reaches beyond "
                f"the image of {source.width} × {source.height} pixels. Choose one inside."
            )
        x, y = window.x // factor, window.y // factor
        region = Window(x, y, -(-right // factor) - x, -(-bottom // factor) - y)
    grid = grid_points((height, width), spacing)
    inside = grid[_inside(grid, region)]
    if not len(inside):
        # A window between the points of the scene's grid gets a grid of its own.
        own = grid_points((region.height, region.width), spacing)
        inside = own + np.array([region.x, region.y])
    cut = [
        Tile(_moved(tile.window, region), _moved(tile.core, region))
        for tile in tiles(region.width, region.height, size, overlap)
    ]
    points = tuple(inside[_inside(inside, tile.core)] for tile in cut)
    return Plan(tuple(cut), points, region, factor, len(cut))


class _Walk:
    """One run over the tiles: where it is, and what it has found."""

    def __init__(
        self,
        segmenter: Segmenter,
        source: TileSource,
        plan: Plan,
        settings: EverythingSettings,
        size: int,
        progress: Callable[[float, str], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.segmenter, self.source, self.plan, self.settings = segmenter, source, plan, settings
        self.progress, self.cancelled = progress, cancelled
        self.size = size
        self.complete = False
        self.points = self.objects = 0
        self.done: list[int] = []
        self.empty: list[int] = []
        self.masks: list[PackedMasks] = []
        self.stability: list[NDArray[np.float32]] = []
        self.tile_of: list[int] = []

    def run(self) -> None:
        """Look at one tile after the other, then again where something was cut."""
        regular = self.plan.regular
        if not self._look_at(range(regular)):
            return
        self.plan = with_second_look(self.state(), self.settings, self.size)
        if self._look_at(range(regular, len(self.plan.tiles))):
            self.complete = True
            self._report(regular - 1)

    def _look_at(self, indices: range) -> bool:
        """Look at tiles; False if it was cancelled."""
        for index in indices:
            if self.cancelled is not None and self.cancelled():
                return False
            self._report(index)
            if not self._look(index):
                return False
            self.done.append(index)
        return True

    def _look(self, index: int) -> bool:
        """Look at a tile; False if it was cancelled. Nothing but the masks outlives this."""
        tile, points = self.plan.tiles[index], self.plan.points[index]
        part = _scene_window(self.source, tile.window, self.plan.factor)
        local = points - (tile.window.x, tile.window.y)
        valid = self.source.valid_mask(part)
        scaled = (local * self.plan.factor).astype(int)
        rows = np.minimum(scaled[:, 1], part.height - 1)
        wanted = local[valid[rows, np.minimum(scaled[:, 0], part.width - 1)]]
        without = len(points) - len(wanted)
        if len(wanted):
            image = _read(self.source, tile.window, self.plan.factor)
        if not len(wanted) or not image.any():
            self.empty.append(index)
            self._count(index, self.points + len(points))
            return True
        before = self.points + without
        harvest = Harvest(self.segmenter, self.segmenter.embed(image), self.settings)

        def report(dealt_with: int) -> None:
            self._count(index, before + dealt_with)
            self._report(index)

        dealt_with = harvest.work(wanted, report, self.cancelled)
        self._keep(harvest, index)
        return dealt_with == len(wanted)

    def _count(self, index: int, points: int) -> None:
        # The points of a second look are not the grid's.
        if index < self.plan.regular:
            self.points = points

    def _keep(self, harvest: Harvest, index: int) -> None:
        """Pack a tile's masks, in scene pixels, best first."""
        order = np.argsort([-mask.score for mask in harvest.masks], kind="stable")
        masks = [harvest.masks[i] for i in order]
        stability = np.array(harvest.stability, np.float32)[order]
        stay = _distinct(PackedMasks.pack(masks), stability, lambda i: masks[i].mask)
        masks, stability = [masks[i] for i in stay], stability[stay]
        window, core = self.plan.tiles[index].window, self.plan.tiles[index].core
        moved = [replace(m, x=m.x + window.x, y=m.y + window.y) for m in masks]
        self.masks.append(PackedMasks.pack(moved))
        self.stability.append(stability)
        self.tile_of += [index] * len(masks)
        shape = (window.height, window.width)
        chosen = EverythingState(moved, stability, shape, 0, True).choose(self.settings)
        centres = [((m.bbox[0] + m.bbox[2]) / 2, (m.bbox[1] + m.bbox[3]) / 2) for m in chosen]
        self.objects += int(_inside(np.array(centres).reshape(-1, 2), core).sum())

    def _report(self, index: int) -> None:
        if self.progress is not None:
            count, regular = len(self.plan.tiles), self.plan.regular
            text = f"tile {index + 1} of {regular}"
            if index >= regular:
                text = f"seam {index + 1 - regular} of {count - regular}"
            share = self.points / max(self.plan.total, 1)
            self.progress(share, f"{text}, {self.objects} objects")

    def state(self) -> TiledState:
        """All that was found."""
        masks = PackedMasks.concat(self.masks)
        order = np.argsort(-masks.scores, kind="stable")
        stability = np.concatenate([np.zeros(0, np.float32), *self.stability])
        return TiledState(
            masks.take(order),
            stability[order],
            (self.source.height, self.source.width),
            self.points,
            self.complete,
            np.array(self.tile_of, np.int64)[order],
            self.plan,
            tuple(self.done),
            tuple(self.empty),
        )


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
            shared = shared_area(
                opened(i), masks.boxes[i].tolist(), opened(j), masks.boxes[j].tolist()
            )
            if shared > _REPEATED * (masks.areas[i] + masks.areas[j] - shared):
                alive[j] = False
    return np.flatnonzero(alive)


def _inside(points: NDArray[np.float64], window: Window) -> NDArray[np.bool_]:
    """Which points (N, 2) lie in a window; its right and lower border belong to the next one."""
    low = np.array([window.x, window.y])
    high = low + np.array([window.width, window.height])
    return ((points >= low) & (points < high)).all(axis=1)


def _moved(window: Window, by: Window) -> Window:
    """A window moved by the corner of another one."""
    return replace(window, x=window.x + by.x, y=window.y + by.y)


def _scene_window(source: TileSource, window: Window, factor: int) -> Window:
    """Scene pixels of a window in reduced ones."""
    x, y = window.x * factor, window.y * factor
    return Window(
        x,
        y,
        min(window.width * factor, source.width - x),
        min(window.height * factor, source.height - y),
    )


def _read(source: TileSource, window: Window, factor: int) -> NDArray[np.uint8]:
    """Read a window of the reduced scene."""
    part = _scene_window(source, window, factor)
    if factor == 1:
        return source.read_rgb(part)
    image = source.read_rgb(part, max(window.width, window.height))
    if image.shape[:2] == (window.height, window.width):
        return image
    import cv2

    # The last column or row of a scene may hold less than a whole reduced pixel.
    return cv2.resize(image, (window.width, window.height), interpolation=cv2.INTER_LINEAR)
