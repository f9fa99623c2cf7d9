"""Prompts as maps: discs, boxes, the previous mask, and similarity to what was pointed at."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rsam_core.models.base import PromptLike
from rsam_core.prompts.simulated import centre_click

COARSE_MAPS = 23
FINE_MAPS = 17


@dataclass(frozen=True)
class Guide:
    """The look of an example, for prompts that shall find its like; see `TinyGuidance`.

    Attributes
    ----------
    key, skip : Tensor
        (C,) mean of the unit-length features under the example at the coarse and the fine
        stride; not normalised again, so that an even object weighs more than a motley one.
    attention : bool
        Similarity to the example counts beside similarity to the clicks.
    semantic : bool
        The example's feature is added to those at the foreground clicks.
    """

    key: Tensor
    skip: Tensor
    attention: bool
    semantic: bool


@dataclass
class PromptBatch:
    """Prompts of N objects, in pixels of their decoding windows.

    Attributes
    ----------
    points : Tensor
        (N, P, 2) x, y; rows beyond an object's own points hold anything.
    labels : Tensor
        (N, P) 1 foreground, 0 background, -1 no point.
    boxes : Tensor
        (N, 4) x0, y0, x1, y1; ignored where ``has_box`` is 0.
    has_box : Tensor
        (N,) 0 or 1.
    previous : Tensor
        (N, 1, h, w) probability or coverage of the previous mask at the fine stride.
    has_previous : Tensor
        (N,) 0 or 1.
    guide : Guide or None
        An example that all of them are to resemble.
    """

    points: Tensor
    labels: Tensor
    boxes: Tensor
    has_box: Tensor
    previous: Tensor
    has_previous: Tensor
    guide: Guide | None = None

    @property
    def clicked(self) -> bool:
        """Whether there may be a click; maps about clicks are empty where there is none."""
        return _any(self.labels >= 0)

    @property
    def refines(self) -> bool:
        """Whether there may be a previous mask."""
        return _any(self.has_previous)


def _any(flags: Tensor) -> bool:
    # On a graphics card looking costs more than it saves.
    return flags.device.type != "cpu" or bool(flags.any())


def anchored(prompt: PromptLike) -> PromptLike:
    """The prompt, with a click inside its mask if nothing else names the object.

    The network has learned to refine a mask beside a click or a box; from a mask alone it finds
    nothing.
    """
    labels = np.zeros(0, np.int64) if prompt.labels is None else np.asarray(prompt.labels)
    if prompt.mask is None or prompt.box is not None or (labels == 1).any():
        return prompt
    points = np.zeros((0, 2)) if prompt.points is None else np.asarray(prompt.points, float)
    return SimpleNamespace(
        points=np.concatenate([points, [centre_click(prompt.mask)]]),
        labels=np.append(labels, 1),
        box=None,
        mask=prompt.mask,
    )


def _centres(size: int, stride: int, device: torch.device) -> Tensor:
    return (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * stride


def _discs(batch: PromptBatch, gx: Tensor, gy: Tensor, sigma: float, sign: int) -> Tensor:
    """Gaussian discs (N, h, w) at the points of one sign; their maximum."""
    if not batch.clicked:
        return torch.zeros_like(batch.boxes[:, :1, None] + gy[:, None] + gx)
    dx = (gx[None, None] - batch.points[..., :1]) / sigma
    dy = (gy[None, None] - batch.points[..., 1:]) / sigma
    discs = torch.exp(-0.5 * dy * dy)[..., :, None] * torch.exp(-0.5 * dx * dx)[..., None, :]
    discs = discs * (batch.labels == sign)[..., None, None]
    return discs.amax(dim=1)


def box_coverage(boxes: Tensor, gx: Tensor, gy: Tensor, stride: int) -> Tensor:
    """Fraction of each cell that lies in the box, (N, h, w)."""
    half = stride / 2
    x0, y0, x1, y1 = (boxes[:, i : i + 1] for i in range(4))
    cx = (torch.minimum(gx + half, x1) - torch.maximum(gx - half, x0)).clamp(0, stride) / stride
    cy = (torch.minimum(gy + half, y1) - torch.maximum(gy - half, y0)).clamp(0, stride) / stride
    return cy[:, :, None] * cx[:, None, :]


def _box_edges(boxes: Tensor, gx: Tensor, gy: Tensor, reach: float) -> list[Tensor]:
    """Signed distances to the four edges, in units of ``reach`` pixels, clipped to [-1, 1]."""
    shape = (boxes.shape[0], gy.shape[0], gx.shape[0])
    left = ((gx[None] - boxes[:, 0:1]) / reach).clamp(-1, 1)[:, None, :].expand(shape)
    right = ((boxes[:, 2:3] - gx[None]) / reach).clamp(-1, 1)[:, None, :].expand(shape)
    top = ((gy[None] - boxes[:, 1:2]) / reach).clamp(-1, 1)[:, :, None].expand(shape)
    bottom = ((boxes[:, 3:4] - gy[None]) / reach).clamp(-1, 1)[:, :, None].expand(shape)
    return [left, right, top, bottom]


def _at_points(maps: Tensor, points: Tensor, stride: int) -> Tensor:
    """Features at the points, bilinear between cell centres: (N, P, C)."""
    h, w = maps.shape[-2:]
    # Not as one tensor of both sizes: recorded steps would take that for a constant.
    parts = points[..., 0] / (w * stride), points[..., 1] / (h * stride)
    grid = (torch.stack(parts, dim=-1) * 2 - 1)[:, :, None]
    sampled = F.grid_sample(
        maps.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return sampled[..., 0].transpose(1, 2)


def _cells(maps: Tensor) -> Tensor:
    """Maps (N, C, h, w) as (N, h w, C), without copying where channels come last in memory."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def _cosine(maps: Tensor, vectors: Tensor) -> Tensor:
    """Cosine similarity of unit-length maps (N, C, h, w) with vectors (N, P, C): (N, P, h, w)."""
    n, _, h, w = maps.shape
    unit = F.normalize(vectors, dim=-1).to(maps.dtype)
    return torch.bmm(unit, _cells(maps).transpose(1, 2)).reshape(n, -1, h, w)


