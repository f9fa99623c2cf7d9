"""Every colour that RSAM draws with, in one place.

Random object colours walk the hue circle of OKLCH, a colour space in which equal steps look
equally large, by the golden angle: neighbouring numbers get very different hues, any number of
objects can be coloured, and an object keeps its colour for as long as it keeps its number.

References
----------
.. [1] Björn Ottosson, "A perceptual color space for image processing", 2020.
.. [2] Gustavo M. Machado et al., "A physiologically-based model for simulation of color vision
   deficiency", IEEE TVCG 15, 2009 (by which the confusion colours were chosen).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import RsamError
from rsam_core.runtime.given import given

Rgb = tuple[int, int, int]

SINGLE = "#00C2FF"
"""One colour for all objects: a cyan that hardly occurs in soil, roofs or vegetation."""
LARGE = "#FF1F1F"
"""Large objects, filled or outlined."""
HIGHLIGHT = "#FFE600"
"""Objects that the user has selected."""
CASING = "#101418"
"""The dark line under a highlighted contour, so that it shows on bright ground too."""
UNLABELLED = "#B8BEC6"
"""Objects without a class, and objects that are faded out."""
TRUE_POSITIVE = "#2BD4A0"
FALSE_POSITIVE = "#E8500A"
FALSE_NEGATIVE = "#B5E2FF"
"""Three colours that stay apart, and apart from a dimmed image, in every colour blindness."""

CLASSES: dict[str, str] = {
    "building": "#F0433A",
    "road": "#9AA5B1",
    "vegetation": "#3FBF4F",
    "water": "#2F7BFF",
    "bare soil": "#C98A4B",
    "vehicle": "#E84FD0",
    "field": "#F2C230",
    "other": "#8E6CFF",
}
"""Preset classes and their colours; any other label gets a stable colour of its own."""

_GOLDEN = (5**0.5 - 1) / 2
# Hues from yellow-green to green look like vegetation; they are left out of the circle.
_FIRST_HUE, _HUE_SPAN = 168.0, 298.0
_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")


def to_rgb(color: str) -> Rgb:
    """Return the red, green and blue of a web colour.

    Parameters
    ----------
    color : str
        ``"#RRGGBB"`` or ``"#RGB"``.

    Returns
    -------
    tuple of int
        Three values from 0 to 255.

    Raises
    ------
    RsamError
        If `color` is not written that way.
    """
    match = _HEX.fullmatch(color.strip()) if isinstance(color, str) else None
    if match is None:
        raise RsamError(
            f"{given(color)} is not a colour. Write it as #RRGGBB, for example {LARGE}."
        )
    digits = match.group(1)
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def to_hex(rgb: ArrayLike) -> str:
    """Return ``"#RRGGBB"`` for three values from 0 to 255."""
    red, green, blue = (int(value) for value in np.asarray(rgb))
    return f"#{red:02X}{green:02X}{blue:02X}"


def random_colors(ids: ArrayLike) -> NDArray[np.uint8]:
    """Return a well-distinguishable colour for each object number.

    The same number always gets the same colour.

    Parameters
    ----------
    ids : array_like of int, shape (N,)
        Object numbers.

    Returns
    -------
    ndarray of uint8, shape (N, 3)
        Red, green, blue.
    """
    numbers = np.atleast_1d(np.asarray(ids, dtype=np.int64))
    hue = (_FIRST_HUE + _HUE_SPAN * ((numbers * _GOLDEN) % 1.0)) % 360.0
    # Numbers that are a Fibonacci number apart have nearly the same hue; lightness separates
    # them. Yellow and teal are kept light: dark, they look like soil and like leaves.
    lightness = np.choose(numbers % 3, (0.72, 0.79, 0.64)).astype(float)
    for center, width, light in ((97.0, 32.0, 0.85), (172.0, 30.0, 0.82)):
        pull = np.exp(-(((hue - center) / width) ** 2))
        lightness += pull * (light - lightness)
    return _oklch_to_rgb(lightness, np.full(len(numbers), 0.21), hue)


def random_color(id: int) -> Rgb:
    """Return the colour of one object number; see :func:`random_colors`."""
    red, green, blue = random_colors([id])[0]
    return int(red), int(green), int(blue)


def class_color(label: str | None) -> Rgb:
    """Return the colour of a class: a preset, or one that depends on its name alone.

    Parameters
    ----------
    label : str or None
        Name of the class, upper or lower case; None means no class yet.

    Returns
    -------
    tuple of int
        Red, green, blue.
    """
    if not label:
        return to_rgb(UNLABELLED)
    name = label.strip().lower()
    for candidate in (name, name.removesuffix("s")):
        if candidate in CLASSES:
            return to_rgb(CLASSES[candidate])
    # Python salts its own hash of a string at every start; a checksum stays the same.
    return random_color(zlib.crc32(name.encode()) % 100_003)


def class_colors(labels: Iterable[str | None]) -> NDArray[np.uint8]:
    """Return the colour of each class; see :func:`class_color`.

    Parameters
    ----------
    labels : iterable of (str or None), length N

    Returns
    -------
    ndarray of uint8, shape (N, 3)
    """
    known: dict[str | None, Rgb] = {}
    rows = [known.setdefault(label, class_color(label)) for label in labels]
    return np.array(rows, dtype=np.uint8).reshape(-1, 3)


def _oklch_to_rgb(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Convert OKLCH (hue in degrees) to sRGB, lowering chroma until the colour can be shown."""
    best = np.zeros((len(hue), 3))
    pending = np.ones(len(hue), dtype=bool)
    for factor in np.linspace(1.0, 0.0, 26):
        linear = _oklch_to_linear(lightness, factor * chroma, hue)
        shown = pending & np.all((linear >= -1e-4) & (linear <= 1 + 1e-4), axis=1)
        best[shown] = linear[shown]
        pending &= ~shown
    linear = np.clip(best, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def _oklch_to_linear(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Convert OKLCH to linear-light sRGB, which may lie outside 0 to 1."""
    angle = np.deg2rad(hue)
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
    cones = lab @ np.array(
        [
            [1.0, 1.0, 1.0],
            [0.3963377774, -0.1055613458, -0.0894841775],
            [0.2158037573, -0.0638541728, -1.2914855480],
        ]
    )
    return cones**3 @ np.array(
        [
            [4.0767416621, -1.2684380046, -0.0041960863],
            [-3.3077115913, 2.6097574011, -0.7034186147],
            [0.2309699292, -0.3413193965, 1.7076147010],
        ]
    )
