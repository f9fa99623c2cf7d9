"""What keeps an opened image from being outlined well: a line each, with what mends it.

`rsam_core.prepare.advice` looks at noise, stripes and tones for the Prepare page; here is what
decides whether clicking works at all: size of a pixel, sharpness, haze, depth and bands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError, SceneError
from rsam_core.prepare._reading import read_raster
from rsam_core.prepare.advice import HAZE_SHARE, haze_share
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.sharpness import detail_ratio
from rsam_core.prepare.step import Step
from rsam_core.prepare.steps.colours import RemoveHaze
from rsam_core.prepare.steps.resolution import SuperResolution, UnsharpMask
from rsam_core.prepare.steps.tones import Equalize
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.scene import Scene
from rsam_core.scene.window import Window

ROOF = 10.0
"""Metres along a usual roof."""
FEW, HARDLY = 10.0, 4.0
"""Pixels along a roof under which it is hard to outline, and under which it cannot be."""
BLURRED = 0.38
"""`detail_ratio` of a picture blurred over about three pixels; real images lie above 0.45."""
DARK, BRIGHT = 0.12, 0.88
"""Median of a picture, as a share of white, beyond which its tones are unevenly spread."""
MAX_BLUE, MAX_RED = 1.2, 1.5
"""How much brighter than red and green blue may be on the ground, and red than green."""

_OVERVIEW, _DETAIL = 512, 512


@dataclass(frozen=True)
class SceneAdvice:
    """One line about an image.

    Attributes
    ----------
    kind : str
        ``"pixels"``, ``"bands"``, ``"tones"``, ``"haze"`` or ``"blur"``.
    text : str
        What is the matter, for a person.
    button : str
        What is written on the button that mends it; empty if only another image would.
    step : Step or None
        A step of preparation that mends it.
    view : ViewSettings or None
        Other bands that mend it.
    """

    kind: str
    text: str
    button: str = ""
    step: Step | None = None
    view: ViewSettings | None = None


def scene_advice(scene: Scene, *, prepared: bool = False) -> tuple[SceneAdvice, ...]:
    """What an image needs before anything is outlined in it.

    Parameters
    ----------
    scene : Scene
    prepared : bool
        Whether it was prepared already: then nothing is said but of its pixels.

    Returns
    -------
    tuple of SceneAdvice
        The most important first; empty for most images.
    """
    found = [*_pixels(scene)]
    if prepared:
        return tuple(found)
    try:
        picture = scene.overview(_OVERVIEW)
        valid = picture.any(axis=-1)
        if valid.mean() < 0.05:
            return tuple(found)
        raster = read_raster(scene, max_size=_OVERVIEW)
        found += [*_bands(scene, raster), *_tones(scene, picture[valid])]
        found += [*_haze(scene, raster), *_blur(scene)]
    except (SceneError, PrepareError):
        # Whatever cannot be read is told where it is needed.
        return tuple(found)
    return tuple(found)


def _pixels(scene: Scene) -> list[SceneAdvice]:
    """Whether a roof has enough pixels for the model."""
    if not scene.gsd:
        return []
    across = ROOF / scene.gsd
    if across >= FEW:
        return []
    size = f"{across:.0f} pixels" if across >= 1.5 else "a single pixel or less"
    text = f"A pixel is {scene.gsd:.2g} m, so a roof is {size} long here"
    if across < HARDLY:
        return [
            SceneAdvice(
                "pixels",
                f"{text}: too little for houses. Fields, lakes and woods can be outlined; for "
                "houses open a finer image (1 m or less).",
            )
        ]
    return [
        SceneAdvice(
            "pixels", f"{text}: open a finer image, or enlarge twice.", "Enlarge twice",
            SuperResolution(),
        )
    ]  # fmt: skip


def _bands(scene: Scene, raster: Raster) -> list[SceneAdvice]:
    """Whether bands whose colours nobody named are shown in the wrong order."""
    bands, roles = scene.view_bands, scene.roles
    named = roles.red is not None and "red" not in roles.presumed
    if named or scene.has_palette or len(bands) != 3 or not raster.valid.any():
        return []
    values = raster.values[raster.valid][:, list(raster.view_bands)].astype(np.float64)
    # Without the light of the air, which is blue whatever lies on the ground.
    light = values.mean(axis=0) - np.percentile(values, 1, axis=0)
    red, green, blue = np.maximum(light, 1e-6 * raster.span)
    if blue > MAX_BLUE * max(red, green):
        return [
            SceneAdvice(
                "bands",
                "The file does not name its bands, and as shown the ground is blue: red and blue "
                "seem to be swapped.",
                "Swap red and blue",
                view=ViewSettings(bands[::-1]),
            )
        ]
    if red > MAX_RED * green and len(scene.data_bands) > 3:
        others = _without(scene, bands[0])
        return [
            SceneAdvice(
                "bands",
                "The file does not name its bands, and as shown plants are red: a band of "
                "infrared light seems to be taken for red.",
                "Show other bands",
                view=ViewSettings(others),
            )
        ]
    return []


def _without(scene: Scene, band: int) -> tuple[int, int, int]:
    """Three bands in the order of the file reversed (blue comes first there), without one."""
    rest = [other for other in scene.data_bands if other != band][:3]
    return tuple(rest[::-1])


def _tones(scene: Scene, shown: NDArray[np.uint8]) -> list[SceneAdvice]:
    """Whether an image of more than 8 bits is nearly all dark or all bright."""
    if scene.dtype == "uint8":
        return []
    middle = float(np.median(shown)) / 255
    if DARK <= middle <= BRIGHT:
        return []
    look = "dark" if middle < DARK else "bright"
    bits = {"uint16": "16 bits", "int16": "16 bits"}.get(scene.dtype, "more than 8 bits")
    return [
        SceneAdvice(
            "tones",
            f"Values of {bits}, very unevenly spread: nearly all of the picture is {look}.",
            "Even out the tones",
            Equalize(),
        )
    ]


def _haze(scene: Scene, raster: Raster) -> list[SceneAdvice]:
    if not raster.valid.any() or scene.stretch is not None:
        # A view that is stretched hides haze, so it is no trouble there.
        return []
    if haze_share(raster) <= HAZE_SHARE:
        return []
    text = "This image looks hazy: even its darkest places are bright."
    return [SceneAdvice("haze", text, "Remove the haze", RemoveHaze())]


def _blur(scene: Scene) -> list[SceneAdvice]:
    """Whether the middle of the image is blurred, at full resolution."""
    width, height = min(scene.width, _DETAIL), min(scene.height, _DETAIL)
    window = Window((scene.width - width) // 2, (scene.height - height) // 2, width, height)
    picture = scene.read_rgb(window)
    ratio = detail_ratio(picture.astype(np.float32).mean(axis=-1), picture.any(axis=-1))
    if ratio is None or ratio >= BLURRED:
        return []
    text = "This image is blurred: its edges are three pixels wide or more."
    return [SceneAdvice("blur", text, "Sharpen", UnsharpMask(radius=2.0, amount=120))]
