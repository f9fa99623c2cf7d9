"""Promptable models of the hub against transformers itself, on small networks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rsam_core.errors import ModelError
from rsam_core.models.base import MaskFilter
from rsam_core.segment.everything import EverythingSettings, initialize
from rsam_core.segment.proposals import initialize_by_boxes
from rsam_core.segment.segmenter import Segmenter

transformers = pytest.importorskip("transformers", reason="the optional package is not installed")
pytest.importorskip("timm", reason="the optional package is not installed")

from rsam_core.models.hub.loading import image_processor  # noqa: E402
from rsam_core.models.hub.promptable import HubModel  # noqa: E402
from tests.helpers.hub import CELLS, PROMPTED, SIDE, network  # noqa: E402

VIEWS = [(128, 128), (150, 200), (90, 61), (31, 400)]
_made: dict[str, HubModel] = {}


def model(kind: str) -> HubModel:
    """One model of each kind for all tests."""
    if kind not in _made:
        net = network(kind)
        _made[kind] = HubModel(net, image_processor("/nowhere", kind, net), f"test-{kind}")
    return _made[kind]


def picture(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (*shape, 3), dtype=np.uint8)


def make_prompt(points=None, labels=None, box=None, mask=None) -> SimpleNamespace:
    return SimpleNamespace(
        points=None if points is None else np.array(points, dtype=float),
        labels=None if labels is None else np.array(labels),
        box=None if box is None else np.array(box, dtype=float),
        mask=mask,
    )


def some_prompts(shape: tuple[int, int]) -> dict[str, SimpleNamespace]:
    height, width = shape
    one = [(0.4 * width, 0.6 * height)]
    two = [*one, (0.9 * width, 0.1 * height)]
    box = (0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height)
    return {
        "point": make_prompt(one, [1]),
        "points": make_prompt(two, [1, 0]),
        "box": make_prompt(box=box),
        "both": make_prompt(two, [1, 0], box),
    }


@torch.no_grad()
def direct(kind: str, image: np.ndarray, prompt, multimask: bool, mask_input=None):
    """The package's own processor and network; its coordinates are pixel indices of the input."""
    net = model(kind).network
    height, width = image.shape[:2]
    if kind in ("sam", "sam_hq"):
        name, scale = "SamProcessor" if kind == "sam" else "SamHQProcessor", SIDE / max(image.shape)
        sides = {"size": {"longest_edge": SIDE}, "pad_size": {"height": SIDE, "width": SIDE}}
        own = transformers.SamImageProcessor(**sides)
        used = np.array([int(width * scale + 0.5), int(height * scale + 0.5)])
    else:
        third = kind == "sam3_tracker"
        name = "Sam3TrackerProcessor" if third else "Sam2Processor"
        pixels = transformers.Sam3ImageProcessor if third else transformers.Sam2ImageProcessor
        own = pixels(size={"height": SIDE, "width": SIDE})
        used = np.array([SIDE, SIDE])
    processor = getattr(transformers, name)(own)
    shift = 0.5 * np.array([width, height]) / used
    given = {}
    if prompt.points is not None:
        given["input_points"] = [[(prompt.points - shift).tolist()]]
        given["input_labels"] = [[prompt.labels.tolist()]]
    if prompt.box is not None:
        given["input_boxes"] = [[(prompt.box - np.tile(shift, 2)).tolist()]]
    ready = processor(images=image, return_tensors="pt", **given)
    sizes = {k: ready.pop(k) for k in ("original_sizes", "reshaped_input_sizes") if k in ready}
    call = {k: v.float() if v.is_floating_point() else v for k, v in ready.items()}
    if mask_input is not None:
        call["input_masks"] = torch.as_tensor(mask_input)[None, None]
    answer = net(**call, multimask_output=multimask)
    (logits,) = processor.post_process_masks(answer.pred_masks, **sizes, binarize=False)
    return logits[0].numpy(), answer.iou_scores[0, 0].numpy(), answer.pred_masks[0, 0].numpy()


