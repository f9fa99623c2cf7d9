"""The embedded model: its windows, tested with a network whose answer is known, and its weights."""

from __future__ import annotations

import json
import math
import pickle
import struct

import numpy as np
import pytest
import torch
from helpers_models import disc, overlap, rectangle
from helpers_tiny import DiscNetwork

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded
from rsam_core.models.tiny.model import WEIGHTS, TinyModel, load_tiny
from rsam_core.models.tiny.windowed import merge
from rsam_core.models.tiny.windows import CELL, LEVELS, first_level, place, prompt_span
from rsam_core.prompts import Prompt
from rsam_core.samples import render_town
from rsam_core.segmenter import Segmenter
from rsam_core.simulate import centre_click, corrective_click, tight_box


def blank(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def answer(network: DiscNetwork, shape: tuple[int, int], prompt: Prompt, multimask: bool = False):
    model = TinyModel(network)
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
    assert len(network.seen) == 1


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


@pytest.mark.parametrize("radius", [100, 200, 400, 700])
def test_window_grows_until_the_object_fits(radius):
    network = DiscNetwork(800, 790, radius)
    found = answer(network, (1600, 1600), Prompt(points=[(800, 790)]))
    windows = network.windows()
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
    assert len(sides) == 2
    assert sides[0] < sides[1]
    # Both windows show the same disc: it is proposed once.
    best = found.full((1600, 1600))[found.scores.argmax()]
    assert overlap(best, disc((1600, 1600), 800, 790, 60)) > 0.97
    areas = np.sort(found.masks.sum((1, 2)))
    assert (areas[1:] > 1.5 * areas[:-1]).all()


def test_window_does_not_grow_at_the_border_of_the_view():
    network = DiscNetwork(0, 100, 90)
    found = answer(network, (256, 512), Prompt(points=[(5, 100)]))
    assert len(network.seen) == 1
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
    model = TinyModel(network)
    features = model.encode(blank(1600, 1600))
    decoded = model.decode_many(features, [Prompt(points=[(800, 800)])], True, quick=True)[0]
    assert len(network.seen) == 2
    # Of the large disc only the proposals of half and a quarter of its size are whole.
    assert decoded.masks.sum((1, 2)).max() == pytest.approx(math.pi * largest**2, rel=0.03)


def test_quick_mode_finds_nothing_where_all_is_too_large():
    model = TinyModel(DiscNetwork(800, 800, 5000))
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
    TinyModel(network).encode(image)
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
    model = TinyModel(network)
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


def test_earlier_answer_is_moved_into_the_next_window():
    network = DiscNetwork(800, 790, 150)
    model = TinyModel(network)
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


# ------------------------------------------------------------------ the weights


def test_weights_are_half_precision_safetensors_under_ten_megabytes():
    data = WEIGHTS.read_bytes()
    assert len(data) < 10_000_000
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    assert {entry["dtype"] for entry in header.values()} == {"F16"}
    assert max(entry["data_offsets"][1] for entry in header.values()) + 8 + length == len(data)
    values = np.frombuffer(data[8 + length :], np.float16)
    assert np.isfinite(values).all()


def test_weights_load_without_pickle(monkeypatch):
    def refuse(*args, **fields):
        raise AssertionError("pickle was used")

    for module, name in (
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        monkeypatch.setattr(module, name, refuse)
    assert load_tiny().name == "rsam-tiny"


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "pickle", "other", "shape"])
def test_damaged_weights_say_what_to_do(damage, tmp_path):
    from safetensors.torch import load_file, save_file

    path = tmp_path / "weights.safetensors"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(WEIGHTS.read_bytes()[:100_000])
    elif damage == "text":
        path.write_text("<html>not found</html>")
    elif damage == "pickle":
        torch.save({"weight": torch.ones(2)}, path)
    elif damage == "other":
        save_file({"weight": torch.ones(2)}, str(path))
    elif damage == "shape":
        state = load_file(str(WEIGHTS))
        name = next(iter(state))
        save_file(state | {name: state[name][:1].contiguous()}, str(path))
    with pytest.raises(ModelError, match=r"missing or damaged\. Install RSAM again"):
        load_tiny(path)


# ------------------------------------------------------------------ what the weights can do


@pytest.fixture(scope="module")
def segmenter(tiny) -> Segmenter:
    return Segmenter(tiny)


@pytest.fixture(scope="module")
def roof() -> tuple[np.ndarray, np.ndarray]:
    """A bright rectangle on a dark, noisy ground, and its truth."""
    rng = np.random.default_rng(0)
    truth = rectangle((256, 288), 90, 80, 200, 150)
    image = np.where(truth[..., None], (200, 190, 180), (70, 95, 60))
    image = image + rng.normal(0, 6, (256, 288, 1))
    return image.clip(0, 255).astype(np.uint8), truth


@pytest.fixture(scope="module")
def mosaic():
    return render_town(640, 576, gsd=0.4, seed=3, style="estate")


