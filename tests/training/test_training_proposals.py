"""What training teaches the proposal head, the kind head, and where it takes its pictures from."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rsam_core.models.tiny.kind_head import INPUTS, KindHead, describe
from rsam_core.models.tiny.kinds import KINDS, OF_RENDERED
from rsam_core.models.tiny.model import TinyModel
from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.models.tiny.proposal_head import LevelMaps, ProposalMaps
from tests.helpers.models import disc, rectangle
from tests.helpers.towns import rendered
from training.clicks import exclude_click, inner_click, next_click, proposal_box
from training.data import Crop, Picture
from training.kinds import Examples, calibrate, fit, ground_patches, report, roughen
from training.losses import ranking_loss
from training.pack import pack, unpack
from training.proposals import (
    Target,
    box_loss,
    heat_loss,
    objects_of,
    proposal_loss,
    targets,
)
from training.render_towns import kinds_of
from training.sources import (
    BUILDINGS,
    EVERYTHING,
    SOME,
    SOURCES,
    Source,
    kinds_of_classes,
    read_folder,
    read_sources,
)
from training.step import Prompts

BUILDING = KINDS.index("building")

# ------------------------------------------------------------------ ranking


def test_ranking_loss_by_hand():
    # Masks of IoU 0.9, 0.5, 0.5, predicted 0.6, 0.7, 0.2: one pair wrong by 0.1, one right by
    # 0.4, and one between equals, which does not matter.
    loss = ranking_loss(torch.tensor([[0.6, 0.7, 0.2]]), torch.tensor([[0.9, 0.5, 0.5]]))
    wrong, right = math.log1p(math.exp(1.2)), math.log1p(math.exp(-4.8))
    assert float(loss) == pytest.approx(0.4 * wrong + 0.4 * right, rel=1e-5)


def test_ranking_loss_pushes_the_better_mask_up():
    quality = torch.tensor([[0.4, 0.6]], requires_grad=True)
    ranking_loss(quality, torch.tensor([[0.8, 0.3]])).backward()
    assert quality.grad[0, 0] < 0 < quality.grad[0, 1]


# ------------------------------------------------------------------ realistic prompts


def test_inner_clicks_fall_inside_and_also_near_the_border():
    mask, rng = disc((80, 80), 40, 40, 30), np.random.default_rng(0)
    clicks = np.array([inner_click(mask, rng) for _ in range(400)])
    assert all(mask[int(y), int(x)] for x, y in clicks)
    radius = np.hypot(*(clicks - 40).T)
    # A quarter of the clicks is spread evenly: a third of those lies in the outer sixth.
    assert 0.03 < (radius > 25).mean() < 0.25
    assert (radius < 2).mean() > 0.3


def test_proposal_boxes_are_off_by_up_to_a_quarter():
    mask, rng = rectangle((200, 200), 50, 60, 150, 110), np.random.default_rng(0)
    boxes = np.array([proposal_box(mask, rng) for _ in range(600)])
    error = boxes - (50, 60, 150, 110)
    assert np.abs(error).max(0) == pytest.approx([24, 12, 24, 12], abs=0.5)
    # Normal with 12 % of 100 and of 50; what is cut at two standard deviations takes 4 % of it.
    assert error.std(0) == pytest.approx([11.5, 5.8, 11.5, 5.8], abs=0.8)
    whole = np.array([proposal_box(np.ones((20, 20), bool), rng) for _ in range(50)])
    assert whole.min() >= 0
    assert whole.max() <= 20


def test_exclude_clicks_fall_on_neighbours_or_just_outside():
    mask, rng = rectangle((120, 120), 40, 40, 70, 70), np.random.default_rng(0)
    neighbour = rectangle((120, 120), 74, 40, 90, 70)
    clicks = [exclude_click(mask, neighbour, rng) for _ in range(200)]
    outside = [(x, y) for x, y in clicks if not neighbour[int(y), int(x)]]
    assert not any(mask[int(y), int(x)] for x, y in clicks)
    assert 0.4 < 1 - len(outside) / 200 < 0.9
    for x, y in outside:
        beyond = np.hypot(max(40 - x, x - 70, 0), max(40 - y, y - 70, 0))
        assert beyond <= 8
    assert exclude_click(np.ones((30, 30), bool), None, rng) is None


def test_most_corrections_are_made_in_the_largest_error():
    truth = rectangle((100, 100), 10, 10, 60, 60)
    predicted = rectangle((100, 100), 10, 10, 60, 40)
    rng = np.random.default_rng(0)
    clicks = [next_click(truth, predicted, None, rng) for _ in range(200)]
    right = [c for c in clicks if c[2] == 1]
    assert 0.8 < len(right) / 200 < 0.95
    assert all(40 <= y < 60 and 10 <= x < 60 for x, y, _ in right)
    assert not any(truth[int(y), int(x)] for x, y, label in clicks if label == 0)


def test_second_pass_takes_the_box_of_the_first_mask():
    masks = [rectangle((256, 256), 40, 40, 120, 120)] * 200
    prompts = Prompts(masks, np.random.default_rng(0))
    boxed = prompts.has_box > 0
    before = (prompts.labels >= 0).sum(1)
    logits = torch.full((200, 64, 64), -6.0)
    logits[:, 10:28, 10:30] = 6.0
    prompts.correct(logits)
    repeated = (prompts.labels >= 0).sum(1) == before
    assert 0.2 < repeated[boxed].mean() < 0.5
    assert 0.04 < repeated[~boxed].mean() < 0.25
    changed = [i for i in np.flatnonzero(repeated) if not boxed[i]]
    # 10..28 × 10..30 cells of 4 pixels.
    taken = [prompts.boxes[i].tolist() for i in changed if prompts.has_box[i]]
    assert taken
    assert all(np.abs(np.subtract(box, (40, 40, 120, 112))).max() <= 2 for box in taken)
    assert (prompts.has_previous == 1).all()


# ------------------------------------------------------------------ what proposals are taught


def crop_of(labels: np.ndarray, kinds: list[int] | None, labelled: str = EVERYTHING) -> Crop:
    image = np.zeros((*labels.shape, 3), np.uint8)
    return Crop(image, labels, None if kinds is None else np.array(kinds, np.int8), labelled)


def two_objects(size: int = 128) -> np.ndarray:
    labels = np.zeros((size, size), np.int32)
    labels[20:52, 8:32] = 1  # centre at 20, 36
    labels[70:90, 60:120] = 2  # centre at 90, 80
    return labels


def test_objects_in_pieces():
    labels = np.zeros((128, 128), np.int32)
    labels[10:30, 10:30] = 5
    labels[16:18, 10:30] = 0  # a cable across a roof: two pieces, 120 and 240 pixels
    labels[60:70, 10:20] = 7
    labels[60:70, 100:110] = 7  # two halves far apart
    labels[100:104, 50:54] = 9  # too small to be taught
    found = objects_of(crop_of(labels, None, SOME))
    assert sorted(map(tuple, found.boxes.tolist())) == [
        (10, 10, 30, 30),
        (10, 60, 20, 70),
        (100, 60, 110, 70),
    ]
    assert not found.known.any()
    assert (found.weight[:, 100:104, 50:54] == 0).all()


def test_centres_boxes_and_shares():
    fine, coarse = targets([crop_of(two_objects(), [-1, BUILDING, 2])])
    assert fine.heat.shape == (1, 2, 32, 32)
    assert coarse.heat.shape == (1, 2, 8, 8)
    # Object 1 is a building: in both maps. Object 2 is a car: only in that of anything.
    assert torch.nonzero(fine.centre[0]).tolist() == [[0, 9, 5], [1, 9, 5], [1, 20, 22]]
    assert fine.heat[0, :, 9, 5].tolist() == [1, 1]
    assert fine.heat[0, :, 20, 22].tolist() == [0, 1]
    # 0.09 of 60 pixels are 1.35 cells, so that a cell beside the centre has exp(-1 / 2 / 1.35²).
    assert float(fine.heat[0, 1, 20, 23]) == pytest.approx(math.exp(-0.5 / 1.35**2), rel=1e-4)
    assert fine.box[0, :, 9, 5].tolist() == [8, 20, 32, 52]
    assert fine.share.sum() == pytest.approx(2)
    # Both are smaller than what the coarse level is for.
    assert not coarse.centre.any()
    assert coarse.share.sum() == 0


def test_large_objects_belong_to_the_coarse_level():
    labels = np.zeros((256, 256), np.int32)
    labels[20:220, 30:130] = 1
    labels[230:250, 100:180] = 2  # 80 pixels long: both
    fine, coarse = targets([crop_of(labels, [-1, BUILDING, BUILDING])])
    # 1 is centred at 80, 120; 2 at 140, 240.
    assert torch.nonzero(coarse.centre[0, 0]).tolist() == [[7, 5], [15, 8]]
    assert torch.nonzero(fine.centre[0, 0]).tolist() == [[60, 35]]


def test_what_is_not_labelled_is_not_taught_to_be_absent():
    labels = two_objects()
    corner = (slice(None), slice(110, 128), slice(0, 30))
    everything = objects_of(crop_of(labels, [-1, BUILDING, 2])).weight
    assert (everything == 1).all()
    buildings = objects_of(crop_of(labels, [-1, BUILDING, BUILDING], BUILDINGS)).weight
    assert (buildings[0] == 1).all()
    assert buildings[corner][1].max() <= 0.05
    assert (buildings[1][labels > 0] == 1).all()
    some = objects_of(crop_of(labels, [-1, BUILDING, -1], SOME)).weight
    assert (some[corner] == 0).all()
    # Inside an object of unknown kind there may be a building; inside a known one there is none.
    assert (some[0][labels == 2] == 0).all()
    assert (some[0][labels == 1] > 0).all()
    assert (some[1][labels > 0] > 0).all()


def target_of(heat: torch.Tensor, weight: torch.Tensor, centre: torch.Tensor) -> Target:
    n, _, h, w = heat.shape
    return Target(heat, weight, centre, torch.zeros(n, 4, h, w), torch.zeros(n, h, w))


def test_heat_loss_by_hand():
    # p = 0.5 in two cells: a centre, and a neighbour of height 0.5 that counts 0.3.
    centre = torch.zeros(1, 2, 1, 2, dtype=torch.bool)
    centre[0, 0, 0, 0] = True
    heat = torch.tensor([[[[1.0, 0.5]], [[0.0, 0.0]]]])
    weight = torch.tensor([[[[1.0, 0.3]], [[0.0, 0.0]]]])
    loss = heat_loss(torch.zeros(1, 2, 1, 2), target_of(heat, weight, centre))
    half = 0.25 * math.log(2)
    assert float(loss) == pytest.approx(half + 0.3 * 0.5**4 * half)


def test_box_loss_by_hand():
    # The cell's middle is 8, 8; boxes 4..12 (guessed) and 4..12 × 4..20 (true): half of it.
    target = Target(
        torch.zeros(1, 2, 1, 1),
        torch.zeros(1, 2, 1, 1),
        torch.zeros(1, 2, 1, 1, dtype=torch.bool),
        torch.tensor([4.0, 4, 12, 20]).reshape(1, 4, 1, 1),
        torch.ones(1, 1, 1),
    )
    maps = LevelMaps(torch.zeros(1, 2, 1, 1), torch.full((1, 4, 1, 1), 4.0), 16)
    loss, overlap = box_loss(maps, target)
    assert float(overlap) == pytest.approx(0.5)
    assert float(loss) == pytest.approx(0.5 + 0.3 * math.log(2) / 2, rel=1e-4)


def test_perfect_maps_lose_next_to_nothing():
    fine, coarse = targets([crop_of(two_objects(), [-1, BUILDING, 2])])
    levels = []
    for target, stride in ((fine, 4), (coarse, 16)):
        heat = torch.where(target.centre, 12.0, -12.0)
        h, w = target.share.shape[1:]
        x, y = (torch.arange(w) + 0.5) * stride, (torch.arange(h)[:, None] + 0.5) * stride
        x0, y0, x1, y1 = target.box.unbind(1)
        sides = torch.stack([x - x0, y - y0, x1 - x, y1 - y], 1)
        levels.append(LevelMaps(heat, sides, stride))
    loss, figures = proposal_loss(ProposalMaps(*levels), (fine, coarse))
    assert float(loss) < 0.01
    assert figures["box iou"] == pytest.approx(1)
    assert "box iou large" not in figures


# ------------------------------------------------------------------ sources


def write_set(folder: Path, names: dict[int, str] | None, stems: tuple[str, ...]) -> None:
    parts = ("images", "instances", "classes") if names else ("images", "instances")
    for part in parts:
        (folder / part).mkdir(parents=True, exist_ok=True)
    labels = two_objects().astype(np.uint16)
    for stem in stems:
        image = np.full((128, 128, 3), 90, np.uint8)
        image[labels > 0] = (40, 60, 200)
        cv2.imwrite(str(folder / "images" / f"{stem}.jpg"), image)
        cv2.imwrite(str(folder / "instances" / f"{stem}.png"), labels)
        if names:
            cv2.imwrite(str(folder / "classes" / f"{stem}.png"), labels.astype(np.uint8))
    if names:
        (folder / "classes.json").write_text(json.dumps(names))


def test_kinds_come_from_classes():
    instances = np.array([[0, 1, 1, 2], [3, 3, 3, 0]])
    classes = np.array([[0, 1, 1, 4], [2, 2, 1, 0]])
    names = {0: "background", 1: "building", 2: "vegetation", 4: "rock"}
    # Most of the third object is vegetation; nobody knows what kind a rock is.
    assert kinds_of_classes(instances, classes, names, "tree").tolist() == [
        -1, BUILDING, -1, KINDS.index("tree"),
    ]  # fmt: skip
    assert kinds_of_classes(instances, classes, names, "").tolist() == [-1, BUILDING, -1, -1]


def test_folders_say_what_they_label(tmp_path):
    write_set(tmp_path / "land/x", {0: "background", 1: "building", 2: "car"}, ("a1", "b1"))
    source = Source("land/x", 1.0, EVERYTHING)
    pictures = read_folder(tmp_path, source, ["b1"])
    assert len(pictures) == 1
    assert pictures[0].labelled == EVERYTHING
    assert pictures[0].kinds.tolist() == [-1, BUILDING, KINDS.index("car")]
    assert pictures[0].image[40, 20].tolist() == pytest.approx([200, 60, 40], abs=12)


def test_held_out_places_are_not_trained_on(tmp_path):
    write_set(tmp_path / "land/dubai", {0: "land", 1: "building", 2: "road"}, ("t1_a", "t6_a"))
    write_set(tmp_path / "fields/naip", None, ("38.7482_1", "40.0_1", "41.0_1"))
    names = [p.folder for p in SOURCES]
    train, held = read_sources(tmp_path), read_sources(tmp_path, held_out=True)
    counts = {share: len(pictures) for share, pictures in train if pictures}
    dubai, fields = SOURCES[names.index("land/dubai")], SOURCES[names.index("fields/naip")]
    assert counts == {dubai.share: 1, fields.share: 2}
    assert [len(pictures) for _, pictures in held] == [1, 1]
    field = next(p for share, p in train if share == fields.share)[0]
    assert field.kinds.tolist() == [KINDS.index("grass or field")] * 3
    assert field.labels[0].dtype == np.uint16


def test_every_class_of_the_renderer_has_a_kind():
    for style in ("suburb", "farmland", "harbour"):
        town = rendered(160, 120, gsd=0.6, seed=2, style=style)
        kinds = kinds_of(town.classes)
        assert kinds[0] == -1
        assert (kinds[1:] >= 0).all()
        for label, name in town.classes.items():
            assert KINDS[kinds[label]] == OF_RENDERED[name]


def test_packed_data_come_out_as_they_went_in(tmp_path):
    write_set(tmp_path / "in/land/dubai", {0: "land", 1: "building", 2: "road"}, ("t1_a", "t1_b"))
    (tmp_path / "towns").mkdir()
    town = rendered(320, 256, gsd=0.5, seed=1, style="village")
    for name in ("town1000", "town1001"):
        np.savez(
            tmp_path / "towns" / f"{name}.npz",
            image=town.image,
            labels=town.labels.astype(np.uint16),
            kinds=kinds_of(town.classes),
        )
    size, count = pack(tmp_path / "in", tmp_path / "towns", tmp_path / "all.zip")
    assert size == (tmp_path / "all.zip").stat().st_size
    assert count == 2
    unpack(tmp_path / "all.zip", tmp_path / "out")
    before = read_sources(tmp_path / "in", tmp_path / "towns")
    after = read_sources(tmp_path / "out/data", tmp_path / "out/towns")
    assert [len(p) for _, p in after] == [len(p) for _, p in before] == [2, 0, 2]
    for (_, first), (_, second) in zip(before, after):
        for one, other in zip(first, second):
            assert np.array_equal(one.labels[0], other.labels[0])
            assert np.array_equal(one.kinds, other.kinds)
            assert np.abs(one.image.astype(int) - other.image).mean() < 12
    # With room for one town only.
    small, count = pack(
        tmp_path / "in", tmp_path / "towns", tmp_path / "less.zip", limit=size - 2000
    )
    assert count == 1
    assert small <= size - 2000
    with pytest.raises(ValueError, match="alone"):
        pack(tmp_path / "in", None, tmp_path / "none.zip", limit=1000)


# ------------------------------------------------------------------ kinds


def test_description_sees_the_object_and_its_surroundings():
    torch.manual_seed(0)
    model = TinyModel(TinyNetwork(folded=True))
    maps = model.encode(np.zeros((128, 128, 3), np.uint8)).maps
    features = torch.zeros_like(maps.features)
    features[0, 0], features[0, 0, 4:8, 4:8] = 1.0, 3.0
    maps = type(maps)(features, maps.image, maps.key, maps.skip)
    whole = rectangle((128, 128), 32, 32, 64, 64)
    first = describe(maps, [(whole, 0, 0), (np.ones((32, 32), bool), 32, 32)])
    assert first.shape == (2, INPUTS)
    assert first[0, 0] == pytest.approx(3)
    assert first[0, 128] == pytest.approx(1)
    # A cropped mask is the same object; a square's shape: side ratio 1, filled, 124 of 4 × 32.
    assert torch.allclose(first[0], first[1], atol=1e-5)
    assert first[0, -5:].tolist() == pytest.approx(
        [math.log(1024) / 8, math.log(32) / 5, 1, 1, 124 / 128], rel=1e-4
    )
    assert (describe(maps, [(whole[:4, :4], 500, 500)]) == 0).all()
    assert describe(maps, []).shape == (0, INPUTS)


def blobs(count: int, seed: int) -> Examples:
    """Kinds 0, 2 and 3 that differ in one input each; a tenth of the labels is wrong."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice([0, 2, 3], count)
    inputs = rng.normal(0, 1, (count, INPUTS)).astype(np.float32)
    inputs[np.arange(count), kinds] += 6
    noisy = np.where(rng.random(count) < 0.1, rng.choice([0, 2, 3], count), kinds)
    return Examples(torch.from_numpy(inputs), torch.from_numpy(noisy))


