"""What the proposal head is taught: centres and boxes of the labelled objects of a crop.

Only what a set labels completely is taught to be absent elsewhere; see `training.sources`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import find_objects
from torch import Tensor

from rsam_core.models.tiny.kinds import KINDS
from rsam_core.models.tiny.proposal_head import (
    COARSE_SMALLEST,
    COARSE_STRIDE,
    FINE_LARGEST,
    FINE_STRIDE,
    HEATS,
    LevelMaps,
    ProposalMaps,
)

from .data import Crop
from .sources import BUILDINGS, EVERYTHING

SMALLEST = 24
"""Pieces of fewer pixels are neither taught nor held to be background."""

_WHOLE = 0.6
"""Share of its largest piece from which on an object in pieces is one, seen between others."""

_WIDTH = 0.09
"""Standard deviation of a centre as a share of the object's side (0.54 / 6 in TTFNet)."""

_NARROWEST = 0.5
"""The least standard deviation, in cells."""

_TAUGHT = 0.25
"""Cells where the centre map is higher also learn the box."""

_RING = 13
"""Pixels around labelled objects that are fairly surely looked at by who labelled them."""

_BUILDING = KINDS.index("building")
_BOX_WEIGHT, _LOG_WEIGHT = 1.0, 0.3


@dataclass
class Objects:
    """The objects of a crop.

    Attributes
    ----------
    boxes : ndarray of float32, shape (N, 4)
    building : ndarray of bool, shape (N,)
    known : ndarray of bool, shape (N,)
        Whether the kind is known.
    weight : ndarray of float32, shape (2, S, S)
        How surely a pixel away from the centres is no centre: of a building, of anything.
    """

    boxes: np.ndarray
    building: np.ndarray
    known: np.ndarray
    weight: np.ndarray


