"""One object of a scene: a cropped mask with an offset, a score, a source and a label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import RsamError
from rsam_core.objects.mask_shape import Basics, Extras, Mask, basics, extras
from rsam_core.runtime.given import given


@dataclass(frozen=True, eq=False)
class Instance:
    """One object.

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)
        True on the object. It is trimmed to the object's tight bounding box and becomes
        read-only; `x` and `y` move along.
    x, y : int
        Column and row, in scene pixels, of the top-left pixel of `mask`.
    score : float
        Quality predicted by the model, 1 for truth and for drawn objects.
    id : int
        Number of the object, from 1. 0 means "not numbered yet": :class:`Instances` gives it one.
    source : str
        How it came about: ``"box"``, ``"point"``, ``"everything"``, ``"truth"``...
    label : str or None
        Its class, if it has one.

    Raises
    ------
    RsamError
        If the mask is empty or not a two-dimensional mask, or the score is not a number.
    """

    mask: Mask
    x: int = 0
    y: int = 0
    score: float = 1.0
    id: int = 0
    source: str = "everything"
    label: str | None = None

    def __post_init__(self) -> None:
        mask, top, left = _trim(_as_mask(self.mask))
        if not math.isfinite(self.score):
            raise RsamError(f"The score of an object must be a number, not {given(self.score)}.")
        if self.id < 0:
            raise RsamError(f"Object numbers start at 1; {self.id} is not one.")
        for name, value in (
            ("mask", mask),
            ("x", int(self.x) + left),
            ("y", int(self.y) + top),
            ("score", float(self.score)),
            ("id", int(self.id)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_mask(
        cls,
        full_mask: ArrayLike,
        *,
        origin: tuple[int, int] = (0, 0),
        id: int = 0,
        score: float = 1.0,
        source: str = "everything",
        label: str | None = None,
    ) -> Instance:
        """Cut an object out of a mask of a scene or of a window of it.

        Parameters
        ----------
        full_mask : array_like of bool or int, shape (H, W)
            Non-zero on the object.
        origin : (int, int)
            x and y, in scene pixels, of the top-left pixel of `full_mask`.
        id, score, source, label
            As in :class:`Instance`.
        """
        x, y = origin
        return cls(np.asarray(full_mask), x, y, score, id, source, label)

    @cached_property
    def area(self) -> int:
        """Number of pixels of the object."""
        return int(np.count_nonzero(self.mask))

    @property
    def bbox(self) -> tuple[int, int, int, int]:
        """Pixel edges x0, y0, x1, y1 of the bounding box; x1 − x0 is its width."""
        height, width = self.mask.shape
        return self.x, self.y, self.x + width, self.y + height

    @cached_property
    def basics(self) -> Basics:
        """Perimeter, moments and Euler number of the mask; see `mask_shape.basics`."""
        return basics(self.mask)

    @cached_property
    def extras(self) -> Extras:
        """Hull, rectangle and pieces of the mask; see `mask_shape.extras`."""
        return extras(self.mask)


def cut_labels(
    labels: NDArray, scores: Mapping[int, float] | Sequence[float] | None, source: str
) -> list[Instance]:
    """Cut a label map into objects, one for each value.

    Parameters
    ----------
    labels : ndarray of int or bool, shape (H, W)
        0 is background; every other value is one object with that number.
    scores : mapping or sequence of float, or None
        Score by number, or in ascending order of the numbers; 1.0 if not given.
    source : str
        Source of all objects.

    Returns
    -------
    list of Instance
        In ascending order of their numbers.

    Raises
    ------
    RsamError
        If `labels` is not a two-dimensional map of whole numbers, or has negative ones.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "bui":
        raise RsamError(
            "A label map must have two dimensions and whole numbers; this one has "
            f"{labels.ndim} dimensions and type {labels.dtype}."
        )
    if labels.size and labels.min() < 0:
        raise RsamError("A label map must not hold negative numbers; 0 is the background.")
    boxes = _label_boxes(labels)
    if isinstance(scores, Mapping):
        by_id = dict(scores)
    elif scores is not None:
        if len(scores) != len(boxes):
            raise RsamError(f"{len(boxes)} objects need as many scores, not {len(scores)}.")
        by_id = dict(zip(boxes, scores))
    else:
        by_id = {}
    return [
        Instance(labels[box] == id, box[1].start, box[0].start, by_id.get(id, 1.0), id, source)
        for id, box in boxes.items()
    ]


def _as_mask(mask: ArrayLike) -> Mask:
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise RsamError(f"A mask must have two dimensions (rows, columns), not {mask.ndim}.")
    if mask.dtype.kind not in "bui":
        raise RsamError(
            f"A mask must be true or false, not {mask.dtype}. Compare it with a threshold first."
        )
    return mask if mask.dtype == bool else mask != 0


def _trim(mask: Mask) -> tuple[Mask, int, int]:
    """Return a read-only tight crop of its own memory, and its row and column in `mask`."""
    top, bottom = _ends(mask.any(axis=1))
    if bottom <= top:
        raise RsamError("The mask is empty. An object needs at least one pixel.")
    left, right = _ends(mask[top:bottom].any(axis=0))
    crop = mask[top:bottom, left:right]
    # A view would keep the whole mask of the scene alive, and could change under the object.
    if mask.flags.writeable or mask.base is not None or crop.shape != mask.shape:
        crop = crop.copy()
        crop.flags.writeable = False
    else:
        crop = mask
    return crop, top, left


def _ends(flags: Mask) -> tuple[int, int]:
    """Return where the first flag is that is set, and the end of the last one; (0, 0) if none."""
    # Once for each of a hundred thousand objects: the positions of all flags would take longer.
    first = int(flags.argmax()) if flags.size else 0
    if not flags.size or not flags[first]:
        return 0, 0
    return first, flags.size - int(flags[::-1].argmax())


def _label_boxes(labels: NDArray) -> dict[int, tuple[slice, slice]]:
    """Return the rows and columns that each value of a label map spans, ascending."""
    if not labels.size:
        return {}
    from scipy import ndimage

    if int(labels.max()) <= labels.size:
        values, dense = None, labels.astype(np.int32, copy=False)
    else:
        # One slot is made for each number up to the largest: huge ones are renumbered first.
        values, inverse = np.unique(labels, return_inverse=True)
        dense = inverse.reshape(labels.shape).astype(np.int32) + (1 if values[0] > 0 else 0)
        values = values[values > 0]
    found = ndimage.find_objects(dense)
    return {
        int(index + 1 if values is None else values[index]): box
        for index, box in enumerate(found)
        if box is not None
    }