def test_kind_head_learns_and_knows_how_sure_it_is():
    torch.manual_seed(0)
    head = KindHead()
    fit(head, blobs(4000, 0), steps=200)
    held_out = blobs(600, 1)
    calibrate(head, held_out)
    probabilities = head.probabilities(held_out.inputs)
    assert probabilities.sum(1) == pytest.approx(np.ones(600), abs=1e-5)
    best, guess = probabilities.max(1)
    right = (guess == held_out.kinds).float().mean()
    # A tenth of the labels is drawn anew, of which a third is right: at most 0.933.
    assert 0.85 < right < 0.96
    assert float(best.mean()) == pytest.approx(float(right), abs=0.06)
    table = report(head, held_out)
    assert set(table) == {"building", "car", "tree", "all"}
    assert sum(table[k]["objects"] for k in ("building", "car", "tree")) == 600
    assert table["all"]["precision"] >= 0.85


def test_roughened_masks_stay_near_the_object():
    rng, mask = np.random.default_rng(0), disc((60, 60), 30, 30, 15)
    for _ in range(20):
        rough = roughen(mask, rng)
        both = np.count_nonzero(rough & mask) / np.count_nonzero(rough | mask)
        assert both > 0.7
    small = rectangle((20, 20), 5, 5, 11, 11)
    assert all(roughen(small, rng).sum() >= 36 for _ in range(20))


def test_patches_of_bare_ground_lie_on_it():
    ground = np.zeros((200, 200), bool)
    ground[:, :120] = True
    picture = Picture(np.zeros((200, 200, 3), np.uint8), [np.zeros((200, 200), np.int32)])
    patched = ground_patches(picture, ground, np.random.default_rng(0))
    assert patched.labels[0].any()
    assert not patched.labels[0][:, 120:].any()
    assert {KINDS[k] for k in patched.kinds} == {"bare ground"}
