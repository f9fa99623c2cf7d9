"""Decoding in windows: prompts into window pixels, logits back into masks of the view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rsam_core.models.base import Decoded, PromptLike
from rsam_core.models.tiny._windows import Window
from rsam_core.models.tiny.prompt_maps import Guide, PromptBatch
from rsam_core.objects.crops import crop_together

_EDGE_CELLS = 3
"""Border cells (of 4 × 4 pixels) a mask must touch to count as cut off by the window."""

_BOX_SLACK = 0.05
"""How far a mask may reach beyond a box, as a share of the box's side."""

_LOOSE_SLACK = 0.2
"""The same for a proposed box, which is a guess."""

_SAME = 0.9
"""Masks of two windows with a higher IoU than this are the same proposal."""


@dataclass(frozen=True, eq=False)
class Lowres:
    """Logits of one mask with the window they belong to."""

    logits: Tensor
    window: Window
    level: int


def prompt_batch(
    prompts: list[PromptLike],
    windows: list[Window],
    previous: list[Lowres | None],
    guide: Guide | None = None,
) -> PromptBatch:
    """Prompts of one level in the pixels of their windows, which share one size."""
    n = len(prompts)
    counts = [0 if p.points is None else len(p.points) for p in prompts]
    slots = max(1, *counts) if counts else 1
    # Few steps for all prompts together: PyTorch's own take longer than what they do here.
    points = np.zeros((n, slots, 2), np.float32)
    labels = np.full((n, slots), -1, np.int64)
    boxes, has_box = np.zeros((n, 4), np.float32), np.zeros(n, np.float32)
    for i, (prompt, window) in enumerate(zip(prompts, windows)):
        origin = np.array([window.x, window.y], float)
        if counts[i]:
            points[i, : counts[i]] = (np.asarray(prompt.points) - origin) / window.pool
            labels[i, : counts[i]] = np.asarray(prompt.labels)
        if prompt.box is not None:
            moved = (np.asarray(prompt.box).reshape(2, 2) - origin) / window.pool
            boxes[i], has_box[i] = moved.ravel(), 1
    earlier, has_earlier = _earlier(prompts, windows, previous)
    return PromptBatch(
        *map(torch.from_numpy, (points, labels, boxes, has_box)), earlier, has_earlier, guide
    )