def assert_same(decoded, expected, shape) -> None:
    logits, scores, lowres = expected
    full = decoded.full(shape)
    assert full.shape == logits.shape
    # Interpolation weights differ in the last bits, which only a logit near zero can show.
    assert (np.abs(logits[full != (logits > 0)]) < 1e-4).all()
    np.testing.assert_allclose(decoded.scores, scores, atol=1e-4)
    np.testing.assert_allclose(decoded.lowres, lowres, atol=1e-4)
    strict, loose = (logits > 1).sum((1, 2)), (logits > -1).sum((1, 2))
    np.testing.assert_allclose(decoded.stability, strict / np.maximum(loose, 1), atol=2e-3)


@pytest.mark.parametrize("kind", PROMPTED)
@pytest.mark.parametrize("shape", VIEWS)
def test_same_answers_as_the_package(kind, shape):
    image = picture(shape)
    features = model(kind).encode(image)
    for name, prompt in some_prompts(shape).items():
        for multimask in (True, False) if name in ("point", "both") else (False,):
            decoded = model(kind).decode(features, prompt, multimask)
            assert len(decoded.masks) == (3 if multimask else 1)
            assert_same(decoded, direct(kind, image, prompt, multimask), shape)


@pytest.mark.parametrize("kind", PROMPTED)
def test_masks_of_the_test_networks_are_not_trivial(kind):
    shape = (150, 200)
    features = model(kind).encode(picture(shape))
    prompts = some_prompts(shape).values()
    shares = [m.mean() for p in prompts for m in model(kind).decode(features, p, True).full(shape)]
    assert np.mean([0.02 < share < 0.98 for share in shares]) > 0.7
    assert len({round(share, 3) for share in shares}) > 4


@pytest.mark.parametrize("kind", PROMPTED)
def test_the_mask_before_refines_as_in_the_package(kind):
    shape = (90, 130)
    image, prompt = picture(shape), some_prompts(shape)["points"]
    features = model(kind).encode(image)
    first = model(kind).decode(features, prompt, multimask=True)
    again = model(kind).decode(features, prompt, False, previous=first.lowres[1])
    assert_same(again, direct(kind, image, prompt, False, first.lowres[1]), shape)
    assert not np.allclose(again.scores, model(kind).decode(features, prompt, False).scores)


