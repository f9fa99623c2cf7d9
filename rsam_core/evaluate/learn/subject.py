"""What a lesson looks at: a rendered place with exact truth, a real crop, or the open image."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.scene.scene import open_scene
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rsam_core.samples import TownSample
    from rsam_core.scene.scene import Scene

LARGEST = 1024
"""Longest side of what lessons look at, in pixels: a view's."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture, and what is known about it.

    Attributes
    ----------
    key : str
        Tells subjects apart, for caches.
    name : str
        For people.
    image : ndarray
        (H, W, 3) uint8 RGB.
    gsd : float or None
        Metres a pixel on the ground.
    labels : ndarray or None
        (H, W) int32 with the number of the true object at each pixel, 0 where there is none.
    kinds : mapping of int to str
        Kind of each true object, such as ``"roof"``.
    bands : ndarray or None
        (H, W, C) float32, all bands as stored, where there are more than the picture shows.
    nir, red, green, blue : int or None
        Which of `bands` measures that colour, from 0.
    own : bool
        Whether it is the image that somebody opened.
    credit : str
        Whom to name.
    """

    key: str
    name: str
    image: NDArray[np.uint8] = field(repr=False)
    gsd: float | None = None
    labels: NDArray[np.int32] | None = field(default=None, repr=False)
    kinds: Mapping[int, str] = field(default_factory=dict, repr=False)
    bands: NDArray[np.float32] | None = field(default=None, repr=False)
    nir: int | None = None
    red: int | None = None
    green: int | None = None
    blue: int | None = None
    own: bool = False
    credit: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image.shape[:2]

    def numbers(self, kind: str, smallest: int = 1) -> list[int]:
        """Numbers of the true objects of a kind with at least so many pixels, largest first."""
        if self.labels is None:
            return []
        sizes = np.bincount(self.labels.ravel())
        found = [n for n, k in self.kinds.items() if k == kind and n < len(sizes)]
        return sorted((n for n in found if sizes[n] >= smallest), key=lambda n: (-sizes[n], n))

    def mask(self, number: int) -> NDArray[np.bool_]:
        """(H, W) mask of a true object."""
        if self.labels is None:
            raise ValueError("This subject has no truth.")
        return self.labels == number


def subject_of_town(town: TownSample, key: str) -> Subject:
    """A rendered place with its exact truth."""
    return Subject(
        key, town.title, town.image, town.gsd, town.labels, MappingProxyType(dict(town.classes))
    )


@lru_cache(maxsize=12)
def town_subject(
    style: str = "suburb", seed: int = 3, gsd: float = 0.3, width: int = 640, height: int = 400
) -> Subject:
    """Render a place, or take the one rendered before; see `rsam_core.samples.render_town`."""
    from rsam_core.samples import render_town

    town = render_town(width, height, gsd=gsd, seed=seed, style=style)
    return subject_of_town(town, f"{style}-{seed}-{gsd}-{width}-{height}")


@lru_cache(maxsize=8)
def place_subject(key: str) -> Subject:
    """A real crop that comes with RSAM, by its key in `rsam_core.samples.places`."""
    from rsam_core.samples.places import place

    entry = place(key)
    scene = open_scene(entry.content, name=entry.title)
    if entry.gsd is not None and scene.gsd is None:
        scene = scene.with_gsd(entry.gsd)
    return subject_of_scene(scene, key=f"place-{key}", own=False, credit=entry.credit)


def subject_of_scene(
    scene: Scene, *, key: str | None = None, own: bool = True, credit: str | None = None
) -> Subject:
    """The middle of an opened image, at its own pixels.

    Parameters
    ----------
    scene : Scene
    key : str, optional
        Its content by default.
    own : bool
    credit : str, optional
        What the file says by default.

    Raises
    ------
    SceneError
        If it cannot be read.
    """
    width, height = min(scene.width, LARGEST), min(scene.height, LARGEST)
    window = Window((scene.width - width) // 2, (scene.height - height) // 2, width, height)
    image = scene.read_rgb(window)
    roles = scene.roles
    bands = None
    if roles.nir is not None:
        bands = scene.read_bands(window).astype(np.float32)
    index = {
        name: None if (band := getattr(roles, name)) is None else band - 1
        for name in ("nir", "red", "green", "blue")
    }
    return Subject(
        key or f"own-{scene.content_hash}", scene.name, image, scene.gsd, bands=bands, own=own,
        credit=scene.attribution if credit is None else credit, **index,
    )  # fmt: skip
