"""SAM, SAM-HQ, SlimSAM, SAM 2.1, EdgeTAM and SAM 3's tracker behind RSAM's model interface."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded, MaskFilter, PromptableModel, PromptLike
from rsam_core.models.parallel import all_cores, side_by_side
from rsam_core.models.sam.upsample import mask_from_logits
from rsam_core.objects.crops import crop_together

if TYPE_CHECKING:
    from rsam_core.models.hub.guided import HubGuidance

BATCH = 4
"""Prompts decoded at once on one core."""

CARD_BATCH = 64
"""Prompts decoded at once on a graphics card."""

_CERTAINTY = 1e-3
"""A mask prompt says "surely" with this probability of being wrong (logits of about ±7)."""


@dataclass(frozen=True, eq=False)
class HubFeatures:
    """An embedded view.

    Attributes
    ----------
    levels : tuple of Tensor of float32, shape (1, C, e, e)
        What the decoder looks at, from fine to coarse; one level for SAM's first generation.
    extra : tuple of Tensor
        The encoder's early features, which SAM-HQ needs.
    view_size : tuple of int
        Height and width of the view.
    input_size : tuple of int
        Height and width of the view in the network's input, without padding.
    side : int
        Side of the network's square input.
    padded : bool
        Whether the view was padded to that square, as SAM's first generation wants it, or
        stretched to it.
    """

    levels: tuple[Tensor, ...]
    extra: tuple[Tensor, ...]
    view_size: tuple[int, int]
    input_size: tuple[int, int]
    side: int
    padded: bool

    @property
    def nbytes(self) -> int:
        """Memory that the features hold, in bytes."""
        return sum(t.numel() * t.element_size() for t in (*self.levels, *self.extra))

    @property
    def valid(self) -> tuple[int, int]:
        """Rows and columns of the coarsest cells that lie in the view, not in the padding."""
        stride = self.side / self.levels[-1].shape[-1]
        height, width = self.input_size
        return int(np.ceil(height / stride)), int(np.ceil(width / stride))

    @torch.inference_mode()
    def square_cells(self) -> tuple[NDArray[np.float32], float]:
        """Features on square cells, (C, h, w), and how many view pixels a cell spans.

        Networks that stretch the view to a square see it in cells that are not square; these are
        brought to as many view pixels each way.
        """
        maps, (height, width) = self.levels[-1], self.view_size
        cells = maps.shape[-1]
        if not self.padded and height != width:
            size = max(height, width) / cells
            shape = (max(1, int(np.ceil(height / size))), max(1, int(np.ceil(width / size))))
            rows = _taps(shape[0], size, height, cells, maps.device)
            columns = _taps(shape[1], size, width, cells, maps.device)
            grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], dim=-1)[None]
            maps = functional.grid_sample(
                maps, grid, mode="bilinear", padding_mode="border", align_corners=False
            )
            return maps[0].float().cpu().numpy(), size
        size = self.side / cells * max(height, width) / max(self.input_size)
        return maps[0].float().cpu().numpy(), size


class HubModel(PromptableModel):
    """A promptable network of transformers behind the common protocol.

    Parameters
    ----------
    network : transformers.PreTrainedModel
        With its weights, in evaluation mode, on its device.
    processor : Any
        Its image processor.
    name : str
        Name in the catalogue.

    References
    ----------
    Kirillov et al., *Segment Anything*, ICCV 2023. Ravi et al., *SAM 2*, 2024. Ke et al.,
    *Segment Anything in High Quality*, NeurIPS 2023. Zhou et al., *EdgeTAM*, CVPR 2025. Chen et
    al., *SlimSAM*, NeurIPS 2024.
    """

    def __init__(self, network: Any, processor: Any, name: str) -> None:
        self.name = name
        self.network = network
        self.processor = processor
        self.device: torch.device = next(network.parameters()).device
        self.side = int(network.prompt_encoder.input_image_size)
        self.prompt_side = 4 * int(network.prompt_encoder.image_embedding_size[0])

    def guided(self) -> HubGuidance:
        """See `PromptableModel.guided`."""
        from rsam_core.models.hub.guided import HubGuidance

        return HubGuidance(self)

    @torch.inference_mode()
    def encode(self, image: np.ndarray) -> HubFeatures:
        """Embed a view.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3)

        Returns
        -------
        HubFeatures

        Raises
        ------
        ModelError
            If the image is not an RGB image of 8 bits, or there is too little memory.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ModelError(
                f"The model needs an RGB image of 8 bits (height, width, 3), not {image.dtype} "
                f"of shape {image.shape}. Convert it with scene.read_rgb()."
            )
        ready = self.processor(
            images=np.ascontiguousarray(image),
            return_tensors="pt",
            input_data_format="channels_last",
        )
        try:
            with all_cores():
                found = self.network.get_image_embeddings(ready["pixel_values"].to(self.device))
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise ModelError(
                f"{self.name} needs more memory than this computer has free. Close other programs "
                "or choose a smaller model."
            ) from error
        height, width = image.shape[:2]
        extra: tuple[Tensor, ...] = ()
        if isinstance(found, Tensor):
            levels: tuple[Tensor, ...] = (found,)
        elif isinstance(found, tuple):
            # SAM-HQ's decoder looks at the first of the early features only.
            levels, extra = (found[0],), tuple(found[1][:1])
        else:
            levels = tuple(found)
        padded = "reshaped_input_sizes" in ready
        size = ready["reshaped_input_sizes"][0] if padded else (self.side, self.side)
        input_size = (int(size[0]), int(size[1]))
        return HubFeatures(levels, extra, (height, width), input_size, self.side, padded)

    def decode(
        self,
        features: HubFeatures,
        prompt: PromptLike,
        multimask: bool,
        previous: Any | None = None,
    ) -> Decoded:
        """Answer one prompt; see `PromptableModel.decode`.

        Parameters
        ----------
        features : HubFeatures
        prompt : PromptLike
        multimask : bool
        previous : ndarray of float32, shape (a, a), optional
            ``lowres[k]`` of an earlier answer. It takes the place of ``prompt.mask``: the network
            has one input for either.
        """
        return self._decode_batch(features, [prompt], multimask, previous)[0]

    def decode_many(
        self,
        features: HubFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        quick: bool | MaskFilter = False,
        previous: Sequence[Any] | None = None,
    ) -> list[Decoded]:
        """Answer several prompts, one object each, in their order.

        Prompts of one kind (as many points; a box or none) share a batch; on a processor each
        core works on batches of its own. Masks that are not wanted are left out of the answers.
        """
        if previous is not None:
            return super().decode_many(features, prompts, multimask, previous=previous)
        wanted = quick if isinstance(quick, MaskFilter) else None
        kinds: dict[tuple[int, bool, bool], list[int]] = defaultdict(list)
        for index, prompt in enumerate(prompts):
            kinds[_kind(prompt)].append(index)
        answers: dict[int, Decoded] = {}

        def work(portion: Sequence[int]) -> list[Decoded]:
            chosen = [prompts[i] for i in portion]
            return self._decode_batch(features, chosen, multimask, None, wanted)

        for (_, _, has_mask), indices in kinds.items():
            # The networks take one mask prompt an image.
            if self.device.type == "cpu":
                decoded = side_by_side(work, indices, 1 if has_mask else BATCH)
            else:
                size = 1 if has_mask else CARD_BATCH
                portions = (indices[at : at + size] for at in range(0, len(indices), size))
                decoded = [answer for portion in portions for answer in work(portion)]
            answers.update(zip(indices, decoded, strict=True))
        return [answers[index] for index in range(len(prompts))]

    def inputs(
        self, features: HubFeatures, prompts: Sequence[PromptLike], previous: Any | None = None
    ) -> dict[str, Any]:
        """What the network is called with for prompts of one kind: features and prompts."""
        count, has_box, has_mask = _kind(prompts[0])
        given: dict[str, Any] = {}
        if count:
            points = np.stack([self._to_input(features, prompt.points) for prompt in prompts])
            labels = np.stack([np.asarray(prompt.labels) for prompt in prompts])
            given["input_points"] = torch.from_numpy(points)[None].to(self.device)
            given["input_labels"] = torch.from_numpy(labels.astype(np.int64))[None].to(self.device)
        if has_box:
            boxes = [self._to_input(features, np.reshape(p.box, (2, 2))) for p in prompts]
            given["input_boxes"] = torch.from_numpy(np.stack(boxes).reshape(1, -1, 4)).to(
                self.device
            )
        if previous is not None:
            logits = torch.as_tensor(previous, dtype=torch.float32, device=self.device)
            given["input_masks"] = logits.reshape(1, 1, self.prompt_side, self.prompt_side)
        elif has_mask:
            given["input_masks"] = self.mask_logits(features, prompts[0].mask)
        single = len(features.levels) == 1
        given["image_embeddings"] = features.levels[0] if single else list(features.levels)
        if features.extra:
            given["intermediate_embeddings"] = list(features.extra)
        return given

    @torch.inference_mode()
    def _decode_batch(
        self,
        features: HubFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        previous: Any | None = None,
        wanted: MaskFilter | None = None,
    ) -> list[Decoded]:
        answer = self.network(
            **self.inputs(features, prompts, previous), multimask_output=multimask
        )
        return [
            self.decoded(features, maps, scores, wanted)
            for maps, scores in zip(answer.pred_masks[0], answer.iou_scores[0])
        ]

    def decoded(
        self,
        features: HubFeatures,
        maps: Tensor,
        scores: Tensor,
        wanted: MaskFilter | None = None,
    ) -> Decoded:
        """Logits (K, a, a) and scores (K,) of one prompt as masks at the view's size."""
        logits = maps.float().cpu()
        values = scores.float().cpu().numpy()
        if wanted is not None:
            good = np.flatnonzero(values >= wanted.quality)
            logits, values = logits[good], values[good]
        # What was stretched to a square is enlarged straight to the view; what was padded goes by
        # way of the padded input, as the networks' own processing does.
        side = self.side if features.padded else logits.shape[-1]
        size = features.input_size if features.padded else (side, side)
        parts, stability, kept = [], [], []
        for k, one in enumerate(logits):
            mask, x, y, stable = mask_from_logits(one, side, size, features.view_size)
            if wanted is None or stable >= wanted.stability:
                parts.append((mask, x, y))
                stability.append(stable)
                kept.append(k)
        if not parts:
            none = np.zeros(0, np.float32)
            shape = (0, *logits.shape[-2:])
            return Decoded(np.zeros((0, 1, 1), bool), 0, 0, none, np.zeros(shape, np.float32), none)
        masks, x, y = crop_together(parts)
        return Decoded(
            masks, x, y, values[kept], logits[kept].numpy(), np.array(stability, np.float32)
        )

    def _to_input(self, features: HubFeatures, xy: Any) -> NDArray[np.float32]:
        """Continuous view coordinates (N, 2) as the prompt encoder wants them.

        It takes pixel indices of its input and adds half a pixel to reach their centres; ours are
        continuous already, so that half is taken off beforehand.
        """
        (height, width), (rows, columns) = features.view_size, features.input_size
        scaled = np.asarray(xy, float) * (columns / width, rows / height) - 0.5
        return scaled.astype(np.float32)

    def mask_logits(self, features: HubFeatures, mask: NDArray[np.bool_]) -> Tensor:
        """A boolean mask of view size as logits of shape (1, 1, a, a)."""
        share = self.coverage(features, mask, self.prompt_side)
        return torch.logit(share.clamp(_CERTAINTY, 1 - _CERTAINTY))

    @torch.inference_mode()
    def coverage(self, features: HubFeatures, mask: NDArray[np.bool_], cells: int) -> Tensor:
        """Share of each of cells × cells parts of the network's input that a mask covers.

        Raises
        ------
        ModelError
            If the mask is not of the view's size.
        """
        if mask.shape != features.view_size:
            raise ModelError(
                f"The mask prompt has the shape {mask.shape}, the view {features.view_size}. "
                "Use a mask of the view's size."
            )
        # On the processor: not every device can resize with smoothing.
        share = torch.from_numpy(np.ascontiguousarray(mask)).float()[None, None]
        share = functional.interpolate(
            share, size=features.input_size, mode="bilinear", align_corners=False, antialias=True
        )
        height, width = features.input_size
        share = functional.pad(share, (0, self.side - width, 0, self.side - height))
        return functional.interpolate(share, size=(cells, cells), mode="area").to(self.device)


def _kind(prompt: PromptLike) -> tuple[int, bool, bool]:
    """Number of points, whether there is a box, whether there is a mask."""
    count = 0 if prompt.points is None else len(prompt.points)
    return count, prompt.box is not None, prompt.mask is not None


def _taps(count: int, size: float, length: int, cells: int, device: torch.device) -> Tensor:
    """Where the middles of square cells lie among the stretched ones, −1 to 1."""
    middles = (torch.arange(count, dtype=torch.float32, device=device) + 0.5) * size
    return middles.clamp(max=length) / length * 2 - 1
