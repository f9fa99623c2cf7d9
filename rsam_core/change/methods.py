"""Ways to find change that need no comparison of objects, and AnyChange as published.

All take both dates on one grid (see `rsam_core.change.aligned.Alignment.read`) and give a mask.

References
----------
Zheng, Zhong, Zhang and Ermon, *Segment Any Change*, NeurIPS 2024 (AnyChange). Otsu, *A threshold
selection method from gray-level histograms*, 1979. Malila, *Change vector analysis*, 1980.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ChangeError
from rsam_core.objects.instance import Instance
from rsam_core.objects.suppression import suppress
from rsam_core.scene.indices import ndvi
from rsam_core.segment.everything import EverythingSettings, generate, initialize, settings_for
from rsam_core.segment.features.pooling import feature_maps
from rsam_core.segment.segmenter import Segmenter

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]

NDVI_STEP = 0.2
"""Difference of the vegetation index that counts as change."""


def image_difference(before: Rgb, after: Rgb, valid: Mask) -> Mask:
    """Difference of grey values, thresholded after Otsu, (H, W)."""
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (before, after)]
    return _otsu(np.abs(grey[0] - grey[1]), valid)


def change_vectors(before: Rgb, after: Rgb, valid: Mask) -> Mask:
    """Length of the change vector of standardised bands, thresholded after Otsu, (H, W)."""
    first, second = _standard(before, valid), _standard(after, valid)
    return _otsu(np.linalg.norm(first - second, axis=2), valid)


def ndvi_difference(before: NDArray, after: NDArray, valid: Mask) -> Mask:
    """Difference of the vegetation index of bands (H, W, 4: red, green, blue, near infrared)."""
    if before.shape[2] < 4 or after.shape[2] < 4:
        raise ChangeError("The vegetation index needs a near infrared band at both dates.")
    values = [ndvi(bands[..., 3], bands[..., 0]) for bands in (before, after)]
    step = np.abs(values[0] - values[1])
    return (np.nan_to_num(step) > NDVI_STEP) & valid


def _standard(image: Rgb, valid: Mask) -> NDArray[np.float32]:
    values = image.astype(np.float32)
    known = values[valid] if valid.any() else values.reshape(-1, values.shape[2])
    return (values - known.mean(0)) / (known.std(0) + 1e-3)


def _otsu(values: NDArray[np.float32], valid: Mask) -> Mask:
    from skimage.filters import threshold_otsu

    known = values[valid]
    if not known.size or np.ptp(known) == 0:
        return np.zeros(valid.shape, bool)
    return (values > threshold_otsu(known)) & valid


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
    embeddings = [segmenter.embed(image) for image in (before, after)]
    latent = [_latent(segmenter, embedding, before.shape[:2]) for embedding in embeddings]
    if objects is None:
        objects = tuple(_masks(segmenter, embedding, settings) for embedding in embeddings)
    limit = -float(np.cos(np.deg2rad(180 - settings.angle)))
    found: list[tuple[Instance, float]] = []
    for items in objects:
        for item in items:
            if item.area > settings.largest * before.shape[0] * before.shape[1]:
                continue
            means = [_mean_under(maps, item) for maps in latent]
            cosine = float(
                means[0] @ means[1] / (np.linalg.norm(means[0]) * np.linalg.norm(means[1]) + 1e-9)
            )
            if -cosine > limit:
                found.append((item, -cosine))
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
    encoder = getattr(getattr(model, "_sam", None), "image_encoder", None)
    neck = getattr(encoder, "neck", None)
    if neck is None:
        return maps
    last = neck[-1]
    weight, bias = (t.detach().float().cpu().numpy() for t in (last.weight, last.bias))
    return (maps - bias[:, None, None]) / weight[:, None, None]


def _mean_under(latent: NDArray[np.float32], item: Instance) -> NDArray[np.float32]:
    x0, y0, x1, y1 = item.bbox
    return latent[y0:y1, x0:x1][item.mask].mean(0)


@dataclass(frozen=True)
class Method:
    """A method of the table.

    Attributes
    ----------
    key, title : str
    learned : bool
        Whether it needs a model.
    run : callable
        ``run(before, after, valid)`` or, with a model, ``run(segmenter, before, after, valid)``.
    """

    key: str
    title: str
    learned: bool
    run: Callable[..., Mask]


METHODS: tuple[Method, ...] = (
    Method("difference", "image differencing, Otsu", False, image_difference),
    Method("vectors", "change vector analysis, Otsu", False, change_vectors),
    Method("ndvi", "NDVI difference", False, ndvi_difference),
    Method("anychange", "AnyChange", True, anychange),
)
"""What stands beside RSAM's comparison of objects."""
