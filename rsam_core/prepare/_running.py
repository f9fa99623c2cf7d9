"""Running a pipeline over a scene: whole, or tile by tile with context around each tile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rsam_core.errors import Cancelled, PrepareError
from rsam_core.prepare._reading import read_raster
from rsam_core.prepare._writing import SceneWriter, write_scene
from rsam_core.prepare.stage import SAMPLE_SIDE, Stage, naming
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rsam_core.prepare.pipeline import Pipeline
    from rsam_core.scene.scene import Scene

TILE = 1024
# 13 megapixels in three bands. A step may hold several copies: about 1.2 GB with local contrast.
MAX_WHOLE_VALUES = 40_000_000


def run_scene(
    pipeline: Pipeline,
    scene: Scene,
    progress: Callable[[float, str], None] | None,
    cancelled: Callable[[], bool] | None,
) -> Scene:
    """See `Pipeline.run_scene`."""
    report = progress or (lambda fraction, text: None)
    region, rest = _cut(pipeline, scene)
    values = region.width * region.height * len(scene.data_bands)
    large = max(region.width, region.height) > TILE or values > MAX_WHOLE_VALUES
    if rest.halo is not None and large:
        return _tiled(rest, scene, region, report, cancelled)
    if values > MAX_WHOLE_VALUES:
        raise PrepareError(_too_large(rest, region, values))
    report(0.0, "Reading the image")
    raster = read_raster(scene, region)
    result = rest.run(raster, lambda done, text: report(0.05 + 0.85 * done, text), cancelled)
    report(0.9, "Writing the prepared image")
    return write_scene(result, scene.name)


def _cut(pipeline: Pipeline, scene: Scene) -> tuple[Window, Pipeline]:
    """What the first steps leave of the scene if they only cut, and the steps after them."""
    region, steps = Window(0, 0, scene.width, scene.height), list(pipeline.steps)
    while steps:
        with naming(steps[0]):
            box = steps[0].window(region.width, region.height)
        if box is None:
            break
        x, y, width, height = box
        region = Window(region.x + x, region.y + y, width, height)
        steps.pop(0)
    return region, replace(pipeline, stages=tuple(Stage(step) for step in steps))


def _tiled(
    pipeline: Pipeline,
    scene: Scene,
    region: Window,
    report: Callable[[float, str], None],
    cancelled: Callable[[], bool] | None,
) -> Scene:
    """Prepare tile by tile; statistics come from a reduced copy, so that tiles match."""
    report(0.0, "Looking at the whole image")
    fitted, _ = pipeline.fit(read_raster(scene, region, SAMPLE_SIDE))
    tiles = list(_tiles(region))
    writer = None
    try:
        for done, tile in enumerate(tiles):
            if cancelled is not None and cancelled():
                raise Cancelled("Preparing was stopped; the image is as it was.")
            report(0.05 + 0.85 * done / len(tiles), f"Part {done + 1} of {len(tiles)}")
            part = _padded(tile, pipeline.halo, region)
            raster = read_raster(scene, part)
            result = pipeline.apply(raster, fitted, cancelled=cancelled)
            if (result.width, result.height) != (part.width, part.height):
                raise PrepareError(
                    "A step changed the size of a part. Switch it off and try again."
                )
            result = result.cropped(tile.x - part.x, tile.y - part.y, tile.width, tile.height)
            x, y = tile.x - region.x, tile.y - region.y
            if writer is None:
                writer = SceneWriter(result, region.width, region.height, x, y)
                writer.__enter__()
            writer.write(result, x, y)
        report(0.95, "Writing the prepared image")
        return writer.finish(scene.name)
    finally:
        if writer is not None:
            writer.__exit__()


def _tiles(region: Window) -> Iterator[Window]:
    right, bottom = region.x + region.width, region.y + region.height
    for y in range(region.y, bottom, TILE):
        for x in range(region.x, right, TILE):
            yield Window(x, y, min(TILE, right - x), min(TILE, bottom - y))


def _padded(tile: Window, halo: int, region: Window) -> Window:
    """The tile with its context, as far as the region reaches."""
    x, y = max(region.x, tile.x - halo), max(region.y, tile.y - halo)
    right = min(region.x + region.width, tile.x + tile.width + halo)
    bottom = min(region.y + region.height, tile.y + tile.height + halo)
    return Window(x, y, right - x, bottom - y)


def _too_large(pipeline: Pipeline, region: Window, values: int) -> str:
    titles = [f"“{step.title}”" for step in pipeline.steps if step.halo is None]
    one = len(titles) == 1
    side = int(math.sqrt(MAX_WHOLE_VALUES * region.width * region.height / values))
    return (
        f"{' and '.join(titles)} need{'s' if one else ''} the whole image in memory at once, and "
        f"{region.width:,} × {region.height:,} pixels are too many for that (about {side:,} × "
        f"{side:,} would do). Switch {'it' if one else 'them'} off, or put “Crop” before."
    )
