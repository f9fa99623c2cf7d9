"""Objects that a tile cuts and no neighbour was asked about: found by a tile over the seam."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.segment.everything import EverythingSettings, generate
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import initialize_tiled
from tests.helpers.models import rectangle
from tests.helpers.tiles import FloodModel, full_masks, paint, same_masks

SHAPE = (300, 700)
# The grid's only point in it is (150, 50); its arm leaves the first tile between two rows of the
# grid, so that no other tile is asked about it.
HOOK = rectangle(SHAPE, 130, 30, 190, 70) | rectangle(SHAPE, 170, 70, 330, 100)
HOUSE = rectangle(SHAPE, 430, 130, 470, 170)
SETTINGS = EverythingSettings(spacing=100, max_share=1)
TILES = {"size": 256, "overlap": 64}


@pytest.fixture
def model() -> FloodModel:
    return FloodModel()


def test_a_cut_object_is_found_whole_by_a_tile_over_the_seam(model):
    told: list[tuple[float, str]] = []
    state = initialize_tiled(
        Segmenter(model),
        paint(SHAPE, [HOOK, HOUSE]),
        settings=SETTINGS,
        progress=lambda *report: told.append(report),
        **TILES,
    )
    assert state.complete
    assert len(state.plan.tiles) == state.plan.regular + 1
    over = state.plan.tiles[-1].window
    # It holds all of the hook, and lies over the edge at column 256.
    assert over.x < 130
    assert over.x + over.width > 330
    assert same_masks(full_masks(generate(state, SETTINGS)), [HOOK, HOUSE])
    # One more picture and one more point than the grid has.
    assert len(model.sizes) == len(state.plan.tiles)
    assert len(model.clicks) == state.plan.total + 1
    assert state.points == state.plan.total == 21
    assert model.most_alive == 1
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(text.startswith("seam 1 of 1, ") for _, text in told)
    assert told[-1][1].startswith(f"tile {state.plan.regular} of {state.plan.regular}, ")


def test_without_a_cut_there_is_no_second_look(model):
    road = rectangle(SHAPE, 20, 140, 680, 160)
    image = paint(SHAPE, [road, HOUSE & ~road])
    state = initialize_tiled(Segmenter(model), image, settings=SETTINGS, **TILES)
    assert len(state.plan.tiles) == state.plan.regular
    assert len(model.clicks) == state.plan.total


def test_what_the_thresholds_drop_is_not_worth_a_second_look(model):
    settings = EverythingSettings(spacing=100, max_share=1, min_quality=0.95)
    image = paint(SHAPE, [HOOK])
    state = initialize_tiled(Segmenter(model), image, settings=settings, **TILES)
    assert len(state.plan.tiles) == state.plan.regular


def test_an_object_too_large_for_any_tile_is_not_looked_for_again(model):
    # 220 of 256 pixels wide in its tile: a tile over the seam would cut it as well.
    hook = rectangle(SHAPE, 20, 30, 90, 70) | rectangle(SHAPE, 20, 70, 500, 100)
    state = initialize_tiled(Segmenter(model), paint(SHAPE, [hook]), settings=SETTINGS, **TILES)
    assert len(state.plan.tiles) == state.plan.regular


def test_stopped_before_the_second_look(model):
    state = initialize_tiled(
        Segmenter(model),
        paint(SHAPE, [HOOK, HOUSE]),
        settings=SETTINGS,
        cancelled=lambda: len(model.clicks) == 21,
        **TILES,
    )
    assert not state.complete
    assert len(state.done) == state.plan.regular
    # The house is kept, and no half of a hook is shown.
    assert same_masks(full_masks(generate(state, SETTINGS)), [HOUSE])


def test_the_second_look_works_on_a_reduced_scene(model):
    large = np.kron(paint(SHAPE, [HOOK, HOUSE]), np.ones((2, 2, 1), np.uint8))
    state = initialize_tiled(Segmenter(model), large, settings=SETTINGS, scale=0.5, **TILES)
    assert len(state.plan.tiles) == state.plan.regular + 1
    areas = sorted(generate(state, SETTINGS).areas)
    assert areas == pytest.approx([4 * HOUSE.sum(), 4 * HOOK.sum()], rel=0.01)
