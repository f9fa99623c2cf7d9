"""Pictures for exercises: samples with truth, by a name that fits into a link, or one's own."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.exercise import SMALLEST
from rsam_core.evaluate.learn.subject import Subject, subject_of_town, town_subject
from rsam_core.runtime.language import _
from rsam_core.samples import GALLERY, render_town
from rsam_core.samples.places import PLACES
from rsam_core.scene.scene import open_scene
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rsam_core.objects.instances import Instances
    from rsam_core.scene.scene import Scene

WIDTH, HEIGHT = 640, 400
"""Pixels of a sample."""
OWN_WIDTH, OWN_HEIGHT = 1024, 640
"""Most pixels of a part of somebody's own image."""
MAX_PARTS = 12

_DRAWING = threading.Lock()


def sources() -> dict[str, str]:
    """Samples that exercises can be made of: source and title, in the language in use."""
    towns = {f"town:{entry.key}": _(entry.title) for entry in GALLERY}
    places = {f"place:{entry.key}": _(entry.title) for entry in PLACES if entry.truth is not None}
    return towns | places


def sample_subject(source: str) -> Subject:
    """A sample with its truth, drawn or read once.

    Raises
    ------
    LearnError
        If there is no such sample.
    """
    if source not in sources():
        raise LearnError(
            _("The picture of this exercise is gone: RSAM here has no such sample. Ask for the "
              "exercise as a file, or make it again.")
        )  # fmt: skip
    # Thirty who open one link at once shall not draw it thirty times.
    with _DRAWING:
        return _sample(source)


@lru_cache(maxsize=8)
def _sample(source: str) -> Subject:
    sort, _colon, key = source.partition(":")
    if sort == "place":
        return _place(key)
    entry = next(entry for entry in GALLERY if entry.key == key)
    facts = dict(entry.kwargs)
    if set(facts) == {"style", "seed", "gsd"}:
        # The same picture as in lessons.
        drawn = town_subject(*facts.values(), WIDTH, HEIGHT)
    else:
        drawn = subject_of_town(render_town(WIDTH, HEIGHT, **facts), source)  # type: ignore[arg-type]
    return replace(drawn, key=source, name=entry.title)


def _place(key: str) -> Subject:
    from rsam_core.formats.truth import read_truth

    entry = next(entry for entry in PLACES if entry.key == key)
    scene = open_scene(entry.content, name=entry.title)
    truth = read_truth(entry.truth_content, scene, name=entry.file)
    width, height = min(scene.width, OWN_WIDTH), min(scene.height, OWN_HEIGHT)
    window = Window((scene.width - width) // 2, (scene.height - height) // 2, width, height)
    labels = truth.objects.label_map(window)
    kinds = dict.fromkeys(np.unique(labels[labels > 0]).tolist(), entry.truth_title)
    return Subject(
        f"place:{key}", entry.title, scene.read_rgb(window), entry.gsd or scene.gsd, labels,
        MappingProxyType(kinds), credit=entry.credit,
    )  # fmt: skip


def parts_of(scene: Scene, objects: Instances) -> list[tuple[Window, int]]:
    """Parts of an image in which whole objects lie, those with most objects first.

    Returns
    -------
    list of (Window, int)
        Each with the number of its objects.
    """
    boxes = objects.bboxes[objects.areas >= SMALLEST] if len(objects) else np.zeros((0, 4), int)
    found = []
    for window in _tiles(scene.width, scene.height):
        x0, y0 = window.x, window.y
        x1, y1 = x0 + window.width, y0 + window.height
        within = (boxes[:, 0] > x0) & (boxes[:, 1] > y0) & (boxes[:, 2] < x1) & (boxes[:, 3] < y1)
        if within.any():
            found.append((window, int(within.sum())))
    return sorted(found, key=lambda part: -part[1])[:MAX_PARTS]


def _tiles(width: int, height: int) -> list[Window]:
    def starts(whole: int, most: int) -> list[int]:
        count = -(-whole // most)
        return [round(i * (whole - most) / max(count - 1, 1)) for i in range(count)]

    w, h = min(width, OWN_WIDTH), min(height, OWN_HEIGHT)
    return [Window(x, y, w, h) for y in starts(height, h) for x in starts(width, w)]


def own_part(scene: Scene, objects: Instances, window: Window) -> Subject:
    """A part of somebody's own image, with objects taken for truth.

    Raises
    ------
    SceneError
        If it cannot be read.
    """
    labels = objects.label_map(window)
    seen = set(np.unique(labels).tolist())
    kinds = {item.id: item.label or "object" for item in objects if item.id in seen}
    return Subject(
        f"own-{scene.content_hash}-{window.x}-{window.y}", scene.name, scene.read_rgb(window),
        scene.gsd, labels, MappingProxyType(kinds), own=True, credit=scene.attribution or "",
    )  # fmt: skip
