"""Land that was flooded or cleared: the areas, and what becomes of them among other changes."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from rsam_core.change.cover import cover_areas
from rsam_core.change.date_view import DateView
from rsam_core.change.decide import decide
from rsam_core.change.findings import COVER, Candidate
from rsam_core.change.judge import CLASSES
from rsam_core.errors import Cancelled
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance

SIDE = 200
GRASS, WATER, TREES = (150, 160, 90), (60, 90, 150), (30, 90, 40)


class Colours:
    """A model that names things by their colour."""

    names = True

    def name_objects(self, features: np.ndarray, items: list[Instance]) -> np.ndarray:
        result = np.full((len(items), len(KINDS)), 0.02, np.float32)
        tones = {"grass or field": GRASS, "water": WATER, "tree": TREES}
        for k, item in enumerate(items):
            x0, y0, x1, y1 = item.bbox
            mean = features[y0:y1, x0:x1][item.mask].mean(0)
            near = min(tones, key=lambda kind: np.abs(mean - tones[kind]).sum())
            result[k, KINDS.index(near)] = 0.82
        return result


def view(ponds: list[tuple[int, int, int]], woods: list[tuple[int, int, int]]) -> DateView:
    """Grass with round ponds and woods (x, y, radius), and grain."""
    image = np.empty((SIDE, SIDE, 3), np.uint8)
    image[:] = GRASS
    for tone, discs in ((WATER, ponds), (TREES, woods)):
        for x, y, radius in discs:
            cv2.circle(image, (x, y), radius, tone, -1)
    grain = np.random.default_rng(len(ponds)).normal(0, 6, image.shape)
    image = (image + grain).clip(0, 255).astype(np.uint8)
    return DateView(image, SimpleNamespace(features=image))


def disc(x: int, y: int, radius: int) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def overlap(item: Instance, truth: np.ndarray) -> float:
    mask = np.zeros((SIDE, SIDE), bool)
    x0, y0, x1, y1 = item.bbox
    mask[y0:y1, x0:x1] = item.mask
    return (mask & truth).sum() / (mask | truth).sum()


def test_a_flood_and_a_clearing_are_found_and_what_stays_is_not():
    stays, pond, copse = (40, 40, 25), (140, 60, 35), (70, 150, 30)
    views = view([], [stays, copse]), view([pond], [stays])
    first, second = cover_areas(
        SimpleNamespace(model=Colours()), views, np.ones((SIDE, SIDE), bool), 60
    )
    assert [item.source for item in (*first, *second)] == [COVER, COVER]
    assert overlap(first[0], disc(*copse)) > 0.8
    assert overlap(second[0], disc(*pond)) > 0.8
    assert first[0].score == pytest.approx(0.8, abs=0.1)


def test_nothing_is_said_of_what_neither_date_shows_nor_of_small_spots():
    views = view([], []), view([(140, 60, 35), (40, 150, 8)], [])
    valid = np.ones((SIDE, SIDE), bool)
    valid[:, 100:] = False
    assert cover_areas(SimpleNamespace(model=Colours()), views, valid, 60) == ([], [])


def test_a_model_without_kinds_finds_no_cover():
    views = view([], []), view([(140, 60, 35)], [])
    silent = SimpleNamespace(model=SimpleNamespace(names=False))
    assert cover_areas(silent, views, np.ones((SIDE, SIDE), bool), 60) == ([], [])


def test_it_can_be_stopped():
    views = view([], []), view([(140, 60, 35)], [])
    with pytest.raises(Cancelled):
        cover_areas(
            SimpleNamespace(model=Colours()), views, np.ones((SIDE, SIDE), bool), 60, lambda: True
        )


def candidate(box: tuple[int, int, int, int], date: int, kind: str, source: str) -> Candidate:
    """Something that is only there at one date."""
    x, y, w, h = box
    chances = np.full(len(CLASSES), 0.01, np.float32)
    chances[CLASSES.index("left")] = 0.96
    item = Instance(np.ones((h, w), bool), x, y, 0.9, source=source)
    return Candidate(item, date, chances, None, kind, 0.9)


def test_a_flood_stands_for_its_parts_but_not_for_a_house_on_it():
    flood = candidate((20, 20, 90, 80), 1, "water", COVER)
    changes = decide(
        [
            flood,
            candidate((30, 30, 12, 6), 0, "car", "everything"),
            candidate((50, 40, 40, 40), 0, "grass or field", "everything"),
            candidate((25, 60, 20, 20), 0, "building", "everything"),
        ],
        [],
        0.5,
    )
    told = {(change.change, change.kind, change.reason) for change in changes}
    assert ("new", "water", "water covers what was dry before") in told
    assert {(change, kind) for change, kind, _ in told} == {("new", "water"), ("gone", "building")}


def test_woods_that_went_are_told_in_words():
    (change,) = decide([candidate((20, 20, 50, 50), 0, "tree", COVER)], [], 0.5)
    assert (change.change, change.reason) == ("gone", "the trees that stood here are gone")
