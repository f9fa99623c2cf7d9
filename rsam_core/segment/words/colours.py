"""Everyday names for the colours of objects, whatever the light of the picture.

References
----------
.. [1] G. D. Finlayson and E. Trezzi, "Shades of Gray and Colour Constancy", Color Imaging
   Conference 2004.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled
from rsam_core.objects.instances import Instances
from rsam_core.scene.window import Window

SAMPLES = 200
"""Pixels of an object that are looked at, evenly taken."""

_STRIP_VALUES = 24_000_000
_LIGHT_SIDE = 600
_NORM = 6.0
"""Exponent of the mean that stands for the colour of the light [1]_."""

_FEW, _SOME = 4.5, 9.0
"""Chroma below which a colour is grey, and above which it is none."""

COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "beige", "white",
    "grey", "black", "dark", "light",
)  # fmt: skip


def object_colours(
    instances: Instances,
    scene: Any,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> NDArray[np.float64]:
    """The colour of each object's own pixels, under neutral light.

    Parameters
    ----------
    instances : Instances
        The objects, N of them.
    scene : Scene
        Its view image is read, strip by strip where it is large.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between strips; True ends the work.

    Returns
    -------
    ndarray of float64, shape (N, 3)
        CIELAB, the median of the brighter half of each object's pixels: the sunny side of a roof
        and the body of a car between its windows.

    Raises
    ------
    Cancelled
        If it was cancelled.
    SceneError
        If the scene cannot be read.
    """
    if not len(instances):
        return np.zeros((0, 3))
    rows, columns, owners = _sampled(instances)
    rgb = np.empty((len(rows), 3), np.uint8)
    height, width = instances.shape
    step = max(1, _STRIP_VALUES // (3 * width))
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(0, height + step, step))
    for number, top in enumerate(range(0, height, step)):
        if cancelled is not None and cancelled():
            raise Cancelled("Looking at the colours was stopped.")
        if progress is not None:
            progress(top / height, "looking at colours")
        some = order[starts[number] : starts[number + 1]]
        if len(some):
            strip = scene.read_rgb(Window(0, top, width, min(step, height - top)))
            rgb[some] = strip[rows[some] - top, columns[some]]
    light = scene_light(scene)
    lab = to_lab(rgb, light)
    return _bright_medians(lab, owners, len(instances))


def scene_light(scene: Any) -> NDArray[np.float64]:
    """Linear red, green and blue of the light of a scene, (3,), with a mean of 1.

    Shades of grey [1]_: the bright parts of a picture are neutral on average.
    """
    image = scene.read_rgb(max_size=_LIGHT_SIDE).reshape(-1, 3)
    linear = _linear(image[image.any(axis=1)])
    if not len(linear):
        return np.ones(3)
    light = np.mean(linear**_NORM, axis=0) ** (1 / _NORM)
    light = light / light.mean()
    # A picture of nothing but fields is green for good reason: the light is never that tinted.
    return np.clip(light, 0.85, 1.15)


def to_lab(rgb: NDArray[np.uint8], light: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB, shape (P, 3), of pixels (P, 3) as they would look under neutral light."""
    from skimage.color import rgb2lab

    linear = np.clip(_linear(rgb) / light, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(encoded[None])[0] if len(rgb) else np.zeros((0, 3))


def colour_names(lab: NDArray[np.float64]) -> list[str]:
    """All names that suit each colour, joined by "|", of colours (N, 3) in CIELAB.

    Names overlap where people differ: brick is red and brown.
    """
    lightness, a, b = lab.T
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    tinted = chroma > _FEW
    # The darker a colour is, the less of its chroma is seen; so is the lighter.
    warm = (hue >= 340) | (hue < 95)
    suits = {
        "red": tinted & (chroma > 12) & ((hue >= 345) | (hue < 52)) & (lightness < 75),
        "orange": (chroma > 30) & (hue >= 45) & (hue < 75) & (lightness > 50),
        "yellow": (chroma > 22) & (hue >= 75) & (hue < 108) & (lightness > 55),
        "green": (chroma > 6) & (hue >= 95) & (hue < 195),
        "blue": (chroma > 5.5) & (hue >= 215) & (hue < 305),
        "purple": (chroma > 10) & (hue >= 300) & (hue < 340),
        "pink": (chroma > 12) & ((hue >= 330) | (hue < 35)) & (lightness > 65),
        "brown": (chroma > 7) & (chroma < 32) & (hue >= 35) & (hue < 92) & (lightness < 68),
        "beige": (chroma > 6) & (chroma < 28) & (hue >= 45) & (hue < 105) & (lightness >= 65),
        "white": (chroma < np.where(warm, 8, 7)) & (lightness > 82),
        "grey": (chroma < _SOME) & (lightness > 38) & (lightness < 86),
        "black": (chroma < _SOME) & (lightness < 40),
        "dark": lightness < 42,
        "light": lightness > 75,
    }
    flags = np.stack([suits[name] for name in COLOURS], axis=1)
    # Each combination of names is written once.
    codes, inverse = np.unique(flags, axis=0, return_inverse=True)
    words = ["|".join(name for name, yes in zip(COLOURS, row) if yes) for row in codes]
    return [words[k] for k in inverse.ravel()]


def _linear(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = np.arange(256) / 255
    table = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return table[rgb]


def _sampled(
    instances: Instances,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns in the scene of pixels of every object, and whose they are."""
    rows, columns, owners = [], [], []
    for index, item in enumerate(instances):
        places = np.flatnonzero(item.mask)
        if len(places) > SAMPLES:
            places = places[np.linspace(0, len(places) - 1, SAMPLES).astype(int)]
        y, x = np.divmod(places, item.mask.shape[1])
        rows.append(y + item.y)
        columns.append(x + item.x)
        owners.append(np.full(len(places), index))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(owners)


def _bright_medians(
    lab: NDArray[np.float64], owners: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Median of the brighter half of the pixels of each owner, (count, 3)."""
    order = np.lexsort((lab[:, 0], owners))
    ends = np.searchsorted(owners[order], np.arange(count + 1))
    sizes = np.diff(ends)
    # The brighter half of each group, whatever its size.
    place = np.arange(len(order)) - np.repeat(ends[:-1], sizes)
    bright = order[place >= np.repeat(sizes // 2, sizes)]
    result = np.empty((count, 3))
    for channel in range(3):
        ranked = bright[np.lexsort((lab[bright, channel], owners[bright]))]
        starts = np.searchsorted(owners[ranked], np.arange(count + 1))
        low = starts[:-1] + (np.diff(starts) - 1) // 2
        high = starts[:-1] + np.diff(starts) // 2
        result[:, channel] = (lab[ranked[low], channel] + lab[ranked[high], channel]) / 2
    return result
