"""One-shot segmentation with ``rsam-tiny``: the counterparts of PerSAM's five parts.

PerSAM is made for SAM's two-way transformer; the decoder of ``rsam-tiny`` is convolutional and
sees prompts as maps. The counterparts are

1. *target feature*: the same, over cells of 8 × 8 pixels, each counted by the share of it that
   the example covers (cells are small, so border cells need not count in full);
2. *location prior*: the same, cosine similarity with the target feature;
3. *target-guided attention*: SAM adds the similarity to the weights with which prompt tokens look
   at the image. Here the decoder looks at the image through maps of the similarity to the
   clicks; the similarity to the example is averaged with that of the foreground clicks;
4. *target-semantic prompting*: SAM adds the target embedding to the prompt tokens. Here a click
   speaks through the features under it; those of the example are added to them;
5. *cascaded refinement*: the same, since masks and logits can be prompts here, too.

``benchmarks/one_shot.py`` shows by ablation what each brings.

References
----------
Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from rsam_core.models.base import Decoded, PromptLike
from rsam_core.models.guided import CellGuidance, Guidance, Target, pooled
from rsam_core.models.tiny._windowed import finish
from rsam_core.models.tiny._windows import CELL, LEVELS, Window, first_level, place, prompt_span
from rsam_core.models.tiny.prompt_maps import Guide

if TYPE_CHECKING:
    from rsam_core.models.tiny.model import TinyFeatures, TinyModel

_FINE = CELL // 2


@dataclass(frozen=True, eq=False)
class TinyScales:
    """Three masks of one prompt as logits in one window; see `rsam_core.models.guided.Scales`.

    Attributes
    ----------
    logits : ndarray of float32, shape (3, h, w)
    scores : ndarray of float32, shape (3,)
    window : Window
    level : int
    shape : tuple of int
        Height and width of the view.
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]
    window: Window
    level: int
    shape: tuple[int, int]

    def sample(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Share of each cell of the logits that a mask (H, W) of the view covers, (h, w)."""
        w = self.window
        crop = np.zeros((w.height, w.width), np.float32)
        part = mask[w.y : w.y + w.height, w.x : w.x + w.width]
        crop[: part.shape[0], : part.shape[1]] = part
        size = _FINE * w.pool
        return F.avg_pool2d(torch.from_numpy(crop)[None], size)[0].numpy()

    def finish(self, logits: NDArray[np.float32], score: float) -> Decoded:
        """A weighed map of logits (h, w) as an answer of one mask."""
        quality = torch.tensor([score])
        maps = torch.from_numpy(np.ascontiguousarray(logits, np.float32))[None]
        return finish(maps, quality, self.window, self.level, self.shape)


class TinyGuidance(CellGuidance):
    """``rsam-tiny`` as a model that can be shown an example.

    Parameters
    ----------
    model : TinyModel
    """

    def __init__(self, model: TinyModel) -> None:
        self.model = model

    def view_size(self, features: TinyFeatures) -> tuple[int, int]:
        """Height and width of the view."""
        return features.height, features.width

    def cells(self, features: TinyFeatures) -> NDArray[np.float32]:
        """Features of the cells of 8 × 8 pixels, (C, h, w)."""
        return _cells(features.maps.features, CELL, features)

    def weights(self, features: TinyFeatures, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Share of each cell that the mask covers: cells are small, border cells count in part."""
        return _share(features, mask, CELL)

    def extra(
        self, features: TinyFeatures, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the decoder's own maps hold under the example."""
        maps = features.maps
        key = pooled(_cells(maps.key, CELL, features), _share(features, mask, CELL), "mean")
        unit = F.normalize(maps.skip, dim=1)
        skip = pooled(_cells(unit, _FINE, features), _share(features, mask, _FINE), "mean")
        return key, skip

    def enlarge(self, features: TinyFeatures, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map over cells (h, w) to the view's size (H, W), bilinearly."""
        rows, columns = cells.shape
        large = cv2.resize(cells, (columns * CELL, rows * CELL), interpolation=cv2.INTER_LINEAR)
        return large[: features.height, : features.width]

    def decode(
        self,
        features: TinyFeatures,
        prompt: PromptLike,
        target: Target,
        similarity: NDArray[np.float32],
        guidance: Guidance,
        multimask: bool,
        previous: Any | None = None,
    ) -> Decoded:
        """Answer a prompt under the guidance of a target; see the module's notes.

        `similarity` is not used: the decoder compares in feature maps of its own.
        """
        key, skip = (torch.from_numpy(v) for v in target.extra)
        guide = Guide(key, skip, guidance.attention, guidance.semantic)
        return self.model.decode_guided(features, prompt, multimask, previous, guide)

    @torch.inference_mode()
    def scales(
        self, features: TinyFeatures, prompt: PromptLike, like: NDArray[np.bool_] | None = None
    ) -> TinyScales:
        """The logits of the three masks of a prompt in one window.

        The window is the smallest that has room for an object as large as ``like``.
        """
        span = prompt_span(prompt)
        level = first_level(span)
        if like is not None and like.any():
            rows, columns = like.any(1).nonzero()[0], like.any(0).nonzero()[0]
            size = (0, 0, columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])
            level = max(level, first_level(size))
        height = features.maps.image.shape[2] * CELL
        width = features.maps.image.shape[3] * CELL
        window = place(span, level, width, height)
        maps = features.pooled(LEVELS[level][1])
        logits, quality = self.model.windows(maps, [window], [prompt], [None])
        shape = (features.height, features.width)
        return TinyScales(logits[0, :3].numpy(), quality[0, :3].numpy(), window, level, shape)


def _cells(maps: torch.Tensor, stride: int, features: TinyFeatures) -> NDArray[np.float32]:
    """The cells of a map (1, C, h, w) that lie in the view, without its padding, (C, h', w')."""
    rows, columns = -(-features.height // stride), -(-features.width // stride)
    return maps[0, :, :rows, :columns].float().numpy()


def _share(features: TinyFeatures, mask: NDArray[np.bool_], stride: int) -> NDArray[np.float32]:
    """Share of each cell of the view that a mask (H, W) covers, (h', w')."""
    rows, columns = -(-features.height // stride), -(-features.width // stride)
    padded = np.zeros((rows * stride, columns * stride), np.float32)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return padded.reshape(rows, stride, columns, stride).mean((1, 3))
