"""Turn a training checkpoint into the shipped weights: ``python -m training.export IN OUT``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from rsam_core.models.tiny.model import WEIGHTS
from rsam_core.models.tiny.network import TinyNetwork


def export(checkpoint: Path, target: Path, key: str = "ema", kinds: Path | None = None) -> int:
    """Fold batch normalisation, round to float16 and write safetensors.

    Parameters
    ----------
    checkpoint : Path
        ``weights.pt`` of a training run.
    target : Path
        The file to write.
    key : str
        ``"ema"`` for averaged weights, ``"network"`` for the last ones.
    kinds : Path, optional
        Weights of the kind head, from `training.kinds` or as they were shipped, to be written
        with the others.

    Returns
    -------
    int
        Size of the written file in bytes.
    """
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")[key]
    network = TinyNetwork(
        folded=not any(".bn." in name for name in state),
        proposing=any(name.startswith("proposals.") for name in state),
        naming=any(name.startswith("kinds.") for name in state),
    )
    network.load_state_dict(state)
    network.encoder.fold()
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    if kinds:
        given = load_file(str(kinds))
        shipped = {n: v for n, v in given.items() if n.startswith("kinds.")}
        head = shipped or {f"kinds.{name}": value.half() for name, value in given.items()}
        state = {name: v for name, v in state.items() if not name.startswith("kinds.")} | head
    save_file(state, str(target))
    return target.stat().st_size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path, nargs="?", default=WEIGHTS)
    parser.add_argument("--key", default="ema", choices=("ema", "network"))
    parser.add_argument("--kinds", type=Path, help="weights of the kind head, to be included")
    options = parser.parse_args()
    size = export(options.checkpoint, options.target, options.key, options.kinds)
    print(f"{size:,} bytes")
