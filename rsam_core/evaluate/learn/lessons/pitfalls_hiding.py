"""Houses that haze, a shadow or trees hide, and what the model still finds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.evaluate.metrics.counts import confusion
from rsam_core.evaluate.metrics.pixel import iou
from rsam_core.objects import palette
from rsam_core.prompts.prompt import Prompt
from rsam_core.render.outlines import draw_outlines
from rsam_core.samples.light import Sun, cast_shadow
from rsam_core.samples.raster import Canvas
from rsam_core.samples.trees import draw_tree
from rsam_core.samples.world import Tree

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter

KINDS = ("haze", "shadow", "trees")
MOST = 0.95
"""At all of it nothing would be left to see."""
_SMALLEST = 1000
"""Pixels that a house has at least."""
_AIR = np.array([0.70, 0.74, 0.78], np.float32) * 255
_SUNLESS = np.array([0.32, 0.36, 0.43], np.float32)
"""Light of the sky alone, as a share of sun and sky."""
_SUN = Sun(-2.2, float(np.deg2rad(45)))
_EDGE = 2.0
"""Pixels over which the shadow's edge blurs."""
_TREES_EACH = 9
_CLEAR = 1.2
"""Metres around a click that no crown covers: people click on what they see."""


def place() -> Subject:
    """Some streets of a town, small enough to be encoded while a slider moves."""
    return town_subject("suburb", 3, 0.3, 320, 200)


@dataclass(frozen=True, eq=False)
class House:
    """A house, and the click that means it.

    Attributes
    ----------
    number : int
    truth : (H, W) ndarray of bool
    x, y : float
        The point that lies deepest in it.
    """

    number: int
    truth: NDArray[np.bool_]
    x: float
    y: float


