"""``rsam-tiny`` as a promptable model: encode a view once, decode prompts in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded, PromptableModel, PromptLike

from .encoder import FeatureMaps
from .network import TinyNetwork
from .prompt_maps import PromptBatch, anchored
from .windows import CELL, LEVELS, Window, first_level, place, prompt_span

WEIGHTS = Path(__file__).with_name("rsam_tiny.safetensors")

_BATCH = 4
"""Windows decoded at a time: more fall out of the processor's cache and gain nothing."""

_QUICK_LEVEL = 1
"""Largest window in which the automatic mode looks."""

_EDGE_CELLS = 3
"""Border cells (of 4 × 4 pixels) a mask must touch to count as cut off by the window."""


@dataclass(frozen=True, eq=False)
class TinyFeatures:
    """Encoded view.

    Attributes
    ----------
    maps : FeatureMaps
        Feature maps of the view, padded to multiples of 32 pixels.
    height, width : int
        Size of the view itself.
    """

    maps: FeatureMaps
    height: int
    width: int

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.maps.nbytes

    def pooled(self, pool: int) -> FeatureMaps:
        """The maps averaged down by ``pool``."""
        if pool == 1:
            return self.maps
        m = self.maps

        def shrink(maps: Tensor) -> Tensor:
            return F.avg_pool2d(maps, pool, ceil_mode=True, count_include_pad=False)

        return FeatureMaps(
            m.features, shrink(m.image), F.normalize(shrink(m.key), dim=1), shrink(m.skip)
        )


