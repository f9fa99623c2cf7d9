"""Read a SAM checkpoint: tensors and nothing but tensors, every one of them in its place."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from rsam_core.errors import ModelError

if TYPE_CHECKING:
    from segment_anything.modeling import Sam


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read tensors, and nothing but tensors, from a checkpoint."""
    try:
        # Mapped files need no second copy in memory; the format before PyTorch 1.6 is no zip
        # archive and cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        weights = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path.name} holds more than model weights, or is damaged, and was not opened: such "
            "a file could run a program. Delete it and get the checkpoint from its official "
            "address."
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path.name} cannot be read as a model. Delete it and download it again on the "
            "Models page."
        ) from error
    if not isinstance(weights, dict) or not all(
        isinstance(value, torch.Tensor) for value in weights.values()
    ):
        raise ModelError(
            f"{path.name} is not a plain list of weights. Get the checkpoint from its official "
            "address."
        )
    return weights


def fill(sam: Sam, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Copy the weights into the network; every one of them must have its place."""
    wanted = sam.state_dict()
    missing = wanted.keys() - weights.keys()
    surplus = weights.keys() - wanted.keys()
    misshapen = {k for k in wanted.keys() & weights.keys() if wanted[k].shape != weights[k].shape}
    if missing or surplus or misshapen:
        example = min(missing or surplus or misshapen)
        raise ModelError(
            f"{path.name} belongs to another model: {len(missing)} weights are missing, "
            f"{len(surplus)} are unknown and {len(misshapen)} have another size (for example "
            f"{example}). Put the right checkpoint in its place."
        )
    sam.load_state_dict(weights)
