"""PerSAM in SAM's decoder against the formulas, written out on a small SAM."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rsam_core.errors import PromptError
from rsam_core.models.guided import Guidance
from rsam_core.models.sam.guided import SamGuidance, predict_masks
from rsam_core.models.sam.model import SamModel
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.one_shot.persam import PersamSettings, learn, repeat, segment
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.sam import CELLS, SIDE, lively

VIEW = (90, 150)
STRIDE = SIDE // CELLS


@pytest.fixture(scope="module")
def model() -> SamModel:
    return SamModel(lively(), "sam-test", device="cpu")


@pytest.fixture(scope="module")
def features(model):
    image = np.random.default_rng(1).integers(0, 256, (*VIEW, 3), dtype=np.uint8)
    image[30:60, 40:90] //= 4
    return model.encode(image)


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    mask = np.zeros(VIEW, bool)
    mask[30:60, 40:90] = True
    return mask


@pytest.fixture(scope="module")
def side(model) -> SamGuidance:
    return model.guided()


def touched(mask: np.ndarray) -> list[tuple[int, int]]:
    """Cells (row, column) under a mask whose edges lie well inside cells, by arithmetic."""
    scale = SIDE / VIEW[1]
    rows, columns = np.nonzero(mask)
    return [
        (r, c)
        for r in range(CELLS)
        for c in range(CELLS)
        if rows.min() * scale < (r + 1) * STRIDE
        and (rows.max() + 1) * scale > r * STRIDE
        and columns.min() * scale < (c + 1) * STRIDE
        and (columns.max() + 1) * scale > c * STRIDE
    ]


def test_the_target_is_the_mean_of_the_touched_cells(side, features, mask):
    target = side.target(features, mask)
    cells = torch.stack([features.embedding[0, :, r, c] for r, c in touched(mask)])
    mean = cells.mean(0)
    np.testing.assert_allclose(target.embedding, mean.numpy(), atol=1e-5)
    np.testing.assert_allclose(target.feature, (mean / mean.norm()).numpy(), atol=1e-5)


def test_persam_f_takes_half_the_mean_and_half_the_maximum(side, features, mask):
    target = side.target(features, mask, "mean-max")
    cells = torch.stack([features.embedding[0, :, r, c] for r, c in touched(mask)])
    wanted = cells.mean(0) / 2 + cells.max(0).values / 2
    np.testing.assert_allclose(target.embedding, wanted.numpy(), atol=1e-5)


def test_similarity_is_the_cosine_over_the_image_without_its_padding(side, features, mask):
    target = side.target(features, mask)
    found = side.similarity(features, target)
    # 150 x 90 pixels become 128 x 77: five rows of eight cells touch the image.
    assert found.shape == (5, 8)
    for r, c in [(0, 0), (2, 4), (4, 7)]:
        cell = features.embedding[0, :, r, c].numpy()
        wanted = target.embedding @ cell / np.linalg.norm(target.embedding) / np.linalg.norm(cell)
        assert found[r, c] == pytest.approx(wanted, abs=1e-5)


def test_a_similarity_map_is_enlarged_to_where_it_belongs(side, features):
    cells = np.zeros((5, 8), np.float32)
    cells[1, 6] = 1
    large = side.enlarge(features, cells)
    assert large.shape == VIEW
    row, column = np.unravel_index(large.argmax(), VIEW)
    scale = VIEW[1] / SIDE
    assert abs(row + 0.5 - 1.5 * STRIDE * scale) < 1.5
    assert abs(column + 0.5 - 6.5 * STRIDE * scale) < 1.5


def heads(module, q, k, v, added):
    """Guided attention, head by head and token by token, straight from the formula."""
    q, k, v = module.q_proj(q)[0], module.k_proj(k)[0], module.v_proj(v)[0]
    width = q.shape[1] // module.num_heads
    joined = []
    for h in range(module.num_heads):
        part = slice(h * width, (h + 1) * width)
        rows = []
        for token in range(len(q)):
            energy = torch.stack([torch.dot(q[token, part], cell) for cell in k[:, part]])
            weight = torch.exp(energy / math.sqrt(width))
            weight = weight / weight.sum()
            if added is not None:
                weight = torch.exp(weight + added)
                weight = weight / weight.sum()
            rows.append(weight @ v[:, part])
        joined.append(torch.stack(rows))
    return module.out_proj(torch.cat(joined, 1))[None]


def written_out(decoder, image, position, sparse, dense, added, target):
    """The decoder as the paper and its code have it, step by step."""
    tokens = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])[None]
    tokens = torch.cat([tokens, sparse], 1)
    if target is not None:
        tokens = tokens + target
    first, second = decoder.transformer.layers
    keys = (image + dense).flatten(2).permute(0, 2, 1)
    places = position.flatten(2).permute(0, 2, 1)

    def rest(block, queries, keys):
        queries = block.norm1(queries)
        cross = block.cross_attn_token_to_image
        queries = queries + heads(cross, queries + tokens, keys + places, keys, added)
        queries = block.norm2(queries)
        queries = block.norm3(queries + block.mlp(queries))
        cross = block.cross_attn_image_to_token
        keys = keys + heads(cross, keys + places, queries + tokens, queries, None)
        return queries, block.norm4(keys)

    queries = heads(first.self_attn, tokens, tokens, tokens, None)
    queries, keys = rest(first, queries, keys)
    if target is not None:
        queries = queries + target
    q = queries + tokens
    queries, keys = rest(second, queries + heads(second.self_attn, q, q, queries, None), keys)
    q = queries + tokens if target is None else queries + tokens + target
    last = decoder.transformer.final_attn_token_to_image
    queries = queries + heads(last, q, keys + places, keys, None)
    queries = decoder.transformer.norm_final_attn(queries)
    grid = keys.permute(0, 2, 1).reshape(image.shape)
    large = decoder.output_upscaling(grid)[0]
    masks = []
    for i, mlp in enumerate(decoder.output_hypernetworks_mlps):
        masks.append(torch.einsum("c,chw->hw", mlp(queries[0, 1 + i]), large))
    return torch.stack(masks)[None], decoder.iou_prediction_head(queries[:, 0])


@pytest.mark.parametrize(("attention", "semantic"), [(True, True), (True, False), (False, True)])
@torch.inference_mode()
def test_each_part_of_the_guidance_follows_the_formulas(
    model, side, features, mask, attention, semantic
):
    sam, target = model._sam, side.target(features, mask)
    points = (torch.tensor([[[60.0, 40.0], [5.0, 9.0]]]), torch.tensor([[1, 0]]))
    sparse, dense = sam.prompt_encoder(points=points, boxes=None, masks=None)
    similarity = torch.from_numpy(side.similarity(features, target))
    added = torch.zeros(CELLS, CELLS)
    mean = similarity.sum() / 40
    deviation = ((similarity - mean) ** 2).sum() / 39
    added[:5] = 1 / (1 + torch.exp(-(similarity - mean) / deviation.sqrt()))
    added = added.reshape(-1) if attention else None
    vector = torch.from_numpy(target.embedding) if semantic else None
    given = (features.embedding, model._position, sparse, dense)
    wanted = written_out(sam.mask_decoder, *given, added, vector)
    own = side._attention(features, similarity.numpy()) if attention else None
    found = predict_masks(sam.mask_decoder, *given, own, vector)
    plain = predict_masks(sam.mask_decoder, *given, None, None)
    torch.testing.assert_close(found[0], wanted[0], atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(found[1], wanted[1], atol=1e-5, rtol=1e-4)
    assert (found[0] - plain[0]).abs().max() > 1e-3


@pytest.mark.parametrize("multimask", [True, False])
def test_without_guidance_it_is_the_ordinary_decoder(model, side, features, mask, multimask):
    target = side.target(features, mask)
    similarity = side.similarity(features, target)
    earlier = model.decode(features, Prompt(points=[(60, 40)]), True)
    prompt = Prompt(points=[(60, 40), (10, 80)], labels=[1, 0], box=(35, 25, 95, 66))
    for previous in (None, earlier.lowres[0]):
        found = side.decode(
            features, prompt, target, similarity, Guidance(False, False), multimask, previous
        )
        wanted = model.decode(features, prompt, multimask, previous)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)
        np.testing.assert_allclose(found.lowres, wanted.lowres, atol=1e-3)
        np.testing.assert_array_equal(found.full(VIEW), wanted.full(VIEW))


def test_scales_are_the_three_masks_and_come_back_to_the_view(model, side, features, mask):
    prompt = Prompt(points=[(60, 40)])
    scales = side.scales(features, prompt)
    wanted = model.decode(features, prompt, True)
    np.testing.assert_allclose(scales.logits, wanted.lowres, atol=1e-3)
    for k in range(3):
        one = scales.finish(scales.logits[k], 0.5)
        np.testing.assert_array_equal(one.full(VIEW)[0], wanted.full(VIEW)[k])
    share = scales.sample(mask)
    # The mask's pixels, brought to the decoder's cells: areas scale by (32 / 150)².
    assert share.sum() == pytest.approx(mask.sum() * (32 / 150) ** 2, rel=0.02)
    assert not share[20:].any()


def test_a_use_leaves_the_model_as_it_was(model, side, features, mask):
    before = {name: value.clone() for name, value in model._sam.state_dict().items()}
    plain = model.decode(features, Prompt(points=[(60, 40)]), False)
    target = side.target(features, mask)
    cells = side.similarity(features, target)
    side.decode(features, Prompt(points=[(60, 40)]), target, cells, Guidance(), False)
    again = model.decode(features, Prompt(points=[(60, 40)]), False)
    np.testing.assert_array_equal(plain.lowres, again.lowres)
    for name, value in model._sam.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("method", ["persam", "persam-f"])
def test_the_whole_method_runs_on_sam(model, mask, method):
    segmenter = Segmenter(model)
    image = np.full((*VIEW, 3), 90, np.uint8)
    image[mask] = (200, 60, 60)
    embedding = segmenter.embed(image)
    learned = learn(segmenter, embedding, mask, PersamSettings(method))
    one = segment(segmenter, embedding, learned)
    assert one is not None
    assert -1 <= one.similarity <= 1
    cells = model.guided().similarity(embedding.features, learned.target)
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    scale = VIEW[1] / SIDE * STRIDE
    assert abs(one.point[0] - (column + 0.5) * scale) <= scale
    assert abs(one.point[1] - (row + 0.5) * scale) <= scale
    found = repeat(segmenter, embedding, learned, lowest=-1.0, most=3)
    assert 1 <= len(found) <= 3
    similarities = [f.similarity for f in found]
    assert similarities == sorted(similarities, reverse=True)


def test_unusable_examples_are_refused(side, features):
    with pytest.raises(PromptError, match="this image"):
        side.target(features, np.ones((20, 20), bool))
    with pytest.raises(PromptError, match="empty"):
        side.target(features, np.zeros(VIEW, bool))
