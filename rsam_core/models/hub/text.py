"""Models that find what words name: SAM 3, Grounding DINO and CLIPSeg behind one interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from rsam_core.errors import ModelError, WordsError
from rsam_core.models.parallel import all_cores
from rsam_core.objects.crops import Crop

MAX_WORDS = 20
"""Words, or short phrases, asked for at once."""

MAX_WORD = 80
"""Characters of one of them."""

_SAM3_TOKENS = 32
_MIN_PIXELS = 4


@dataclass(frozen=True, eq=False)
class TextMatch:
    """One thing that a word was found to name.

    Attributes
    ----------
    word : str
    score : float
        The model's confidence, 0 to 1.
    box : ndarray of float, shape (4,)
        x0, y0, x1, y1 in view pixels.
    crop : Crop or None
        The outline as a cropped mask in view pixels; None from a model that gives boxes only.
    """

    word: str
    score: float
    box: NDArray[np.float64]
    crop: Crop | None = None


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """A view as a model of words keeps it between questions.

    Attributes
    ----------
    content : Any
        For the model that made it.
    view_size : tuple of int
        Height and width of the view.
    nbytes : int
    """

    content: Any
    view_size: tuple[int, int]
    nbytes: int


class TextModel(Protocol):
    """A model that looks at a view once and then finds what words name in it.

    Attributes
    ----------
    name : str
        Name in the catalogue.
    outlines : bool
        Whether it gives outlines; otherwise boxes only.
    """

    name: str
    outlines: bool

    def encode(self, image: NDArray[np.uint8]) -> TextFeatures:
        """Look at a view, (H, W, 3) RGB."""
        ...

    def find(
        self, features: TextFeatures, words: Sequence[str], lowest: float = 0.3
    ) -> list[TextMatch]:
        """What words name in a view, most likely first.

        Parameters
        ----------
        features : TextFeatures
            What `encode` returned.
        words : sequence of str
            Words or short phrases, in English: these models were taught little else.
        lowest : float
            Matches with a lower score, 0 to 1, are left out.

        Raises
        ------
        WordsError
            If there are no words, or too many, or one is too long.
        """
        ...


def checked_words(words: Sequence[str]) -> list[str]:
    """Words without surrounding blanks and repetitions.

    Raises
    ------
    WordsError
        If none is left, there are too many, or one is too long.
    """
    wanted = list(dict.fromkeys(" ".join(word.split()).strip(" .").lower() for word in words))
    wanted = [word for word in wanted if word]
    if not wanted:
        raise WordsError("Say what to look for, for example: building, car.", "empty")
    if len(wanted) > MAX_WORDS:
        raise WordsError(
            f"{len(wanted)} things are too many at once. Name {MAX_WORDS} at most.", "long"
        )
    longest = max(wanted, key=len)
    if len(longest) > MAX_WORD:
        raise WordsError(
            f"“{longest[:30]}…” is too long for this model. Use a few words, separated by commas.",
            "long",
        )
    return wanted


def text_model(network: Any, processor: Any, name: str) -> TextModel:
    """The adapter that fits a network of transformers."""
    kind = type(network).__name__
    if kind == "Sam3Model":
        return Sam3Words(network, processor, name)
    if kind == "CLIPSegForImageSegmentation":
        return ClipSegWords(network, processor, name)
    return GroundingWords(network, processor, name)


class _Adapter:
    """What the three have in common."""

    outlines = True

    def __init__(self, network: Any, processor: Any, name: str) -> None:
        self.name = name
        self.network = network
        self.processor = processor
        self.device: torch.device = next(network.parameters()).device

    def pixels(self, image: NDArray[np.uint8]) -> Any:
        """The processor's answer to a picture."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ModelError(
                f"The model needs an RGB image of 8 bits (height, width, 3), not {image.dtype} "
                f"of shape {image.shape}. Convert it with scene.read_rgb()."
            )
        return self.processor.image_processor(
            images=np.ascontiguousarray(image),
            return_tensors="pt",
            input_data_format="channels_last",
        ).to(self.device)


