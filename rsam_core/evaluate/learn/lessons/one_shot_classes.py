"""Without an example: classes that were learned, and classes that are only described in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lessons.one_shot_objects import Found, Objects
from rsam_core.objects.shape_arrays import basics_array
from rsam_core.runtime.language import N_

ATTRIBUTES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "colour": (
        N_("Colour"),
        {"green": N_("green"), "red": N_("reddish"), "blue": N_("bluish"), "grey": N_("grey")},
    ),
    "light": (N_("Brightness"), {"dark": N_("dark"), "bright": N_("bright")}),
    "size": (
        N_("Size"),
        {"small": N_("small"), "medium": N_("medium"), "large": N_("large")},
    ),
    "form": (N_("Form"), {"compact": N_("compact"), "long": N_("long")}),
}
"""Name of each attribute, and its words."""
_TINGED, _BLUISH = 1.08, 1.03
"""A colour is named if it is stronger than the mean of the three by so much."""
_BRIGHT = 120.0
_SIZES = 12.0, 60.0
"""Square metres: a car is small, a house is large."""
_LONG = 2.4
"""From how many times its width an object is long."""


@dataclass(frozen=True, eq=False)
class Sorted:
    """What a classifier calls each object.

    Attributes
    ----------
    called : (N,) ndarray of str
        Kinds that were learned, whatever the object is.
    judged : (N,) ndarray of bool
        Objects that were not learned from: the right half of the picture.
    """

    called: NDArray[np.str_] = field(repr=False)
    judged: NDArray[np.bool_] = field(repr=False)


def centres(objects: Objects) -> NDArray[np.float64]:
    """Middle of each object's box, x and y, (N, 2)."""
    boxes = objects.instances.bboxes.astype(float)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def sort_by_kinds(objects: Objects, learned: Collection[str]) -> Sorted:
    """Learn kinds from the left half of the picture, and sort all objects into them.

    Each kind is learned as the mean of its objects' features; an object is called after the mean
    that it is nearest to.

    Parameters
    ----------
    objects : Objects
    learned : collection of str
        At least one kind that occurs in the left half.
    """
    judged = centres(objects)[:, 0] >= objects.subject.shape[1] / 2
    names = [kind for kind in learned if np.any(~judged & (objects.kinds == kind))]
    means = np.stack(
        [objects.features[~judged & (objects.kinds == kind)].mean(0) for kind in names]
    )
    means /= np.linalg.norm(means, axis=1, keepdims=True).clip(1e-9)
    return Sorted(np.array(names)[(objects.features @ means.T).argmax(1)], judged)


def attributes(objects: Objects) -> dict[str, NDArray[np.str_]]:
    """The words that hold for each object, measured on its pixels; (N,) for each attribute."""
    image = objects.subject.image
    tints, light = [], []
    for item in objects.instances:
        x0, y0, x1, y1 = item.bbox
        red, green, blue = np.median(image[y0:y1, x0:x1][item.mask].astype(float), axis=0)
        mean = (red + green + blue) / 3
        light.append(mean)
        red, green, blue = (value / max(mean, 1.0) for value in (red, green, blue))
        if green >= _TINGED and blue < _BLUISH:
            tints.append("green")
        elif red >= _TINGED:
            tints.append("red")
        else:
            tints.append("blue" if blue >= _BLUISH else "grey")
    numbers = basics_array(objects.instances)
    area = objects.instances.areas * (objects.subject.gsd or 1.0) ** 2
    xx, yy, xy = numbers[:, 3:6].T
    half, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    long = np.sqrt((half + spread) / np.maximum(half - spread, 1e-6)) >= _LONG
    return {
        "colour": np.array(tints),
        "light": np.where(np.array(light) >= _BRIGHT, "bright", "dark"),
        "size": np.array(["small", "medium", "large"])[np.searchsorted(_SIZES, area, "right")],
        "form": np.where(long, "long", "compact"),
    }


def described(
    words: Mapping[str, NDArray[np.str_]], wanted: Mapping[str, str | None]
) -> NDArray[np.bool_]:
    """Which objects fit a description, (N,) bool; an attribute that is None may be anything."""
    asked = [words[name] == word for name, word in wanted.items() if word is not None]
    number = len(next(iter(words.values())))
    return np.logical_and.reduce(asked) if asked else np.ones(number, bool)


def judged(kinds: NDArray[np.str_], chosen: NDArray[np.bool_], kind: str) -> Found:
    """Compare what was chosen with what is of a kind."""
    right = kinds == kind
    return Found(
        int(np.count_nonzero(chosen & right)),
        int(np.count_nonzero(chosen & ~right)),
        int(np.count_nonzero(right & ~chosen)),
    )