def _click_similarity(
    maps: Tensor, batch: PromptBatch, stride: int, target: Tensor | None
) -> list[Tensor]:
    """Largest similarity to the clicks of each sign, 0 where there is none.

    With a guide, ``target`` (C,) is what its example looks like in these maps.
    """
    guide = batch.guide
    if guide is None and not batch.clicked:
        nothing = torch.zeros_like(maps[:, 0])
        return [nothing, nothing]
    vectors = _at_points(maps, batch.points, stride)
    if guide is not None and guide.semantic:
        vectors = vectors + (batch.labels == 1)[..., None] * target
    similarity = _cosine(maps, vectors)
    result = []
    for sign in (1, 0):
        chosen = (batch.labels == sign)[..., None, None]
        best = torch.where(chosen, similarity, torch.full_like(similarity, -2.0)).amax(dim=1)
        result.append(torch.where(best < -1.5, torch.zeros_like(best), best))
    if guide is not None and guide.attention:
        alike = _cosine(maps, target.expand(len(maps), 1, -1))[:, 0]
        result[0] = (result[0] + alike) / 2
    return result


def _region_similarity(maps: Tensor, regions: list[Tensor]) -> list[Tensor]:
    """Similarity to the mean feature of each weighted region (N, h, w)."""
    n, _, h, w = maps.shape
    weights = torch.stack(regions, dim=1).reshape(n, len(regions), h * w).to(maps.dtype)
    means = torch.bmm(weights, _cells(maps))
    present = (weights.sum(-1) > 1e-3)[..., None, None]
    similarity = _cosine(maps, means) * present
    return list(similarity.unbind(dim=1))


def _previous_similarity(maps: Tensor, batch: PromptBatch, previous: Tensor, width: int) -> list:
    """Similarity to the inside of the previous mask, and to what surrounds it if asked for."""
    if not batch.refines:
        return [torch.zeros_like(previous)] * (2 if width else 1)
    return _region_similarity(maps, [previous, *([_ring(previous, width)] if width else [])])


