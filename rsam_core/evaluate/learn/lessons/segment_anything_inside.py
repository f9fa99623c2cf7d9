"""What lesson 2 shows of a model's inside: features, prompts on their way in, answers, times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ModelError
from rsam_core.models.guided import CellGuidance
from rsam_core.models.queued import QueuedGuidance
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle

if TYPE_CHECKING:
    from rsam_core.evaluate.learn.asking import Marks
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.everything import EverythingState
    from rsam_core.segment.segmenter import Candidates, Segmenter

Map = NDArray[np.float32]

_SEED = 5
_REPEATS = 3
_DARK = 0.28
"""Brightness of what is not alike."""
_COLOURS = ("#00C2FF", "#FFB000", "#E84FD0")
"""Of the masks of one prompt, best first."""


def features(model: Segmenter, embedding: Embedding) -> Map:
    """What an encoder wrote down for each cell of a picture, (C, h, w).

    Raises
    ------
    ModelError
        If this model does not show its features.
    """
    guidance = model.model.guided()
    if isinstance(guidance, QueuedGuidance):
        guidance = guidance.guidance
    if not isinstance(guidance, CellGuidance):
        raise ModelError(
            "This model does not show its features. Choose rsam-tiny on the Models page."
        )
    return guidance.cells(embedding.features)


def as_colours(cells: Map) -> NDArray[np.uint8]:
    """Features (C, h, w) as a picture (h, w, 3), by their three principal components.

    Cells with alike features get alike colours. Red shows the direction in which the cells
    differ most, green the second, blue the third; each is stretched between its 1st and 99th
    percentile.
    """
    channels, height, width = cells.shape
    rows = cells.reshape(channels, -1).T.astype(np.float64)
    rows = rows - rows.mean(axis=0)
    # Of the covariance (C, C): there are far more cells than features.
    directions = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :3]
    # A direction and its opposite are equally good; the same one each time.
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    values = rows @ (directions * signs)
    low, high = np.percentile(values, (1, 99), axis=0)
    shades = np.clip((values - low) / np.maximum(high - low, 1e-9), 0, 1)
    return np.round(255 * shades).astype(np.uint8).reshape(height, width, 3)


def cell_at(x: float, y: float, shape: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the cell under a point of a picture of a shape (H, W)."""
    (height, width), (rows, columns) = shape, grid
    row, column = int(y * rows / height), int(x * columns / width)
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)


def alike(cells: Map, row: int, column: int) -> Map:
    """Cosine similarity of every cell with one of them, (h, w), 1 at itself."""
    unit = cells / np.linalg.norm(cells, axis=0).clip(1e-9)
    return np.tensordot(unit[:, row, column], unit, axes=1).astype(np.float32)


def spread(cells: NDArray, shape: tuple[int, int]) -> NDArray:
    """A map over cells (h, w) or (h, w, 3) at a picture's size, each cell an even square."""
    return cv2.resize(cells, shape[::-1], interpolation=cv2.INTER_NEAREST)


