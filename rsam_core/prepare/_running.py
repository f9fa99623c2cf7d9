"""Running a pipeline over a scene: whole, or tile by tile with context around each tile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rsam_core.errors import Cancelled, PrepareError
from rsam_core.window import Window

from ._writing import SceneWriter
from .image import Raster
from .pipeline import SAMPLE_SIDE, Pipeline

if TYPE_CHECKING:
    from rsam_core.scene import Scene

TILE = 1024
# About 0.3 GB as float32, of which a step may hold a few copies.
MAX_WHOLE_VALUES = 2**26


def run_scene(
    pipeline: Pipeline,
    scene: Scene,
    progress: Callable[[float, str], None] | None,
    cancelled: Callable[[], bool] | None,
) -> Scene:
    """See `Pipeline.run_scene`."""
    values = scene.width * scene.height * len(scene.data_bands)
    report = progress or (lambda fraction, text: None)
    halo = pipeline.halo
    large = max(scene.width, scene.height) > TILE or values > MAX_WHOLE_VALUES
    if halo is not None and large:
        return _tiled(pipeline, scene, halo, report, cancelled)
    if values > MAX_WHOLE_VALUES:
        raise PrepareError(_too_large(pipeline, scene, values))
    report(0.0, "Reading the image")
    raster = Raster.of_scene(scene)
    result = pipeline.run(raster, lambda done, text: report(0.05 + 0.85 * done, text), cancelled)
    report(0.9, "Writing the prepared image")
    return result.to_scene(scene.name)


def _tiled(
    pipeline: Pipeline,
    scene: Scene,
    halo: int,
    report: Callable[[float, str], None],
    cancelled: Callable[[], bool] | None,
) -> Scene:
    """Prepare tile by tile; statistics come from a reduced copy, so that tiles match."""
    report(0.0, "Looking at the whole image")
    fitted, _ = pipeline.fit(Raster.of_scene(scene, max_size=SAMPLE_SIDE))
    columns, rows = math.ceil(scene.width / TILE), math.ceil(scene.height / TILE)
    writer = None
    try:
        for done, tile in enumerate(_tiles(scene)):
            if cancelled is not None and cancelled():
                raise Cancelled("Preparing was stopped; the image is as it was.")
            text = f"Part {done + 1} of {columns * rows}"
            report(0.05 + 0.85 * done / (columns * rows), text)
            part = _padded(tile, halo, scene)
            raster = Raster.of_scene(scene, part)
            result = pipeline.apply(raster, fitted, cancelled=cancelled)
            if (result.width, result.height) != (part.width, part.height):
                raise PrepareError(
                    "A step changed the size of a part. Switch it off and try again."
                )
            result = result.cropped(tile.x - part.x, tile.y - part.y, tile.width, tile.height)
            if writer is None:
                writer = SceneWriter(result, scene.width, scene.height, tile.x, tile.y)
                writer.__enter__()
            writer.write(result, tile.x, tile.y)
        report(0.95, "Writing the prepared image")
        return writer.finish(scene.name)
    finally:
        if writer is not None:
            writer.__exit__()


def _tiles(scene: Scene) -> Iterator[Window]:
    for y in range(0, scene.height, TILE):
        for x in range(0, scene.width, TILE):
            yield Window(x, y, min(TILE, scene.width - x), min(TILE, scene.height - y))


def _padded(tile: Window, halo: int, scene: Scene) -> Window:
    """The tile with its context, as far as the scene reaches."""
    x, y = max(0, tile.x - halo), max(0, tile.y - halo)
    right = min(scene.width, tile.x + tile.width + halo)
    bottom = min(scene.height, tile.y + tile.height + halo)
    return Window(x, y, right - x, bottom - y)


def _too_large(pipeline: Pipeline, scene: Scene, values: int) -> str:
    titles = [f"“{step.title}”" for step in pipeline.steps if step.halo is None]
    one = len(titles) == 1
    side = int(math.sqrt(MAX_WHOLE_VALUES * scene.width * scene.height / values))
    return (
        f"{' and '.join(titles)} need{'s' if one else ''} the whole image in memory at once, and "
        f"{scene.width:,} × {scene.height:,} pixels are too many for that (about {side:,} × "
        f"{side:,} would do). Switch {'it' if one else 'them'} off, or work on a part of the image."
    )
