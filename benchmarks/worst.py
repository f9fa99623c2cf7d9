"""A contact sheet of the clicks that went worst: used by `benchmarks.embedded --worst`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.prompts.simulated import tight_box

_SIDE, _ACROSS, _TITLE = 116, 10, 14
_TRUE, _FOUND = (40, 220, 40), (255, 60, 40)


@dataclass(frozen=True, eq=False)
class Shot:
    """One click: the picture around the object, with outlines of truth and answer.

    Attributes
    ----------
    iou, best : float
        Of the chosen mask, and of the best that was offered.
    tile : ndarray of uint8, shape (S, S, 3)
    """

    iou: float
    best: float
    tile: NDArray[np.uint8]


def shoot(
    image: NDArray[np.uint8],
    truth: NDArray[np.bool_],
    found: NDArray[np.bool_],
    click: tuple[float, float],
    iou: float,
    best: float,
) -> Shot:
    """Draw one click.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    truth, found : ndarray of bool, shape (H, W)
    click : tuple of float
        x, y in pixels of the image.
    iou, best : float
        See `Shot`.
    """
    x0, y0, x1, y1 = tight_box(truth | found)
    side = int(max(x1 - x0, y1 - y0, 24) * 1.4)
    left, top = int((x0 + x1 - side) / 2), int((y0 + y1 - side) / 2)
    pad = side + 1
    framed = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    rows, columns = slice(top + pad, top + pad + side), slice(left + pad, left + pad + side)
    tile = cv2.resize(framed[rows, columns], (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    for mask, colour in ((truth, _TRUE), (found, _FOUND)):
        part = np.pad(mask, pad)[rows, columns].astype(np.uint8)
        part = cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST)
        edges, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tile, edges, -1, colour, 1)
    place = [int((v - start) * _SIDE / side) for v, start in zip(click, (left, top))]
    cv2.circle(tile, place, 3, (255, 255, 255), -1)
    cv2.circle(tile, place, 2, (30, 30, 200), -1)
    return Shot(iou, best, tile)


def sheet(shots: list[Shot], most: int = 50) -> NDArray[np.uint8]:
    """The worst clicks, worst first, ten a row, with the IoU chosen and at best above each."""
    worst = sorted(shots, key=lambda shot: shot.iou)[:most]
    rows = -(-len(worst) // _ACROSS)
    page = np.full((rows * (_SIDE + _TITLE), _ACROSS * (_SIDE + 2), 3), 255, np.uint8)
    for number, shot in enumerate(worst):
        y, x = (number // _ACROSS) * (_SIDE + _TITLE), (number % _ACROSS) * (_SIDE + 2)
        page[y + _TITLE : y + _TITLE + _SIDE, x : x + _SIDE] = shot.tile
        text = f"{shot.iou:.2f} of {shot.best:.2f}"
        cv2.putText(page, text, (x + 2, y + 11), 0, 0.36, (20, 20, 20), 1, cv2.LINE_AA)
    return page


def write(path: Path, shots: list[Shot], most: int = 50) -> None:
    """Write the sheet as JPEG."""
    page = sheet(shots, most)
    cv2.imwrite(str(path), page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
