"""The encoder in pieces against the official one, on small networks with random weights."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from segment_anything.modeling import ImageEncoderViT

from rsam_core.models import linear as products
from rsam_core.models.sam import encoder as sam_encoder
from rsam_core.models.sam.encoder import FastEncoder, suits
from tests.helpers.sam import SIDE, build


def encoder(**changes) -> ImageEncoderViT:
    """An encoder of 8 × 8 cells with one block in windows and one without."""
    torch.manual_seed(4)
    settings = {
        "img_size": SIDE,
        "depth": 2,
        "embed_dim": 32,
        "num_heads": 2,
        "out_chans": 16,
        "norm_layer": partial(torch.nn.LayerNorm, eps=1e-6),
        "use_rel_pos": True,
        "rel_pos_zero_init": False,
        "global_attn_indexes": (1,),
        "window_size": 4,
    }
    network = ImageEncoderViT(**settings | changes).eval()
    for block in network.blocks:
        # Fresh ones are zero, and would hide where they are added.
        for name, parameter in block.attn.named_parameters():
            if "rel_pos" in name or "bias" in name:
                torch.nn.init.normal_(parameter, std=0.5)
    return network


@pytest.mark.parametrize(
    "changes",
    [
        {},
        # Windows of three cells do not divide eight: the last ones are padded.
        {"window_size": 3},
        {"window_size": 14},
        {"use_rel_pos": False, "window_size": 3},
        {"qkv_bias": False, "window_size": 3},
        {"use_abs_pos": False},
        {"global_attn_indexes": (0, 1), "num_heads": 4},
    ],
)
@pytest.mark.parametrize("quick", [True, False], ids=["oneDNN", "plain"])
def test_same_embedding_as_the_official_encoder(changes, quick, monkeypatch):
    if not quick:
        monkeypatch.setattr(products, "has_onednn", lambda: False)
    # Pieces smaller than the image, so that their joints are tested.
    monkeypatch.setattr(sam_encoder, "_QUERIES", 24)
    monkeypatch.setattr(sam_encoder, "_TOKENS", 20)
    network = encoder(**changes)
    pixels = torch.randn((1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        expected = network(pixels)
    sam = SimpleNamespace(image_encoder=network)
    assert suits(sam)
    found = FastEncoder(sam)(pixels)
    assert found.shape == (1, 16, 8, 8)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_places_matter_in_the_test_network():
    with_places, without = encoder(), encoder()
    for block in without.blocks:
        torch.nn.init.zeros_(block.attn.rel_pos_h)
    pixels = torch.randn((1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        assert (with_places(pixels) - without(pixels)).abs().max() > 0.01


def test_other_encoders_are_left_to_themselves():
    sam = build()
    assert suits(sam)
    sam.image_encoder.half()
    assert not suits(sam)
    sam.image_encoder = torch.nn.Conv2d(3, 32, 16, 16)
    assert not suits(sam)
