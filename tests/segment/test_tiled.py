"""Automatic mode in tiles, on a drawn scene where every object is known to the pixel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rsam_core.errors import PromptError, SceneError
from rsam_core.models.tiny.proposal_head import Proposals
from rsam_core.scene.scene import open_scene
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings, generate, grid_points, initialize
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import ArraySource, estimate_tiled, initialize_tiled, tiles
from tests.helpers.models import disc, overlap, rectangle
from tests.helpers.tiles import GROUND, FloodModel, full_masks, paint, same_masks

SHAPE = (500, 700)
ROAD = rectangle(SHAPE, 40, 214, 650, 232)
FIELD = rectangle(SHAPE, 120, 300, 560, 480)
SMALL = [
    *(rectangle(SHAPE, x, y, x + 24, y + 20) for x in range(10, 660, 46) for y in (12, 60, 190)),
    *(disc(SHAPE, x, 140, 17) for x in range(30, 690, 52)),
    # Two houses wall to wall.
    rectangle(SHAPE, 600, 300, 640, 340),
    rectangle(SHAPE, 640, 300, 680, 340),
]
TRUTH = [ROAD, FIELD, *SMALL]
IMAGE = paint(SHAPE, TRUTH)
SETTINGS = EverythingSettings(spacing=12, max_share=1)


@pytest.fixture
def model() -> FloodModel:
    return FloodModel()


@pytest.fixture
def segmenter(model) -> Segmenter:
    return Segmenter(model)


# ------------------------------------------------------------------ tiles


@pytest.mark.parametrize("width", [1, 63, 256, 257, 300, 480, 1000, 4096])
@pytest.mark.parametrize(("size", "overlap"), [(256, None), (256, 128), (256, 0), (100, 50)])
@pytest.mark.parametrize("even", [False, True])
def test_cores_cover_the_scene_once_and_lie_in_their_windows(width, size, overlap, even):
    height = 333
    count = np.zeros((height, width), int)
    for tile in tiles(width, height, size, overlap, even=even):
        count[tile.core.slices] += 1
        w, c = tile.window, tile.core
        assert w.x <= c.x
        assert w.y <= c.y
        assert c.x + c.width <= w.x + w.width <= width
        assert c.y + c.height <= w.y + w.height <= height
        assert w.width <= size
        assert w.height <= size
        assert w.x % 32 == w.y % 32 == 0
    assert (count == 1).all()


def test_neighbours_share_at_least_the_overlap():
    row = tiles(5000, 100, 1024, 200)
    assert len(row) > 5
    for left, right in pairwise(row):
        assert left.window.x + left.window.width - right.window.x >= 200
        # The border of the cores halves what both see.
        assert right.core.x - right.window.x >= 100
        assert left.window.x + left.window.width - right.core.x >= 100


@pytest.mark.parametrize("length", [1000, 1536, 1537, 2700, 4000, 6000, 12_000, 12_001, 20_000])
def test_even_tiles_are_as_many_as_others_and_look_at_less_twice(length):
    plain = tiles(length, 100, 1536, 384)
    even = tiles(length, 100, 1536, 384, even=True)
    assert len(even) == len(plain)
    assert sum(t.window.width for t in even) <= sum(t.window.width for t in plain)
    for left, right in pairwise(even):
        shared = left.window.x + left.window.width - right.window.x
        # Tiles begin at multiples of 32 pixels, so that each may share so much more.
        assert 384 <= shared <= 384 + 32 * len(even)
        assert right.core.x - right.window.x >= 192


class Proposing(FloodModel):
    """Proposes nothing, and notes how many proposals it was asked for in each picture."""

    proposes = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def propose(self, features, most, lowest):
        self.asked.append(most)
        empty = np.zeros((0, 4), np.float32)
        return Proposals(empty, empty[:, :2], empty[:, 0], empty[:, 0])


def test_a_model_that_proposes_looks_at_larger_tiles_as_densely():
    image = np.full((1400, 2700, 3), 90, np.uint8)
    model = Proposing()
    state = initialize_tiled(Segmenter(model), image)
    # Three of 1536 would overlap by far more than 384; even ones have 1184.
    assert model.sizes == [(1400, 1184), (1400, 1184), (1400, 1164)]
    times = 1400 * 1184 / 1024**2
    assert model.asked[0] == round(500 * times)
    assert state.complete
    # Asked for a grid, or for a size, it does as any other model.
    grid = Proposing()
    initialize_tiled(Segmenter(grid), image, settings=EverythingSettings(400, propose=False))
    assert max(max(size) for size in grid.sizes) == 1024
    assert grid.asked == []
    small = Proposing()
    initialize_tiled(Segmenter(small), image, size=640)
    assert max(max(size) for size in small.sizes) == 640
    assert set(small.asked) == {500}


def test_a_small_scene_is_one_tile():
    (tile,) = tiles(300, 200, 1024)
    assert tile.window == tile.core == Window(0, 0, 300, 200)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0, 10), "cannot be cut"),
        ((10, 10, 63), "too small"),
        ((10, 10, 256, 129), "Choose 0 to 128"),
        ((10, 10, 256, -1), "Choose 0 to 128"),
    ],
)
def test_senseless_tiles_are_refused(numbers, words):
    with pytest.raises(PromptError, match=words):
        tiles(*numbers)


# ------------------------------------------------------------------ the objects


@pytest.mark.parametrize("size", [192, 256, 384, 1024])
def test_every_object_is_found_once_and_whole_whatever_the_tiles(segmenter, size):
    state = initialize_tiled(segmenter, IMAGE, settings=SETTINGS, size=size)
    found = generate(state, SETTINGS)
    assert state.complete
    assert found.shape == SHAPE
    assert same_masks(full_masks(found), TRUTH)


def test_a_road_over_three_tiles_is_one_object(segmenter):
    image = paint(SHAPE, [ROAD])
    state = initialize_tiled(segmenter, image, settings=SETTINGS, size=256)
    assert len(set(state.tile_of)) >= 3
    (road,) = generate(state, SETTINGS)
    assert road.area == ROAD.sum() == 610 * 18
    assert road.score == pytest.approx(0.9)


def test_objects_larger_than_several_tiles_each_way_are_joined(segmenter):
    ring = disc(SHAPE, 350, 250, 230) & ~disc(SHAPE, 350, 250, 190)
    state = initialize_tiled(segmenter, paint(SHAPE, [ring]), settings=SETTINGS, size=128)
    assert same_masks(full_masks(generate(state, SETTINGS)), [ring])


def test_neighbours_that_meet_on_a_seam_are_not_glued(segmenter):
    # The tiles' overlap is 192 to 256; the two fields meet within it and both leave it.
    left, right = rectangle(SHAPE, 20, 40, 224, 200), rectangle(SHAPE, 224, 40, 440, 200)
    strips = [rectangle(SHAPE, 20, y, 680, y + 8) for y in range(240, 480, 9)]
    wanted = [left, right, *strips]
    settings = EverythingSettings(spacing=8, max_share=1)
    state = initialize_tiled(segmenter, paint(SHAPE, wanted), settings=settings, size=256)
    assert same_masks(full_masks(generate(state, settings)), wanted)


def test_one_tile_gives_what_a_view_gives(segmenter):
    whole = generate(initialize(segmenter, segmenter.embed(IMAGE), SETTINGS), SETTINGS)
    tiled = generate(initialize_tiled(segmenter, IMAGE, settings=SETTINGS), SETTINGS)
    assert [m.bbox for m in tiled] == [m.bbox for m in whole]
    assert same_masks(full_masks(tiled), full_masks(whole))


def test_each_point_of_the_grid_is_prompted_once(segmenter, model):
    whole = initialize(segmenter, segmenter.embed(IMAGE), SETTINGS)
    alone = sorted(model.clicks)
    model.clicks.clear()
    state = initialize_tiled(segmenter, IMAGE, settings=SETTINGS, size=192)
    assert state.points == whole.points == state.plan.total
    assert sorted(model.clicks) == alone


def test_generate_decodes_nothing_and_thresholds_act(segmenter, model):
    state = initialize_tiled(segmenter, IMAGE, settings=SETTINGS, size=256)
    decoded = len(model.clicks)
    large = generate(state, EverythingSettings(max_share=1, min_area=5000))
    assert same_masks(full_masks(large), [ROAD, FIELD])
    assert len(generate(state, EverythingSettings(max_share=1, min_quality=0.95))) == 0
    assert len(generate(state, EverythingSettings(max_share=1, min_stability=0.96))) == 0
    # 2 % of a tile of 256 x 256 are 1,311 pixels: every piece of the road is larger.
    few = generate(state, EverythingSettings(max_share=0.02, min_area=0))
    assert 0 < len(few) < len(TRUTH)
    assert max(few.areas) <= 1311
    assert len(model.clicks) == decoded


def test_no_two_objects_overlap_more_than_allowed(segmenter):
    state = initialize_tiled(segmenter, IMAGE, settings=SETTINGS, size=192)
    masks = full_masks(generate(state, SETTINGS))
    worst = max(overlap(a, b) for i, a in enumerate(masks) for b in masks[:i])
    assert worst <= SETTINGS.max_overlap


def test_a_second_run_gives_the_same(segmenter):
    runs = [initialize_tiled(segmenter, IMAGE, settings=SETTINGS, size=192) for _ in range(2)]
    first, second = (generate(run, SETTINGS) for run in runs)
    assert [m.bbox for m in first] == [m.bbox for m in second]
    assert np.array_equal(runs[0].masks.bits, runs[1].masks.bits)


# ------------------------------------------------------------------ a part, a scale


def test_a_window_of_the_scene(segmenter, model):
    window = Window(200, 0, 300, 220)
    state = initialize_tiled(segmenter, IMAGE, window, SETTINGS, size=192)
    found = full_masks(generate(state, SETTINGS))
    inside = np.zeros(SHAPE, bool)
    inside[window.slices] = True
    # The window's border cuts objects as an image's border does; there is nothing beyond it.
    # What holds no point of the scene's grid is too small for it.
    seeds = np.zeros(SHAPE, bool)
    columns, rows = grid_points(SHAPE, SETTINGS.spacing).astype(int).T
    seeds[rows, columns] = True
    parts = [m & inside for m in TRUTH]
    wanted = [m for m in parts if m.sum() >= SETTINGS.min_area and (m & seeds).any()]
    assert len(wanted) > 15
    assert same_masks(found, wanted)
    assert all(h <= 192 and w <= 192 for h, w in model.sizes)


def test_a_window_between_grid_points_gets_points_of_its_own(segmenter):
    window = Window(11, 13, 8, 8)
    settings = EverythingSettings(spacing=100, max_share=1, min_area=0)
    state = initialize_tiled(segmenter, IMAGE, window, settings)
    assert state.points == 1
    (found,) = generate(state, settings)
    assert found.bbox == (11, 13, 19, 21)


@pytest.mark.parametrize("scale", [1 / 2, 1 / 4])
def test_a_reduced_scene_gives_objects_in_scene_pixels(segmenter, model, scale):
    squares = [rectangle(SHAPE, x, 100, x + 120, 220) for x in (40, 300, 500)]
    image = paint(SHAPE, squares)
    settings = EverythingSettings(spacing=12, min_area=14_000, max_share=1)
    state = initialize_tiled(segmenter, image, settings=settings, size=128, scale=scale)
    found = full_masks(generate(state, settings))
    assert max(max(s) for s in model.sizes) == 128
    assert len(found) == 3
    assert min(max(overlap(s, m) for m in found) for s in squares) > 0.97
    # The smallest area is meant in scene pixels.
    assert len(generate(state, EverythingSettings(min_area=15_000, max_share=1))) == 0


def test_a_reduced_scene_of_odd_size_keeps_its_last_pixels(segmenter):
    shape = (101, 203)
    corner = rectangle(shape, 150, 60, 203, 101)
    settings = EverythingSettings(spacing=8, max_share=1)
    state = initialize_tiled(segmenter, paint(shape, [corner]), settings=settings, scale=0.5)
    best = max(full_masks(generate(state, settings)), key=lambda m: m.sum())
    # Mixed pixels along two sides belong to neither colour: two scene pixels each.
    assert overlap(best, corner) > 0.9
    assert not best[:56].any()
    assert best[-1, -20:].all()
    assert best[-20:, -1].all()


@pytest.mark.parametrize("scale", [0, -1, 2, 0.4, float("nan")])
def test_other_scales_are_refused(segmenter, scale):
    with pytest.raises(PromptError, match="1/2"):
        initialize_tiled(segmenter, IMAGE, scale=scale)


def test_a_window_outside_is_refused(segmenter):
    with pytest.raises(SceneError, match="beyond"):
        initialize_tiled(segmenter, IMAGE, Window(600, 0, 101, 50))


# ------------------------------------------------------------------ data


def test_parts_without_data_are_not_looked_at(segmenter, model):
    valid = np.zeros(SHAPE, bool)
    valid[:, :250] = True
    image = np.where(valid[..., None], IMAGE, 0).astype(np.uint8)
    state = initialize_tiled(segmenter, ArraySource(image, valid), settings=SETTINGS, size=128)
    assert state.complete
    assert state.points == state.plan.total
    empty = [i for i, tile in enumerate(state.plan.tiles) if tile.core.x >= 250]
    assert set(empty) <= set(state.empty)
    assert len(model.sizes) == len(state.plan.tiles) - len(state.empty)
    assert (0, 0, 0) not in model.clicks
    wanted = [m & valid for m in TRUTH if (m & valid).sum() >= SETTINGS.min_area]
    assert same_masks(full_masks(generate(state, SETTINGS)), wanted)


def test_black_tiles_are_skipped_without_a_mask(segmenter, model):
    image = np.zeros((*SHAPE, 3), np.uint8)
    state = initialize_tiled(segmenter, image, settings=SETTINGS, size=256)
    assert state.complete
    assert len(state.empty) == len(state.plan.tiles)
    assert model.sizes == []
    assert len(generate(state, SETTINGS)) == 0


def test_an_opened_file_is_read_in_windows(segmenter, tmp_path):
    import rasterio.transform

    path = tmp_path / "town.tif"
    form = {"driver": "GTiff", "width": 700, "height": 500, "count": 3, "dtype": "uint8"}
    place = rasterio.transform.from_origin(500_000, 600_000, 0.3, 0.3)
    with rasterio.open(path, "w", crs="EPSG:32637", transform=place, **form) as file:
        file.write(np.moveaxis(IMAGE, 2, 0))
    state = initialize_tiled(segmenter, open_scene(path), settings=SETTINGS, size=256)
    assert same_masks(full_masks(generate(state, SETTINGS)), TRUTH)


def test_an_array_that_is_no_picture_is_refused(segmenter):
    with pytest.raises(SceneError, match="uint8"):
        initialize_tiled(segmenter, IMAGE.astype(float))
    with pytest.raises(SceneError, match="height and width"):
        ArraySource(IMAGE, np.ones((3, 3), bool))


# ------------------------------------------------------------------ progress, cancel, memory


def test_only_one_embedding_exists_at_a_time(segmenter, model):
    state = initialize_tiled(segmenter, IMAGE, settings=SETTINGS, size=192)
    assert len(model.sizes) == len(state.plan.tiles) > 8
    assert model.most_alive == 1


def test_progress_rises_to_one_and_names_tile_and_objects(segmenter):
    told: list[tuple[float, str]] = []
    state = initialize_tiled(
        segmenter, IMAGE, settings=SETTINGS, size=256, progress=lambda *a: told.append(a)
    )
    count = len(state.plan.tiles)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert told[0][1] == f"tile 1 of {count}, 0 objects"
    last = told[-1][1]
    assert last.startswith(f"tile {count} of {count}, ")
    objects = [int(text.split(", ")[1].split()[0]) for _, text in told]
    assert objects == sorted(objects)
    # The road and the field have a piece with its centre in several tiles.
    assert len(TRUTH) - 2 <= objects[-1] <= len(TRUTH) + 2 * count
    assert len(told) > 2 * count


def test_cancelling_keeps_the_tiles_that_are_done(segmenter, model):
    state = initialize_tiled(
        segmenter,
        IMAGE,
        settings=SETTINGS,
        size=256,
        overlap=64,
        cancelled=lambda: len(model.sizes) == 3,
    )
    assert not state.complete
    assert state.done == (0, 1)
    assert 0 < state.points < state.plan.total
    found = full_masks(generate(state, SETTINGS))
    for tile in state.plan.tiles[:2]:
        core = np.zeros(SHAPE, bool)
        core[tile.core.slices] = True
        for mask in SMALL:
            if not (mask & ~core).any():
                assert sum(np.array_equal(mask, m) for m in found) == 1
    # What nobody has looked at cuts nothing: the road's part is kept up to there.
    seen = max(t.window.x + t.window.width for t in state.plan.tiles[:2])
    part = ROAD.copy()
    part[:, seen:] = False
    assert sum(np.array_equal(part, m) for m in found) == 1


def test_cancelling_within_a_tile_keeps_its_masks(segmenter, model):
    state = initialize_tiled(
        segmenter, IMAGE, settings=SETTINGS, size=256, cancelled=lambda: len(model.clicks) >= 64
    )
    assert state.done == ()
    # It is asked before each chunk of 16.
    assert state.points == len(model.clicks) == 64
    assert len(generate(state, SETTINGS)) > 3


def test_cancelled_before_the_first_tile(segmenter, model):
    state = initialize_tiled(segmenter, IMAGE, settings=SETTINGS, cancelled=lambda: True)
    assert (state.points, state.done, state.complete) == (0, (), False)
    assert model.sizes == []
    assert len(generate(state, SETTINGS)) == 0


def test_estimate_looks_at_one_tile_only(segmenter, model):
    seconds = estimate_tiled(segmenter, IMAGE, settings=SETTINGS, size=192)
    assert seconds > 0
    assert model.sizes == [(192, 192)]
    assert len(model.clicks) < 20


def test_ground_colour_is_not_an_object(segmenter):
    image = np.full((*SHAPE, 3), GROUND, np.uint8)
    assert len(generate(initialize_tiled(segmenter, image, settings=SETTINGS, size=256))) == 0
