"""A drawn scene of flat colours, and a model that finds each colour patch exactly."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from skimage.measure import label

from rsam_core.models.base import Decoded, PromptableModel
from rsam_core.prompts.prompt import Prompt

GROUND = (40, 60, 40)


class _Picture:
    def __init__(self, image: np.ndarray) -> None:
        self.image, self.nbytes = image, image.nbytes
        colours = image.astype(np.int64) @ (1, 256, 65536)
        self.patches = label(colours, connectivity=1, background=-1)


class FloodModel(PromptableModel):
    """Answers a click with the connected patch of the clicked colour, cut by the picture's edge.

    Attributes
    ----------
    most_alive : int
        Largest number of embeddings that existed at one time.
    sizes : list of (int, int)
        Shape of each picture encoded.
    clicks : list of (int, int, int)
        Colour under each click, in order.
    """

    def __init__(self, name: str = "rsam-tiny") -> None:
        self.name = name
        self._alive: weakref.WeakSet[_Picture] = weakref.WeakSet()
        self.most_alive = 0
        self.sizes: list[tuple[int, int]] = []
        self.clicks: list[tuple[int, ...]] = []

    def encode(self, image: np.ndarray) -> _Picture:
        picture = _Picture(image)
        self._alive.add(picture)
        self.most_alive = max(self.most_alive, len(self._alive))
        self.sizes.append(image.shape[:2])
        return picture

    def decode(
        self, features: _Picture, prompt: Prompt, multimask: bool, previous: Any | None = None
    ) -> Decoded:
        x, y = (int(v) for v in prompt.points[0])
        colour = tuple(int(v) for v in features.image[y, x])
        self.clicks.append(colour)
        mask = np.zeros(features.image.shape[:2], bool)
        if colour != GROUND:
            mask = features.patches == features.patches[y, x]
        score = np.array([0.9 if mask.any() else 0.1], np.float32)
        return Decoded(mask[None], 0, 0, score, [None], np.array([0.95], np.float32))


def paint(shape: tuple[int, int], masks: list[np.ndarray]) -> np.ndarray:
    """A picture (H, W, 3) with each mask in a colour of its own on dull ground."""
    image = np.empty((*shape, 3), np.uint8)
    image[:] = GROUND
    for i, mask in enumerate(masks):
        image[mask] = (100 + 3 * (i % 50), 200 - 7 * (i % 20), 30 + 11 * (i % 20))
    return image


def full_masks(objects: Any) -> list[np.ndarray]:
    """Each object as a mask of the whole scene."""
    result = []
    for item in objects:
        full = np.zeros(objects.shape, bool)
        x0, y0, x1, y1 = item.bbox
        full[y0:y1, x0:x1] = item.mask
        result.append(full)
    return result


def same_masks(found: list[np.ndarray], wanted: list[np.ndarray]) -> bool:
    """Whether two lists hold exactly the same masks, in any order and each once."""
    return sorted(m.tobytes() for m in found) == sorted(m.tobytes() for m in wanted)
