"""The official Segment Anything models, run through the `segment-anything` package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded, MaskFilter, PromptableModel, PromptLike
from rsam_core.models.catalog import ModelInfo
from rsam_core.models.parallel import side_by_side
from rsam_core.models.sam import decoder as sam_decoder
from rsam_core.models.sam import encoder as sam_encoder
from rsam_core.models.sam.checkpoint import fill, read_weights
from rsam_core.models.sam.decoder import FastDecoder, ImageSide
from rsam_core.models.sam.encoder import FastEncoder
from rsam_core.models.sam.guided import SamGuidance
from rsam_core.models.sam.upsample import STABILITY_OFFSET, mask_from_logits
from rsam_core.objects.crops import crop_together

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

BATCH = 4
"""Prompts decoded at once: more fall out of the processor's cache and gain nothing."""

_STABILITY_SLACK = 0.05
"""How much more stable a mask may be at the view's size than at the decoder's.

Interpolation moves its borders by less than a cell; of thousands of masks none gained more.
"""

_FEW_CELLS = 64
"""Masks of fewer cells are not judged before they are enlarged: a cell more is too much."""

MASK_CERTAINTY = 1e-3
"""A mask prompt says 'surely' with this probability of being wrong (logits of about ±7)."""


def _official(arch: str) -> Sam:
    from segment_anything import sam_model_registry

    return sam_model_registry[arch](checkpoint=None)


BUILDERS: dict[str, Callable[[], Any]] = {
    arch: partial(_official, arch) for arch in ("vit_b", "vit_l", "vit_h")
}
"""Architectures by name: each builds an untrained `segment_anything.modeling.Sam`."""


@dataclass(frozen=True, eq=False)
class SamFeatures:
    """An embedded view.

    Attributes
    ----------
    embedding : Tensor of float32, shape (1, C, e, e)
        Output of the image encoder over the padded square.
    view_size : tuple of int
        Height and width of the view.
    input_size : tuple of int
        Height and width of the view as the encoder saw it, without padding.
    side : ImageSide, optional
        What the quick decoder computes once for all prompts.
    """

    embedding: torch.Tensor
    view_size: tuple[int, int]
    input_size: tuple[int, int]
    side: ImageSide | None = None

    @property
    def nbytes(self) -> int:
        """Memory that the features hold, in bytes."""
        own = self.embedding.numel() * self.embedding.element_size()
        return own + (self.side.nbytes if self.side is not None else 0)