def _earlier(
    prompts: list[PromptLike], windows: list[Window], previous: list[Lowres | None]
) -> tuple[Tensor, Tensor]:
    """The masks before in the cells of the windows, (N, 1, h, w), and which there are, (N,)."""
    h, w, size = windows[0].height, windows[0].width, windows[0].cell
    earlier, known = torch.zeros(len(prompts), 1, h // size, w // size), np.zeros(len(prompts))
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, (prompt, window, before) in enumerate(zip(prompts, windows, previous)):
        if before is not None:
            alike.setdefault(tuple(before.logits.shape), []).append(i)
        elif prompt.mask is not None:
            crop = np.zeros((h, w), np.float32)
            part = prompt.mask[window.y : window.y + h, window.x : window.x + w]
            crop[: part.shape[0], : part.shape[1]] = part
            earlier[i] = F.avg_pool2d(torch.from_numpy(crop)[None, None], size)[0]
        known[i] = before is not None or prompt.mask is not None
    for chosen in alike.values():
        moved = _moved([previous[i] for i in chosen], [windows[i] for i in chosen])
        earlier[torch.tensor(chosen)] = moved
    return earlier, torch.from_numpy(known).float()


def move_logits(source: Lowres, window: Window) -> Tensor:
    """Probabilities of earlier logits in the cells of another window; 0 outside theirs."""
    return _moved([source], [window])[0]


def _moved(sources: list[Lowres], windows: list[Window]) -> Tensor:
    """`move_logits` of sources of one size to windows of one size, (N, 1, h, w)."""
    size = windows[0].cell
    old = torch.tensor([[s.window.x, s.window.y, s.window.width, s.window.height] for s in sources])
    new = torch.tensor([[w.x, w.y] for w in windows])
    x = new[:, :1] + (torch.arange(windows[0].width // size) + 0.5) * size
    y = new[:, 1:] + (torch.arange(windows[0].height // size) + 0.5) * size
    u = (x - old[:, 0:1]) / old[:, 2:3] * 2 - 1
    v = (y - old[:, 1:2]) / old[:, 3:4] * 2 - 1
    grid = torch.stack(torch.broadcast_tensors(u[:, None, :], v[:, :, None]), dim=-1)
    probability = torch.sigmoid(torch.stack([source.logits for source in sources]))[:, None]
    return F.grid_sample(probability, grid, mode="bilinear", align_corners=False)


def cut_off(logits: Tensor, window: Window, width: int, height: int) -> bool:
    """Whether a mask runs against a border of the window that is not the view's border."""
    return bool(cut_off_many((logits > 0).numpy()[None, None], [window], width, height)[0, 0])


def cut_off_many(
    hard: NDArray[np.bool_], windows: list[Window], width: int, height: int
) -> NDArray[np.bool_]:
    """`cut_off` of thresholded masks (N, K, h, w), those of window n in row n; (N, K)."""
    sides = (hard[..., 0], hard[..., 0, :], hard[..., -1], hard[..., -1, :])
    touched = np.stack([side.sum(-1) for side in sides], axis=-1)
    inner = [(w.x > 0, w.y > 0, w.x + w.width < width, w.y + w.height < height) for w in windows]
    return ((touched >= _EDGE_CELLS) & np.array(inner)[:, None]).any(-1)


def box_limits(prompt: PromptLike, proposed: bool = False) -> tuple[int, int, int, int] | None:
    """Pixels x0, y0, x1, y1 beyond which a box prompt allows no mask; None without a limit.

    A box says that the object lies inside. It is drawn by hand, so a little slack is left; and
    an include click outside it takes the word back. A box that was ``proposed`` by a model, not
    drawn by a person, is taken less at its word.
    """
    if prompt.box is None:
        return None
    x0, y0, x1, y1 = (float(v) for v in prompt.box)
    if prompt.points is not None and len(prompt.points):
        wanted = np.asarray(prompt.points)[np.asarray(prompt.labels) == 1]
        if ((wanted < (x0, y0)) | (wanted > (x1, y1))).any():
            return None
    slack = _LOOSE_SLACK if proposed else _BOX_SLACK
    dx, dy = slack * (x1 - x0), slack * (y1 - y0)
    # Rounded outwards from half a pixel: an edge along a pixel border stays where it is.
    return (
        int(np.floor(x0 - dx + 0.5)),
        int(np.floor(y0 - dy + 0.5)),
        int(np.ceil(x1 + dx - 0.5)),
        int(np.ceil(y1 + dy - 0.5)),
    )


def stability_of(logits: Tensor) -> NDArray[np.float32]:
    """IoU between masks (..., h, w) at a stricter and at a looser threshold, (...)."""
    strict = (logits > 1).sum((-2, -1)).float()
    loose = (logits > -1).sum((-2, -1)).float()
    return (strict / loose.clamp_min(1)).numpy().astype(np.float32)


def finish(
    logits: Tensor,
    quality: Tensor | NDArray[np.float32],
    window: Window,
    level: int,
    shape: tuple[int, int],
    limits: tuple[int, int, int, int] | None = None,
    stability: NDArray[np.float32] | None = None,
) -> Decoded:
    """Bring logits to view pixels, within the part of the window where they may be positive.

    Their stability is worked out where it is not given.
    """
    size = window.cell
    if stability is None:
        stability = stability_of(logits)
    lowres = [Lowres(z, window, level) for z in logits]
    scores = np.asarray(quality, np.float32)
    # Linear interpolation makes no value above its neighbours: only cells beside a positive
    # one can hold mask pixels. Cells wholly in the padding do not count.
    inside_rows = -(-(shape[0] - window.y) // size)
    inside_columns = -(-(shape[1] - window.x) // size)
    positive = (logits.amax(0) > 0).numpy()[:inside_rows, :inside_columns]
    rows, columns = np.flatnonzero(positive.any(1)), np.flatnonzero(positive.any(0))
    if not len(rows):
        return Decoded(np.zeros((len(logits), 1, 1), bool), 0, 0, scores, lowres, stability)
    h, w = logits.shape[1:]
    r0, r1 = max(int(rows[0]) - 2, 0), min(int(rows[-1]) + 3, h)
    c0, c1 = max(int(columns[0]) - 2, 0), min(int(columns[-1]) + 3, w)
    fine = F.interpolate(
        logits[None, :, r0:r1, c0:c1],
        scale_factor=float(size),
        mode="bilinear",
        align_corners=False,
    )[0]
    x, y = window.x + c0 * size, window.y + r0 * size
    masks = (fine > 0).numpy()[:, : shape[0] - y, : shape[1] - x]
    if limits is not None:
        left, top, right, bottom = limits
        masks[:, :, : max(left - x, 0)] = False
        masks[:, : max(top - y, 0)] = False
        masks[:, :, max(right - x, 0) :] = False
        masks[:, max(bottom - y, 0) :] = False
    return Decoded(masks, x, y, scores, lowres, stability)


def merge(answers: list[Decoded], count: int, spare: list[Decoded] | None = None) -> Decoded:
    """The best ``count`` masks of the windows in which a prompt was decoded, without doubles.

    Parameters
    ----------
    answers : list of Decoded
        One for each window; none if every mask was cut off.
    count : int
        Masks to return at most.
    spare : list of Decoded, optional
        Masks that were cut off by their window: only where there is nothing else.
    """
    if not answers:
        answers = spare or []
    if not answers:
        nothing = np.zeros(0, np.float32)
        return Decoded(np.zeros((0, 1, 1), bool), 0, 0, nothing, [], nothing)
    if len(answers) == 1 and len(answers[0].scores) <= count:
        return answers[0]
    parts = [(mask, a.x, a.y) for a in answers for mask in a.masks]
    masks, x, y = crop_together(parts)
    scores = np.concatenate([a.scores for a in answers])
    stability = np.concatenate([a.stability for a in answers])
    lowres = [z for a in answers for z in a.lowres]
    order = [int(k) for k in np.argsort(-scores, kind="stable")]
    chosen = without_doubles(masks, order)[:count]
    return Decoded(
        masks[chosen], x, y, scores[chosen], [lowres[k] for k in chosen], stability[chosen]
    )


def without_doubles(masks: NDArray[np.bool_], order: list[int]) -> list[int]:
    """The order of masks (K, h, w) with those that repeat one before them at the end."""
    distinct: list[int] = []
    for k in order:
        if all(_iou(masks[k], masks[j]) < _SAME for j in distinct):
            distinct.append(k)
    return distinct + [k for k in order if k not in distinct]


def _iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0
