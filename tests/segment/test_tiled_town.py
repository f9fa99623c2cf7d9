"""Tiles against one embedding of the whole, on a rendered town with the embedded model."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.segment.everything import EverythingSettings, EverythingState, generate
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import TiledState, initialize_tiled
from tests.helpers.models import overlap
from tests.helpers.tiles import full_masks

SETTINGS = EverythingSettings(spacing=32, min_quality=0.5)


@pytest.fixture(scope="module")
def tiled(tiny, town) -> TiledState:
    """Two tiles of 320 × 320 pixels at whose proposals the model looks."""
    return initialize_tiled(Segmenter(tiny), town.image, settings=SETTINGS, size=320, overlap=160)


def found_share(wanted: list[np.ndarray], masks: list[np.ndarray]) -> float:
    best = [max((overlap(w, m) for m in masks), default=0) for w in wanted]
    return float(np.mean([value >= 0.5 for value in best]))


def test_about_as_many_objects(tiled: TiledState, town_state: EverythingState):
    assert tiled.plan.regular == 2
    assert tiled.points == tiled.plan.total == 10 * 14
    whole, parts = generate(town_state, SETTINGS), generate(tiled, SETTINGS)
    assert len(whole) > 30
    assert len(parts) == pytest.approx(len(whole), rel=0.15)


def test_roofs_found_whole_are_found_in_tiles(tiled, town_state, town_roofs):
    whole = found_share(town_roofs, full_masks(generate(town_state, SETTINGS)))
    parts = found_share(town_roofs, full_masks(generate(tiled, SETTINGS)))
    assert whole >= 0.4
    # A tolerance of one roof.
    assert parts >= whole - 1 / len(town_roofs) - 1e-9


def test_objects_of_the_whole_have_partners_in_the_tiles(tiled, town_state):
    whole, parts = (full_masks(generate(s, SETTINGS)) for s in (town_state, tiled))
    assert found_share(whole, parts) >= 0.8
    assert found_share(parts, whole) >= 0.8


def test_nothing_is_found_twice(tiled):
    masks = full_masks(generate(tiled, SETTINGS))
    worst = max(overlap(a, b) for i, a in enumerate(masks) for b in masks[:i])
    assert worst <= SETTINGS.max_overlap


def test_no_object_ends_in_a_long_straight_cut(tiled):
    """Where an inner tile edge runs, an object's border must not follow it for long."""
    found = full_masks(generate(tiled, SETTINGS))
    edges = {t.window.x + t.window.width for t in tiled.plan.tiles} - {448}
    for mask in found:
        for x in edges:
            straight = np.count_nonzero(mask[:, x - 1] & ~mask[:, x])
            assert straight <= 0.15 * np.sqrt(mask.sum()) + 3