def lit(image: NDArray[np.uint8], chosen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture in which only the chosen cells (h, w) keep their light."""
    bright = spread(chosen.astype(np.uint8), image.shape[:2]).astype(bool)
    dark = (image @ np.array([0.299, 0.587, 0.114]) * _DARK)[..., None]
    return np.where(bright[..., None], image, dark).astype(np.uint8)


def prompt_maps(embedding: Embedding, marks: Marks) -> dict[str, Map]:
    """How a prompt enters the decoder of ``rsam-tiny``, over the cells of the whole picture.

    Parameters
    ----------
    embedding : Embedding
        By ``rsam-tiny``.
    marks : Marks
        Not empty.

    Returns
    -------
    dict of str to ndarray of float32, shape (h, w)
        ``"near"`` and ``"far"``: discs around the clicks; ``"not"``: the wide disc around clicks
        that say "not this"; ``"box"``: the share of each cell inside the box; ``"alike"``:
        similarity to what was clicked, −1 to 1, 0 without a click.
    """
    import torch

    from rsam_core.models.tiny.prompt_maps import PromptBatch, coarse_maps

    key = embedding.features.maps.key
    points = torch.zeros(1, max(len(marks.points), 1), 2)
    labels = torch.full(points.shape[:2], -1, dtype=torch.int64)
    for i, (x, y, label) in enumerate(marks.points):
        points[0, i], labels[0, i] = torch.tensor([x, y]), label
    box = torch.tensor([marks.box or (0.0, 0.0, 0.0, 0.0)])
    nothing = torch.zeros(1, 1, 2 * key.shape[2], 2 * key.shape[3])
    given = torch.tensor([float(marks.box is not None)])
    batch = PromptBatch(points, labels, box, given, nothing, torch.zeros(1))
    with torch.inference_mode():
        maps = coarse_maps(key, batch)[0].numpy()
    names = {"near": 0, "far": 1, "not": 3, "box": 4, "alike": 17}
    return {name: maps[at] for name, at in names.items()}


def token(x: float, y: float, shape: tuple[int, int], length: int = 256) -> NDArray[np.float64]:
    """A place as SAM tells it its decoder: sines and cosines of random directions.

    SAM's own directions were drawn at random before its training; these are others.

    Parameters
    ----------
    x, y : float
        In a picture of `shape` (H, W).
    length : int
        Numbers of the token, half of them sines.

    Returns
    -------
    ndarray of float, shape (length,)
    """
    directions = np.random.default_rng(_SEED).normal(size=(2, length // 2))
    place = 2 * np.array([x / shape[1], y / shape[0]]) - 1
    angles = 2 * np.pi * place @ directions
    return np.concatenate([np.sin(angles), np.cos(angles)])


def bar_code(values: NDArray[np.float64], height: int = 16, wide: int = 2) -> NDArray[np.uint8]:
    """Numbers between −1 and 1 as stripes from black to white, (height, wide · N, 3)."""
    row = np.repeat(np.round((values + 1) * 127.5).astype(np.uint8), wide)
    return np.repeat(np.repeat(row[None, :, None], height, axis=0), 3, axis=2)


def shaded(values: Map) -> NDArray[np.uint8]:
    """A map from 0 to 1 over cells (h, w) as a picture (h, w, 3), dark to bright."""
    level = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(level, cv2.COLORMAP_VIRIDIS)[..., ::-1])


def png(picture: NDArray[np.uint8]) -> bytes:
    """A small picture (h, w, 3) of even squares, whose colours shall not run."""
    return cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()


def masked(image: NDArray[np.uint8], found: Candidates, k: int) -> NDArray[np.uint8]:
    """A picture with one of the masks of an answer over it."""
    objects = Instances.empty(image.shape[:2])
    if found.crops[k].any():
        objects = objects.add(found.crops[k], origin=(found.x, found.y))
    colour = _COLOURS[k % len(_COLOURS)]
    return overlay(image, objects, OverlayStyle(fill="single", color=colour, opacity=0.5))


def around(found: Candidates, least: int = 64) -> tuple[slice, slice]:
    """Rows and columns of the part of a picture that shows the masks of an answer, twice as wide
    as high, with some room around them."""
    height, width = found.shape
    drawn = found.crops.any(axis=0)
    rows, columns = np.nonzero(drawn) if drawn.any() else np.nonzero(~drawn)
    middle_y = found.y + (rows.min() + rows.max() + 1) / 2
    middle_x = found.x + (columns.min() + columns.max() + 1) / 2
    tall = max(1.5 * (np.ptp(rows) + 1), 0.75 * (np.ptp(columns) + 1), least)
    tall = max(min(round(tall), height, width // 2), 1)
    wide = min(2 * tall, width)
    top = int(np.clip(round(middle_y - tall / 2), 0, height - tall))
    left = int(np.clip(round(middle_x - wide / 2), 0, width - wide))
    return slice(top, top + tall), slice(left, left + wide)


@dataclass(frozen=True)
class Times:
    """How long a model took, in seconds.

    Attributes
    ----------
    look : float
        Encoding the picture.
    answer : float
        Answering one click.
    prompt : float or None
        What of the answer it took to draw the prompt as maps; None for models that do not.
    """

    look: float
    answer: float
    prompt: float | None = None

    def asked(self, clicks: int, looks: int = 1) -> float:
        """Seconds for so many looks and clicks."""
        return looks * self.look + clicks * self.answer


def measured(
    model: Segmenter,
    image: NDArray[np.uint8],
    marks: Marks,
    repeats: int = _REPEATS,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Measure a model's two parts here and now, the quickest of some repeats.

    Others on the same computer can only make it slower.
    """
    looks, answers, prompts = [], [], []
    prompt = marks.prompt()
    for _ in range(repeats):
        began = clock()
        embedding = model.embed(image)
        looked = clock()
        model.predict(embedding, prompt)
        answered = clock()
        looks.append(looked - began)
        answers.append(answered - looked)
        if hasattr(embedding.features, "maps"):
            prompt_maps(embedding, marks)
            prompts.append(clock() - answered)
    return Times(min(looks), min(answers), min(prompts, default=None))


def click_everywhere(
    model: Segmenter,
    embedding: Embedding,
    spacing: float,
    progress: Callable[[float, str], None] | None = None,
) -> EverythingState:
    """Ask about every point of a grid, as the masks of SA-1B were made, and keep all masks."""
    from rsam_core.segment.everything import initialize, settings_for

    settings = settings_for(model.model.name, spacing=spacing, propose=False)
    return initialize(model, embedding, settings, progress=progress)


def kept(state: EverythingState, sure: float) -> Instances:
    """The masks of whose outline the model is so sure, without those that repeat another."""
    from rsam_core.segment.everything import EverythingSettings, generate

    settings = EverythingSettings(min_quality=sure, min_stability=0.0, max_share=0.5)
    return generate(state, settings)


def painted(image: NDArray[np.uint8], objects: Instances) -> NDArray[np.uint8]:
    """All masks in colours of their own."""
    return overlay(image, objects, OverlayStyle(opacity=0.6))
