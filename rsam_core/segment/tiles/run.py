"""Automatic mode over a scene of any size: tile by tile, then without seams.

Each tile is read at native resolution, embedded, prompted and forgotten; the masks stay, packed.
Which of them become objects is decided by `rsam_core.segment.everything.generate`, as for a single
view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError, SceneError
from rsam_core.objects.packed_masks import PackedMasks
from rsam_core.scene.window import Window
from rsam_core.segment.everything import (
    EverythingSettings,
    by_proposals,
    estimate_seconds,
    grid_points,
    settings_for,
)
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.grid import ArraySource, Tile, TileSource, tiles
from rsam_core.segment.tiles.revisit import with_second_look
from rsam_core.segment.tiles.state import Plan, TiledState
from rsam_core.segment.tiles.worker import TileResult, inside, look_at_tile, read_reduced

__all__ = ["ArraySource", "Tile", "TiledState", "estimate_tiled", "initialize_tiled", "tiles"]

TILE = 1024
"""Side of a tile in pixels: what official SAM sees without reduction."""

LIGHT_TILE, LIGHT_OVERLAP = 1536, 384
"""The same for a model that proposes objects itself, and what its tiles share: as much as those
of 1024 pixels do, so that a smaller part of the scene is looked at twice. Tiles of 2048 pixels
would save another tenth, but keep everybody else's clicks waiting while they are embedded."""

Elsewhere = Callable[[Plan, Sequence[int]], Iterable[tuple[int, TileResult]]]
"""Looks at tiles of a plan somewhere else; see `initialize_tiled`."""


