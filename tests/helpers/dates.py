"""Two dates of a drawn place: a house that came, one that went, one that stays, one that grew."""

from __future__ import annotations

import cv2
import numpy as np

import rsam_core as rsam
from rsam_core.change import Alignment, CompareSettings, Comparison
from rsam_core.change.compared import judged
from rsam_core.change.findings import Candidate, Growth
from rsam_core.change.grid import Layer
from rsam_core.change.judge import CLASSES
from rsam_core.objects.instance import Instance

SHAPE = (160, 200)
HOUSES = {
    "gone": ((20, 20, 30, 20), None),
    "new": (None, (90, 30, 24, 24)),
    "unchanged": ((150, 100, 20, 20), (150, 100, 20, 20)),
    "enlarged": ((30, 100, 20, 20), (30, 100, 20, 36)),
}
"""x, y, width and height at both dates."""


def pictures(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Both dates, (H, W, 3) uint8: one ground, bright houses."""
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.normal(110, 40, (*SHAPE, 3)).astype(np.float32), (0, 0), 1.5)
    dates = []
    for date in (0, 1):
        image = ground + rng.normal(0, 2, ground.shape)
        for ends in HOUSES.values():
            if ends[date] is not None:
                x, y, w, h = ends[date]
                image[y : y + h, x : x + w] = (220, 90, 70)
        dates.append(image.clip(0, 255).astype(np.uint8))
    return dates[0], dates[1]


def files(seed: int = 1) -> tuple[bytes, bytes]:
    """Both dates as PNG."""
    first, second = (cv2.imencode(".png", p[..., ::-1])[1].tobytes() for p in pictures(seed))
    return first, second


def scenes(seed: int = 1) -> tuple[rsam.Scene, rsam.Scene]:
    """Both dates as scenes, with names that tell years."""
    first, second = files(seed)
    return (
        rsam.open_scene(first, name="place_2016.png"),
        rsam.open_scene(second, name="place_2020.png"),
    )


def house(name: str, date: int) -> Instance:
    """A house at a date."""
    x, y, w, h = HOUSES[name][date]
    return Instance(np.ones((h, w), bool), x, y, 0.9)


def candidate(item: Instance, date: int, said: str, sure: float = 0.9) -> Candidate:
    """An object of which the judge says something."""
    chances = np.full(len(CLASSES), (1 - sure) / (len(CLASSES) - 1), np.float32)
    chances[CLASSES.index(said)] = sure
    return Candidate(item, date, chances)


def laid(first: object, second: object) -> Alignment:
    """Both dates on the grid of the first, as they are."""
    return Alignment(Layer(first, first, np.eye(3)), Layer(second, first, np.eye(3)))


def compared(first: object, second: object, threshold: float | None = 0.5) -> Comparison:
    """A comparison as the houses are drawn; the house that went is told least surely."""
    small = candidate(house("enlarged", 0), 0, "same")
    large = candidate(house("enlarged", 1), 1, "same")
    candidates = (
        candidate(house("gone", 0), 0, "left", 0.7),
        candidate(house("new", 1), 1, "left"),
        candidate(house("unchanged", 0), 0, "same"),
        candidate(house("unchanged", 1), 1, "same"),
        small,
        large,
    )
    settings = CompareSettings(threshold=threshold)
    growths = (Growth(small, large, 0.95),)
    return judged(laid(first, second), candidates, growths, (), (), settings)