@pytest.mark.parametrize("kind", PROMPTED)
def test_mask_prompts(kind):
    # In a view of the network's own size a cell of its mask input is a block of 4 × 4 pixels.
    image, mask = picture((SIDE, SIDE)), np.zeros((SIDE, SIDE), dtype=bool)
    mask[32:64, 16:80] = True
    logits = np.full((SIDE // 4, SIDE // 4), np.log(0.001 / 0.999), np.float32)
    logits[8:16, 4:20] *= -1
    prompt = make_prompt([(30, 50)], [1], mask=mask)
    decoded = model(kind).decode(model(kind).encode(image), prompt, multimask=True)
    assert_same(decoded, direct(kind, image, prompt, True, logits), (SIDE, SIDE))
    alone = model(kind).decode(model(kind).encode(image), make_prompt(mask=mask), multimask=True)
    assert alone.masks.shape[0] == 3


def test_everything_by_boxes_asks_each_box_once():
    segmenter = Segmenter(model("sam2"))
    image = picture((90, 130))
    view = segmenter.embed(image)
    boxes = np.array([[10.0, 10, 60, 50], [30, 20, 110, 80]])
    settings = EverythingSettings(keep_quality=0.0, min_quality=0.0)
    state = initialize_by_boxes(segmenter, view, boxes, settings)
    assert (state.points, state.complete) == (2, True)
    alone = [model("sam2").decode(view.features, make_prompt(box=box), False) for box in boxes]
    areas = sorted(int(one.masks.sum()) for one in alone if one.masks.any())
    assert sorted(state.areas.tolist()) == areas
    grid = initialize(segmenter, view, EverythingSettings(spacing=45, keep_quality=0.0))
    assert grid.points == 6
    assert len(grid.masks) > 2


def test_mask_prompt_of_another_size_is_refused():
    features = model("sam2").encode(picture((20, 30)))
    with pytest.raises(ModelError, match=r"\(30, 20\).*\(20, 30\)"):
        model("sam2").decode(features, make_prompt(mask=np.ones((30, 20), dtype=bool)), True)


@pytest.mark.parametrize("kind", PROMPTED)
def test_many_prompts_of_mixed_kinds_keep_their_order(kind):
    shape = (90, 61)
    features = model(kind).encode(picture(shape))
    mask = np.zeros(shape, dtype=bool)
    mask[20:50, 10:40] = True
    kinds = [*some_prompts(shape).values(), make_prompt(mask=mask)]
    prompts = [*kinds, *[make_prompt([(5 + 9 * i, 5 + 11 * i)], [1]) for i in range(6)], *kinds]
    together = model(kind).decode_many(features, prompts, multimask=True)
    assert len(together) == len(prompts)
    for decoded, prompt in zip(together, prompts, strict=True):
        alone = model(kind).decode(features, prompt, multimask=True)
        np.testing.assert_allclose(decoded.scores, alone.scores, atol=1e-4)
        np.testing.assert_allclose(decoded.lowres, alone.lowres, atol=1e-3)
    assert model(kind).decode_many(features, [], multimask=True) == []


def test_unwanted_masks_are_left_out():
    shape = (90, 130)
    features = model("sam2").encode(picture(shape))
    prompts = [make_prompt([(10 * i + 5, 5 * i + 5)], [1]) for i in range(8)]
    every = model("sam2").decode_many(features, prompts, True)
    limit = float(np.median([s for one in every for s in one.scores]))
    stable = float(np.median([s for one in every for s in one.stability]))
    wanted = MaskFilter(quality=limit, stability=stable)
    some = model("sam2").decode_many(features, prompts, True, quick=wanted)
    kept = 0
    for all_of_it, left in zip(every, some, strict=True):
        good = (all_of_it.scores >= limit) & (all_of_it.stability >= stable)
        np.testing.assert_allclose(left.scores, all_of_it.scores[good], atol=1e-5)
        assert len(left.masks) == good.sum()
        kept += good.sum()
    assert 0 < kept < 24


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        # 32 channels at 8 × 8; SAM-HQ keeps 32 of an early layer; SAM 2 the finer levels.
        ("sam", 32 * 64),
        ("sam_hq", 2 * 32 * 64),
        ("sam2", 32 * 64 + 8 * 256 + 4 * 1024),
    ],
)
def test_features_state_their_size(kind, size):
    features = model(kind).encode(picture((150, 200)))
    assert features.nbytes == 4 * size
    assert features.levels[-1].shape[-1] == CELLS


@pytest.mark.parametrize("kind", PROMPTED)
def test_square_cells_keep_their_place(kind):
    # The left third of a wide view is bright, the rest dark: so are the left cells.
    image = np.zeros((64, 192, 3), np.uint8)
    image[:, :64] = 255
    features = model(kind).encode(image)
    cells, size = features.square_cells()
    assert size == pytest.approx(192 / CELLS)
    inside = cells[:, : int(np.ceil(64 / size))]
    bright, dark = inside[:, :, 0].mean(1), inside[:, :, 6].mean(1)
    likeness = [np.dot(inside[:, 1, x], bright - dark) for x in (1, 5)]
    assert likeness[0] > likeness[1]


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_other_images_are_refused(image):
    with pytest.raises(ModelError, match="RGB image of 8 bits"):
        model("sam2").encode(image)


def test_threads_share_a_model():
    shapes = [(128, 128), (150, 200)] * 4

    def answer(shape):
        prompt = some_prompts(shape)["both"]
        return model("sam2").decode(model("sam2").encode(picture(shape)), prompt, True)

    expected = {shape: answer(shape) for shape in set(shapes)}
    with ThreadPoolExecutor(4) as pool:
        for shape, decoded in zip(shapes, pool.map(answer, shapes), strict=True):
            np.testing.assert_allclose(decoded.scores, expected[shape].scores, atol=1e-4)