class TinyModel(PromptableModel):
    """The embedded model.

    Stateless after construction, so that threads may share it.

    Parameters
    ----------
    network : TinyNetwork
        With weights, in evaluation mode.
    """

    name = "rsam-tiny"

    def __init__(self, network: TinyNetwork) -> None:
        self.network = network.eval().requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def encode(self, image: np.ndarray) -> TinyFeatures:
        """Embed a view; see `PromptableModel.encode`."""
        height, width = image.shape[:2]
        bottom, right = -height % 32, -width % 32
        # Edge pixels are repeated: a black margin would look like an object's border.
        padded = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="edge")
        rgb = torch.from_numpy(padded).permute(2, 0, 1)[None].float()
        rgb = rgb.contiguous(memory_format=torch.channels_last)
        return TinyFeatures(self.network.encode(rgb), height, width)

    def decode(
        self,
        features: TinyFeatures,
        prompt: PromptLike,
        multimask: bool,
        previous: Tensor | None = None,
    ) -> Decoded:
        """Answer one prompt; see `PromptableModel.decode`.

        The window grows while the best mask is cut off by its border.
        """
        return self._decode(features, [prompt], multimask, [previous])[0]

    def decode_many(
        self,
        features: TinyFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        quick: bool = False,
    ) -> list[Decoded]:
        """Answer several prompts; see `PromptableModel.decode_many`.

        With ``quick`` a window grows once only, and masks that are still cut off are left out.
        """
        highest = _QUICK_LEVEL if quick else len(LEVELS) - 1
        return self._decode(features, list(prompts), multimask, [None] * len(prompts), highest)

    @torch.inference_mode()
    def _decode(
        self,
        features: TinyFeatures,
        prompts: list[PromptLike],
        multimask: bool,
        previous: list[_Lowres | None],
        highest: int = len(LEVELS) - 1,
    ) -> list[Decoded]:
        results: list[Decoded | None] = [None] * len(prompts)
        prompts = [anchored(prompt) for prompt in prompts]
        spans = [prompt_span(prompt) for prompt in prompts]
        levels = [first_level(span) for span in spans]
        for i, earlier in enumerate(previous):
            if earlier is not None:
                levels[i] = max(levels[i], earlier.level)
        height = features.maps.image.shape[2] * CELL
        width = features.maps.image.shape[3] * CELL
        waiting = list(range(len(prompts)))
        level = min(levels, default=0)
        kept = slice(0, 3) if multimask else slice(3, 4)
        while waiting:
            now = [i for i in waiting if levels[i] == level]
            maps = features.pooled(LEVELS[level][1]) if now else features.maps
            for start in range(0, len(now), _BATCH):
                chunk = now[start : start + _BATCH]
                windows = [place(spans[i], level, width, height) for i in chunk]
                logits, quality = self._windows(
                    maps, windows, [prompts[i] for i in chunk], [previous[i] for i in chunk]
                )
                for i, window, z, q in zip(chunk, windows, logits[:, kept], quality[:, kept]):
                    if _cut_off(z[int(q.argmax())], window, width, height) and (
                        level < len(LEVELS) - 1
                    ):
                        if level < highest:
                            levels[i] = level + 1
                            continue
                        if highest < len(LEVELS) - 1:
                            z = torch.stack(
                                [
                                    torch.full_like(m, -10.0)
                                    if _cut_off(m, window, width, height)
                                    else m
                                    for m in z
                                ]
                            )
                    results[i] = _finish(z, q, window, level, features)
            waiting = [i for i in waiting if results[i] is None]
            level += 1
        return results  # type: ignore[return-value]

    def _windows(
        self,
        maps: FeatureMaps,
        windows: list[Window],
        prompts: list[PromptLike],
        previous: list[_Lowres | None],
    ) -> tuple[Tensor, Tensor]:
        """Decode windows of one level; they share one size because the view is one size."""

        def cut(source: Tensor, cell: int) -> Tensor:
            pieces = []
            for w in windows:
                size = cell * w.pool
                x, y = w.x // size, w.y // size
                pieces.append(source[:, :, y : y + w.height // size, x : x + w.width // size])
            # Averaging down may leave a last odd cell; its window is filled by repetition.
            rows, columns = (
                windows[0].height // (cell * windows[0].pool),
                windows[0].width // (cell * windows[0].pool),
            )
            pieces = [
                F.pad(p, (0, columns - p.shape[3], 0, rows - p.shape[2]), mode="replicate")
                if p.shape[2:] != (rows, columns)
                else p
                for p in pieces
            ]
            return torch.cat(pieces).contiguous(memory_format=torch.channels_last)

        batch = _prompt_batch(prompts, windows, previous)
        return self.network.decoder(
            cut(maps.image, CELL), cut(maps.key, CELL), cut(maps.skip, CELL // 2), batch
        )


@dataclass(frozen=True, eq=False)
class _Lowres:
    """Logits of one mask with the window they belong to."""

    logits: Tensor
    window: Window
    level: int


def _prompt_batch(
    prompts: list[PromptLike], windows: list[Window], previous: list[_Lowres | None]
) -> PromptBatch:
    n = len(prompts)
    counts = [0 if p.points is None else len(p.points) for p in prompts]
    slots = max(1, *counts) if counts else 1
    points = torch.zeros(n, slots, 2)
    labels = torch.full((n, slots), -1, dtype=torch.int64)
    boxes, has_box = torch.zeros(n, 4), torch.zeros(n)
    h, w = windows[0].height, windows[0].width
    size = 4 * windows[0].pool
    earlier, has_earlier = torch.zeros(n, 1, h // size, w // size), torch.zeros(n)
    for i, (prompt, window) in enumerate(zip(prompts, windows)):
        origin = np.array([window.x, window.y], float)
        if counts[i]:
            moved = (np.asarray(prompt.points) - origin) / window.pool
            points[i, : counts[i]] = torch.from_numpy(moved).float()
            labels[i, : counts[i]] = torch.from_numpy(np.asarray(prompt.labels))
        if prompt.box is not None:
            moved = (np.asarray(prompt.box).reshape(2, 2) - origin) / window.pool
            boxes[i], has_box[i] = torch.from_numpy(moved.ravel()).float(), 1
        if previous[i] is not None:
            earlier[i], has_earlier[i] = _move_logits(previous[i], window), 1
        elif prompt.mask is not None:
            crop = np.zeros((h, w), np.float32)
            part = prompt.mask[window.y : window.y + h, window.x : window.x + w]
            crop[: part.shape[0], : part.shape[1]] = part
            earlier[i] = F.avg_pool2d(torch.from_numpy(crop)[None, None], size)[0]
            has_earlier[i] = 1
    return PromptBatch(points, labels, boxes, has_box, earlier, has_earlier)


def _move_logits(source: _Lowres, window: Window) -> Tensor:
    """Probabilities of earlier logits in the cells of another window; 0 outside theirs."""
    size = 4 * window.pool
    x = window.x + (torch.arange(window.width // size) + 0.5) * size
    y = window.y + (torch.arange(window.height // size) + 0.5) * size
    u = (x - source.window.x) / source.window.width * 2 - 1
    v = (y - source.window.y) / source.window.height * 2 - 1
    grid = torch.stack(torch.broadcast_tensors(u[None, :], v[:, None]), dim=-1)[None]
    probability = torch.sigmoid(source.logits)[None, None]
    return F.grid_sample(probability, grid, mode="bilinear", align_corners=False)[0]


def _cut_off(logits: Tensor, window: Window, width: int, height: int) -> bool:
    """Whether a mask runs against a border of the window that is not the view's border."""
    hard = logits > 0
    touched = 0
    if window.x > 0:
        touched = max(touched, int(hard[:, 0].sum()))
    if window.y > 0:
        touched = max(touched, int(hard[0].sum()))
    if window.x + window.width < width:
        touched = max(touched, int(hard[:, -1].sum()))
    if window.y + window.height < height:
        touched = max(touched, int(hard[-1].sum()))
    return touched >= _EDGE_CELLS


def _finish(
    logits: Tensor, quality: Tensor, window: Window, level: int, features: TinyFeatures
) -> Decoded:
    """Bring logits to view pixels, within the part of the window where they may be positive."""
    size = 4 * window.pool
    strict = (logits > 1).sum((1, 2)).float()
    loose = (logits > -1).sum((1, 2)).float()
    stability = (strict / loose.clamp_min(1)).numpy().astype(np.float32)
    lowres = [_Lowres(z, window, level) for z in logits]
    scores = quality.numpy().astype(np.float32)
    # Linear interpolation makes no value above its neighbours: only cells beside a positive
    # one can hold mask pixels. Cells wholly in the padding do not count.
    inside_rows = -(-(features.height - window.y) // size)
    inside_columns = -(-(features.width - window.x) // size)
    positive = (logits > 0).any(0)[:inside_rows, :inside_columns]
    rows, columns = positive.any(1).nonzero().ravel(), positive.any(0).nonzero().ravel()
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
    masks = (fine > 0).numpy()[:, : features.height - y, : features.width - x]
    return Decoded(masks, x, y, scores, lowres, stability)


def load_tiny(path: Path = WEIGHTS) -> TinyModel:
    """Load the embedded model.

    Parameters
    ----------
    path : Path
        A float16 safetensors file with folded batch normalisation.

    Raises
    ------
    ModelError
        If the file is missing or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = TinyNetwork(folded=True)
    try:
        state = {name: value.float() for name, value in load_file(str(path)).items()}
        network.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            "The embedded model's weights are missing or damaged. Install RSAM again."
        ) from error
    return TinyModel(network)
