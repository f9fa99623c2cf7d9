"""A lawn with red roofs, blue roofs and bushes at known places."""

from __future__ import annotations

from functools import cache

import numpy as np

import rsam_core as rsam
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.coordinates import view_frame
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot import Example, SearchCandidates, make_example, search
from rsam_core.segment.one_shot.descriptors import ArrayScene

SHAPE = (192, 256)
REDS = ((20, 18), (92, 24), (170, 20), (30, 110), (110, 130), (190, 120))
"""Left upper corner (x, y) of each red roof."""
BLUES = ((56, 66), (136, 72), (214, 70))
SIZE = 28


def mask_at(corner: tuple[int, int]) -> np.ndarray:
    """Mask (H, W) of the roof at a corner."""
    x, y = corner
    mask = np.zeros(SHAPE, bool)
    mask[y : y + SIZE, x : x + SIZE] = True
    return mask


def item_at(corner: tuple[int, int]) -> Instance:
    """The roof at a corner as an object."""
    return Instance(np.ones((SIZE, SIZE), bool), *corner)


def lawn() -> np.ndarray:
    """The picture."""
    rng = np.random.default_rng(4)
    image = np.empty((*SHAPE, 3), np.float32)
    image[:] = (88, 112, 64)
    for corners, colour in ((REDS, (178, 82, 60)), (BLUES, (70, 90, 150))):
        for x, y in corners:
            image[y : y + SIZE, x : x + SIZE] = colour
            # A shadow, as every house throws one.
            image[y + SIZE : y + SIZE + 5, x + 5 : x + SIZE + 5] *= 0.45
    image += rng.normal(0, 4, image.shape)
    return image.clip(0, 255).astype(np.uint8)


@cache
def segmenter() -> rsam.Segmenter:
    """The embedded model."""
    return rsam.Segmenter(rsam.load_model())


@cache
def embedding():
    """The picture, encoded."""
    return segmenter().embed(lawn())


@cache
def red_example() -> Example:
    """The first red roof, learned."""
    return make_example(segmenter(), scene(), shown(), item_at(REDS[0]))


@cache
def red_search() -> SearchCandidates:
    """The picture, searched for what is like it."""
    return search(segmenter(), scene(), view(), embedding(), [red_example()])


def scene(gsd: float | None = None) -> ArrayScene:
    """The picture as a scene."""
    return ArrayScene(lawn(), gsd)


def view():
    """All of it."""
    return view_frame(SHAPE[1], SHAPE[0])


def shown() -> EmbeddedView:
    """All of it, encoded."""
    return EmbeddedView(embedding())


def overlap(instance: Instance, corner: tuple[int, int]) -> float:
    """IoU of an object with the roof at a corner."""
    mask, x0, y0 = np.zeros(SHAPE, bool), *instance.bbox[:2]
    x1, y1 = instance.bbox[2:]
    mask[y0:y1, x0:x1] = instance.mask
    wanted = mask_at(corner)
    return np.count_nonzero(mask & wanted) / np.count_nonzero(mask | wanted)


def roofs_hit(found: Instances, corners: tuple[tuple[int, int], ...], limit: float = 0.6) -> int:
    """How many of these roofs have a found outline."""
    return sum(any(overlap(item, corner) >= limit for item in found) for corner in corners)
