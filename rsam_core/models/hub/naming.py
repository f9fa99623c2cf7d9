"""CLIP says what finished objects are, by the kinds that the embedded model also tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded, PromptableModel, PromptLike
from rsam_core.models.parallel import all_cores
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.crops import Cropped

SENTENCES: dict[str, str] = {
    "building": "a building seen from above",
    "road": "a paved road seen from above",
    "car": "a car seen from above",
    "tree": "a tree seen from above",
    "grass or field": "grass or a field seen from above",
    "bare ground": "bare ground seen from above",
    "water": "water seen from above",
    "pool": "a swimming pool seen from above",
    "boat": "a boat seen from above",
    "other": "an aerial photograph",
}
"""What CLIP compares a picture of an object with, for each kind."""

_MARGIN = 0.25
_SMALLEST = 32
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class PictureFeatures:
    """The view itself, of which objects are cut out.

    Attributes
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
    """

    picture: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Memory that the view holds, in bytes."""
        return self.picture.nbytes


class ClipNamer(PromptableModel):
    """A CLIP network that names objects and nothing else.

    Parameters
    ----------
    network : transformers.CLIPModel
    processor : transformers.CLIPProcessor
    name : str

    References
    ----------
    Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*, 2021.
    """

    def __init__(self, network: Any, processor: Any, name: str) -> None:
        self.name = name
        self.network = network
        self.processor = processor
        self.device: torch.device = next(network.parameters()).device
        self._words = self._text([SENTENCES[kind] for kind in KINDS])

    @property
    def names(self) -> bool:
        """See `PromptableModel.names`."""
        return True

    def encode(self, image: NDArray[np.uint8]) -> PictureFeatures:
        """Keep the view, (H, W, 3) RGB."""
        return PictureFeatures(np.array(image))

    def decode(
        self, features: Any, prompt: PromptLike, multimask: bool, previous: Any | None = None
    ) -> Decoded:
        """Nothing that this model can do.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            f"The model {self.name} names finished objects; it cannot outline any. Choose "
            "rsam-tiny or another model on the Models page."
        )

    @torch.inference_mode()
    def name_objects(
        self, features: PictureFeatures, objects: Sequence[Cropped]
    ) -> NDArray[np.float32]:
        """How likely each kind is for each object; see `PromptableModel.name_objects`.

        Each is looked at in its box with a margin, on the ground that it stands on.
        """
        rows = []
        for start in range(0, len(objects), _AT_ONCE):
            parts = [_cut(features.picture, one) for one in objects[start : start + _AT_ONCE]]
            ready = self.processor.image_processor(
                images=parts, return_tensors="pt", input_data_format="channels_last"
            )
            with all_cores():
                seen = _pooled(
                    self.network.get_image_features(ready["pixel_values"].to(self.device))
                )
            seen = seen / seen.norm(dim=-1, keepdim=True)
            likeness = self.network.logit_scale.exp() * seen @ self._words.T
            rows.append(likeness.softmax(dim=-1).float().cpu().numpy())
        return np.concatenate(rows) if rows else np.zeros((0, len(KINDS)), np.float32)

    @torch.inference_mode()
    def _text(self, sentences: list[str]) -> torch.Tensor:
        tokens = self.processor.tokenizer(
            sentences, return_tensors="pt", padding=True, truncation=True
        ).to(self.device)
        found = _pooled(
            self.network.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
        )
        return found / found.norm(dim=-1, keepdim=True)


def _pooled(answer: Any) -> torch.Tensor:
    """The features themselves, however the package wraps them."""
    return answer if isinstance(answer, torch.Tensor) else answer.pooler_output


def _cut(picture: NDArray[np.uint8], one: Cropped) -> NDArray[np.uint8]:
    """A square around an object, with some of what surrounds it."""
    height, width = one.mask.shape
    half = max((0.5 + _MARGIN) * max(height, width), _SMALLEST / 2)
    x, y = one.x + width / 2, one.y + height / 2
    rows, columns = picture.shape[:2]
    x0, x1 = int(max(x - half, 0)), int(min(np.ceil(x + half), columns))
    y0, y1 = int(max(y - half, 0)), int(min(np.ceil(y + half), rows))
    return np.ascontiguousarray(picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)])
