"""What lesson 3 points at: objects of invented places with exact truth, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.asking import jaccard
from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.objects.instances import Instances
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import centre_click, depth, tight_box
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter
    from rsam_core.segment.words.description import Description

Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]

LIMIT = 32 * 32
"""Pixels from which an object is large, as the COCO data set counts."""

MOST = 64
"""Places of a map of clicks, at most."""

EQUAL = 0.01
"""Two IoUs that differ by less are equally good."""

SIDE = 640
"""Width of pictures of an object, in pixels; they are 5 / 8 as high."""

_ROOM = 2.1
_LEAST, _WIDEST = 80, 320
_AT_ONCE = 16
_RIM = 0.12
"""How far beyond its box an object is clicked for the map, as a share of the box."""
_GREY = np.array([0.299, 0.587, 0.114])


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
    picture = _enlarged(target)
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
def _enlarged(target: Target) -> Picture:
    part = target.view.cut(target.subject.image)
    picture = cv2.resize(part, (SIDE, SIDE * 5 // 8), interpolation=cv2.INTER_CUBIC)
    picture.flags.writeable = False
    return picture


@dataclass(frozen=True, eq=False)
class ClickMap:
    """What became of clicks all over an object.

    Attributes
    ----------
    x, y : ndarray of float, shapes (n,) and (m,)
        Columns and rows of the clicks, in pixels of the place.
    iou : ndarray of float, shape (m, n)
    inside : ndarray of bool, shape (m, n)
        Whether the click was on the object.
    depths : ndarray of float, shape (m, n)
        How deep in the object, 0 outside to 1 in its middle.
    masks : list of list of ndarray
        The mask of each click, cut out, with its place.
    centre : float
        IoU of a click on the middle of the object.
    shape : tuple of int
        Height and width of the place.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    iou: NDArray[np.float64]
    inside: NDArray[np.bool_]
    depths: NDArray[np.float64]
    masks: list[list[tuple[Mask, int, int]]] = field(repr=False)
    centre: float
    shape: tuple[int, int]

    def nearest(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the click nearest to a place."""
        return int(np.abs(self.y - y).argmin()), int(np.abs(self.x - x).argmin())

    def mask(self, row: int, column: int) -> Mask:
        """(H, W) mask of a click."""
        crop, x, y = self.masks[row][column]
        whole = np.zeros(self.shape, bool)
        whole[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
        return whole

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean IoU of clicks ``"deep"`` in the object, near its ``"rim"``, and ``"outside"``.

        Deep is at least half as far from the outline as its middle is. NaN where no click fell.
        """
        deep = self.inside & (self.depths >= 0.5)
        parts = {"deep": deep, "rim": self.inside & ~deep, "outside": ~self.inside}
        return {
            name: float(self.iou[where].mean()) if where.any() else float("nan")
            for name, where in parts.items()
        }


def places_to_click(truth: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows of a grid over an object and a little beyond, `MOST` places at most."""
    x0, y0, x1, y1 = tight_box(truth)
    rim = max(_RIM * max(x1 - x0, y1 - y0), 3.0)
    height, width = truth.shape
    x0, x1 = max(x0 - rim, 0), min(x1 + rim, width)
    y0, y1 = max(y0 - rim, 0), min(y1 + rim, height)
    step = np.sqrt((x1 - x0) * (y1 - y0) / MOST)
    columns = int(min(max((x1 - x0) // step, 2), MOST // 2))
    rows = int(min(max((y1 - y0) // step, 2), MOST // columns))
    return (
        x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns,
        y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows,
    )


def click_map(
    model: Segmenter,
    embedding: Embedding,
    truth: Mask,
    progress: Callable[[float], None] | None = None,
) -> ClickMap:
    """Click all over an object, each click by itself, and compare each answer with the truth.

    Parameters
    ----------
    model : Segmenter
    embedding : Embedding
        Of the whole place.
    truth : (H, W) ndarray of bool
    progress : callable, optional
        Told the share that is done.
    """
    x, y = places_to_click(truth)
    middle = centre_click(truth)
    clicks = [(column, row) for row in y for column in x] + [middle]
    found: list[tuple[Mask, int, int]] = []
    for start in range(0, len(clicks), _AT_ONCE):
        prompts = [Prompt(points=[click]) for click in clicks[start : start + _AT_ONCE]]
        # Without a second look at each, which takes as long again and would say the same.
        for answer in model.model.decode_many(embedding.features, prompts, True, quick=True):
            if not len(answer.scores):
                found.append((np.zeros((1, 1), bool), 0, 0))
                continue
            best = int(answer.scores.argmax())
            found.append((answer.masks[best], answer.x, answer.y))
        if progress is not None:
            progress(min((start + _AT_ONCE) / len(clicks), 1.0))
    values = [_overlap(truth, *one) for one in found]
    deep = depth(truth)
    rows, columns = np.meshgrid(y.astype(int), x.astype(int), indexing="ij")
    shape = len(y), len(x)
    masks = [found[row * len(x) : (row + 1) * len(x)] for row in range(len(y))]
    return ClickMap(
        x, y, np.reshape(values[:-1], shape), truth[rows, columns],
        deep[rows, columns] / float(deep.max()), masks, values[-1], truth.shape,
    )  # fmt: skip


def _overlap(truth: Mask, crop: Mask, x: int, y: int) -> float:
    part = truth[y : y + crop.shape[0], x : x + crop.shape[1]]
    shared = np.count_nonzero(part & crop)
    union = np.count_nonzero(truth) + np.count_nonzero(crop) - shared
    return shared / union if union else 1.0


def heat(target: Target, clicks: ClickMap) -> Picture:
    """The object in grey, each place coloured by the IoU that a click on it gives."""
    view = target.view
    grey = np.repeat((_enlarged(target) @ _GREY)[..., None], 3, axis=2)
    levels = np.round(255 * clicks.iou).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1]
    edges_x = _edges(clicks.x, view.x, view.scale, SIDE)
    edges_y = _edges(clicks.y, view.y, view.scale, grey.shape[0])
    for row in range(len(clicks.y)):
        for column in range(len(clicks.x)):
            part = np.s_[edges_y[row] : edges_y[row + 1], edges_x[column] : edges_x[column + 1]]
            grey[part] = 0.3 * grey[part] + 0.7 * colours[row, column]
    line = OverlayStyle(fill="none", contour_color="#FFFFFF", contour_width=2)
    objects = Instances.empty(target.truth.shape).add(target.truth)
    where = {"origin": (view.x, view.y), "scale": view.scale}
    return overlay(np.round(grey).astype(np.uint8), objects, line, **where)


def _edges(centres: NDArray[np.float64], start: int, scale: float, most: int) -> NDArray[np.int64]:
    """Where the places of a map meet, in pixels of the shown picture."""
    half = (centres[1] - centres[0]) / 2
    edges = np.append(centres - half, centres[-1] + half)
    return np.clip(np.round((edges - start) * scale), 0, most).astype(int)


@dataclass(frozen=True)
class Tally:
    """How often a point did better than a box.

    Attributes
    ----------
    point, box, equal : int
        Objects on which the point was better, the box, and neither.
    """

    point: int = 0
    box: int = 0
    equal: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.point + other.point, self.box + other.box, self.equal + other.equal)

    @property
    def total(self) -> int:
        """All objects."""
        return self.point + self.box + self.equal

    @property
    def winner(self) -> str:
        """``"point"``, ``"box"``, or ``"neither"``, by the majority of those that differ."""
        if self.point == self.box:
            return "neither"
        return "point" if self.point > self.box else "box"

    @property
    def chance(self) -> float:
        """How often tossing a coin would be as one-sided: the sign test, two-sided, 0 to 1."""
        from scipy.stats import binomtest

        count = self.point + self.box
        return float(binomtest(self.point, count).pvalue) if count else 1.0


def tallied(results: Mapping[str, tuple[float, float]]) -> dict[str, Tally]:
    """Count who was better on small and on large objects.

    Parameters
    ----------
    results : mapping of str to (float, float)
        IoU of a point and of a box, by the key of the target.

    Returns
    -------
    dict of str to Tally
        Of ``"small"`` and ``"large"``.
    """
    counts = {"small": Tally(), "large": Tally()}
    for key, (point, box) in results.items():
        size = "large" if target(key).large else "small"
        if abs(point - box) < EQUAL:
            one = Tally(equal=1)
        else:
            one = Tally(point=1) if point > box else Tally(box=1)
        counts[size] = counts[size] + one
    return counts


def described(model: Segmenter, embedding: Embedding, picture: Picture, gsd: float) -> Description:
    """Everything that a model finds in a picture, with what words can ask of it.

    Parameters
    ----------
    model : Segmenter
        One that names kinds, such as ``rsam-tiny``.
    embedding : Embedding
        Of the picture.
    picture : (H, W, 3) ndarray of uint8
    gsd : float
        Metres a pixel.
    """
    from rsam_core.scene.scene import open_scene
    from rsam_core.segment.kinds import guess_kinds
    from rsam_core.segment.words.description import describe

    content = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()
    scene = open_scene(content, name="part.png", examine=False).with_gsd(gsd)
    objects = model.everything(embedding)
    kinds = guess_kinds(objects, scene, model)
    return describe(objects, scene, probabilities=kinds.probabilities)


def around(target: Target) -> View:
    """What words are asked of: the place around the object, a quarter of it."""
    height, width = target.truth.shape
    x0, y0, x1, y1 = tight_box(target.truth)
    left = min(max(round((x0 + x1) / 2 - 160), 0), width - 320)
    top = min(max(round((y0 + y1) / 2 - 100), 0), height - 200)
    return View(left, top, 320, 200)


def by_words(known: Description, target: Target, sentence: str) -> tuple[list[Mask], int | None]:
    """The objects that a sentence means, as masks of the place, and which of them fits best.

    Raises
    ------
    WordsError
        If nothing of the sentence was understood.
    """
    from rsam_core.segment.words.query import words

    view = around(target)
    masks = []
    for item in words(sentence).select(known.objects, known=known):
        whole = np.zeros(target.truth.shape, bool)
        top, left = view.y + item.y, view.x + item.x
        whole[top : top + item.mask.shape[0], left : left + item.mask.shape[1]] = item.mask
        masks.append(whole)
    fits = [jaccard(target.truth, mask) for mask in masks]
    return masks, int(np.argmax(fits)) if fits and max(fits) > 0 else None


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
