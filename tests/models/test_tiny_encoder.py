"""The encoder's first layers, worked out strip by strip: nothing may show where strips meet."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rsam_core.models.tiny import TinyModel
from rsam_core.models.tiny import encoder as module


@pytest.mark.parametrize("rows", [1, 5, 8, 64])
@pytest.mark.parametrize("shape", [(96, 64), (33, 130), (8, 8), (160, 31)])
def test_strips_of_any_height_give_the_same_to_the_last_bit(
    tiny: TinyModel, monkeypatch, rows, shape
):
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    monkeypatch.setattr(module, "_STRIP", 10_000)
    whole = tiny.encode(image).maps
    monkeypatch.setattr(module, "_STRIP", rows)
    found = tiny.encode(image).maps
    for name in ("features", "image", "key", "skip"):
        assert torch.equal(getattr(found, name), getattr(whole, name))


def test_training_works_on_whole_pictures(tiny: TinyModel):
    # Gradients are wanted of the layers as they are; without them the maps are the same.
    backbone = tiny.network.encoder.backbone
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.enable_grad():
        whole = backbone(x.clone().requires_grad_())
    with torch.no_grad():
        strips = backbone(x)
    assert whole[0].requires_grad
    assert [tuple(maps.shape[2:]) for maps in strips] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(whole, strips))