def objects_of(crop: Crop) -> Objects:
    """Boxes and kinds of a crop's objects, and where their absence is sure."""
    values, inverse = np.unique(crop.labels, return_inverse=True)
    compact = inverse.reshape(crop.labels.shape).astype(np.int32)
    if values[0] != 0:
        compact += 1
        values = np.insert(values, 0, 0)
    boxes, labels = [], []
    unsure = np.zeros(crop.labels.shape, bool)
    for number, place in enumerate(find_objects(compact), 1):
        rows, columns = place
        piece = (compact[place] == number).astype(np.uint8)
        count, numbered, stats, _ = cv2.connectedComponentsWithStats(piece, connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        total = int(areas.sum())
        if total < SMALLEST:
            unsure[place] |= piece > 0
            continue
        if areas.max() >= _WHOLE * total:
            boxes.append((columns.start, rows.start, columns.stop, rows.stop))
            labels.append(values[number])
            continue
        for i in range(1, count):
            x, y, w, h, area = stats[i]
            if area < SMALLEST:
                unsure[place] |= numbered == i
                continue
            x, y = x + columns.start, y + rows.start
            boxes.append((x, y, x + w, y + h))
            labels.append(values[number])
    kinds = np.full(len(labels), -1)
    if crop.kinds is not None and len(labels):
        kinds = crop.kinds[np.array(labels)]
    kind_map = np.full(len(values), -1)
    if crop.kinds is not None:
        kind_map[1:] = crop.kinds[values[1:]]
    return Objects(
        np.array(boxes, np.float32).reshape(-1, 4),
        kinds == _BUILDING,
        kinds >= 0,
        _absence(crop, compact > 0, kind_map[compact], unsure),
    )


def _absence(crop: Crop, inside: np.ndarray, kinds: np.ndarray, unsure: np.ndarray) -> np.ndarray:
    weight = np.ones((HEATS, *inside.shape), np.float32)
    if crop.labelled != EVERYTHING:
        ring = cv2.dilate(inside.astype(np.uint8), np.ones((_RING, _RING), np.uint8)) > 0
        if crop.labelled == BUILDINGS:
            weight[1] = np.where(inside, 1, np.where(ring, 0.5, 0.03))
        else:
            weight[1] = np.where(inside, 0.3, np.where(ring, 0.2, 0))
            weight[0] = np.where(inside & (kinds >= 0), 0.5, 0)
    weight[:, unsure] = 0
    return weight


@dataclass
class Target:
    """What one level of the head should say.

    Attributes
    ----------
    heat, weight : Tensor
        (N, 2, h, w) height of the centres, and how much a cell that is none counts.
    centre : Tensor
        (N, 2, h, w) bool, the cells of the centres.
    box : Tensor
        (N, 4, h, w) box of the object of each cell in pixels.
    share : Tensor
        (N, h, w) weight of the cell for the box; it sums to 1 over an object.
    """

    heat: Tensor
    weight: Tensor
    centre: Tensor
    box: Tensor
    share: Tensor


def _level_target(objects: Objects, size: int, stride: int) -> tuple[np.ndarray, ...]:
    cells = size // stride
    heat = np.zeros((HEATS, cells, cells), np.float32)
    centre = np.zeros((HEATS, cells, cells), bool)
    box = np.zeros((4, cells, cells), np.float32)
    share = np.zeros((cells, cells), np.float32)
    weight = objects.weight.reshape(HEATS, cells, stride, cells, stride).min((2, 4))
    sides = objects.boxes[:, 2:] - objects.boxes[:, :2]
    longer = sides.max(1, initial=0)
    chosen = longer <= FINE_LARGEST if stride == FINE_STRIDE else longer >= COARSE_SMALLEST
    # Small ones last: where centres overlap, the cell belongs to the smaller object.
    order = np.argsort(-sides.prod(1))
    owner = np.full((cells, cells), -1)
    height = np.zeros((cells, cells), np.float32)
    grid = np.arange(cells)
    for i in order[chosen[order]]:
        x, y = (objects.boxes[i, :2] + objects.boxes[i, 2:]) / 2
        column, row = min(int(x / stride), cells - 1), min(int(y / stride), cells - 1)
        sx, sy = np.maximum(_WIDTH * sides[i] / stride, _NARROWEST)
        rx, ry = int(3 * sx) + 1, int(3 * sy) + 1
        place = (slice(max(row - ry, 0), row + ry + 1), slice(max(column - rx, 0), column + rx + 1))
        gx = np.exp(-0.5 * ((grid[place[1]] - column) / sx) ** 2)
        gy = np.exp(-0.5 * ((grid[place[0]] - row) / sy) ** 2)
        bell = (gy[:, None] * gx[None]).astype(np.float32)
        maps = [1] if not objects.building[i] else [0, 1]
        for k in maps:
            np.maximum(heat[k][place], bell, out=heat[k][place])
            centre[k, row, column] = True
        if not objects.known[i]:
            weight[0][place][bell > 0.1] = 0
        taught = bell > _TAUGHT
        owner[place][taught] = i
        height[place][taught] = bell[taught]
    for i in np.unique(owner[owner >= 0]):
        cell = owner == i
        box[:, cell] = objects.boxes[i][:, None]
        share[cell] = height[cell] / height[cell].sum()
    return heat, weight, centre, box, share


def targets(crops: list[Crop]) -> tuple[Target, Target]:
    """Targets of the fine and the coarse level for crops of one size."""
    found = [objects_of(crop) for crop in crops]
    size = crops[0].labels.shape[0]
    levels = []
    for stride in (FINE_STRIDE, COARSE_STRIDE):
        parts = zip(*(_level_target(objects, size, stride) for objects in found))
        levels.append(Target(*(torch.from_numpy(np.stack(part)) for part in parts)))
    return levels[0], levels[1]


def heat_loss(logits: Tensor, target: Target) -> Tensor:
    """Focal loss of the centres, less strict beside them (Law and Deng 2018); a sum."""
    probability = torch.sigmoid(logits)
    hit = (1 - probability) ** 2 * F.logsigmoid(logits)
    miss = (1 - target.heat) ** 4 * probability**2 * F.logsigmoid(-logits) * target.weight
    return -torch.where(target.centre, hit, miss).sum()


def box_loss(maps: LevelMaps, target: Target) -> tuple[Tensor, Tensor]:
    """Generalised IoU loss of the boxes and the overlap itself, both sums over objects."""
    chosen = target.share > 0
    share = target.share[chosen]
    guess = maps.boxes().permute(0, 2, 3, 1)[chosen]
    truth = target.box.permute(0, 2, 3, 1)[chosen]
    low, high = torch.maximum(guess[:, :2], truth[:, :2]), torch.minimum(guess[:, 2:], truth[:, 2:])
    shared = (high - low).clamp_min(0).prod(1)
    union = _area(guess) + _area(truth) - shared
    hull = (
        torch.maximum(guess[:, 2:], truth[:, 2:]) - torch.minimum(guess[:, :2], truth[:, :2])
    ).prod(1)
    iou = shared / union.clamp_min(1e-3)
    generalised = iou - (hull - union) / hull.clamp_min(1e-3)
    extent = (guess[:, 2:] - guess[:, :2]).clamp_min(1e-3).log()
    ratio = (extent - (truth[:, 2:] - truth[:, :2]).clamp_min(1).log()).abs().mean(1)
    loss = _BOX_WEIGHT * (1 - generalised) + _LOG_WEIGHT * ratio
    return (loss * share).sum(), (iou.detach() * share).sum()


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def proposal_loss(
    maps: ProposalMaps, wanted: tuple[Target, Target]
) -> tuple[Tensor, dict[str, float]]:
    """Loss of both levels, and figures for the log.

    Returns
    -------
    loss : Tensor
        A scalar: heat by centre, plus box by object.
    report : dict
        ``heat`` and ``box iou`` of the fine level, ``... large`` of the coarse one.
    """
    total = torch.zeros((), device=maps.fine.heat.device)
    report: dict[str, float] = {}
    for level, target, suffix in zip(maps.levels, wanted, ("", " large")):
        # A crop with hardly any object must not weigh more than one that is full of them.
        heat = heat_loss(level.heat, target) / target.centre.sum().clamp_min(4)
        objects = target.share.sum()
        box, overlap = box_loss(level, target)
        total = total + heat + box / objects.clamp_min(4)
        report[f"heat{suffix}"] = float(heat.detach())
        if objects > 0:
            report[f"box iou{suffix}"] = float(overlap / objects)
    return total, report


def to_device(wanted: tuple[Target, Target], device: torch.device) -> tuple[Target, Target]:
    """Both targets on a device."""
    fine, coarse = (
        Target(*(value.to(device, non_blocking=True) for value in vars(level).values()))
        for level in wanted
    )
    return fine, coarse
