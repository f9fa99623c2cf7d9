"""A model whose answers are known exactly, and small shapes drawn by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from rsam_core.models.base import Decoded, PromptableModel
from rsam_core.prompts.prompt import Prompt

Answer = Callable[[Prompt, bool], tuple[list[np.ndarray], list[float]]]


@dataclass(frozen=True, eq=False)
class Call:
    """One decoding that was asked for."""

    prompt: Prompt
    multimask: bool
    previous: Any


class FakeModel(PromptableModel):
    """Answers by a function of the prompt and keeps a record of what it was asked.

    Mask k of decoding n carries the text ``"n/k"`` as its refinement.
    """

    def __init__(self, answer: Answer, name: str = "fake") -> None:
        self.answer, self.name = answer, name
        self.calls: list[Call] = []
        self.encodings = 0

    def encode(self, image: np.ndarray) -> Any:
        self.encodings += 1
        return SimpleNamespace(nbytes=image.nbytes)

    def decode(
        self, features: Any, prompt: Prompt, multimask: bool, previous: Any | None = None
    ) -> Decoded:
        n = len(self.calls)
        self.calls.append(Call(prompt, multimask, previous))
        masks, scores = self.answer(prompt, multimask)
        return Decoded(
            np.stack(masks),
            0,
            0,
            np.array(scores, np.float32),
            [f"{n}/{k}" for k in range(len(masks))],
            np.full(len(masks), 0.9, np.float32),
        )


def rectangle(shape: tuple[int, int], x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """Mask (H, W) of a rectangle of whole pixels."""
    mask = np.zeros(shape, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    """Mask (H, W) of the pixels whose centre lies in a disc."""
    rows, columns = np.indices(shape) + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks that are not both empty."""
    return np.count_nonzero(first & second) / np.count_nonzero(first | second)