@pytest.mark.parametrize(
    ("prompt", "at_least"),
    [
        (Prompt(box=(90, 80, 200, 150)), 0.8),
        (Prompt(box=(84, 75, 205, 154)), 0.8),
        (Prompt(points=[(145, 115)], box=(90, 80, 200, 150)), 0.8),
        (Prompt(points=[(145, 115), (20, 20)], labels=[1, 0]), 0.6),
        (Prompt(points=[(145, 115)]), 0.6),
        (Prompt(mask=rectangle((256, 288), 100, 90, 190, 140)), 0.6),
    ],
)
def test_clear_rectangle_is_found_by_any_prompt(segmenter, roof, prompt, at_least):
    image, truth = roof
    found = segmenter.predict(segmenter.embed(image), prompt)
    assert overlap(found.masks[0], truth) > at_least
    assert 0 < found.scores[0] <= 1


def test_roofs_of_a_town_by_box(segmenter, town_embedding, town_roofs):
    found = segmenter.predict(town_embedding, [Prompt(box=tight_box(r)) for r in town_roofs])
    values = [overlap(item.masks[0], roof) for item, roof in zip(found, town_roofs)]
    assert np.mean(values) > 0.75


def test_corrective_clicks_help(segmenter, town_embedding, town_roofs):
    before, after = [], []
    for roof in town_roofs:
        points, labels = [centre_click(roof)], [1]
        found = segmenter.predict(town_embedding, Prompt(points, labels))
        before.append(overlap(found.masks[0], roof))
        for _ in range(3):
            *point, label = corrective_click(roof, found.masks[0])
            points, labels = [*points, tuple(point)], [*labels, label]
            found = segmenter.predict(
                town_embedding, Prompt(points, labels), previous=found.refinement[0]
            )
        after.append(overlap(found.masks[0], roof))
    assert np.mean(after) > np.mean(before)
    assert np.mean(after) > 0.7


def test_features_do_not_depend_on_the_size_of_the_view(tiny, mosaic):
    large = tiny.encode(mosaic.image).maps
    small = tiny.encode(mosaic.image[160:416, 192:448]).maps
    for name, stride in (("features", 8), ("image", 8), ("key", 8), ("skip", 4)):
        whole, part = getattr(large, name)[0], getattr(small, name)[0]
        whole = whole[:, 160 // stride : 416 // stride, 192 // stride : 448 // stride]
        assert whole.shape == part.shape
        far = slice(96 // stride, 160 // stride)
        similar = torch.nn.functional.cosine_similarity(whole, part, dim=0)[far, far]
        assert similar.mean() > 0.97


def test_object_is_the_same_in_a_tile_and_in_a_mosaic(segmenter, mosaic):
    x, y = 192, 160
    large = segmenter.embed(mosaic.image)
    small = segmenter.embed(mosaic.image[y : y + 256, x : x + 256])
    agreement, differences = [], []
    for label, cls in mosaic.classes.items():
        box = np.array(tight_box(mosaic.labels == label)) - (x, y, x, y)
        if cls != "roof" or box.min() < 32 or box.max() > 224 or (box[2:] - box[:2]).min() < 12:
            continue
        in_tile = segmenter.predict(small, Prompt(box=box))
        in_mosaic = segmenter.predict(large, Prompt(box=box + np.array([x, y, x, y])))
        part = in_mosaic.masks[0][y : y + 256, x : x + 256]
        agreement.append(overlap(in_tile.masks[0], part))
        differences.append(abs(float(in_tile.scores[0] - in_mosaic.scores[0])))
    assert len(agreement) >= 2
    assert np.mean(agreement) >= 0.9
    assert min(agreement) >= 0.8
    assert max(differences) <= 0.1


@pytest.mark.parametrize("shape", [(333, 257), (40, 40), (8, 8), (1, 1), (20, 700)])
def test_view_of_any_size(segmenter, shape):
    height, width = shape
    image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    embedding = segmenter.embed(image)
    assert embedding.shape == shape
    assert embedding.nbytes > 0
    click = segmenter.predict(embedding, Prompt(points=[(width, height)]))
    assert click.masks.shape[1:] == (height, width)
    assert 1 <= len(click) <= 3
    box = segmenter.predict(embedding, Prompt(box=(0, 0, width, height)))
    assert box.masks.shape == (1, height, width)
    assert np.isfinite(box.scores).all()
    again = segmenter.predict(
        embedding, Prompt(points=[(0, 0)], box=(0, 0, width, height)), previous=box.refinement[0]
    )
    assert again.masks.shape == (1, height, width)


def test_encoding_takes_any_memory_layout_and_changes_nothing(tiny, town):
    image = town.image[:96, :128]
    before = image.copy()
    plain = tiny.encode(np.ascontiguousarray(image))
    image.flags.writeable = False
    flipped = np.asfortranarray(image)
    assert torch.equal(tiny.encode(flipped).maps.image, plain.maps.image)
    assert torch.equal(tiny.encode(image).maps.image, plain.maps.image)
    assert np.array_equal(image, before)