def grown(maps: Tensor, width: int) -> Tensor:
    """Maximum over squares of 2 ``width`` + 1 cells around each cell of maps (N, C, h, w)."""
    # Along one axis after the other: as many comparisons a cell as the square has sides long.
    size = 2 * width + 1
    along = F.max_pool2d(maps, (1, size), 1, (0, width))
    return F.max_pool2d(along, (size, 1), 1, (width, 0))


def _ring(region: Tensor, width: int) -> Tensor:
    """What surrounds a region: its dilation without itself."""
    return (grown(region[:, None], width)[:, 0] - region).clamp_min(0)


def coarse_maps(key: Tensor, batch: PromptBatch, stride: int = 8) -> Tensor:
    """Prompt maps at the coarse stride.

    Parameters
    ----------
    key : Tensor
        (N, C, h, w) unit-length features of the windows.
    batch : PromptBatch
    stride : int
        Pixels of the window per cell.

    Returns
    -------
    Tensor
        (N, 23, h, w).
    """
    n, _, h, w = key.shape
    gx, gy = _centres(w, stride, key.device), _centres(h, stride, key.device)
    box = batch.has_box[:, None, None]
    coverage = box_coverage(batch.boxes, gx, gy, stride) * box
    cx = (batch.boxes[:, 0] + batch.boxes[:, 2])[:, None] / 2
    cy = (batch.boxes[:, 1] + batch.boxes[:, 3])[:, None] / 2
    width = (batch.boxes[:, 2] - batch.boxes[:, 0]).clamp_min(1)[:, None]
    height = (batch.boxes[:, 3] - batch.boxes[:, 1]).clamp_min(1)[:, None]
    u = ((gx[None] - cx) / width).clamp(-1, 1)[:, None, :].expand(n, h, w)
    v = ((gy[None] - cy) / height).clamp(-1, 1)[:, :, None].expand(n, h, w)
    previous = F.avg_pool2d(batch.previous, 2)[:, 0] * batch.has_previous[:, None, None]
    ones = torch.ones_like(coverage)
    maps = [
        _discs(batch, gx, gy, 6.0, 1),
        _discs(batch, gx, gy, 24.0, 1),
        _discs(batch, gx, gy, 6.0, 0),
        _discs(batch, gx, gy, 24.0, 0),
        coverage,
        *[edge * box for edge in _box_edges(batch.boxes, gx, gy, 24.0)],
        *[edge * box for edge in _box_edges(batch.boxes, gx, gy, 128.0)],
        u * box,
        v * box,
        previous,
        ones * batch.has_previous[:, None, None],
        *_click_similarity(key, batch, stride, batch.guide and batch.guide.key),
        *_region_similarity(key, [coverage, _ring(coverage, 2)]),
        *_previous_similarity(key, batch, previous, 2),
    ]
    return torch.stack([m.to(key.dtype) for m in maps], dim=1)


def fine_maps(skip_unit: Tensor, batch: PromptBatch, stride: int = 4) -> Tensor:
    """Prompt maps at the fine stride, (N, 17, h, w); see :func:`coarse_maps`."""
    h, w = skip_unit.shape[-2:]
    gx, gy = _centres(w, stride, skip_unit.device), _centres(h, stride, skip_unit.device)
    box = batch.has_box[:, None, None]
    coverage = box_coverage(batch.boxes, gx, gy, stride) * box
    previous = batch.previous[:, 0] * batch.has_previous[:, None, None]
    maps = [
        _discs(batch, gx, gy, 4.0, 1),
        _discs(batch, gx, gy, 4.0, 0),
        coverage,
        *[edge * box for edge in _box_edges(batch.boxes, gx, gy, 8.0)],
        *[edge * box for edge in _box_edges(batch.boxes, gx, gy, 48.0)],
        previous,
        *_click_similarity(skip_unit, batch, stride, batch.guide and batch.guide.skip),
        *_region_similarity(skip_unit, [coverage, _ring(coverage, 3)]),
        *_previous_similarity(skip_unit, batch, previous, 0),
    ]
    return torch.stack([m.to(skip_unit.dtype) for m in maps], dim=1)
