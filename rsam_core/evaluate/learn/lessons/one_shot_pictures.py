"""Pictures of objects on the ground and as dots, in the colours of their kind or of a verdict."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lessons.one_shot_objects import Objects
from rsam_core.evaluate.learn.lessons.one_shot_persam import Run
from rsam_core.objects import palette
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle

KIND_COLOURS = {
    "roof": "#D1495B",
    "tree": "#2E8B57",
    "hedge": "#9BC53D",
    "paved": "#8D99AE",
    "pool": "#1E88E5",
    "car": "#F2A900",
}
VERDICTS = {
    "right": palette.TRUE_POSITIVE,
    "wrong": palette.FALSE_POSITIVE,
    "missed": palette.FALSE_NEGATIVE,
}
SIZE = 640, 400
"""Width and height of the plane's picture."""
_EDGE = 26
_DOT = 7
_PALE = 0.62
_OPACITY = 0.6
_SHIFT = 4


def verdicts(chosen: NDArray[np.bool_], right: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Key of `VERDICTS` of each object; empty where it was rightly left out."""
    wrong_or_none = np.where(right, "missed", "")
    return np.where(chosen, np.where(right, "right", "wrong"), wrong_or_none)


def on_ground(
    objects: Objects, names: NDArray[np.str_], colours: Mapping[str, str]
) -> NDArray[np.uint8]:
    """The place, dimmed, with each object in the colour of its name; unnamed ones stay plain.

    Parameters
    ----------
    objects : Objects
    names : (N,) ndarray of str
    colours : mapping of str to str
        Web colour of each name.
    """
    labels = objects.subject.labels
    tints = np.zeros((int(labels.max()) + 1, 4), np.float32)
    for item, name in zip(objects.instances, names):
        if name in colours:
            tints[item.id] = (*palette.to_rgb(colours[name]), _OPACITY)
    tint = tints[labels]
    dimmed = objects.subject.image * np.float32(0.55) + np.float32(40)
    mixed = dimmed * (1 - tint[..., 3:]) + tint[..., :3] * tint[..., 3:]
    return np.round(mixed).clip(0, 255).astype(np.uint8)


def halved(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture with a line down its middle."""
    result = image.copy()
    middle = image.shape[1] // 2
    result[:, middle - 1 : middle + 1] = palette.to_rgb(palette.HIGHLIGHT)
    return result


def screen_places(
    places: NDArray[np.floating], size: tuple[int, int] = SIZE
) -> NDArray[np.float64]:
    """Places of the dots in the picture, with one scale for both axes, (N, 2)."""
    low, high = places.min(0), places.max(0)
    room = np.array(size, float) - 2 * _EDGE
    scale = float(np.min(room / np.maximum(high - low, 1e-9)))
    return (places - (low + high) / 2) * scale * [1, -1] + np.array(size) / 2


def as_dots(
    places: NDArray[np.floating],
    kinds: NDArray[np.str_],
    near: NDArray[np.bool_],
    size: tuple[int, int] = SIZE,
) -> NDArray[np.uint8]:
    """Objects as dots in the colour of their kind; those that are not near are pale.

    Parameters
    ----------
    places : (N, 2) ndarray of float
        In the plane.
    kinds : (N,) ndarray of str
    near : (N,) ndarray of bool
    size : (int, int)
        Width and height of the picture.
    """
    width, height = size
    shown = np.full((height, width, 3), 252, np.uint8)
    at = np.round(screen_places(places, size) * 2**_SHIFT).astype(int)
    # Near ones last, so that they lie on top.
    for i in np.argsort(near, kind="stable"):
        colour = np.array(palette.to_rgb(KIND_COLOURS[str(kinds[i])]), float)
        centre, radius = tuple(int(v) for v in at[i]), _DOT << _SHIFT
        if near[i]:
            cv2.circle(shown, centre, radius + (2 << _SHIFT), (24, 32, 36), -1, cv2.LINE_AA, _SHIFT)
        else:
            colour = colour * (1 - _PALE) + 252 * _PALE
        cv2.circle(shown, centre, radius, colour.tolist(), -1, cv2.LINE_AA, _SHIFT)
    return shown


def dot_at(places: NDArray[np.floating], x: float, y: float, reach: float = 22.0) -> int | None:
    """Position of the dot nearest to a place of the picture; None if none is within reach."""
    far = np.hypot(*(screen_places(places) - [x, y]).T)
    nearest = int(far.argmin())
    return nearest if far[nearest] <= reach else None


def passes(image: NDArray[np.uint8], result: Run, count: int) -> NDArray[np.uint8]:
    """The first `count` finds, right and wrong ones in their colours."""
    items = []
    for find in result.finds[:count]:
        name = "example" if find.example else "right" if find.right else "wrong"
        item = find.instance
        items.append(type(item)(item.mask, item.x, item.y, item.score, 0, item.source, name))
    colours = (
        ("example", palette.HIGHLIGHT), ("right", VERDICTS["right"]), ("wrong", VERDICTS["wrong"])
    )  # fmt: skip
    style = OverlayStyle(fill="class", opacity=0.45, contour_width=2, class_colors=colours)
    dimmed = np.round(image * 0.6 + 35).astype(np.uint8)
    return overlay(dimmed, Instances(items, image.shape[:2]), style)
