"""Weights averaged into one."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from rsam_core.models.tiny.kind_head import KindHead
from rsam_core.models.tiny.model import WEIGHTS, load_tiny
from training.average import average, main


def write(path, **tensors):
    save_file({name: torch.tensor(values).half() for name, values in tensors.items()}, str(path))
    return path


def test_mean_by_hand_and_layers_that_only_some_have(tmp_path):
    first = write(tmp_path / "a", shared=[1.0, 2.0], own=[4.0])
    second = write(tmp_path / "b", shared=[3.0, -2.0], **{"kinds.centre": [9.0]})
    found = average([first, second])
    assert {name: value.tolist() for name, value in found.items()} == {
        "shared": [2.0, 0.0], "own": [4.0],
    }  # fmt: skip
    assert average([first, second], [3, 1])["shared"].tolist() == [1.5, 1.0]
    assert all(value.dtype == torch.float16 for value in found.values())


def test_what_does_not_fit_is_refused(tmp_path):
    first, second = write(tmp_path / "a", x=[1.0]), write(tmp_path / "b", x=[1.0, 2.0])
    with pytest.raises(ValueError, match="does not fit"):
        average([first, second])
    for shares in ([1.0], [1.0, 0.0], [1.0, 1.0, 1.0]):
        with pytest.raises(ValueError, match="positive share"):
            average([first, first], shares)


def test_shipped_weights_averaged_with_themselves_load_as_they_were(tmp_path):
    kinds = tmp_path / "kinds.safetensors"
    save_file({k: v.half() for k, v in KindHead().state_dict().items()}, str(kinds))
    target = tmp_path / "mean.safetensors"
    main([str(WEIGHTS), str(WEIGHTS), str(target), "--kinds", str(kinds)])
    before, after = load_file(str(WEIGHTS)), load_file(str(target))
    assert set(before) == set(after)
    same = [name for name in before if not name.startswith("kinds.")]
    assert all(torch.equal(before[name], after[name]) for name in same)
    model = load_tiny(target)
    assert model.proposes
    assert model.names
