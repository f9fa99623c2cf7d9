"""What an object looks like at its own date and at the same place of the other date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change import appearance
from rsam_core.change.date_view import DateView
from rsam_core.change.likeness import Likeness
from rsam_core.errors import Cancelled
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.crops import Crop, cut_out, shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.features.pooling import EmbeddedView, feature_maps, pool
from rsam_core.segment.segmenter import Segmenter

GROUPS: dict[str, tuple[str, ...]] = {
    "building": ("building",),
    "thing": ("car", "boat", "pool", "other"),
    "tree": ("tree",),
    "ground": ("road", "grass or field", "bare ground"),
    "water": ("water",),
}
"""Kinds of object that are told apart here: what lies under an outline at either date."""

LOOKS = tuple(name for name in appearance.COLUMNS if name != "size")
"""What :mod:`rsam_core.change.appearance` says of an object, from its own date to the other."""

COLUMNS = (
    "overlap",
    "score_own",
    "score_other",
    "feature_distance",
    "contrast_distance",
    "contrast_gain",
    "lightness_step",
    "colour_step",
    "pixel_difference",
    "ring_difference",
    "spread_gain",
    "pattern",
    "edge_pattern",
    "border_own",
    "border_other",
    "size",
    "dark_gain",
    "lightness_own",
    "lightness_other",
    "area_gain",
    *(f"look_{name}" for name in LOOKS),
    "cells_mean",
    "cells_top",
    "cells_ring",
    "cells_relative",
    "step_relative",
    *(f"{group}_{date}" for date in ("own", "other") for group in GROUPS),
)
"""Names of the numbers that :func:`gather` gives for each object, in order."""

_MARGIN = 8
_RING = 5
_SLACK = 2
"""Pixels by which the dates may still be displaced when patterns are compared."""

_CHUNK = 32


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of N objects of one date.

    Attributes
    ----------
    table : ndarray of float32, shape (N, len(COLUMNS))
    others : list of Instance or None
        What the model outlines at the same place at the other date.
    """

    table: NDArray[np.float32]
    others: list[Instance | None]


def box_prompt(item: Instance, shape: tuple[int, int], grow: float = 1.0) -> Prompt:
    """A box around an object, a little loose, cut to the view."""
    x0, y0, x1, y1 = item.bbox
    return Prompt(
        box=(
            max(x0 - grow, 0),
            max(y0 - grow, 0),
            min(x1 + grow, shape[1]),
            min(y1 + grow, shape[0]),
        )
    )


def outline_again(
    segmenter: Segmenter,
    view: DateView,
    items: Sequence[Instance],
    cancelled: Callable[[], bool] | None = None,
) -> list[Instance | None]:
    """What the model outlines in the boxes of objects at a date."""
    found: list[Instance | None] = []
    for start in range(0, len(items), _CHUNK):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        prompts = [box_prompt(item, view.embedding.shape) for item in items[start : start + _CHUNK]]
        answers = segmenter.predict(view.embedding, prompts, multimask=False)
        found += [answer.instance(0, source="box") for answer in answers]
    return found


def gather(
    segmenter: Segmenter,
    items: Sequence[Instance],
    own: DateView,
    other: DateView,
    known: Sequence[Instance | None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Evidence:
    """Compare each object of a date with the same place of the other date.

    Parameters
    ----------
    segmenter : Segmenter
    items : sequence of Instance
        In pixels of the views.
    own, other : DateView
        The objects' date, and the other one.
    known : sequence of Instance or None, optional
        What is outlined at the other date, as far as that is known; the model is asked for the
        rest.
    cancelled : callable, optional
        True ends the work.

    Returns
    -------
    Evidence

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    if not items:
        return Evidence(np.zeros((0, len(COLUMNS)), np.float32), [])
    others = list(known or [None] * len(items))
    open_ones = [k for k, one in enumerate(others) if one is None]
    answers = outline_again(segmenter, other, [items[k] for k in open_ones], cancelled)
    for k, answer in zip(open_ones, answers):
        others[k] = answer
    inside = [_pooled(items, view) for view in (own, other)]
    rings = [_ring(item, own.embedding.shape) for item in items]
    around = [_pooled(rings, view) for view in (own, other)]
    kinds = np.concatenate([_groups(segmenter, view, items) for view in (own, other)], axis=1)
    maps = Likeness.between(own.lab, other.lab, _cells(own), _cells(other))
    rows = []
    for k, item in enumerate(items):
        features = _distances([v[k] for v in inside], [v[k] for v in around], own, other)
        row = _row(item, rings[k], others[k], own, other, features)
        rows.append([*row, *_looks(item, own, other), *maps.of(item, rings[k]), *kinds[k]])
    return Evidence(np.array(rows, np.float32), others)


def _looks(item: Instance, own: DateView, other: DateView) -> NDArray[np.float32]:
    """How an object looks another way at the other date; 0 where neither date shows it."""
    everywhere = np.ones(own.lab.shape[:2], bool)
    found = appearance.look(item, own.lab, other.lab, everywhere)
    kept = [k for k, name in enumerate(appearance.COLUMNS) if name in LOOKS]
    return np.nan_to_num(found[kept], nan=0.0, posinf=0.0, neginf=0.0)


def _groups(segmenter: Segmenter, view: DateView, items: Sequence[Instance]) -> NDArray[np.float32]:
    """How likely each of :data:`GROUPS` lies under each object, (N, G); 0 where nobody says."""
    if not segmenter.model.names:
        return np.zeros((len(items), len(GROUPS)), np.float32)
    chances = segmenter.model.name_objects(view.embedding.features, items)
    places = [[KINDS.index(kind) for kind in kinds] for kinds in GROUPS.values()]
    return np.stack([chances[:, some].sum(1) for some in places], axis=1).astype(np.float32)


def _cells(view: DateView) -> tuple[NDArray[np.float32], float] | None:
    """The model's features without their mean, (C, h, w), and the pixels that a cell spans."""
    maps = feature_maps(view.embedding)
    return None if not maps else (maps[0][0] - view.feature_mean[:, None, None], maps[0][1])


def _pooled(items: Sequence[Instance], view: DateView) -> NDArray[np.float32]:
    """Mean features under each object, (N, C); zeros where the model gives none."""
    numbered = Instances([replace(item, id=0) for item in items], view.embedding.shape)
    found = pool(numbered, [EmbeddedView(view.embedding)])
    return np.zeros((len(items), 1), np.float32) if found is None else found


def _ring(item: Instance, shape: tuple[int, int]) -> Instance:
    x0, y0, x1, y1 = item.bbox
    box = (max(x0 - _RING, 0), max(y0 - _RING, 0), min(x1 + _RING, shape[1]),
           min(y1 + _RING, shape[0]))  # fmt: skip
    mask = cut_out(item, box)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RING + 1, 2 * _RING + 1))
    ring = cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) & ~mask
    return Instance(ring if ring.any() else mask, box[0], box[1])


