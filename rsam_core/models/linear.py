"""Matrix products by the quickest library that PyTorch brings along.

PyTorch hands its matrix products to MKL, which uses AVX2 only on processors that are not Intel's.
oneDNN, which PyTorch carries for convolutions, goes by what the processor can do: with the same
arithmetic it was more than twice as fast on a Zen 5, whose vector units are 512 bits wide, and a
tenth faster on a Zen 4, which does such instructions in two steps.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional


@cache
def has_onednn() -> bool:
    """Whether PyTorch offers oneDNN's product, and it computes what it should."""
    try:
        x, weight = torch.rand(5, 3), torch.rand(4, 3)
        bias, added = torch.rand(4), torch.rand(5, 4)
        pointwise = torch.ops.mkldnn._linear_pointwise
        plain = pointwise(x, weight, bias, "none", [], "")
        bent = pointwise(x, weight, None, "gelu", [], "none")
        summed = pointwise.binary(x, added, weight, bias, "add")
        turned = pointwise(x, weight.T.contiguous().T, None, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return (
        torch.allclose(plain, x @ weight.T + bias, atol=1e-5)
        and torch.allclose(bent, functional.gelu(x @ weight.T), atol=1e-5)
        and torch.allclose(summed, x @ weight.T + bias + added, atol=1e-5)
        and torch.allclose(turned, x @ weight.T, atol=1e-5)
    )


def _fits(*tensors: Tensor | None) -> bool:
    return has_onednn() and all(
        t is None or (t.device.type == "cpu" and t.dtype == torch.float32 and t.numel() > 0)
        for t in tensors
    )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, gelu: bool = False) -> Tensor:
    """``x @ weight.T + bias``, and the (exact) GELU of it if asked for.

    Parameters
    ----------
    x : Tensor of float32, shape (..., k)
    weight : Tensor of float32, shape (n, k)
    bias : Tensor of float32, shape (n,), optional
    gelu : bool

    Returns
    -------
    Tensor of float32, shape (..., n)
    """
    if _fits(x, weight, bias):
        kind, how = ("gelu", "none") if gelu else ("none", "")
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, kind, [], how)
    result = functional.linear(x, weight, bias)
    return functional.gelu(result) if gelu else result


def linear_onto(added: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``added + x @ weight.T + bias``; shapes as in `linear`, ``added`` as the result."""
    if _fits(added, x, weight, bias):
        return torch.ops.mkldnn._linear_pointwise.binary(x, added, weight, bias, "add")
    return functional.linear(x, weight, bias) + added
