"""The quick decoder against the official one, on a small SAM with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from segment_anything.modeling import MaskDecoder, Sam
from torch.nn import functional

from rsam_core.models import linear as products
from rsam_core.models.base import MaskFilter
from rsam_core.models.sam.decoder import FastDecoder, suits
from rsam_core.models.sam.model import SamModel
from rsam_core.prompts.prompt import Prompt
from tests.helpers.sam import CELLS, SIDE, lively

KINDS = ("point", "points", "box", "both", "mask", "point and mask")


@pytest.fixture(scope="module")
def sam() -> Sam:
    return lively()


@pytest.fixture(scope="module")
def embedding(sam) -> torch.Tensor:
    return torch.randn((1, 32, CELLS, CELLS), generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=[True, False], ids=["oneDNN", "plain"])
def library(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(products, "has_onednn", lambda: False)
    elif not products.has_onednn():
        pytest.skip("this PyTorch has no oneDNN product")


@torch.inference_mode()
def prompted(sam: Sam, kind: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(len(kind))
    number = {"points": 3, "both": 2, "point": 1, "point and mask": 1}.get(kind, 0)
    points = boxes = masks = None
    if number:
        where = torch.rand((count, number, 2), generator=made) * SIDE
        points = (where, (torch.rand((count, number), generator=made) > 0.4).int())
    if kind in ("box", "both"):
        corner = torch.rand((count, 2), generator=made) * SIDE / 2
        boxes = torch.cat([corner, corner + SIDE / 3], dim=1)
    if "mask" in kind:
        masks = torch.randn((count, 1, CELLS * 4, CELLS * 4), generator=made) * 5
    return sam.prompt_encoder(points=points, boxes=boxes, masks=masks)


@pytest.mark.parametrize("kind", KINDS)
def test_same_masks_and_scores_as_the_official_decoder(sam, embedding, kind, library):
    sparse, dense = prompted(sam, kind, 3)
    with torch.inference_mode():
        place = sam.prompt_encoder.get_dense_pe()
        expected, scores = sam.mask_decoder.predict_masks(embedding, place, sparse, dense)
    quick = FastDecoder(sam)
    if "mask" in kind:
        sides = [quick.image_side(embedding, part[None]) for part in dense]
        looks = [quick.look(side, sparse[i : i + 1]) for i, side in enumerate(sides)]
        answers = [(look, 0) for look in looks]
    else:
        look = quick.look(quick.image_side(embedding), sparse)
        answers = [(look, i) for i in range(3)]
    assert expected.abs().mean() > 0.1
    for i, (look, index) in enumerate(answers):
        drawn = quick.draw(look, index, [0, 1, 2, 3])
        torch.testing.assert_close(drawn, expected[i], rtol=1e-4, atol=2e-4)
        torch.testing.assert_close(look.scores[index], scores[i], rtol=1e-4, atol=1e-5)


def test_masks_are_drawn_singly_and_in_any_order(sam, embedding):
    sparse, _ = prompted(sam, "point", 2)
    quick = FastDecoder(sam)
    look = quick.look(quick.image_side(embedding), sparse)
    whole = quick.draw(look, 1, [0, 1, 2, 3])
    torch.testing.assert_close(quick.draw(look, 1, [3, 1]), whole[[3, 1]], rtol=1e-4, atol=1e-4)


class _Other(MaskDecoder):
    """A decoder that is not the official one, though it computes the same."""


def test_another_decoder_is_left_to_itself(embedding):
    special, usual = lively(), lively()
    assert suits(usual)
    special.mask_decoder.__class__ = _Other
    assert not suits(special)
    halved = lively()
    halved.mask_decoder.bfloat16()
    assert not suits(halved)
    image = np.random.default_rng(2).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    prompts = [Prompt(points=[(40, 30)]), Prompt(box=(10, 20, 70, 80)), Prompt(points=[(99, 5)])]
    answers = []
    for model in (SamModel(special, "slow", "cpu"), SamModel(usual, "quick", "cpu")):
        features = model.encode(image)
        assert (features.side is None) == (model.name == "slow")
        answers.append(model.decode_many(features, prompts, True, quick=MaskFilter(-9, 0)))
    for slow, quick in zip(*answers, strict=True):
        np.testing.assert_allclose(slow.scores, quick.scores, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(slow.lowres, quick.lowres, rtol=1e-3, atol=1e-3)
        assert (slow.full((90, 120)) != quick.full((90, 120))).sum() <= 3


class TestWanted:
    """Leaving masks out early must leave out just those that fail the thresholds."""

    @pytest.fixture(scope="class")
    def model(self) -> SamModel:
        sam = lively()
        # Steeper logits make the masks as stable as those of a trained network.
        for mlp in sam.mask_decoder.output_hypernetworks_mlps:
            mlp.layers[-1].weight.data *= 40
        return SamModel(sam, "sam-test", device="cpu")

    @pytest.fixture(scope="class")
    def features(self, model):
        image = np.random.default_rng(6).integers(0, 256, (150, 200, 3), dtype=np.uint8)
        return model.encode(image)

    @pytest.fixture(scope="class")
    def prompts(self) -> list[Prompt]:
        where = np.random.default_rng(7).uniform((0, 0), (200, 150), (30, 2))
        return [Prompt(points=[point]) for point in where]

    @pytest.fixture(scope="class")
    def everything(self, model, features, prompts):
        return model.decode_many(features, prompts, True)

    @pytest.mark.parametrize("rank", [0.1, 0.5, 0.9, 1.1])
    @pytest.mark.parametrize("stability", [0.0, 0.8, 0.9])
    def test_equals_filtering_afterwards(
        self, model, features, prompts, everything, rank, stability
    ):
        scores = np.concatenate([answer.scores for answer in everything])
        lowest = float(np.quantile(scores, rank)) + 1e-4 if rank <= 1 else scores.max() + 1
        found = model.decode_many(features, prompts, True, quick=MaskFilter(lowest, stability))
        kept = 0
        for whole, part in zip(everything, found, strict=True):
            good = np.flatnonzero((whole.scores >= lowest) & (whole.stability >= stability))
            kept += len(good)
            np.testing.assert_allclose(part.scores, whole.scores[good], rtol=1e-4)
            np.testing.assert_allclose(part.stability, whole.stability[good], atol=1e-3)
            np.testing.assert_allclose(part.lowres, whole.lowres[good], rtol=1e-3, atol=1e-3)
            shape = (150, 200)
            assert (part.full(shape) != whole.full(shape)[good]).sum() <= 3
        total = len(scores)
        assert kept < total
        # Of this network's masks the surest are not stable; otherwise some must pass.
        assert (kept == 0) == (rank > 1 or (rank > 0.1 and stability == 0.9))

    def test_merely_quick_leaves_nothing_out(self, model, features, prompts, everything):
        found = model.decode_many(features, prompts, True, quick=True)
        assert [len(answer.scores) for answer in found] == [3] * len(prompts)
        for quick, whole in zip(found, everything, strict=True):
            np.testing.assert_array_equal(quick.masks, whole.masks)


class TestProducts:
    @pytest.mark.parametrize("shape", [(7, 5), (2, 3, 5), (1, 5), (0, 5)])
    def test_linear(self, shape, library):
        made = torch.Generator().manual_seed(3)
        x, weight = torch.randn(shape, generator=made), torch.randn((4, 5), generator=made)
        bias = torch.randn(4, generator=made)
        expected = torch.from_numpy(x.numpy() @ weight.numpy().T + bias.numpy())
        torch.testing.assert_close(products.linear(x, weight, bias), expected)
        bent = products.linear(x, weight, bias, gelu=True)
        # The Gaussian error linear unit: x times the normal distribution's share below x.
        below = 0.5 * (1 + torch.erf(expected / 2**0.5))
        torch.testing.assert_close(bent, expected * below, atol=1e-5, rtol=1e-5)

    def test_linear_onto(self, library):
        made = torch.Generator().manual_seed(4)
        x, weight = torch.randn((6, 5), generator=made), torch.randn((5, 4), generator=made)
        added, bias = torch.randn((6, 4), generator=made), torch.randn(4, generator=made)
        expected = added + x @ weight + bias
        before = added.clone()
        torch.testing.assert_close(products.linear_onto(added, x, weight.T, bias), expected)
        torch.testing.assert_close(added, before)

    def test_other_types_take_the_usual_way(self):
        x, weight = torch.rand((3, 2), dtype=torch.float64), torch.rand((4, 2), dtype=torch.float64)
        torch.testing.assert_close(products.linear(x, weight), functional.linear(x, weight))
