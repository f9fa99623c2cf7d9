"""The official automatic mask generator beside RSAM's, with the same weights and grid."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from segment_anything import SamAutomaticMaskGenerator
from torch.nn import functional

from rsam_core.models.base import PromptableModel
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.samples import render_town
from rsam_core.segment.everything import EverythingSettings, grid_points

BOX_NMS = 0.7
"""The official default: of two masks whose boxes exceed this IoU, one stays."""

_OUTSIDE = -20.0
"""Logits where rsam-tiny did not look."""


class TinyPredictor:
    """``rsam-tiny`` in the place of `SamPredictor`: full logits for each prompt, as SAM gives them.

    Parameters
    ----------
    model : PromptableModel
        rsam-tiny.
    """

    device = torch.device("cpu")

    def __init__(self, model: PromptableModel) -> None:
        self._tiny = model
        self.transform = self
        self.model = self
        self.mask_threshold = 0.0

    def apply_coords(self, points: NDArray, size: tuple[int, int]) -> NDArray:
        """Points stay in view pixels."""
        return points

    def set_image(self, image: NDArray[np.uint8]) -> None:
        """Embed an image."""
        self._shape = image.shape[:2]
        self._features = self._tiny.encode(image)

    def reset_image(self) -> None:
        """Forget it."""
        self._features = None

    def predict_torch(
        self, points: torch.Tensor, labels: torch.Tensor, **_: Any
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        """Logits (B, 3, H, W) and predicted IoU (B, 3); a mask that there is not scores −1."""
        prompts = [Prompt(points=point.numpy()) for point in points]
        answers = self._tiny.decode_many(self._features, prompts, True, quick=True)
        height, width = self._shape
        logits = torch.full((len(prompts), 3, height, width), _OUTSIDE)
        scores = torch.full((len(prompts), 3), -1.0)
        for i, answer in enumerate(answers):
            for k, low in enumerate(answer.lowres):
                fine = functional.interpolate(
                    low.logits[None, None],
                    scale_factor=4.0 * low.window.pool,
                    mode="bilinear",
                    align_corners=False,
                )[0, 0, : height - low.window.y, : width - low.window.x]
                rows = slice(low.window.y, low.window.y + fine.shape[0])
                logits[i, k, rows, low.window.x : low.window.x + fine.shape[1]] = fine
                scores[i, k] = float(answer.scores[k])
        return logits, scores, None


class _Side:
    """What `SamPredictor` asks of a model when it is made."""

    class image_encoder:
        img_size = 1024


def official_generator(
    model: Any,
    shape: tuple[int, int],
    settings: EverythingSettings,
    tiny: PromptableModel | None = None,
) -> SamAutomaticMaskGenerator:
    """The official generator on RSAM's grid of points, with RSAM's thresholds.

    Parameters
    ----------
    model : Sam
        Ignored if `tiny` is given.
    shape : tuple of int
        Height and width of the image.
    settings : EverythingSettings
    tiny : PromptableModel, optional
        rsam-tiny, to be put behind SAM's interface.
    """
    points = grid_points(shape, settings.spacing)
    if tiny is None:
        # The official code takes coordinates for indices of pixels and adds half a pixel.
        points = points - 0.5 * max(shape) / model.image_encoder.img_size
    generator = SamAutomaticMaskGenerator(
        model if tiny is None else _Side(),
        points_per_side=None,
        point_grids=[points / (shape[1], shape[0])],
        pred_iou_thresh=settings.min_quality,
        stability_score_thresh=settings.min_stability,
        box_nms_thresh=BOX_NMS,
    )
    if tiny is not None:
        generator.predictor = TinyPredictor(tiny)
    return generator


def as_instances(records: Sequence[dict[str, Any]]) -> list[Instance]:
    """The official generator's records as objects, best first; empty masks are left out."""
    found = [
        Instance.from_mask(record["segmentation"], score=record["predicted_iou"])
        for record in records
        if record["segmentation"].any()
    ]
    return sorted(found, key=lambda item: -item.score)


def peer_generator(generator: SamAutomaticMaskGenerator, folder: Path) -> Any:
    """`SamGeo` of segment-geospatial, installed in a folder, around a generator.

    Its constructor would download a checkpoint; what it makes of it is put in place here.
    """
    sys.path.append(str(folder))
    from samgeo.samgeo import SamGeo

    peer = object.__new__(SamGeo)
    peer.mask_generator, peer.source, peer.masks = generator, None, None
    return peer


def partners(wanted: Sequence[Instance], found: Sequence[Instance]) -> NDArray[np.float64]:
    """For each wanted object the highest IoU with any found one, shape (N,)."""
    boxes = np.array([item.bbox for item in found], np.int64).reshape(-1, 4)
    areas = np.array([item.area for item in found], np.int64)
    best = np.zeros(len(wanted))
    for i, item in enumerate(wanted):
        box = np.array(item.bbox)
        sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
        common = np.clip(sides, 0, None).prod(axis=1)
        bound = np.minimum(common, np.minimum(areas, item.area))
        bound = bound / (areas + item.area - bound)
        for j in np.argsort(-bound):
            if bound[j] <= best[i]:
                break
            shared = shared_pixels(item, found[j])
            best[i] = max(best[i], shared / (item.area + areas[j] - shared))
    return best


def towns(count: int, width: int, height: int) -> Iterator[tuple[str, NDArray, NDArray, list[int]]]:
    """Rendered towns: name, image, labels, and the labels that count."""
    for i, style in enumerate(("suburb", "village", "estate", "industrial")[:count]):
        town = render_town(width, height, gsd=0.3, seed=940 + i, style=style)
        yield style, town.image, town.labels, list(town.classes)


def mosaics(
    folder: Path, count: int, across: int
) -> Iterator[tuple[str, NDArray, NDArray, list[int]]]:
    """Mosaics of across × across tiles with their buildings."""
    names = sorted(path.stem for path in (folder / "instances").iterdir())
    names.sort(key=lambda name: (name.split("-")[-1], name))
    each = across * across
    for number, start in enumerate(range(0, len(names) - each + 1, each)):
        if number == count:
            return
        side = 256 * across
        image = np.zeros((side, side, 3), np.uint8)
        labels = np.zeros((side, side), np.int32)
        for index, name in enumerate(names[start : start + each]):
            y, x = 256 * (index // across), 256 * (index % across)
            picture = next((folder / "images").glob(f"{name}.*"))
            image[y : y + 256, x : x + 256] = np.array(Image.open(picture).convert("RGB"))
            part = np.array(Image.open(next((folder / "instances").glob(f"{name}.*"))))
            labels[y : y + 256, x : x + 256] = np.where(part > 0, part + labels.max(), 0)
        yield f"{folder.name} {number + 1}", image, labels, list(range(1, labels.max() + 1))
