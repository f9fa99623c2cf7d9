"""How the embedded model is trained: data, simulated users, losses, export."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rsam_core.models.tiny.model import load_tiny
from rsam_core.models.tiny.network import TinyNetwork
from tests.helpers.models import disc, rectangle
from training.data import (
    Mixture,
    Picture,
    jitter_colour,
    random_crop,
    read_photographs,
    read_rendered,
    read_tiles,
)
from training.export import export
from training.losses import mask_loss, true_iou
from training.simulate import draw_objects, loose_box, noisy_corrective_click, random_click
from training.train import WARM_UP_STEPS, Prompts, learning_rate

# ------------------------------------------------------------------ losses


def test_loss_of_an_undecided_mask_by_hand():
    # Probability one half everywhere: cross-entropy ln 2, Dice 1 - (2 * 8 + 1) / (8 + 16 + 1).
    loss = mask_loss(torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 4, 4))
    assert loss.tolist() == [pytest.approx([2 * math.log(2) + 1 - 17 / 25] * 2)]


def test_loss_weighs_the_neighbourhood_of_the_object():
    # One cell of object in the corner of 20 × 20: the 5 × 5 cells within four steps weigh 1.3,
    # the other 375 weigh 0.3. Logits: sure and right, but for one far cell that is wrong.
    target = torch.zeros(1, 1, 20, 20)
    target[0, 0, 0, 0] = 1
    logits = torch.where(target > 0, 30.0, -30.0)
    far, near = logits.clone(), logits.clone()
    far[0, 0, 15, 15] = 5.0
    near[0, 0, 2, 2] = 5.0
    whole = 25 * 1.3 + 375 * 0.3
    probability = 1 / (1 + math.exp(-5))
    dice = 1 - (2 + 1) / (1 + probability + 1 + 1)
    entropy = -math.log(1 - probability)
    assert float(mask_loss(logits, target)) == pytest.approx(0, abs=1e-4)
    assert float(mask_loss(far, target)) == pytest.approx(2 * entropy * 0.3 / whole + dice)
    assert float(mask_loss(near, target)) == pytest.approx(2 * entropy * 1.3 / whole + dice)


def test_better_masks_lose_less():
    target = torch.from_numpy(disc((32, 32), 16, 16, 9)).float()[None, None]
    distance = [torch.from_numpy(disc((32, 32), x, 16, 9)).float() * 8 - 4 for x in (16, 19, 24)]
    losses = mask_loss(torch.stack(distance)[None], target)[0]
    assert losses[0] < losses[1] < losses[2]


def test_true_iou_by_hand():
    target = torch.zeros(1, 1, 4, 4)
    target[..., :2] = 1  # eight cells
    logits = torch.full((1, 3, 4, 4), -1.0)
    logits[0, 0, :, :2] = 1
    logits[0, 1, :, 1:3] = 1  # four of twelve
    assert true_iou(logits, target)[0].tolist() == pytest.approx([1, 4 / 12, 0])
    half = torch.full((1, 1, 4, 4), 0.5)
    # A mask that covers cells half filled: 8 of 16.
    assert float(true_iou(torch.ones(1, 1, 4, 4), half)) == pytest.approx(0.5)


# ------------------------------------------------------------------ tiles and pictures


def write_tile(folder: Path, name: str, labels: np.ndarray, grey: int) -> None:
    for kind in ("images", "instances"):
        (folder / kind).mkdir(exist_ok=True)
    image = np.full((256, 256, 3), grey, np.uint8)
    image[labels > 0] = (200, 40, 10)  # red in RGB
    cv2.imwrite(str(folder / "images" / name), image[..., ::-1])
    cv2.imwrite(str(folder / "instances" / name), labels.astype(np.uint16))


@pytest.fixture
def mosaic(tmp_path) -> Picture:
    """Two tiles side by side and one below the right one.

    A house crosses the vertical seam, another the horizontal one, and two houses only meet at
    a seam.
    """
    left, right, below = (np.zeros((256, 256), int) for _ in range(3))
    left[100:140, 236:256] = 1
    right[100:140, 0:30] = 1
    right[236:256, 50:90] = 2
    below[0:20, 52:90] = 1
    left[10:20, 200:256] = 2
    right[16:60, 0:40] = 3  # shares four of ten rows with its neighbour
    left[200:220, 20:40] = 3
    write_tile(tmp_path, "OAM-700-500-19.png", left, 50)
    write_tile(tmp_path, "OAM-701-500-19.png", right, 90)
    write_tile(tmp_path, "OAM-701-501-19.png", below, 130)
    pictures = read_tiles(tmp_path)
    assert len(pictures) == 1
    return pictures[0]


def test_tiles_are_stitched_by_their_numbers(mosaic):
    assert mosaic.image.shape == (512, 512, 3)
    assert mosaic.image[50, 30].tolist() == [50, 50, 50]
    assert mosaic.image[200, 500].tolist() == [90, 90, 90]
    assert mosaic.image[400, 500].tolist() == [130, 130, 130]
    # Red stays red: channels come as RGB.
    assert mosaic.image[120, 250].tolist() == [200, 40, 10]
    assert mosaic.valid[:256].all()
    assert mosaic.valid[256:, 256:].all()
    assert not mosaic.valid[256:, :256].any()


def test_house_across_a_seam_is_one_object(mosaic):
    labels = mosaic.labels[0]
    crossing = labels[120, 250]
    assert crossing > 0
    assert np.array_equal(labels == crossing, rectangle((512, 512), 236, 100, 286, 140))
    vertical = labels[250, 320]
    expected = rectangle((512, 512), 306, 236, 346, 256) | rectangle((512, 512), 308, 256, 346, 276)
    assert np.array_equal(labels == vertical, expected)


def test_neighbours_that_barely_meet_stay_two_objects(mosaic):
    labels = mosaic.labels[0]
    assert labels[15, 220] != labels[40, 270]
    # Five objects in all, each with a number of its own.
    assert len(np.unique(labels)) == 6
    assert (labels == labels[210, 30]).sum() == 400


def test_distant_tiles_make_separate_pictures(tmp_path):
    labels = rectangle((256, 256), 10, 10, 60, 60).astype(int)
    for name in ("OAM-10-10-19.png", "OAM-12-10-19.png", "OAM-10-11-20.png"):
        write_tile(tmp_path, name, labels, 80)
    pictures = read_tiles(tmp_path)
    assert sorted(p.image.shape for p in pictures) == [(256, 256, 3)] * 3


def test_photographs_and_rendered_towns(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    image = np.full((20, 30, 3), (10, 20, 30), np.uint8)
    for name in ("one", "unlabelled"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.jpg"), image[..., ::-1])
    for k in range(2):
        regions = np.full((20, 30), k, np.uint16)
        regions[5:] = 7
        cv2.imwrite(str(tmp_path / "labels" / f"one_{k}.png"), regions)
    (photograph,) = read_photographs(tmp_path)
    assert photograph.image[3, 3] == pytest.approx(image[3, 3], abs=3)
    # Numbers start at 1, because 0 means "nothing to prompt for".
    assert [np.unique(m).tolist() for m in photograph.labels] == [[1, 8], [2, 8]]
    np.savez(tmp_path / "town1.npz", image=image, labels=np.ones((20, 30), np.uint16))
    (town,) = read_rendered(tmp_path)
    assert town.image.shape == (20, 30, 3)
    assert (town.labels[0] == 1).all()


# ------------------------------------------------------------------ crops


@pytest.mark.parametrize("seed", range(8))
def test_crop_keeps_image_and_labels_aligned(seed):
    # Each object's grey value is its number times forty: the image itself is the truth.
    labels = np.zeros((700, 900), np.int32)
    labels[100:400, 150:420] = 1
    labels[350:650, 500:800] = 2
    labels[disc((700, 900), 250, 560, 100)] = 3
    image = np.repeat((labels * 40).astype(np.uint8)[..., None], 3, 2)
    rng = np.random.default_rng(seed)
    for _ in range(6):
        crop, turned = random_crop(Picture(image, [labels]), rng)
        assert crop.shape == (256, 256, 3)
        assert turned.shape == (256, 256)
        assert turned.dtype == np.int32
        assert set(np.unique(turned)) <= {0, 1, 2, 3}
        read = np.rint(crop[..., 0] / 40).astype(int)
        # Edges are blurred on purpose; inside them the two must agree.
        kernel = np.ones((7, 7), np.uint8)
        level = turned.astype(np.uint8)
        inside = cv2.erode(level, kernel) == cv2.dilate(level, kernel)
        assert inside.mean() > 0.6
        assert (read == turned)[inside].mean() > 0.995


def test_crop_of_a_small_picture_is_filled():
    labels = np.ones((60, 90), np.int32)
    image = np.full((60, 90, 3), 77, np.uint8)
    crop, turned = random_crop(Picture(image, [labels]), np.random.default_rng(0))
    assert (crop == 77).all()
    assert (turned == 1).all()


def test_crop_falls_where_there_are_tiles():
    valid = rectangle((1600, 1600), 0, 0, 700, 1600)
    picture = Picture(
        np.where(valid, 200, 0).astype(np.uint8)[..., None].repeat(3, 2),
        [np.zeros((1600, 1600), np.int32)],
        valid,
    )
    rng = np.random.default_rng(0)
    centres = [random_crop(picture, rng)[0][128, 128, 0] for _ in range(20)]
    assert np.mean([value == 200 for value in centres]) >= 0.95


def test_colour_jitter_changes_colours_only():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    before = image.copy()
    results = [jitter_colour(image, np.random.default_rng(seed)) for seed in range(12)]
    assert all(r.shape == image.shape and r.dtype == np.uint8 for r in results)
    assert np.array_equal(image, before)
    assert sum(not np.array_equal(r, image) for r in results) >= 9


def test_mixture_draws_in_the_given_shares():
    def picture(value: int) -> Picture:
        labels = np.full((300, 300), value, np.int32)
        return Picture(np.full((300, 300, 3), 100, np.uint8), [labels])

    mixture = Mixture([(0.75, [picture(1)]), (0.25, [picture(2)]), (0.9, [])])
    assert mixture.shares == pytest.approx([0.75, 0.25])
    rng = np.random.default_rng(0)
    values = [int(mixture.draw(rng, 32)[1][16, 16]) for _ in range(200)]
    assert 130 <= values.count(1) <= 170
    assert values.count(1) + values.count(2) == 200
    with pytest.raises(ValueError, match="no training pictures"):
        Mixture([(1.0, [])])


# ------------------------------------------------------------------ simulated users


def test_objects_are_connected_pieces_that_are_large_enough():
    labels = np.zeros((64, 64), np.int32)
    labels[2:12, 2:12] = 1
    labels[40:60, 40:60] = 1  # the same number elsewhere
    labels[20:25, 20:25] = 2  # 25 pixels are too few
    labels[30:36, 2:8] = 3  # 36 are enough
    rng = np.random.default_rng(0)
    squares = [
        rectangle((64, 64), 2, 2, 12, 12),
        rectangle((64, 64), 40, 40, 60, 60),
        rectangle((64, 64), 2, 30, 8, 36),
    ]
    seen = set()
    for _ in range(20):
        drawn = draw_objects(labels, 4, rng)
        assert len(drawn) == 2
        for mask in drawn:
            seen.add(next(i for i, square in enumerate(squares) if np.array_equal(mask, square)))
    assert seen == {0, 1, 2}
    assert len(draw_objects(labels, 1, rng)) == 1
    assert draw_objects(np.zeros((8, 8), np.int32), 4, rng) == []


def test_clicks_fall_inside_and_prefer_the_middle():
    mask = disc((80, 80), 40, 40, 30)
    rng = np.random.default_rng(0)
    clicks = np.array([random_click(mask, rng) for _ in range(300)])
    assert all(mask[int(y), int(x)] for x, y in clicks)
    assert (clicks % 1 == 0.5).all()
    distance = np.hypot(*(clicks - 40).T)
    # Evenly spread clicks would lie 20 from the centre on average; weighted by depth, 15.
    assert distance.mean() == pytest.approx(15, abs=1.5)


def test_loose_box_is_tight_half_of_the_time_and_never_far_off():
    mask = rectangle((200, 200), 50, 60, 150, 110)
    rng = np.random.default_rng(0)
    boxes = np.array([loose_box(mask, rng) for _ in range(400)])
    tight = (boxes == (50, 60, 150, 110)).all(1)
    assert 0.4 < tight.mean() < 0.6
    error = np.abs(boxes - (50, 60, 150, 110)).max(0)
    # Two standard deviations of 6 % and 0.7 pixels.
    assert error == pytest.approx([13.4, 7.4, 13.4, 7.4], abs=0.3)
    edge = np.array([loose_box(np.ones((20, 20), bool), rng) for _ in range(50)])
    assert edge.min() >= 0
    assert edge.max() <= 20


def test_corrective_click_lies_in_the_largest_error():
    truth = rectangle((100, 100), 10, 10, 60, 60)
    predicted = rectangle((100, 100), 10, 10, 60, 40) | rectangle((100, 100), 80, 80, 90, 90)
    rng = np.random.default_rng(0)
    for _ in range(30):
        x, y, label = noisy_corrective_click(truth, predicted, rng)
        assert label == 1
        assert 10 <= x < 60
        assert 40 <= y < 60
    assert noisy_corrective_click(truth, truth, rng) is None


def test_growing_prompts_of_a_training_step():
    masks = [rectangle((256, 256), 20, 30, 100, 90), disc((256, 256), 180, 180, 40)] * 8
    prompts = Prompts(masks, np.random.default_rng(0))
    batch = prompts.batch()
    boxed = batch.has_box > 0
    clicked = (batch.labels >= 0).any(1)
    assert (boxed | clicked).all()
    assert boxed.any()
    assert clicked.any()
    for i in torch.nonzero(clicked).ravel().tolist():
        for (x, y), label in zip(batch.points[i].tolist(), batch.labels[i].tolist()):
            if label >= 0:
                assert masks[i][int(y), int(x)] == bool(label)
    alone = (batch.labels == 1).any(1) & ~(batch.labels == 0).any(1) & ~boxed
    assert torch.equal(prompts.single_click(), alone)
    # Nothing was found: the correction is a click inside each object.
    prompts.correct(torch.full((16, 64, 64), -5.0))
    after = prompts.batch()
    assert (after.has_previous == 1).all()
    assert after.previous.max() < 0.01
    assert not prompts.single_click().any()
    for i, mask in enumerate(masks):
        slot = int((after.labels[i] >= 0).sum()) - 1
        x, y = after.points[i, slot].tolist()
        assert after.labels[i, slot] == 1
        assert mask[int(y), int(x)]


def test_learning_rate_warms_up_and_decays():
    assert learning_rate(1e-3, 0, 0) == pytest.approx(1e-3 / WARM_UP_STEPS)
    assert learning_rate(1e-3, WARM_UP_STEPS, 0) == pytest.approx(1e-3)
    assert learning_rate(1e-3, WARM_UP_STEPS, 0.5) == pytest.approx(1e-3 * (0.01 + 0.99 / 2))
    assert learning_rate(1e-3, WARM_UP_STEPS, 1) == pytest.approx(1e-5)


# ------------------------------------------------------------------ export


def test_export_keeps_what_the_network_computes(tmp_path):
    torch.manual_seed(0)
    network = TinyNetwork().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.8, 1.2)
            torch.nn.init.normal_(module.bias, 0, 0.1)
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, torch.nn.Conv2d):
            # Strong enough for the picture to reach the last layer.
            torch.nn.init.kaiming_normal_(module.weight)
    state = network.state_dict()
    torch.save({"ema": state, "network": state}, tmp_path / "weights.pt")
    path = tmp_path / "tiny.safetensors"
    assert export(tmp_path / "weights.pt", path) == path.stat().st_size < 10_000_000
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    shipped = load_tiny(path).encode(image).maps
    with torch.inference_mode():
        trained = network.encode(torch.from_numpy(image).permute(2, 0, 1)[None].float())
    for name in ("features", "image", "key", "skip"):
        # Half precision keeps three digits.
        one, other = getattr(shipped, name), getattr(trained, name)
        assert torch.nn.functional.cosine_similarity(one, other, dim=1).min() > 0.99
