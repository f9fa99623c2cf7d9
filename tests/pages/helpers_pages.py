"""A model with known answers, pictures, and ways to read the screen, for the page tests."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
from helpers_models import FakeModel, disc
from PIL import Image
from streamlit.testing.v1 import AppTest

from rsam_core.promptbook import Book
from rsam_core.prompts import Prompt

HEIGHT, WIDTH = 120, 160
RADII, SCORES = (10, 20, 5), (0.9, 0.8, 0.7)

TWO_BOXES = Book().add_box(20, 10, 60, 40).add_box(100, 50, 130, 110)
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


def fine(at: AppTest) -> None:
    """The page shows no exception and no error."""
    assert not at.exception
    assert [error.value for error in at.error] == []


def texts(at: AppTest) -> str:
    """All captions, paragraphs and notes of the page and its sidebar."""
    return "\n".join(item.value for item in [*at.caption, *at.markdown, *at.info, *at.title])


def table(at: AppTest) -> pd.DataFrame:
    """The table of objects; empty if there is none."""
    found = [frame.value for frame in at.dataframe if "bbox_x" in frame.value]
    return found[0] if found else pd.DataFrame()


def click(at: AppTest, label: str) -> AppTest:
    """Press the button of that label."""
    next(b for b in at.button if b.label == label).click().run()
    fine(at)
    return at


def layer(shown: dict) -> tuple[np.ndarray, list[float]]:
    """The layer of objects that lies over the picture, as RGBA, and its box in scene pixels."""
    content = base64.b64decode(shown["overlay"]["url"].split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")).astype(int), shown[
        "overlay"
    ]["box"]


def over(shown: dict, x: float, y: float) -> np.ndarray:
    """Colour and opacity of the layer at a place of the scene."""
    pixels, (x0, y0, x1, y1) = layer(shown)
    if not (x0 <= x < x1 and y0 <= y < y1):
        return np.zeros(4, int)
    row = int((y - y0) / (y1 - y0) * pixels.shape[0])
    column = int((x - x0) / (x1 - x0) * pixels.shape[1])
    return pixels[row, column]