class SamModel(PromptableModel):
    """A Segment Anything model behind the common protocol.

    Parameters
    ----------
    sam : segment_anything.modeling.Sam
        The network with its weights. It is moved to `device` and frozen.
    name : str
        Name in the catalogue.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ...; by default the graphics card if PyTorch can use one.

    References
    ----------
    Kirillov et al., *Segment Anything*, ICCV 2023.
    """

    def __init__(self, sam: Sam, name: str, device: str | None = None) -> None:
        self.name = name
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._sam = sam.to(self._device).eval().requires_grad_(False)
        self._side: int = sam.image_encoder.img_size
        self._prompt_side: int = sam.prompt_encoder.mask_input_size[0]
        with torch.inference_mode():
            self._position = sam.prompt_encoder.get_dense_pe()
        self._quick = FastDecoder(sam) if sam_decoder.suits(sam) else None
        self._encode = FastEncoder(sam) if sam_encoder.suits(sam) else sam.image_encoder

    def guided(self) -> SamGuidance:
        """See `PromptableModel.guided`."""
        return SamGuidance(self)

    def encode(self, image: np.ndarray) -> SamFeatures:
        """Embed a view.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3)

        Returns
        -------
        SamFeatures

        Raises
        ------
        ModelError
            If the image is not an RGB image of 8 bits.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ModelError(
                f"The model needs an RGB image of 8 bits (height, width, 3), not {image.dtype} "
                f"of shape {image.shape}. Convert it with scene.read_rgb()."
            )
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        input_size = (max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5)))
        # SAM was trained on images that Pillow had resized; other resampling shifts the scores.
        resized = Image.fromarray(image).resize(input_size[::-1], Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None].to(self._device)
        with torch.inference_mode():
            embedding = self._encode(self._sam.preprocess(pixels))
        side = self._quick.image_side(embedding) if self._quick is not None else None
        return SamFeatures(embedding, (height, width), input_size, side)

    def neck_norm(self) -> tuple[np.ndarray, np.ndarray]:
        """See `PromptableModel.neck_norm`."""
        last = self._sam.image_encoder.neck[-1]
        weight, bias = (part.detach().float().cpu().numpy() for part in (last.weight, last.bias))
        return weight, bias

    def decode(
        self,
        features: SamFeatures,
        prompt: PromptLike,
        multimask: bool,
        previous: Any | None = None,
    ) -> Decoded:
        """Answer one prompt; see `PromptableModel.decode`.

        Parameters
        ----------
        features : SamFeatures
        prompt : PromptLike
        multimask : bool
        previous : ndarray of float32, shape (a, a), optional
            ``lowres[k]`` of an earlier answer. It takes the place of ``prompt.mask``: the network
            has one input for either.

        Returns
        -------
        Decoded
        """
        return self._decode_batch(features, [prompt], multimask, previous)[0]

    def decode_many(
        self,
        features: SamFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        quick: bool | MaskFilter = False,
        previous: Sequence[Any] | None = None,
    ) -> list[Decoded]:
        """Answer several prompts, one object each, in their order.

        Prompts of one kind (as many points; a box or none; a mask or none) share a batch; on a
        processor each core works on batches of its own. Masks that are not wanted are left out of
        the answers, before they are drawn if possible.
        """
        if previous is not None:
            return super().decode_many(features, prompts, multimask, previous=previous)
        kinds: dict[tuple[int, bool, bool], list[int]] = defaultdict(list)
        for index, prompt in enumerate(prompts):
            kinds[_kind(prompt)].append(index)
        wanted = quick if isinstance(quick, MaskFilter) else None
        answers: dict[int, Decoded] = {}

        def work(portion: Sequence[int]) -> list[Decoded]:
            chosen = [prompts[i] for i in portion]
            return self._decode_batch(features, chosen, multimask, None, wanted)

        for indices in kinds.values():
            if self._quick is not None:
                decoded = side_by_side(work, indices, BATCH)
            else:
                portions = (indices[at : at + BATCH] for at in range(0, len(indices), BATCH))
                decoded = [answer for portion in portions for answer in work(portion)]
            answers.update(zip(indices, decoded, strict=True))
        return [answers[index] for index in range(len(prompts))]

    @torch.inference_mode()
    def _decode_batch(
        self,
        features: SamFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        previous: Any | None = None,
        wanted: MaskFilter | None = None,
    ) -> list[Decoded]:
        count, has_box, has_mask = _kind(prompts[0])
        points = boxes = masks = None
        if count:
            coordinates = [self._to_input(features, prompt.points) for prompt in prompts]
            labels = torch.tensor(np.array([p.labels for p in prompts]), dtype=torch.int)
            points = (torch.stack(coordinates), labels.to(self._device))
        if has_box:
            corners = [self._to_input(features, np.reshape(p.box, (2, 2))) for p in prompts]
            boxes = torch.stack(corners).reshape(-1, 4)
        if previous is not None:
            logits = torch.as_tensor(previous, dtype=torch.float32, device=self._device)
            masks = logits.reshape(1, 1, self._prompt_side, self._prompt_side)
        elif has_mask:
            masks = torch.cat([self._mask_logits(features, prompt.mask) for prompt in prompts])
        sparse, dense = self._sam.prompt_encoder(points=points, boxes=boxes, masks=masks)
        kept = range(1, self._sam.mask_decoder.num_mask_tokens) if multimask else range(1)
        if self._quick is None or features.side is None:
            maps, scores = self._sam.mask_decoder(
                image_embeddings=features.embedding,
                image_pe=self._position,
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=multimask,
            )
            answers = [_Maps(scores[i], maps[i].__getitem__) for i in range(len(prompts))]
        elif masks is None:
            answers = self._look(features.side, sparse, kept)
        else:
            sides = [self._quick.image_side(features.embedding, part) for part in dense]
            answers = [self._look(side, sparse[i : i + 1], kept)[0] for i, side in enumerate(sides)]
        return [self._answer(features, answer, wanted) for answer in answers]

    def _look(self, side: ImageSide, sparse: torch.Tensor, kept: range) -> list[_Maps]:
        """Answers of the quick decoder, whose masks are not drawn yet."""
        looked = self._quick.look(side, sparse)

        def drawn(index: int, which: list[int]) -> torch.Tensor:
            return self._quick.draw(looked, index, [kept[k] for k in which])

        return [
            _Maps(scores[list(kept)], partial(drawn, index))
            for index, scores in enumerate(looked.scores)
        ]

    def _answer(self, features: SamFeatures, maps: _Maps, wanted: MaskFilter | None) -> Decoded:
        """The masks of one prompt that are wanted, at the view's size."""
        which = list(range(len(maps.scores)))
        if wanted is not None:
            which = [k for k in which if maps.scores[k] >= wanted.quality]
        if not which:
            return _nothing(self._prompt_side)
        lowres = maps.draw(which)
        if wanted is not None and wanted.stability > 0:
            stable = [
                k
                for k, logits in enumerate(lowres)
                if self._may_be_stable(features, logits, wanted.stability)
            ]
            lowres, which = lowres[stable], [which[k] for k in stable]
        decoded = self._decoded(features, lowres, maps.scores[which])
        if wanted is None:
            return decoded
        good = decoded.stability >= wanted.stability
        return Decoded(
            decoded.masks[good],
            decoded.x,
            decoded.y,
            decoded.scores[good],
            decoded.lowres[good],
            decoded.stability[good],
        )

    def _may_be_stable(self, features: SamFeatures, logits: torch.Tensor, stability: float) -> bool:
        """Whether a mask of logits (a, a) may be stable enough once it is enlarged."""
        cell = self._side // logits.shape[-1]
        rows, columns = (-(-length // cell) for length in features.input_size)
        inside, threshold = logits[:rows, :columns], self._sam.mask_threshold
        loose = int((inside > threshold - STABILITY_OFFSET).sum())
        strict = int((inside > threshold + STABILITY_OFFSET).sum())
        return loose < _FEW_CELLS or strict >= (stability - _STABILITY_SLACK) * loose

    def _decoded(
        self, features: SamFeatures, lowres: torch.Tensor, scores: torch.Tensor
    ) -> Decoded:
        parts, stability = [], []
        for logits in lowres:
            mask, x, y, stable = mask_from_logits(
                logits,
                self._side,
                features.input_size,
                features.view_size,
                self._sam.mask_threshold,
            )
            parts.append((mask, x, y))
            stability.append(stable)
        masks, x, y = crop_together(parts)
        return Decoded(
            masks=masks,
            x=x,
            y=y,
            scores=scores.float().cpu().numpy(),
            lowres=lowres.float().cpu().numpy(),
            stability=np.array(stability, dtype=np.float32),
        )

    def _to_input(self, features: SamFeatures, xy: np.ndarray) -> torch.Tensor:
        """Continuous view coordinates, shape (N, 2), as the prompt encoder wants them.

        The encoder takes pixel indices of its input and adds half a pixel to reach their centres;
        ours are continuous already, so that half is taken off beforehand.
        """
        (height, width), (input_height, input_width) = features.view_size, features.input_size
        scaled = np.asarray(xy, dtype=float) * (input_width / width, input_height / height) - 0.5
        return torch.as_tensor(scaled, dtype=torch.float32, device=self._device)

    def _mask_logits(self, features: SamFeatures, mask: np.ndarray) -> torch.Tensor:
        """A boolean mask of view size as logits of shape (1, 1, a, a)."""
        if mask.shape != features.view_size:
            raise ModelError(
                f"The mask prompt has the shape {mask.shape}, the view {features.view_size}. "
                "Use a mask of the view's size."
            )
        share = torch.as_tensor(mask, dtype=torch.float32, device=self._device)[None, None]
        share = functional.interpolate(
            share, size=features.input_size, mode="bilinear", align_corners=False, antialias=True
        )
        height, width = features.input_size
        share = functional.pad(share, (0, self._side - width, 0, self._side - height))
        share = functional.avg_pool2d(share, self._side // self._prompt_side)
        return torch.logit(share.clamp(MASK_CERTAINTY, 1 - MASK_CERTAINTY))


@dataclass(frozen=True, eq=False)
class _Maps:
    """Scores (K,) of one prompt's masks, and how to get the logits (k, a, a) of some of them."""

    scores: torch.Tensor
    draw: Callable[[list[int]], torch.Tensor]


def _nothing(side: int) -> Decoded:
    """An answer without masks."""
    none = np.zeros(0, np.float32)
    return Decoded(
        np.zeros((0, 1, 1), bool), 0, 0, none, np.zeros((0, side, side), np.float32), none
    )


def _kind(prompt: PromptLike) -> tuple[int, bool, bool]:
    """Number of points, whether there is a box, whether there is a mask."""
    count = 0 if prompt.points is None else len(prompt.points)
    return count, prompt.box is not None, prompt.mask is not None


def load_sam(info: ModelInfo, path: Path) -> SamModel:
    """Build an official model and fill in the weights of a checkpoint.

    Parameters
    ----------
    info : ModelInfo
        Its `arch` names the architecture in `BUILDERS`.
    path : Path
        The checkpoint: a PyTorch file that holds tensors only.

    Returns
    -------
    SamModel

    Raises
    ------
    ModelError
        If the file is not a plain checkpoint, does not fit the architecture, or there is too
        little memory.
    """
    builder = BUILDERS.get(info.arch or "")
    if builder is None:
        raise ModelError(
            f"{info.title} has the unknown architecture “{info.arch}”. "
            f"Known ones: {', '.join(BUILDERS)}."
        )
    weights = read_weights(path)
    try:
        sam = builder()
    except (MemoryError, RuntimeError) as error:
        raise ModelError(
            f"{info.title} needs about {info.memory_mb / 1000:.1f} GB of free memory, which this "
            "computer does not have now. Close other programs or choose a smaller model."
        ) from error
    fill(sam, weights, path)
    return SamModel(sam, info.name)
