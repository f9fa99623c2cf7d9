"""Small pictures, and a model whose answers to boxes and clicks are known exactly."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from rsam_core.prompts.history import PromptHistory
from rsam_core.prompts.prompt import Prompt
from tests.helpers.models import FakeModel, disc

HEIGHT, WIDTH = 120, 160
RADII, SCORES = (10, 20, 5), (0.9, 0.8, 0.7)

TWO_BOXES = PromptHistory().add_box(20, 10, 60, 40).add_box(100, 50, 130, 110)
"""40 × 30 and 30 × 60 pixels."""


def png(picture: np.ndarray) -> bytes:
    """An array as the bytes of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def plain(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A grey picture with a gradient, as PNG."""
    rows, columns = np.indices((height, width))
    return png(np.stack([rows % 256, columns % 256, (rows + columns) % 256], -1).astype(np.uint8))


def painter(shape: tuple[int, int] = (HEIGHT, WIDTH)) -> FakeModel:
    """A model that fills the box, or draws discs around the clicks to include.

    A lone click gives three discs, of radius 10, 20 and 5; each click to exclude takes away a
    disc of radius 6.
    """

    def answer(prompt: Prompt, multimask: bool) -> tuple[list[np.ndarray], list[float]]:
        rows, columns = np.indices(shape) + 0.5
        masks = []
        for radius in RADII[: 3 if multimask else 1]:
            mask = np.zeros(shape, bool)
            if prompt.box is not None:
                x0, y0, x1, y1 = prompt.box
                mask |= (columns > x0) & (columns < x1) & (rows > y0) & (rows < y1)
            for (x, y), label in zip(prompt.points, prompt.labels):
                if label and prompt.box is None:
                    mask |= disc(shape, x, y, radius)
            for (x, y), label in zip(prompt.points, prompt.labels):
                if not label:
                    mask &= ~disc(shape, x, y, 6)
            masks.append(mask)
        return masks, list(SCORES[: len(masks)])

    return FakeModel(answer, "rsam-tiny")
