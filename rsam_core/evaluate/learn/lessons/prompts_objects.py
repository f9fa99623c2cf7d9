"""What lesson 3 points at: objects of invented places with exact truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.objects.instances import Instances
from rsam_core.prompts.simulated import tight_box
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_

Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]

LIMIT = 32 * 32
"""Pixels from which an object is large, as the COCO data set counts."""

SIDE = 640
"""Width of pictures of an object, in pixels; they are 5 / 8 as high."""

_ROOM = 2.1
_LEAST, _WIDEST = 80, 320


@dataclass(frozen=True)
class View:
    """A part of a picture, in its pixels.

    Attributes
    ----------
    x, y, width, height : int
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def scale(self) -> float:
        """Pixels of the shown picture a pixel of the part."""
        return SIDE / self.width

    def cut(self, picture: NDArray) -> NDArray:
        """That part of a picture or mask."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]

    def from_shown(self, x: float, y: float) -> tuple[float, float]:
        """A place on the shown picture, in pixels of the whole one."""
        return self.x + x / self.scale, self.y + y / self.scale


@dataclass(frozen=True)
class Target:
    """An object to point at.

    Attributes
    ----------
    key : str
    name : str
        A marked message.
    style, seed : str, int
        Of the place; see `rsam_core.samples.render_town`.
    number : int
        Of the object in the truth.
    """

    key: str
    name: str
    style: str
    seed: int
    number: int

    @property
    def subject(self) -> Subject:
        """The place in which it stands."""
        return town_subject(self.style, self.seed, 0.3, 640, 400)

    @property
    def truth(self) -> Mask:
        """(H, W) mask of the object in its place."""
        return _truth(self)

    @property
    def area(self) -> int:
        """Pixels of the object."""
        return int(np.count_nonzero(self.truth))

    @property
    def large(self) -> bool:
        """Whether it is as large as `LIMIT`."""
        return self.area >= LIMIT

    @property
    def view(self) -> View:
        """The object with some room around it."""
        height, width = self.truth.shape
        x0, y0, x1, y1 = tight_box(self.truth)
        wide = _ROOM * max(x1 - x0, (y1 - y0) * 1.6)
        # Whole pixels, 8 by 5.
        wide = 8 * round(min(max(wide, _LEAST), _WIDEST) / 8)
        tall = wide * 5 // 8
        left = min(max(round((x0 + x1 - wide) / 2), 0), width - wide)
        top = min(max(round((y0 + y1 - tall) / 2), 0), height - tall)
        return View(left, top, wide, tall)


@lru_cache(maxsize=32)
def _truth(target: Target) -> Mask:
    return target.subject.mask(target.number)


def shown(target: Target, mask: Mask | None = None, *, truth: bool = True) -> Picture:
    """The part with the object, enlarged: a mask filled, the true outline as a thin line."""
    view = target.view
    picture = enlarged(target)
    where = {"origin": (view.x, view.y), "scale": view.scale}
    if mask is not None and mask.any():
        style = OverlayStyle(fill="single", opacity=0.5, contour_width=2)
        picture = overlay(picture, Instances.empty(mask.shape).add(mask), style, **where)
    if truth:
        line = OverlayStyle(fill="none", contour_color="#FFFFFF", contour_width=2)
        objects = Instances.empty(target.truth.shape).add(target.truth)
        picture = overlay(picture, objects, line, **where)
    return picture


@lru_cache(maxsize=32)
def enlarged(target: Target) -> Picture:
    """The part with the object alone; not to be changed."""
    part = target.view.cut(target.subject.image)
    picture = cv2.resize(part, (SIDE, SIDE * 5 // 8), interpolation=cv2.INTER_CUBIC)
    picture.flags.writeable = False
    return picture


TARGETS = (
    Target("lorry", N_("A lorry"), "industrial", 3, 33),
    Target("roof", N_("A long roof"), "estate", 7, 49),
    Target("tree", N_("A tree"), "estate", 7, 226),
    Target("car", N_("A car"), "estate", 7, 14),
)
"""Objects of the first two experiments."""

TRIALS = (
    Target("car-1", N_("A car"), "estate", 7, 38),
    Target("roof-1", N_("A roof"), "estate", 7, 48),
    Target("tree-1", N_("A tree"), "estate", 7, 231),
    Target("roof-2", N_("A roof"), "estate", 7, 46),
    Target("lorry-1", N_("A lorry"), "industrial", 3, 41),
    Target("roof-3", N_("A roof"), "estate", 7, 52),
    Target("car-2", N_("A car"), "industrial", 3, 30),
    Target("roof-4", N_("A roof"), "suburb", 3, 103),
    Target("box-1", N_("A container"), "industrial", 3, 13),
    Target("roof-5", N_("A roof"), "suburb", 3, 95),
    Target("tree-2", N_("A tree"), "suburb", 3, 298),
    Target("roof-6", N_("A roof"), "suburb", 3, 121),
)
"""Objects of the third, small and large in turn."""


def target(key: str) -> Target:
    """The object of that key."""
    return {one.key: one for one in (*TARGETS, *TRIALS)}[key]
