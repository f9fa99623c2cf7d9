"""The embedded model shown an example: each part against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rsam_core.errors import PromptError
from rsam_core.models.guided import Guidance
from rsam_core.prompts.prompt import Prompt
from tests.helpers.shots import BLUES, REDS, SHAPE, embedding, mask_at, segmenter


@pytest.fixture(scope="module")
def side():
    return segmenter().model.guided()


@pytest.fixture(scope="module")
def features():
    return embedding().features


def by_hand(maps: torch.Tensor, mask: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and maximum under a mask, cell by cell."""
    total, weight, best = 0.0, 0.0, -np.inf
    for row in range(-(-SHAPE[0] // stride)):
        for column in range(-(-SHAPE[1] // stride)):
            part = mask[row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
            share = part.sum() / stride**2
            if share:
                cell = maps[0, :, row, column].double().numpy()
                total, weight = total + share * cell, weight + share
                best = np.maximum(best, cell)
    return total / weight, best


def test_the_target_is_the_mean_under_the_mask(side, features):
    mask = mask_at((23, 37))
    target = side.target(features, mask)
    mean, most = by_hand(features.maps.features, mask, 8)
    np.testing.assert_allclose(target.embedding, mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(target.feature, mean / np.linalg.norm(mean), rtol=1e-4, atol=1e-5)
    mixed = side.target(features, mask, "mean-max")
    np.testing.assert_allclose(mixed.embedding, (mean + most) / 2, rtol=1e-4, atol=1e-5)


def test_similarity_is_a_cosine_and_highest_on_the_example_s_kind(side, features):
    target = side.target(features, mask_at(REDS[0]))
    cells = side.similarity(features, target)
    assert cells.shape == (24, 32)
    cell = features.maps.features[0, :, 7, 9].numpy()
    wanted = target.embedding @ cell / np.linalg.norm(target.embedding) / np.linalg.norm(cell)
    assert cells[7, 9] == pytest.approx(wanted, abs=1e-5)
    large = side.enlarge(features, cells)
    assert large.shape == SHAPE
    reds, blues = (np.any([mask_at(c) for c in kind], axis=0) for kind in (REDS, BLUES))
    assert large[reds].mean() > large[blues].mean() + 0.1
    assert large[reds].mean() > large[~reds & ~blues].mean() + 0.1


def test_enlarging_keeps_every_cell_in_its_place(side, features):
    cells = np.zeros((24, 32), np.float32)
    cells[5, 11] = 1
    large = side.enlarge(features, cells)
    row, column = np.unravel_index(large.argmax(), SHAPE)
    assert abs(row + 0.5 - 44) <= 0.5
    assert abs(column + 0.5 - 92) <= 0.5


@pytest.mark.parametrize("multimask", [True, False])
def test_without_guidance_it_is_the_ordinary_decoder(side, features, multimask):
    target = side.target(features, mask_at(REDS[0]))
    cells = side.similarity(features, target)
    prompt = Prompt(points=[(106, 38)])
    found = side.decode(features, prompt, target, cells, Guidance(False, False), multimask)
    # Without the second look, which guidance does without.
    wanted = segmenter().model.decode_many(features, [prompt], multimask, quick=True)[0]
    np.testing.assert_array_equal(found.full(SHAPE), wanted.full(SHAPE))
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)


@pytest.mark.parametrize("guidance", [Guidance(True, False), Guidance(False, True)])
def test_each_guidance_draws_the_decoder_towards_the_example(side, features, guidance):
    # A click on the border between roof and lawn may mean either.
    x, y = REDS[1]
    prompt = Prompt(points=[(x + 0.5, y + 14)])
    roof, lawn = mask_at(REDS[1]), mask_at((56, 110))
    shares = []
    for like in (roof, lawn):
        target = side.target(features, like)
        cells = side.similarity(features, target)
        answer = side.decode(features, prompt, target, cells, guidance, False)
        inside = answer.lowres[0]
        window, size = inside.window, 4 * inside.window.pool
        column, row = int((x + 14 - window.x) / size), int((y + 14 - window.y) / size)
        shares.append(float(torch.sigmoid(inside.logits[row, column])))
    assert shares[0] > shares[1]


def test_scales_are_the_decoder_s_three_masks(side, features):
    x, y = REDS[1]
    scales = side.scales(features, Prompt(points=[(x + 14, y + 14)]), mask_at(REDS[1]))
    assert scales.logits.shape[0] == 3
    share = scales.sample(mask_at(REDS[1]))
    assert share.shape == scales.logits.shape[1:]
    size = 4 * scales.window.pool
    assert share.sum() * size**2 == pytest.approx(28 * 28)
    for k in range(3):
        one = scales.finish(scales.logits[k], float(scales.scores[k]))
        mask = one.full(SHAPE)[0]
        cells = scales.logits[k] > 0
        assert mask.sum() == pytest.approx(cells.sum() * size**2, rel=0.15, abs=4 * size**2)
    best = max(range(3), key=lambda k: scales.scores[k])
    overlap = scales.finish(scales.logits[best], 0.5).full(SHAPE)[0]
    wanted = mask_at(REDS[1])
    assert (overlap & wanted).sum() / (overlap | wanted).sum() > 0.7


def test_masks_of_another_image_or_without_a_pixel_are_refused(side, features):
    with pytest.raises(PromptError, match="32 × 20 pixels"):
        side.target(features, np.ones((20, 32), bool))
    with pytest.raises(PromptError, match="empty"):
        side.target(features, np.zeros(SHAPE, bool))