class Sam3Words(_Adapter):
    """SAM 3: outlines of all that a short phrase names.

    Parameters
    ----------
    network : transformers.Sam3Model
    processor : transformers.Sam3Processor
    name : str

    References
    ----------
    Carion et al., *SAM 3: Segment Anything with Concepts*, 2025.
    """

    @torch.inference_mode()
    def encode(self, image: NDArray[np.uint8]) -> TextFeatures:
        """See `TextModel.encode`."""
        with all_cores():
            seen = self.network.get_vision_features(self.pixels(image)["pixel_values"])
        maps = [*seen.fpn_hidden_states, *seen.fpn_position_encoding]
        size = sum(m.numel() * m.element_size() for m in maps)
        return TextFeatures(seen, image.shape[:2], size)

    @torch.inference_mode()
    def find(
        self, features: TextFeatures, words: Sequence[str], lowest: float = 0.3
    ) -> list[TextMatch]:
        """See `TextModel.find`; each phrase is a question of its own."""
        matches: list[TextMatch] = []
        for word in checked_words(words):
            tokens = self.processor.tokenizer(
                word,
                return_tensors="pt",
                padding="max_length",
                max_length=_SAM3_TOKENS,
                truncation=True,
            ).to(self.device)
            with all_cores():
                answer = self.network(
                    vision_embeds=features.content,
                    input_ids=tokens["input_ids"],
                    attention_mask=tokens["attention_mask"],
                )
            scores = answer.pred_logits[0].sigmoid()
            if answer.presence_logits is not None:
                scores = scores * answer.presence_logits[0].sigmoid()
            kept = torch.nonzero(scores > lowest)[:, 0]
            shares = answer.pred_masks[0, kept].sigmoid()
            for score, share in zip(scores[kept].tolist(), shares):
                crop = _crop(_enlarged(share, features.view_size) > 0.5)
                if crop is not None:
                    matches.append(TextMatch(word, score, _box(crop), crop))
        return _sorted(matches)