def _distances(
    inside: list[NDArray], around: list[NDArray], own: DateView, other: DateView
) -> tuple[float, float, float]:
    if own.feature_mean is None:
        return 0.0, 0.0, 0.0
    centred = [v - view.feature_mean for v, view in zip(inside, (own, other))]
    contrast = [a - b for a, b in zip(inside, around)]
    gain = np.linalg.norm(contrast[1]) / (np.linalg.norm(contrast[0]) + 1e-6)
    return 1 - _cosine(*centred), 1 - _cosine(*contrast), float(np.log(gain + 0.05))


def _cosine(a: NDArray, b: NDArray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


def _row(
    item: Instance,
    ring: Instance,
    found: Instance | None,
    own: DateView,
    other: DateView,
    features: tuple[float, float, float],
) -> list[float]:
    rows, columns = (slice(a, b) for a, b in zip(item.bbox[1::-1], item.bbox[:1:-1]))
    first, second = own.lab[rows, columns][item.mask], other.lab[rows, columns][item.mask]
    means = first.mean(0), second.mean(0)
    height, width = ring.mask.shape
    near = (slice(ring.y, ring.y + height), slice(ring.x, ring.x + width))
    step = np.linalg.norm(own.lab[near] - other.lab[near], axis=2)
    inside = cut_out(item, ring.bbox)
    overlap, gain, score = 0.0, -2.0, 0.0
    if found is not None:
        shared = shared_pixels(item, found)
        overlap = shared / (item.area + found.area - shared)
        gain, score = float(np.log(found.area / item.area)), found.score
    border = cv2.morphologyEx(
        np.pad(item.mask, 2).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
    )
    return [
        overlap,
        item.score,
        score,
        *features,
        abs(float(means[0][0] - means[1][0])) / 10,
        float(np.hypot(*(means[0] - means[1])[1:])) / 10,
        float(step[inside].mean()) / 10,
        float(step[ring.mask].mean()) / 10,
        float(np.log((second[:, 0].std() + 1) / (first[:, 0].std() + 1))),
        _pattern(own.lab[..., 0], other.lab[..., 0], item),
        _pattern(own.edges, other.edges, item),
        _along(own.edges, border, item),
        _along(other.edges, border, item),
        float(np.log(item.area)) / 8,
        float((second[:, 0] < other.dark).mean() - (first[:, 0] < own.dark).mean()),
        float(means[0][0]) / 100,
        float(means[1][0]) / 100,
        float(np.clip(gain, -2, 2)),
    ]


def _pattern(own: NDArray[np.float32], other: NDArray[np.float32], item: Instance) -> float:
    """Correlation of both dates around an object, at the best displacement by `_SLACK` pixels."""
    height, width = own.shape
    x0, y0 = max(item.bbox[0] - _MARGIN, 0), max(item.bbox[1] - _MARGIN, 0)
    x1, y1 = min(item.bbox[2] + _MARGIN, width), min(item.bbox[3] + _MARGIN, height)
    inner = own[y0 + _SLACK : y1 - _SLACK, x0 + _SLACK : x1 - _SLACK]
    if min(inner.shape) < 3:
        return 0.0
    found = cv2.matchTemplate(
        np.ascontiguousarray(other[y0:y1, x0:x1]), np.ascontiguousarray(inner),
        cv2.TM_CCOEFF_NORMED,
    )  # fmt: skip
    best = float(found.max())
    return best if np.isfinite(best) else 0.0


def _along(strength: NDArray[np.float32], border: NDArray[np.uint8], item: Instance) -> float:
    """Mean strength of edges along an outline."""
    part = cut_out(Crop(border.astype(bool), item.x - 2, item.y - 2), (0, 0, *strength.shape[::-1]))
    values = strength[part]
    return float(np.log1p(values.mean())) if values.size else 0.0
