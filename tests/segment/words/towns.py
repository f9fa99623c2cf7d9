"""The rendered towns of `data/towns.json`, their objects, and how well sentences find them."""

from __future__ import annotations

import json
from functools import cache
from types import SimpleNamespace

import numpy as np

from rsam_core.models.tiny.kinds import OF_RENDERED
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples import TownSample, render_town
from rsam_core.scene.window import Window
from tests.segment.words.make_towns import SMALLEST
from tests.segment.words.notation import DATA


class TownScene:
    """A scene in memory."""

    def __init__(self, town: TownSample) -> None:
        self.image, self.gsd = town.image, town.gsd
        self.height, self.width = town.image.shape[:2]
        self.shape = (self.height, self.width)

    def read_rgb(self, window: Window | None = None, max_size: int | None = None) -> np.ndarray:
        if window is not None:
            rows = slice(window.y, window.y + window.height)
            return self.image[rows, window.x : window.x + window.width]
        step = max(1, -(-max(self.shape) // max_size)) if max_size else 1
        return self.image[::step, ::step]


@cache
def cases() -> list[dict]:
    """Towns with their sentences."""
    return json.loads((DATA / "towns.json").read_text(encoding="utf-8"))


@cache
def town(number: int) -> SimpleNamespace:
    """A town: its scene and its objects, labelled by kind, numbered as in the truth."""
    drawn = render_town(**cases()[number]["town"])
    found = Instances.from_label_map(drawn.labels)
    objects = Instances(
        [
            Instance(i.mask, i.x, i.y, 1.0, i.id, "truth", OF_RENDERED[drawn.classes[i.id]])
            for i in found
            if i.area >= SMALLEST
        ],
        found.shape,
    )
    return SimpleNamespace(scene=TownScene(drawn), objects=objects, drawn=drawn)


def f1(found: set, true: set) -> float:
    """F1 of two sets; 1 if both are empty."""
    return 2 * len(found & true) / (len(found) + len(true)) if found or true else 1.0