class GroundingWords(_Adapter):
    """Grounding DINO: boxes around what words name.

    Parameters
    ----------
    network : transformers.GroundingDinoForObjectDetection
    processor : transformers.GroundingDinoProcessor
    name : str

    References
    ----------
    Liu et al., *Grounding DINO*, ECCV 2024.
    """

    outlines = False

    @torch.inference_mode()
    def encode(self, image: NDArray[np.uint8]) -> TextFeatures:
        """See `TextModel.encode`; picture and words meet early, so that only pixels are kept."""
        ready = self.pixels(image)
        given = {key: ready[key] for key in ("pixel_values", "pixel_mask") if key in ready}
        size = sum(v.numel() * v.element_size() for v in given.values())
        return TextFeatures(given, image.shape[:2], size)

    @torch.inference_mode()
    def find(
        self, features: TextFeatures, words: Sequence[str], lowest: float = 0.3
    ) -> list[TextMatch]:
        """See `TextModel.find`; all words are asked together."""
        wanted = checked_words(words)
        text = ". ".join(wanted) + "."
        tokens = self.processor.tokenizer(
            text,
            return_tensors="pt",
            return_offsets_mapping=True,
            return_token_type_ids=True,
            truncation=True,
            max_length=self.network.config.max_text_len,
        )
        spans = tokens.pop("offset_mapping")[0].tolist()
        with all_cores():
            answer = self.network(**features.content, **tokens.to(self.device))
        chances = answer.logits[0].sigmoid()
        owners = _owners(wanted, text, spans)
        height, width = features.view_size
        scale = torch.tensor([width, height, width, height], dtype=torch.float32)
        matches = []
        for row, middle in zip(chances.cpu(), answer.pred_boxes[0].float().cpu()):
            score = float(row.max())
            if score <= lowest:
                continue
            best = [max((float(row[t]) for t in own), default=0.0) for own in owners]
            x, y, w, h = middle.tolist()
            corners = torch.tensor([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * scale
            box = np.clip(corners.numpy().astype(float), 0, scale.numpy())
            if box[2] - box[0] >= 1 and box[3] - box[1] >= 1:
                matches.append(TextMatch(wanted[int(np.argmax(best))], score, box))
        return _sorted(matches)


class ClipSegWords(_Adapter):
    """CLIPSeg: where a word applies, cut into connected pieces.

    Parameters
    ----------
    network : transformers.CLIPSegForImageSegmentation
    processor : transformers.CLIPSegProcessor
    name : str

    References
    ----------
    Lüddecke and Ecker, *Image Segmentation Using Text and Image Prompts*, CVPR 2022.
    """

    @torch.inference_mode()
    def encode(self, image: NDArray[np.uint8]) -> TextFeatures:
        """See `TextModel.encode`."""
        values = self.pixels(image)["pixel_values"]
        return TextFeatures(values, image.shape[:2], values.numel() * values.element_size())

    @torch.inference_mode()
    def find(
        self, features: TextFeatures, words: Sequence[str], lowest: float = 0.3
    ) -> list[TextMatch]:
        """See `TextModel.find`; the score is the mean over a piece."""
        wanted = checked_words(words)
        matches: list[TextMatch] = []
        for word in wanted:
            tokens = self.processor.tokenizer(
                word, return_tensors="pt", truncation=True, padding=True
            ).to(self.device)
            with all_cores():
                answer = self.network(
                    input_ids=tokens["input_ids"],
                    attention_mask=tokens["attention_mask"],
                    pixel_values=features.content,
                )
            logits = answer.logits.reshape(answer.logits.shape[-2:])
            share = _enlarged(logits.sigmoid(), features.view_size)
            matches += _pieces(word, share.numpy(), lowest)
        return _sorted(matches)


def _enlarged(share: Tensor, size: tuple[int, int]) -> Tensor:
    """A map (h, w) at the view's size, on the processor."""
    whole = functional.interpolate(
        share.float()[None, None], size=size, mode="bilinear", align_corners=False
    )
    return whole[0, 0].cpu()


def _crop(mask: Tensor) -> Crop | None:
    """The part of a mask (H, W) that holds all of it; None if it is empty."""
    rows, columns = torch.nonzero(mask.any(1)), torch.nonzero(mask.any(0))
    if not len(rows):
        return None
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    return Crop(mask[y0:y1, x0:x1].numpy().copy(), x0, y0)


def _box(crop: Crop) -> NDArray[np.float64]:
    height, width = crop.mask.shape
    return np.array([crop.x, crop.y, crop.x + width, crop.y + height], float)


def _pieces(word: str, share: NDArray[np.float32], lowest: float) -> list[TextMatch]:
    """Connected pieces of what lies above a threshold."""
    numbers, _ = ndimage.label(share > lowest)
    matches = []
    for number, window in enumerate(ndimage.find_objects(numbers), start=1):
        mask = numbers[window] == number
        if np.count_nonzero(mask) < _MIN_PIXELS:
            continue
        crop = Crop(mask, window[1].start, window[0].start)
        matches.append(TextMatch(word, float(share[window][mask].mean()), _box(crop), crop))
    return matches


def _owners(words: list[str], text: str, spans: list[list[int]]) -> list[list[int]]:
    """For each word the numbers of its tokens in the text."""
    owners, at = [], 0
    for word in words:
        start = text.index(word, at)
        at = start + len(word)
        owners.append([t for t, (a, b) in enumerate(spans) if a < b and start <= a < at])
    return owners


def _sorted(matches: list[TextMatch]) -> list[TextMatch]:
    return sorted(matches, key=lambda match: -match.score)
