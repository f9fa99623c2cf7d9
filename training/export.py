"""Turn a training checkpoint into the shipped weights: ``python -m training.export IN OUT``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from rsam_core.models.tiny.model import WEIGHTS
from rsam_core.models.tiny.network import TinyNetwork


def export(checkpoint: Path, target: Path, key: str = "ema") -> int:
    """Fold batch normalisation, round to float16 and write safetensors.

    Parameters
    ----------
    checkpoint : Path
        ``weights.pt`` of a training run.
    target : Path
        The file to write.
    key : str
        ``"ema"`` for averaged weights, ``"network"`` for the last ones.

    Returns
    -------
    int
        Size of the written file in bytes.
    """
    network = TinyNetwork()
    network.load_state_dict(torch.load(checkpoint, weights_only=True)[key])
    network.encoder.fold()
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(state, str(target))
    return target.stat().st_size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path, nargs="?", default=WEIGHTS)
    parser.add_argument("--key", default="ema", choices=("ema", "network"))
    options = parser.parse_args()
    print(f"{export(options.checkpoint, options.target, options.key):,} bytes")
