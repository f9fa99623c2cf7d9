"""AnyChange as published: masks of both dates whose features differ between the dates.

References
----------
Zheng, Zhong, Zhang and Ermon, *Segment Any Change*, NeurIPS 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance
from rsam_core.objects.suppression import suppress
from rsam_core.segment.everything import EverythingSettings, generate, initialize, settings_for
from rsam_core.segment.features.pooling import feature_maps
from rsam_core.segment.segmenter import Segmenter

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class AnyChangeSettings:
    """AnyChange's settings; the defaults are the published ones.

    Parameters
    ----------
    angle : float
        Change confidence threshold in degrees: masks whose features at the dates are more than
        180 minus this apart count as changed.
    quality, stability : float or None
        Lowest predicted IoU and stability of a mask; None for what suits the model.
    overlap : float
        Box IoU above which the worse of two masks is dropped.
    largest : float
        Largest mask as a share of the picture.
    most : int
        Changed masks at most.
    """

    angle: float = 155.0
    quality: float | None = 0.5
    stability: float | None = 0.95
    overlap: float = 0.7
    largest: float = 0.8
    most: int = 1000


def anychange_settings(model_name: str) -> AnyChangeSettings:
    """The published settings for official SAM, their counterpart for the embedded model.

    The embedded model's predicted IoU and stability are on another scale: its own defaults stand
    in for them.
    """
    base = AnyChangeSettings()
    return base if model_name.startswith("sam") else replace(base, quality=None, stability=None)


def anychange(
    segmenter: Segmenter,
    before: Rgb,
    after: Rgb,
    valid: Mask,
    settings: AnyChangeSettings | None = None,
    *,
    objects: tuple[list[Instance], list[Instance]] | None = None,
) -> Mask:
    """AnyChange: masks of both dates whose features differ between the dates, (H, W).

    Parameters
    ----------
    segmenter : Segmenter
        With official SAM, or the embedded model for its counterpart.
    before, after : ndarray of uint8, shape (H, W, 3)
    valid : ndarray of bool, shape (H, W)
    settings : AnyChangeSettings, optional
        By :func:`anychange_settings`.
    objects : tuple of list of Instance, optional
        Masks of both dates, if they are known already.
    """
    result = np.zeros(valid.shape, bool)
    for item, _ in changed_masks(segmenter, before, after, settings, objects=objects):
        x0, y0, x1, y1 = item.bbox
        result[y0:y1, x0:x1] |= item.mask
    return result & valid


def changed_masks(
    segmenter: Segmenter,
    before: Rgb,
    after: Rgb,
    settings: AnyChangeSettings | None = None,
    *,
    objects: tuple[list[Instance], list[Instance]] | None = None,
) -> list[tuple[Instance, float]]:
    """The masks that AnyChange keeps, with their confidence −cos, highest first."""
    settings = settings or anychange_settings(segmenter.model.name)
    return chosen_masks(compared_masks(segmenter, before, after, settings, objects), settings)


def compared_masks(
    segmenter: Segmenter,
    before: Rgb,
    after: Rgb,
    settings: AnyChangeSettings,
    objects: tuple[list[Instance], list[Instance]] | None = None,
) -> list[tuple[Instance, float]]:
    """Masks of both dates, each with its confidence −cos, those unchanged included."""
    embeddings = [segmenter.embed(image) for image in (before, after)]
    latent = [_latent(segmenter, embedding, before.shape[:2]) for embedding in embeddings]
    if objects is None:
        objects = tuple(_masks(segmenter, embedding, settings) for embedding in embeddings)
    found: list[tuple[Instance, float]] = []
    for item in (item for items in objects for item in items):
        if item.area > settings.largest * before.shape[0] * before.shape[1]:
            continue
        means = [_mean_under(maps, item) for maps in latent]
        length = np.linalg.norm(means[0]) * np.linalg.norm(means[1])
        found.append((item, -float(means[0] @ means[1] / (length + 1e-9))))
    return found


def chosen_masks(
    compared: list[tuple[Instance, float]], settings: AnyChangeSettings
) -> list[tuple[Instance, float]]:
    """Of compared masks those that count as changed, highest confidence first."""
    limit = -float(np.cos(np.deg2rad(180 - settings.angle)))
    found = [entry for entry in compared if entry[1] > limit]
    if not found:
        return []
    # As in its code: suppression by predicted IoU over the masks of both dates.
    found.sort(key=lambda entry: -entry[0].score)
    boxes = np.array([item.bbox for item, _ in found], np.int64)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    solid = [np.ones((b[3] - b[1], b[2] - b[0]), bool) for b in boxes]
    kept = suppress(lambda i: solid[i], boxes, sizes, settings.overlap)
    chosen = sorted((found[i] for i in kept), key=lambda entry: -entry[1])
    return chosen[: settings.most]


def _masks(segmenter: Segmenter, embedding: Any, settings: AnyChangeSettings) -> list[Instance]:
    changes: dict[str, float] = {"max_share": settings.largest, "max_overlap": settings.overlap}
    if settings.quality is not None:
        changes.update(min_quality=settings.quality, keep_quality=settings.quality)
    if settings.stability is not None:
        changes.update(min_stability=settings.stability, keep_stability=settings.stability)
    wanted: EverythingSettings = settings_for(segmenter.model.name, **changes)
    return list(generate(initialize(segmenter, embedding, wanted), wanted))


def _latent(segmenter: Segmenter, embedding: Any, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Features at the size of the picture, the neck's last norm undone, (H, W, C)."""
    maps, per_cell = feature_maps(embedding)[0]
    maps = _unnormalised(segmenter.model, maps)
    height, width = shape
    cells = maps.transpose(1, 2, 0)
    rows, columns = -(-height // per_cell), -(-width // per_cell)
    cells = np.ascontiguousarray(cells[: int(rows), : int(columns)])
    # Cells keep their place: (i + 0.5) cells lie at (i + 0.5) times their size.
    y = (np.arange(height, dtype=np.float32) + 0.5) / np.float32(per_cell) - np.float32(0.5)
    x = (np.arange(width, dtype=np.float32) + 0.5) / np.float32(per_cell) - np.float32(0.5)
    grid_x, grid_y = np.meshgrid(x, y)
    result = np.empty((height, width, cells.shape[2]), np.float32)
    for start in range(0, cells.shape[2], 4):
        result[..., start : start + 4] = cv2.remap(
            np.ascontiguousarray(cells[..., start : start + 4]), grid_x, grid_y,
            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        ).reshape(height, width, -1)  # fmt: skip
    return result


def _unnormalised(model: Any, maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """z' = (z − b) / w of SAM's neck; the embedded model's features have no such norm."""
    norm = model.neck_norm()
    if norm is None:
        return maps
    weight, bias = norm
    return (maps - bias[:, None, None]) / weight[:, None, None]


def _mean_under(latent: NDArray[np.float32], item: Instance) -> NDArray[np.float32]:
    x0, y0, x1, y1 = item.bbox
    return latent[y0:y1, x0:x1][item.mask].mean(0)
