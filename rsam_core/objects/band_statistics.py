"""What the bands of a scene measure under each object: mean and spread, NDVI and NDWI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, SceneError
from rsam_core.objects.instances import Instances
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    import pandas as pd

INDICES = ("ndvi", "ndwi")

_STRIP_VALUES = 24_000_000
"""Values of a strip of the scene that is read at once."""


def band_table(
    instances: Instances,
    scene: Any,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Measure the colours of every object.

    Parameters
    ----------
    instances : Instances
        The objects, N of them.
    scene : Scene
        Its bands are read strip by strip, as stored.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between strips; True ends the work.

    Returns
    -------
    pandas.DataFrame
        One row an object, in order: ``mean_BAND`` and ``std_BAND`` (population standard
        deviation) for each band but transparency, in the units of the file, BAND being its name
        in small letters with underscores; ``mean_ndvi``, ``std_ndvi``, ``mean_ndwi`` and
        ``std_ndwi`` where the bands that they need are known. Pixels without data are left out;
        an object that has none but these gets nan.

    Raises
    ------
    Cancelled
        If it was cancelled.
    SceneError
        If the scene cannot be read.
    """
    import pandas as pd

    names = band_columns(scene.band_names)
    wanted = [i for i, name in enumerate(names) if name != "alpha"]
    indices = [name for name in INDICES if has_index(scene, name)]
    columns = [names[i] for i in wanted] + indices
    sums = _Sums(len(instances), len(columns))
    for window, positions, share in _strips(instances, scene, len(columns)):
        if cancelled is not None and cancelled():
            raise Cancelled("Measuring the colours was stopped.")
        if progress is not None:
            progress(share, "reading the bands")
        values = scene.read_bands(window)[..., wanted].astype(np.float64)
        values[~scene.valid_mask(window)] = np.nan
        layers = [scene.index(name, window)[..., None] for name in indices]
        values = np.concatenate([values, *layers], axis=2)
        values[~np.isfinite(values)] = np.nan
        for position in positions:
            sums.add(position, _pixels(instances[position], values, window))
    if progress is not None:
        progress(1.0, "reading the bands")
    means, spreads = sums.result()
    data = {}
    for column, name in enumerate(columns):
        data[f"mean_{name}"] = means[:, column]
        data[f"std_{name}"] = spreads[:, column]
    return pd.DataFrame(data, index=range(len(instances)))


def band_columns(band_names: tuple[str, ...]) -> list[str]:
    """Return names for columns: small letters and underscores, each one once."""
    names: list[str] = []
    for index, band in enumerate(band_names, start=1):
        letters = "".join(c if c.isalnum() else " " for c in band.lower())
        name = "_".join(letters.split()) or f"band_{index}"
        names.append(name if name not in names and name not in INDICES else f"{name}_{index}")
    return names


def has_index(scene: Any, name: str) -> bool:
    """Return whether a scene's bands give a spectral index."""
    try:
        scene.index(name, Window(0, 0, 1, 1))
    except (AttributeError, SceneError):
        return False
    return True


def _strips(
    instances: Instances, scene: Any, count: int
) -> Iterator[tuple[Window, NDArray[np.int64], float]]:
    """Yield the windows that cover all objects, with the positions of those that meet each."""
    if not len(instances):
        return
    boxes = instances.bboxes
    x0, y0 = (int(v) for v in boxes[:, :2].min(axis=0))
    x1, y1 = (int(v) for v in boxes[:, 2:].max(axis=0))
    height = max(1, _STRIP_VALUES // max((x1 - x0) * count, 1))
    for top in range(y0, y1, height):
        bottom = min(top + height, y1)
        positions = np.flatnonzero((boxes[:, 1] < bottom) & (boxes[:, 3] > top))
        if positions.size:
            yield Window(x0, top, x1 - x0, bottom - top), positions, (top - y0) / (y1 - y0)


def _pixels(item: Any, values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Return the values under an object's part in a strip, shape (pixels, columns)."""
    x0, y0, x1, y1 = item.bbox
    top, bottom = max(y0, window.y), min(y1, window.y + window.height)
    part = values[top - window.y : bottom - window.y, x0 - window.x : x1 - window.x]
    return part[item.mask[top - y0 : bottom - y0]]


class _Sums:
    """Counts, means and squared deviations that are added to in parts.

    Parts are joined as T. F. Chan, G. H. Golub and R. J. LeVeque do, "Algorithms for computing
    the sample variance", The American Statistician 37, 1983: large values with little spread
    keep their digits.
    """

    def __init__(self, objects: int, columns: int) -> None:
        self.count = np.zeros((objects, columns))
        self.mean = np.zeros((objects, columns))
        self.squares = np.zeros((objects, columns))

    def add(self, position: int, values: NDArray[np.float64]) -> None:
        """Add values, shape (pixels, columns); nan counts as missing."""
        if not len(values):
            return
        known = ~np.isnan(values)
        count = known.sum(axis=0)
        some = np.maximum(count, 1)
        if count.min() == len(values):
            mean = values.mean(axis=0)
            squares = ((values - mean) ** 2).sum(axis=0)
        else:
            mean = np.where(known, values, 0.0).sum(axis=0) / some
            squares = np.where(known, (values - mean) ** 2, 0.0).sum(axis=0)
        before = self.count[position]
        total = np.maximum(before + count, 1)
        shift = mean - self.mean[position]
        self.squares[position] += squares + shift**2 * before * count / total
        self.mean[position] += shift * count / total
        self.count[position] += count

    def result(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return means and population standard deviations; nan where nothing was added."""
        count = np.where(self.count > 0, self.count, np.nan)
        return self.mean + 0 * count, np.sqrt(self.squares / count)
