"""The embedded model: its windows, tested with a network whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rsam_core.models.base import Decoded, MaskFilter
from rsam_core.models.tiny._windowed import merge
from rsam_core.models.tiny._windows import CELL, LEVELS, first_level, place, prompt_span
from rsam_core.prompts.prompt import Prompt
from tests.helpers.models import disc, overlap, rectangle
from tests.helpers.tiny import DiscModel, DiscNetwork


def blank(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def answer(network: DiscNetwork, shape: tuple[int, int], prompt: Prompt, multimask: bool = False):
    model = DiscModel(network)
    return model.decode(model.encode(blank(*shape)), prompt, multimask)


# ------------------------------------------------------------------ where to look


@pytest.mark.parametrize(
    ("prompt", "span"),
    [
        (Prompt(points=[(30, 40)]), (30, 40, 30, 40)),
        (Prompt(points=[(30, 40), (5, 90)], labels=[1, 0]), (5, 40, 30, 90)),
        (Prompt(points=[(30, 40)], box=(50, 10, 60, 20)), (30, 10, 60, 40)),
        (Prompt(mask=rectangle((50, 60), 10, 20, 15, 40)), (10, 20, 15, 40)),
    ],
)
def test_span_of_a_prompt(prompt, span):
    assert prompt_span(prompt) == span


def test_larger_prompts_start_with_larger_windows():
    assert first_level((10, 10, 10, 10)) == 0
    levels = []
    for reach in range(0, 6000, 10):
        level = first_level((10, 10, 10 + reach, 20))
        assert level == first_level((10, 10, 20, 10 + reach))
        # What surrounds the object must show, too, unless there is no larger window.
        assert reach <= 0.85 * LEVELS[level][0] or level == len(LEVELS) - 1
        levels.append(level)
    assert levels == sorted(levels)
    assert levels[-1] == len(LEVELS) - 1


def test_levels_grow_and_keep_the_number_of_cells_small():
    sides = [side for side, _ in LEVELS]
    assert sides == sorted(sides)
    assert sides[0] == 256
    assert LEVELS[0][1] == 1
    # Nothing larger than 512 cells a side is ever decoded: a click costs the same in any view.
    assert all(side // pool <= 512 for side, pool in LEVELS)


@pytest.mark.parametrize("seed", range(4))
def test_windows_are_aligned_lie_inside_and_hold_the_prompt(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        width, height = (int(v) * 32 for v in rng.integers(1, 80, 2))
        x0, x1 = sorted(rng.uniform(0, width, 2))
        y0, y1 = sorted(rng.uniform(0, height, 2))
        span = (x0, y0, x1, y1)
        smallest = first_level(span)
        for level in range(smallest, len(LEVELS)):
            window = place(span, level, width, height)
            side, pool = LEVELS[level]
            step = CELL * pool
            assert window.pool == pool
            assert all(v % step == 0 for v in (window.x, window.y, window.width, window.height))
            assert window.x >= 0
            assert window.y >= 0
            # A coarse last cell may reach a little beyond the view, never a whole cell.
            assert window.x + window.width < width + step
            assert window.y + window.height < height + step
            assert window.width <= side
            assert window.height <= side
            assert window.width == side or window.width >= width
            assert window.height == side or window.height >= height
            for low, size, first, last in (
                (window.x, window.width, x0, x1),
                (window.y, window.height, y0, y1),
            ):
                if last - first <= 0.85 * side:
                    assert low <= first
                    assert low + size >= last


def test_window_is_centred_on_the_prompt_away_from_borders():
    window = place((500, 300, 500, 300), 0, 1024, 1024)
    assert (window.width, window.height) == (256, 256)
    assert abs(window.x + 128 - 500) <= 4
    assert abs(window.y + 128 - 300) <= 4
    assert (place((3, 1020, 3, 1020), 0, 1024, 1024).x, window.pool) == (0, 1)
    assert place((3, 1020, 3, 1020), 0, 1024, 1024).y == 1024 - 256


# ------------------------------------------------------------------ a network with a known answer


@pytest.mark.parametrize(
    ("x", "y", "radius"),
    [(300.5, 200.5, 40), (301.3, 198.7, 12), (20, 15, 30), (620, 470, 60), (320, 240, 6)],
)
def test_disc_comes_out_where_it_is(x, y, radius):
    network = DiscNetwork(x, y, radius)
    found = answer(network, (480, 640), Prompt(points=[(x, y)]))
    expected = disc((480, 640), x, y, radius)
    assert overlap(found.full((480, 640))[0], expected) > (0.98 if radius > 20 else 0.9)
    assert found.scores == pytest.approx([0.8])
    # Looked at again with the mask; what is under 24 pixels across at twice the size, too.
    cells = [w[4] for w in network.windows()]
    assert cells == ([4, 4, 2] if 2 * radius < 20 else [4, 4])
    assert [float(batch.has_previous[0]) for _, batch in network.seen] == [0, 1, 1][: len(cells)]


def test_three_masks_or_one():
    network = DiscNetwork(128, 128, 60)
    three = answer(network, (256, 256), Prompt(points=[(128, 128)]), multimask=True)
    order = np.argsort(-three.scores)
    assert three.scores[order] == pytest.approx([0.9, 0.5, 0.3])
    areas = three.masks.sum((1, 2))[order]
    assert areas == pytest.approx([math.pi * r**2 for r in (60, 30, 15)], rel=0.05)
    assert len(three.lowres) == len(three.stability) == 3
    assert len(answer(network, (256, 256), Prompt(points=[(128, 128)])).masks) == 1


def test_stability_compares_a_stricter_and_a_looser_threshold():
    found = answer(DiscNetwork(128, 128, 60), (256, 256), Prompt(points=[(128, 128)]))
    # Logits are distances: one pixel inside the edge against one pixel outside.
    assert found.stability[0] == pytest.approx(59**2 / 61**2, abs=0.02)


def test_a_field_that_fills_most_of_a_large_view_is_outlined_whole():
    network = DiscNetwork(2000, 1990, 1250)
    found = answer(network, (4000, 4000), Prompt(points=[(2000, 1990)]))
    assert overlap(found.full((4000, 4000))[0], disc((4000, 4000), 2000, 1990, 1250)) > 0.97
    # Five sizes of window and a second look, none of which decodes more cells than the first.
    assert [skip.shape[-1] for skip, _ in network.seen] == [64] * 6


def test_what_its_window_cuts_off_is_offered_only_where_nothing_is_whole():
    whole, cut = proposals(0, 0, [40], [0.4]), proposals(0, 0, [90, 70], [0.9, 0.8])
    assert merge([whole], 3, [cut]).scores == pytest.approx([0.4])
    assert merge([], 3, [cut]).scores == pytest.approx([0.9, 0.8])


@pytest.mark.parametrize("size", [8, 12, 16])
def test_a_small_object_is_outlined_from_the_enlarged_picture(size):
    x, y = 301.3, 198.7
    network = DiscNetwork(x, y, size / 2)
    found = answer(network, (480, 640), Prompt(points=[(x, y)]))
    x0, y0, x1, y1, cell = network.windows()[-1]
    assert (x1 - x0, y1 - y0, cell) == (128, 128, 2)
    assert x0 < x - size / 2
    assert x + size / 2 < x1
    # Averaged with the coarser look before; a disc of 8 pixels has 52.
    least = 0.85 if size > 8 else 0.75
    assert overlap(found.full((480, 640))[0], disc((480, 640), x, y, size / 2)) > least


@pytest.mark.parametrize("shape", [(40, 50), (101, 67), (128, 300)])
def test_a_small_object_in_a_small_view_stays_in_its_place(shape):
    x, y = shape[1] - 14.5, shape[0] - 12.5
    network = DiscNetwork(x, y, 7)
    found = answer(network, shape, Prompt(points=[(x, y)]))
    assert network.windows()[-1][4] == 2
    assert overlap(found.full(shape)[0], disc(shape, x, y, 7)) > 0.85


def test_a_box_around_a_small_object_is_looked_at_twice_and_a_large_one_once():
    for radius, looks in ((8, 2), (60, 1)):
        network = DiscNetwork(300, 200, radius)
        box = (300 - radius, 200 - radius, 300 + radius, 200 + radius)
        answer(network, (480, 640), Prompt(box=box))
        assert len(network.seen) == looks


@pytest.mark.parametrize("radius", [100, 200, 400, 700])
def test_window_grows_until_the_object_fits(radius):
    network = DiscNetwork(800, 790, radius)
    found = answer(network, (1600, 1600), Prompt(points=[(800, 790)]))
    windows = network.windows()
    # The last one is the second look, in the window that fits the object.
    again = windows.pop()
    assert again[2] - again[0] >= 2 * radius
    sides = [w[2] - w[0] for w in windows]
    assert sides[0] == 256
    assert sides == sorted(set(sides))
    fits = [
        w[0] <= 800 - radius
        and w[1] <= 790 - radius
        and w[2] >= 800 + radius
        and w[3] >= 790 + radius
        for w in windows
    ]
    # It stops at the first window that holds the disc.
    assert fits == [False] * (len(windows) - 1) + [True]
    assert overlap(found.full((1600, 1600))[0], disc((1600, 1600), 800, 790, radius)) > 0.97


def test_lone_click_is_answered_finely_and_widely():
    network = DiscNetwork(800, 790, 60)
    prompt = Prompt(points=[(800, 790)])
    found = answer(network, (1600, 1600), prompt, multimask=True)
    sides = [w[2] - w[0] for w in network.windows()]
    assert len(sides) == 3
    assert sides[0] < sides[1]
    # The better of them is looked at again, with the mask.
    assert [float(batch.has_previous[0]) for _, batch in network.seen] == [0, 0, 1]
    # Both windows show the same disc: it is proposed once.
    best = found.full((1600, 1600))[found.scores.argmax()]
    assert overlap(best, disc((1600, 1600), 800, 790, 60)) > 0.97
    areas = np.sort(found.masks.sum((1, 2)))
    assert (areas[1:] > 1.5 * areas[:-1]).all()


def test_window_does_not_grow_at_the_border_of_the_view():
    network = DiscNetwork(0, 100, 90)
    found = answer(network, (256, 512), Prompt(points=[(5, 100)]))
    assert [float(batch.has_previous[0]) for _, batch in network.seen] == [0, 1]
    # The window of the second look shows what surrounds the disc.
    assert [w[2] - w[0] for w in network.windows()] == [256, 512]
    assert overlap(found.full((256, 512))[0], disc((256, 512), 0, 100, 90)) > 0.98


def proposals(x: int, y: int, widths: list[int], scores: list[float]) -> Decoded:
    """Bars ten pixels high from (x, y) on, each named by its width."""
    masks = np.arange(max(widths)) < np.array(widths)[:, None, None]
    masks = np.broadcast_to(masks, (len(widths), 10, max(widths)))
    return Decoded(
        masks, x, y, np.array(scores, np.float32), widths, np.array(scores, np.float32) / 2
    )


def test_best_distinct_proposals_of_two_windows():
    fine = proposals(100, 50, [20, 40, 60], [0.5, 0.9, 0.2])
    wide = proposals(100, 50, [39, 80, 10], [0.8, 0.7, 0.6])  # 39 of 40 is the same bar
    found = merge([fine, wide], 3)
    assert found.lowres == [40, 80, 10]
    assert found.scores == pytest.approx([0.9, 0.7, 0.6])
    assert found.stability == pytest.approx([0.45, 0.35, 0.3])
    bars = np.stack([rectangle((90, 200), 100, 50, 100 + w, 60) for w in (40, 80, 10)])
    assert np.array_equal(found.full((90, 200)), bars)
    assert merge([fine], 3) is fine
    # Doubles only fill up what would be missing.
    assert merge([proposals(5, 5, [20], [0.4]), proposals(5, 5, [20], [0.6])], 3).lowres == [20, 20]


def test_large_box_starts_with_a_large_window():
    network = DiscNetwork(700, 650, 300)
    found = answer(network, (1500, 1400), Prompt(box=(400, 350, 1000, 950)))
    assert len(network.seen) == 1
    x0, y0, x1, y1, _ = network.windows()[0]
    assert x0 < 400
    assert y0 < 350
    assert x1 > 1000
    assert y1 > 950
    assert overlap(found.full((1500, 1400))[0], disc((1500, 1400), 700, 650, 300)) > 0.97


@pytest.mark.parametrize(("radius", "largest"), [(100, 100), (200, 200), (400, 200)])
def test_quick_mode_leaves_out_what_does_not_fit_the_second_window(radius, largest):
    network = DiscNetwork(800, 800, radius)
    model = DiscModel(network)
    features = model.encode(blank(1600, 1600))
    decoded = model.decode_many(features, [Prompt(points=[(800, 800)])], True, quick=True)[0]
    assert len(network.seen) == 2
    # Of the large disc only the proposals of half and a quarter of its size are whole.
    assert decoded.masks.sum((1, 2)).max() == pytest.approx(math.pi * largest**2, rel=0.03)


def test_quick_mode_finds_nothing_where_all_is_too_large():
    model = DiscModel(DiscNetwork(800, 800, 5000))
    features = model.encode(blank(1600, 1600))
    decoded = model.decode_many(features, [Prompt(points=[(800, 800)])], True, quick=True)[0]
    assert not decoded.masks.any()
    assert len(decoded.scores) == len(decoded.masks)


@pytest.mark.parametrize("shape", [(333, 257), (40, 40), (8, 8), (1, 1), (31, 700), (1025, 1027)])
def test_masks_never_reach_into_the_padding(shape):
    height, width = shape
    found = answer(DiscNetwork(width, height, 5000), shape, Prompt(points=[(width / 2, 0.5)]))
    assert (found.x, found.y) == (0, 0)
    assert found.masks.shape == (1, height, width)
    assert found.masks.all()


def test_padding_repeats_the_last_pixels():
    network = DiscNetwork(10, 10, 5)
    image = np.random.default_rng(0).integers(0, 256, (33, 40, 3), np.uint8)
    DiscModel(network).encode(image)
    padded = network.rgb[0].permute(1, 2, 0).numpy()
    assert padded.shape == (64, 64, 3)
    assert np.array_equal(padded[:33, :40], image)
    assert (padded[33:, :40] == image[32]).all()
    assert (padded[:33, 40:] == image[:, 39:]).all()


def test_mask_that_lies_in_the_padding_alone_is_empty():
    # A view of 40 pixels is padded to 64; the disc lies beyond its right edge.
    found = answer(DiscNetwork(56, 20, 5), (40, 40), Prompt(points=[(39, 20)]))
    assert not found.masks.any()
    assert found.full((40, 40)).shape == (1, 40, 40)
    assert answer(DiscNetwork(20, 20, -9), (40, 40), Prompt(points=[(9, 9)])).masks.sum() == 0


def test_prompts_arrive_in_window_pixels():
    network = DiscNetwork(900, 700, 300)
    prompt = Prompt(points=[(905, 640), (1100, 690)], labels=[1, 0], box=(600, 400, 1200, 1000))
    answer(network, (1500, 1400), prompt)
    x0, y0, _, _, cell = network.windows()[0]
    pool = cell / 4
    batch = network.seen[0][1]
    assert (x0 + batch.points[0, :, 0] * pool).tolist() == pytest.approx([905, 1100])
    assert (y0 + batch.points[0, :, 1] * pool).tolist() == pytest.approx([640, 690])
    assert batch.labels.tolist() == [[1, 0]]
    corners = batch.boxes[0].reshape(2, 2) * pool + torch.tensor([x0, y0])
    assert corners.ravel().tolist() == pytest.approx([600, 400, 1200, 1000])
    assert batch.has_box.tolist() == [1]
    assert batch.has_previous.tolist() == [0]


def test_several_prompts_are_answered_in_order_whatever_their_windows():
    boxes = [(10, 10, 60, 60), (0, 0, 900, 900), (500, 500, 560, 590), (300, 0, 700, 400)]
    prompts = [Prompt(box=b) for b in boxes] + [Prompt(points=[(i * 90, 70)]) for i in range(9)]
    network = DiscNetwork(450, 450, 120)
    model = DiscModel(network)
    features = model.encode(blank(1000, 1000))
    together = model.decode_many(features, prompts, False)
    expected = disc((1000, 1000), 450, 450, 120)
    for prompt, found in zip(prompts, together):
        alone = model.decode(features, prompt, False)
        assert (found.x, found.y) == (alone.x, alone.y)
        assert np.array_equal(found.masks, alone.masks)
    assert overlap(together[1].full((1000, 1000))[0], expected) > 0.95
    # A window far from the disc sees none of it.
    assert not together[0].masks.any()


@pytest.mark.parametrize(
    ("size", "side"),
    [(40, 96), (62, 96), (64, 128), (80, 128), (90, 192), (124, 192), (130, 256)],
)
def test_small_proposed_boxes_are_decoded_in_the_smallest_window_that_holds_them(size, side):
    network = DiscNetwork(300, 300, size / 2)
    model = DiscModel(network)
    features = model.encode(blank(640, 640))
    box = Prompt(box=(300 - size / 2, 300 - size / 2, 300 + size / 2, 300 + size / 2))
    (found,) = model.decode_many(features, [box], False, quick=True)
    assert [w[2] - w[0] for w in network.windows()] == [side]
    assert overlap(found.full((640, 640))[0], disc((640, 640), 300, 300, size / 2)) > 0.95
    network.seen.clear()
    # A box that a person drew is looked at with all that surrounds it.
    model.decode_many(features, [box], False)
    x0, _, x1, _, _ = network.windows()[0]
    assert x1 - x0 == 256


def test_proposed_boxes_of_all_sizes_are_answered_in_their_order():
    rng = np.random.default_rng(5)
    sizes = rng.permutation(np.linspace(12, 300, 45))
    network = DiscNetwork(450, 450, 2000)
    model = DiscModel(network)
    features = model.encode(blank(1000, 1000))
    prompts = [Prompt(box=(450 - s / 2, 450 - s / 2, 450 + s / 2, 450 + s / 2)) for s in sizes]
    found = model.decode_many(features, prompts, False, quick=MaskFilter())
    # Windows of one size go together: far fewer steps than windows.
    assert len(network.seen) <= len(network.windows()) / 3
    alone = [model.decode_many(features, [p], False, quick=MaskFilter())[0] for p in prompts]
    for one, other in zip(found, alone):
        assert np.array_equal(one.full((1000, 1000)), other.full((1000, 1000)))


def test_earlier_answer_is_moved_into_the_next_window():
    network = DiscNetwork(800, 790, 150)
    model = DiscModel(network)
    features = model.encode(blank(1600, 1600))
    first = model.decode(features, Prompt(points=[(800, 790)]), True)
    needed = max(w[2] - w[0] for w in network.windows())
    network.seen.clear()
    prompt = Prompt(points=[(800, 790), (830, 760)])
    model.decode(features, prompt, False, first.lowres[int(first.scores.argmax())])
    # It starts with the window that the first answer needed, at another place.
    assert [w[2] - w[0] for w in network.windows()] == [needed]
    skip, batch = network.seen[0]
    assert batch.has_previous.tolist() == [1]
    distance = torch.hypot(skip[0, 0] - 800, skip[0, 1] - 790)
    earlier = batch.previous[0, 0]
    assert earlier[distance < 140].min() > 0.9
    assert earlier[distance > 160].max() < 0.1


def test_mask_prompt_arrives_as_coverage_with_a_click_inside_it():
    network = DiscNetwork(100, 80, 40)
    mask = rectangle((160, 192), 64, 40, 130, 96)
    answer(network, (160, 192), Prompt(mask=mask))
    skip, batch = network.seen[0]
    assert batch.has_previous.tolist() == [1]
    x, y = skip[0]
    earlier = batch.previous[0, 0]
    assert (earlier[(x > 64) & (x < 128) & (y > 40) & (y < 96)] == 1).all()
    assert (earlier[(x < 64) | (x > 132) | (y < 40) | (y > 96)] == 0).all()
    # Columns 128 and 129 cover half of the cell that ends at 132.
    assert earlier[(x == 130) & (y > 40) & (y < 96)].tolist() == pytest.approx([0.5] * 14)
    column, row = batch.points[0, 0].tolist()
    assert batch.labels.tolist() == [[1]]
    assert mask[int(row), int(column)]
    assert 40 + 27 <= row <= 96 - 27


def test_mask_beside_a_click_or_a_box_needs_no_other_click():
    mask = rectangle((64, 64), 10, 10, 40, 40)
    for prompt, points in (
        (Prompt(mask=mask, points=[(20, 20)]), [[20, 20]]),
        (Prompt(mask=mask, box=(9, 9, 41, 41)), None),
    ):
        network = DiscNetwork(32, 32, 10)
        answer(network, (64, 64), prompt)
        batch = network.seen[0][1]
        if points is None:
            assert (batch.labels == -1).all()
        else:
            assert batch.points[0].tolist() == points
    network = DiscNetwork(32, 32, 10)
    answer(network, (64, 64), Prompt(mask=mask, points=[(50, 50)], labels=[0]))
    assert network.seen[0][1].labels.tolist() == [[0, 1]]