@lru_cache(maxsize=1)
def houses() -> tuple[House, ...]:
    """The larger houses of the place."""
    subject = place()
    found = []
    for number in subject.numbers("roof", _SMALLEST):
        truth = subject.mask(number)
        depth = cv2.distanceTransform(np.pad(truth, 1).astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(int(depth[1:-1, 1:-1].argmax()), truth.shape)
        found.append(House(number, truth, float(x) + 0.5, float(y) + 0.5))
    return tuple(found)


def house_at(x: float, y: float) -> int:
    """Which house, from 0, lies nearest to a place in the picture."""
    return int(np.argmin([np.hypot(h.x - x, h.y - y) for h in houses()]))


@lru_cache(maxsize=24)
def disturbed(kind: str, amount: float) -> NDArray[np.uint8]:
    """The place with so much of something before it.

    Parameters
    ----------
    kind : str
        Of `KINDS`.
    amount : float
        0 to `MOST`: share of the air's own light, of the picture in the shadow, of the trees.

    Returns
    -------
    (H, W, 3) ndarray of uint8
    """
    image = place().image
    if not amount:
        return image
    made = {"haze": hazy, "shadow": shaded, "trees": _overgrown}[kind](image, amount)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def hazy(image: NDArray[np.uint8], amount: float) -> NDArray[np.float32]:
    """An image of which so large a share is the air's own light."""
    return image * np.float32(1 - amount) + np.float32(amount) * _AIR


def shaded(image: NDArray[np.uint8], amount: float) -> NDArray[np.float32]:
    """An image, so large a share of which lies in a shadow that falls from the upper left."""
    rows, columns = np.indices(image.shape[:2], np.float32)
    along = columns * 0.85 + rows
    # As large a share of the picture as is asked for, whatever its shape.
    border = np.quantile(along, amount)
    share = np.clip((border - along) / _EDGE + 0.5, 0, 1)[..., None]
    return image * (1 - share * (1 - _SUNLESS))


def _overgrown(image: NDArray[np.uint8], amount: float) -> NDArray[np.float32]:
    gsd = place().gsd
    height, width = image.shape[:2]
    canvas = Canvas(width, height, gsd, 1)
    canvas.colour[:] = image / np.float32(255)
    trees = crowns()
    for tree in trees[: round(amount * len(trees))]:
        draw_tree(canvas, tree, _SUN)
    light = (0.345 + 0.655 * canvas.sun)[..., None]
    shadow = np.clip(cast_shadow(canvas.height, _SUN, gsd) / 0.4, 0, 1)[..., None]
    return canvas.colour * light * (1 - shadow * (1 - _SUNLESS)) * 255


@lru_cache(maxsize=1)
def crowns() -> tuple[Tree, ...]:
    """All trees that can grow over the houses' edges, always in the same order."""
    gsd, rng = place().gsd, np.random.default_rng(9)
    grown = []
    for house in houses():
        outline = max(
            cv2.findContours(house.truth.astype(np.uint8), cv2.RETR_EXTERNAL,
                             cv2.CHAIN_APPROX_NONE)[0], key=len)[:, 0] + 0.5  # fmt: skip
        for start in rng.permutation(len(outline))[:_TREES_EACH]:
            x, y = outline[start] * gsd
            radius = float(rng.uniform(1.6, 3.2))
            seed = int(rng.integers(1 << 30))
            apart = min(np.hypot(x - h.x * gsd, y - h.y * gsd) for h in houses())
            if apart > radius + _CLEAR:
                grown.append(Tree(x, y, radius, 2.2 * radius, (66, 92, 50), seed=seed))
    return tuple(grown[i] for i in rng.permutation(len(grown)))


@dataclass(frozen=True, eq=False)
class Found:
    """What the model makes of the clicks.

    Attributes
    ----------
    masks : tuple of (H, W) ndarray of bool
        One for each house.
    ious : tuple of float
    areas, true_areas : tuple of float
        Square metres.
    """

    masks: tuple[NDArray[np.bool_], ...]
    ious: tuple[float, ...]
    areas: tuple[float, ...]
    true_areas: tuple[float, ...]

    @property
    def mean_iou(self) -> float:
        """Mean over the houses."""
        return float(np.mean(self.ious))

    @property
    def area_share(self) -> float:
        """Area found of all houses, as a share of the true one."""
        return sum(self.areas) / sum(self.true_areas)


def find(model: Segmenter, embedding: Embedding) -> Found:
    """Click once in the middle of each house, and compare the best masks with the truth."""
    candidates = model.predict(embedding, [Prompt([(h.x, h.y)]) for h in houses()])
    return judged([c.masks[0] for c in candidates])


def judged(masks: Sequence[NDArray[np.bool_]]) -> Found:
    """Compare one mask for each house with its truth."""
    square = place().gsd ** 2
    truths = [house.truth for house in houses()]
    return Found(
        tuple(masks),
        tuple(iou(confusion(truth, mask)) for truth, mask in zip(truths, masks)),
        tuple(float(mask.sum()) * square for mask in masks),
        tuple(float(truth.sum()) * square for truth in truths),
    )


def picture(image: NDArray[np.uint8], found: Found, scale: int = 2) -> NDArray[np.uint8]:
    """The place, enlarged, with true outlines in white and found ones in colour."""
    return outlined(image, [house.truth for house in houses()], found.masks, scale)


def outlined(
    image: NDArray[np.uint8],
    true: Sequence[NDArray[np.bool_]],
    found: Sequence[NDArray[np.bool_]],
    scale: int,
) -> NDArray[np.uint8]:
    """An image, enlarged, with some masks outlined in white and others in colour."""
    height, width = image.shape[:2]
    shown = cv2.resize(image, (width * scale, height * scale), interpolation=cv2.INTER_LINEAR)
    dark, white, colour = (16, 20, 24), (255, 255, 255), palette.to_rgb(palette.SINGLE)
    jobs = [
        ((np.repeat(np.repeat(mask, scale, 0), scale, 1), 0, 0), strokes)
        for masks, strokes in (
            (true, [(dark, 4), (white, 2)]),
            (found, [(dark, 4), (colour, 2)]),
        )
        for mask in masks
        if mask.any()
    ]
    return draw_outlines(shown, jobs)
