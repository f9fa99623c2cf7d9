"""PerSAM and features of promptable models of the hub."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rsam_core.models.guided import Guidance
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.features.pooling import feature_maps
from rsam_core.segment.one_shot.persam import PersamSettings, learn, segment
from rsam_core.segment.segmenter import Segmenter

pytest.importorskip("transformers", reason="the optional package is not installed")

from rsam_core.models.hub.loading import image_processor
from rsam_core.models.hub.promptable import HubModel
from tests.helpers.hub import CELLS, SIDE, network

KINDS = ("sam", "sam_hq", "sam2")
SHAPE = (100, 160)
_made: dict[str, HubModel] = {}


def model(kind: str) -> HubModel:
    if kind not in _made:
        net = network(kind)
        _made[kind] = HubModel(net, image_processor("/nowhere", kind, net), f"test-{kind}")
    return _made[kind]


@pytest.fixture(params=KINDS)
def seen(request):
    image = np.random.default_rng(5).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
    one = model(request.param)
    return one, one.encode(image)


@pytest.fixture
def prompt():
    return SimpleNamespace(
        points=np.array([[60.0, 40.0]]), labels=np.array([1]), box=None, mask=None
    )


def example() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[28:57, 45:95] = True
    return mask


def test_target_is_the_mean_of_the_cells_that_the_example_touches(seen):
    one, features = seen
    target = one.guided().target(features, example())
    rows, columns = features.valid
    padded = features.padded
    assert (rows, columns) == ((5, 8) if padded else (CELLS, CELLS))
    # The view's 160 pixels are CELLS cells wide; a padded view has square cells of 20 pixels.
    high = 20 if padded else SHAPE[0] / CELLS
    top, bottom = int(28 // high), int(np.ceil(57 / high))
    cells = features.levels[-1][0, :, top:bottom, 2:5].numpy()
    np.testing.assert_allclose(target.embedding, cells.mean((1, 2)), atol=1e-5)
    assert np.linalg.norm(target.feature) == pytest.approx(1, abs=1e-5)


def test_similarity_is_highest_in_the_example(seen):
    one, features = seen
    side = one.guided()
    alike = side.similarity(features, side.target(features, example()))
    assert alike.shape == features.valid
    large = side.enlarge(features, alike)
    assert large.shape == SHAPE
    assert large[example()].mean() > large[~example()].mean()
    assert (np.abs(alike) <= 1 + 1e-5).all()


def test_guidance_is_what_the_package_does_with_it(seen, prompt):
    one, features = seen
    side = one.guided()
    target = side.target(features, example())
    alike = side.similarity(features, target)
    plain = one.decode(features, prompt, True)
    none = side.decode(features, prompt, target, alike, Guidance(False, False), True)
    np.testing.assert_allclose(none.lowres, plain.lowres, atol=1e-5)
    both = side.decode(features, prompt, target, alike, Guidance(), True)
    assert not np.allclose(both.lowres, plain.lowres, atol=1e-3)
    scored = (alike - alike.mean()) / alike.std(ddof=1)
    added = np.zeros((CELLS, CELLS), np.float32)
    added[: alike.shape[0], : alike.shape[1]] = 1 / (1 + np.exp(-scored))
    with torch.no_grad():
        expected = one.network(
            **one.inputs(features, [prompt]),
            attention_similarity=torch.from_numpy(added).reshape(1, 1, 1, -1),
            target_embedding=torch.from_numpy(target.embedding).reshape(1, 1, 1, -1),
            multimask_output=True,
        )
    np.testing.assert_allclose(both.lowres, expected.pred_masks[0, 0], atol=1e-4)


def test_scales_are_weighed_and_finished(seen, prompt):
    one, features = seen
    scales = one.guided().scales(features, prompt)
    plain = one.decode(features, prompt, True)
    order = [0, 1, 2]
    if features.extra:
        order = np.argsort((plain.lowres > 0).sum((1, 2)))
    np.testing.assert_allclose(scales.logits, plain.lowres[order], atol=1e-5)
    np.testing.assert_allclose(scales.scores, plain.scores[order], atol=1e-5)
    share = scales.sample(example())
    assert share.shape == scales.logits.shape[1:]
    # All of the view's share lies in the cells that the view covers.
    per_cell = SIDE / share.shape[0]
    pixels = share.sum() * per_cell**2 / (SIDE / 160 * (SIDE / 160 if features.padded else 1.28))
    assert pixels == pytest.approx(29 * 50, rel=0.02)
    done = scales.finish(scales.logits[1], 0.5)
    assert (done.full(SHAPE)[0] == plain.full(SHAPE)[order[1]]).all()


@pytest.mark.parametrize("method", ["persam", "persam-f"])
def test_one_shot_from_end_to_end(seen, method):
    one, features = seen
    segmenter = Segmenter(one)
    view = Embedding(features, SHAPE, ("x", one.name))
    learned = learn(segmenter, view, example(), PersamSettings(method=method))
    found = segment(segmenter, view, learned)
    large = one.guided().enlarge(features, one.guided().similarity(features, learned.target))
    row, column = np.unravel_index(large.argmax(), SHAPE)
    assert found.point == (column + 0.5, row + 0.5)
    assert found.similarity == pytest.approx(large.max(), abs=1e-5)
    assert found.instance.area > 0


def test_features_are_pooled_on_square_cells(seen):
    one, features = seen
    maps, size = feature_maps(Embedding(features, SHAPE, ("x", one.name)))[0]
    assert size == pytest.approx(20)
    assert maps.shape[2] == CELLS
    assert maps.shape[1] >= 5