def initialize_tiled(
    segmenter: Segmenter,
    source: TileSource | NDArray[np.uint8],
    window: Window | None = None,
    settings: EverythingSettings | None = None,
    *,
    size: int | None = None,
    overlap: int | None = None,
    scale: float = 1.0,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    elsewhere: Elsewhere | None = None,
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
    size : int, optional
        Side of a tile in pixels. By default 1024; where the model proposes objects itself, as
        even tiles of up to 1536.
    overlap : int, optional
        Pixels that neighbouring tiles share at least; by default three eighths of `size` if that
        is given, 384 if not. With less, the model sees too little around points near a border, and
        finds fewer objects.
    scale : float
        1, or 1/2, 1/3, ... to look at the scene reduced, for objects that are large in pixels.
    progress : callable, optional
        Called with a share from 0 to 1 and a text such as "tile 3 of 40, 212 objects".
    cancelled : callable, optional
        Asked between chunks of points; True ends the work and keeps what was found.
    elsewhere : callable, optional
        Looks at tiles in other processes or on other machines. Called with the plan and the
        indices of some of its tiles, it yields each index with what `look_at_tile` gives for it,
        in any order; it ends early if it is stopped. The result is the same as without.

    Returns
    -------
    TiledState
        For `rsam_core.segment.everything.generate`.

    Raises
    ------
    SceneError
        If the window lies outside the scene, or a tile cannot be read.
    PromptError
        If sizes or scale make no sense.
    """
    settings = settings or settings_for(segmenter.model.name)
    source = ArraySource(source) if isinstance(source, np.ndarray) else source
    plan = _plan(segmenter, source, window, settings, size, overlap, scale)
    seam = TILE if size is None else size
    walk = _Walk(segmenter, source, plan, settings, seam, progress, cancelled, elsewhere)
    walk.run()
    return walk.state()


def _plan(
    segmenter: Segmenter,
    source: TileSource,
    window: Window | None,
    settings: EverythingSettings,
    size: int | None,
    overlap: int | None,
    scale: float,
) -> Plan:
    """The plan of a run; see `initialize_tiled`."""
    if size is not None or not by_proposals(segmenter, settings):
        return make_plan(source, window, settings.spacing, size or TILE, overlap, scale)
    overlap = LIGHT_OVERLAP if overlap is None else overlap
    return make_plan(source, window, settings.spacing, LIGHT_TILE, overlap, scale, even=True)


def estimate_tiled(
    segmenter: Segmenter,
    source: TileSource | NDArray[np.uint8],
    window: Window | None = None,
    settings: EverythingSettings | None = None,
    *,
    size: int | None = None,
    overlap: int | None = None,
    scale: float = 1.0,
) -> float:
    """Expected seconds of `initialize_tiled`, from one tile that is embedded for trial.

    Parameters are those of `initialize_tiled`.
    """
    import time

    settings = settings or settings_for(segmenter.model.name)
    source = ArraySource(source) if isinstance(source, np.ndarray) else source
    plan = _plan(segmenter, source, window, settings, size, overlap, scale)
    middle = plan.tiles[len(plan.tiles) // 2]
    began = time.perf_counter()
    embedding = segmenter.embed(read_reduced(source, middle.window, plan.factor))
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
    *,
    even: bool = False,
) -> Plan:
    """Tiles and grid points of a run; see `initialize_tiled` and `tiles`."""
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
    wanted = grid[inside(grid, region)]
    if not len(wanted):
        # A window between the points of the scene's grid gets a grid of its own.
        own = grid_points((region.height, region.width), spacing)
        wanted = own + np.array([region.x, region.y])
    cut = [
        Tile(_moved(tile.window, region), _moved(tile.core, region))
        for tile in tiles(region.width, region.height, size, overlap, even=even)
    ]
    points = tuple(wanted[inside(wanted, tile.core)] for tile in cut)
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
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.segmenter, self.source, self.plan, self.settings = segmenter, source, plan, settings
        self.progress, self.cancelled = progress, cancelled
        self.size, self.elsewhere = size, elsewhere
        self.complete = False
        self.results: dict[int, TileResult] = {}

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
        for index, result in self._looks(indices):
            self.results[index] = result
            if self.elsewhere is not None:
                self._report(index)
        return all(index in self.results and self.results[index].finished for index in indices)

    def _looks(self, indices: range) -> Iterator[tuple[int, TileResult]]:
        """What is found in each tile, as it becomes known; ends early if it was cancelled."""
        if self.elsewhere is not None:
            yield from self.elsewhere(self.plan, indices)
            return
        for index in indices:
            if self.cancelled is not None and self.cancelled():
                return
            self._report(index)

            def report(points: int, index: int = index) -> None:
                self._report(index, points)

            result = look_at_tile(
                self.segmenter,
                self.source,
                self.plan,
                index,
                self.settings,
                report=report,
                cancelled=self.cancelled,
            )
            yield index, result
            if not result.finished:
                return

    @property
    def points(self) -> int:
        """Grid points dealt with; those of a second look are not the grid's."""
        regular = self.plan.regular
        return sum(result.points for i, result in self.results.items() if i < regular)

    def _report(self, index: int, points: int = 0) -> None:
        if self.progress is None:
            return
        count, regular = len(self.plan.tiles), self.plan.regular
        # Elsewhere tiles end in any order: then it is their number that counts.
        number = index + 1 if self.elsewhere is None else len(self.results)
        text = f"tile {number} of {regular}"
        if index >= regular:
            points, text = 0, f"seam {number - regular} of {count - regular}"
        share = (self.points + points) / max(self.plan.total, 1)
        objects = sum(result.objects for result in self.results.values())
        self.progress(share, f"{text}, {objects} objects")

    def state(self) -> TiledState:
        """All that was found."""
        # In the order of the tiles, whichever ended first: ties between scores stay as they are.
        results = sorted(self.results.items())
        masks = PackedMasks.concat([result.masks for _, result in results])
        order = np.argsort(-masks.scores, kind="stable")
        stability = np.concatenate([np.zeros(0, np.float32), *(r.stability for _, r in results)])
        tile_of = np.repeat([i for i, _ in results], [len(r.masks) for _, r in results])
        return TiledState(
            masks.take(order),
            stability[order],
            (self.source.height, self.source.width),
            self.points,
            self.complete,
            tile_of.astype(np.int64)[order],
            self.plan,
            tuple(i for i, result in results if result.finished),
            tuple(i for i, result in results if result.empty),
        )


def _moved(window: Window, by: Window) -> Window:
    """A window moved by the corner of another one."""
    return replace(window, x=window.x + by.x, y=window.y + by.y)
