"""Slope of the ground from a raster of heights, as squares on a site."""

from __future__ import annotations

from typing import Any

import numpy as np

from rsam_core.change.apply.features import Features
from rsam_core.change.apply.grids import onto
from rsam_core.change.apply.site import Site
from rsam_core.errors import ApplyError
from rsam_core.scene.ground_scale import ground_of

_MOST = 150
"""Squares along a side at most; larger rasters are averaged."""
_HIGHEST = 9_000.0


def slope_layer(heights: Any, scene: Any, site: Site, name: str = "slope") -> Features:
    """Slope of each square of a raster of heights, in percent.

    Parameters
    ----------
    heights : Scene
        One band of metres above anything; georeferenced like `scene`, or of its size.
    scene : Scene
        Whose site it is.
    site : Site
    name : str

    Returns
    -------
    Features
        Squares with a column ``slope_percent``.

    Raises
    ------
    ApplyError
        It holds no heights, or none at the picture.
    """
    import shapely

    values = heights.read_bands()[..., 0].astype(float)
    values[~heights.valid_mask()] = np.nan
    known = values[np.isfinite(values)]
    if heights.count > 2 or not known.size or np.abs(known).max() > _HIGHEST:
        raise ApplyError(
            f"“{heights.name}” does not look like heights in metres. Give a raster of one band, "
            "such as a digital elevation model."
        )
    factor = int(np.ceil(max(values.shape) / _MOST))
    rows, columns = (side // factor for side in values.shape)
    if rows < 2 or columns < 2:
        raise ApplyError(f"“{heights.name}” has too few pixels to tell a slope.")
    cut = values[: rows * factor, : columns * factor]
    mean = cut.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    ground = ground_of(heights) or ground_of(scene)
    if ground is None:
        raise ApplyError("The size of a pixel of the raster of heights is not known.")
    metric = ground.metrics([values.shape[1] / 2], [values.shape[0] / 2])[0]
    wide, high = factor * np.sqrt(metric[0, 0]), factor * np.sqrt(metric[1, 1])
    down, across = np.gradient(mean, high, wide)
    slope = 100 * np.hypot(down, across)
    x, y = np.meshgrid(np.arange(columns) * factor, np.arange(rows) * factor)
    seen = np.isfinite(slope)
    squares = shapely.box(x[seen], y[seen], x[seen] + factor, y[seen] + factor)
    shapes = site.plane(onto(squares, heights, scene))
    layer = Features.of_shapes(name, shapes, [{"slope_percent": v} for v in slope[seen].tolist()])
    layer = layer.clipped(site.extent, note=False)
    if not len(layer):
        raise ApplyError(
            f"“{heights.name}” holds no heights where the picture lies. Choose the raster of this "
            "place."
        )
    return layer
