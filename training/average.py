"""Average weights into one: ``python -m training.average A.safetensors B.safetensors OUT``.

Weights that went on from one another, or from one start, lie in one basin: their mean is often
better than each of them, most of all at places that none of them has seen. A layer that only some
of them hold is the mean of those.

References
----------
Wortsman et al., *Model soups: averaging weights of multiple fine-tuned models improves accuracy
without increasing inference time*, ICML 2022.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch


def average(
    paths: Sequence[Path], shares: Sequence[float] | None = None
) -> dict[str, torch.Tensor]:
    """The weighted mean of weights.

    Parameters
    ----------
    paths : sequence of Path
        Files of `training.export`, of one architecture.
    shares : sequence of float, optional
        Weight of each file, positive; equal by default.

    Returns
    -------
    dict of str to Tensor
        float16. Heads for kinds are left out: they belong to the features they were trained on.

    Raises
    ------
    ValueError
        If a layer has different shapes, or there are not as many shares as files.
    """
    from safetensors.torch import load_file

    shares = [1.0] * len(paths) if shares is None else list(shares)
    if len(shares) != len(paths) or not paths or min(shares) <= 0:
        raise ValueError("There must be one positive share for each file.")
    sums: dict[str, torch.Tensor] = {}
    totals: dict[str, float] = {}
    for path, share in zip(paths, shares):
        for name, value in load_file(str(path)).items():
            if name.startswith("kinds."):
                continue
            if name in sums and sums[name].shape != value.shape:
                raise ValueError(f"{path} does not fit the others at {name}.")
            sums[name] = sums.get(name, 0.0) + share * value.double()
            totals[name] = totals.get(name, 0.0) + share
    return {name: (value / totals[name]).half().contiguous() for name, value in sums.items()}


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, average, write."""
    from safetensors.torch import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("target", type=Path)
    parser.add_argument("--shares", type=float, nargs="*", help="of each file; equal if left out")
    parser.add_argument("--kinds", type=Path, help="weights of the kind head, to be included")
    args = parser.parse_args(arguments)
    state = average(args.weights, args.shares)
    if args.kinds:
        state |= {f"kinds.{name}": value for name, value in load_file(str(args.kinds)).items()}
    save_file(state, str(args.target))


if __name__ == "__main__":
    main()
