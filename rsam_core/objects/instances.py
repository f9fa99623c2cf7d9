"""The objects found in a scene: cropped masks with an offset, a score, a source and a label.

A mask is stored as its tight crop, so that ten thousand objects in a 10,000 × 10,000 scene take
megabytes, not terabytes. Objects may overlap; :func:`resolve_overlap` is the one rule that says
which of them owns a pixel where only one may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import RsamError
from rsam_core.objects.crops import paste
from rsam_core.objects.instance import Instance, Mask, cut_labels
from rsam_core.objects.overlap import resolve_overlap

__all__ = ["Instance", "Instances", "Mask", "resolve_overlap"]


class PixelWindow(Protocol):
    """Anything with the four whole numbers of a window in scene pixels."""

    x: int
    y: int
    width: int
    height: int


class Instances(Sequence[Instance]):
    """An immutable sequence of objects of one scene; every method returns a new one.

    Numbers (`id`) are unique and stable: an object keeps its number through selection and
    filtering, and the number of a removed object is not given away again.

    Parameters
    ----------
    items : iterable of Instance
        The objects, in order. Those numbered 0 get the next free number.
    shape : (int, int)
        Height and width of the scene in pixels.
    next_id : int, optional
        Smallest number that a new object may get.

    Raises
    ------
    RsamError
        If two objects have one number, or an object reaches outside the scene.
    """

    def __init__(
        self, items: Iterable[Instance] = (), shape: tuple[int, int] = (0, 0), *, next_id: int = 1
    ) -> None:
        self._shape = (int(shape[0]), int(shape[1]))
        items = list(items)
        taken = [item.id for item in items if item.id]
        if len(set(taken)) != len(taken):
            double = Counter(taken).most_common(1)[0][0]
            raise RsamError(f"Two objects carry the number {double}. Number each one differently.")
        self._next_id = max(int(next_id), 1, *(id + 1 for id in taken))
        for index, item in enumerate(items):
            if item.id == 0:
                items[index] = replace(item, id=self._next_id)
                self._next_id += 1
        self._items = tuple(items)
        self._check_inside()

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Instances:
        """Return no objects for a scene of `shape` (height, width)."""
        return cls((), shape)

    @classmethod
    def concat(cls, parts: Iterable[Instances]) -> Instances:
        """Join the objects of one scene from several sources, in the order given.

        An object keeps its number unless an earlier one has it already; then it gets a new one.

        Raises
        ------
        RsamError
            If there is no part, or the parts belong to scenes of different sizes.
        """
        parts = list(parts)
        if not parts:
            raise RsamError("There is nothing to join. Pass at least one set of objects.")
        if len({part.shape for part in parts}) > 1:
            sizes = ", ".join(f"{width} × {height}" for height, width in (p.shape for p in parts))
            raise RsamError(
                f"Objects of images of different sizes ({sizes}) cannot be joined. "
                "Join objects of the same image only."
            )
        items: list[Instance] = []
        seen: set[int] = set()
        for item in (item for part in parts for item in part):
            items.append(replace(item, id=0) if item.id in seen else item)
            seen.add(item.id)
        return cls(items, parts[0].shape, next_id=max(part.next_id for part in parts))

    @classmethod
    def from_label_map(
        cls,
        labels: ArrayLike,
        scores: Mapping[int, float] | Sequence[float] | None = None,
        source: str = "truth",
    ) -> Instances:
        """Make one object of each value of a label map.

        Parameters
        ----------
        labels : array_like of int or bool, shape (H, W)
            0 is background; every other value is one object, which gets that number, even where
            it consists of several pieces.
        scores : mapping or sequence of float, optional
            Score by number, or in ascending order of the numbers; 1.0 if not given.
        source : str
            Source of all objects.

        Raises
        ------
        RsamError
            If `labels` is not a two-dimensional map of whole numbers, or has negative ones.
        """
        labels = np.asarray(labels)
        return cls(cut_labels(labels, scores, source), labels.shape)

    # --- reading -------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene in pixels."""
        return self._shape

    @property
    def next_id(self) -> int:
        """The number that the next new object gets."""
        return self._next_id

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> Instances: ...
    def __getitem__(self, index: int | slice) -> Instance | Instances:
        if isinstance(index, slice):
            return self._with(self._items[index])
        return self._items[index]

    def __repr__(self) -> str:
        height, width = self._shape
        return f"Instances({len(self)} objects in {width} × {height} pixels)"

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """Numbers of the objects, shape (N,)."""
        return _frozen([item.id for item in self], np.int64)

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """Areas in pixels, shape (N,)."""
        return _frozen([item.area for item in self], np.int64)

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Scores, shape (N,)."""
        return _frozen([item.score for item in self], np.float64)

    @cached_property
    def bboxes(self) -> NDArray[np.int64]:
        """Pixel edges x0, y0, x1, y1 of the bounding boxes, shape (N, 4)."""
        return _frozen([item.bbox for item in self], np.int64).reshape(-1, 4)

    @cached_property
    def paint_order(self) -> NDArray[np.int64]:
        """Positions, shape (N,), in the order of :func:`resolve_overlap`."""
        return resolve_overlap(self._items)

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {item.id: index for index, item in enumerate(self._items)}

    def get(self, id: int) -> Instance:
        """Return the object with a number.

        Raises
        ------
        RsamError
            If there is none.
        """
        if id not in self._positions:
            raise RsamError(f"There is no object {id}. It may have been removed.")
        return self._items[self._positions[id]]

    def at(self, x: float, y: float) -> list[int]:
        """Return the numbers of the objects under a point in scene pixels, smallest first."""
        column, row = int(np.floor(x)), int(np.floor(y))
        x0, y0, x1, y1 = self.bboxes.T
        near = np.flatnonzero((x0 <= column) & (column < x1) & (y0 <= row) & (row < y1))
        hits = [item for item in map(self._items.__getitem__, near) if _covers(item, column, row)]
        return [item.id for item in sorted(hits, key=lambda item: (item.area, item.id))]

    # --- changing ------------------------------------------------------------------------

    def add(
        self,
        item: Instance | ArrayLike,
        *,
        origin: tuple[int, int] = (0, 0),
        score: float = 1.0,
        source: str = "everything",
        label: str | None = None,
    ) -> Instances:
        """Append an object, or the object of a mask.

        Parameters
        ----------
        item : Instance or array_like of bool, shape (H, W)
            An instance keeps its number if that is free, and gets `next_id` otherwise. A mask
            always gets `next_id`; the keywords describe it as in :meth:`Instance.from_mask`.
        """
        if not isinstance(item, Instance):
            item = Instance.from_mask(
                item, origin=origin, score=score, source=source, label=label, id=self._next_id
            )
        elif item.id in self._positions:
            item = replace(item, id=0)
        return self._with((*self._items, item))

    def replace(self, item: Instance) -> Instances:
        """Put an object in the place of the one with its number.

        Raises
        ------
        RsamError
            If no object has that number.
        """
        self.get(item.id)
        return self._with(item if old.id == item.id else old for old in self)

    def select(
        self, which: Callable[[Instance], bool] | Iterable[int] | Iterable[bool]
    ) -> Instances:
        """Keep some objects, in their present order.

        Parameters
        ----------
        which : callable, N flags, or iterable of int
            A test of an object, a flag for each, or the numbers to keep. Numbers that do not
            exist are ignored, because a selection may outlive what it selected.
        """
        if callable(which):
            return self._with(item for item in self if which(item))
        values = np.asarray(list(which))
        if values.dtype == bool:
            if values.shape != (len(self),):
                raise RsamError(f"{len(self)} objects need as many flags, not {values.size}.")
            return self._with(item for item, keep in zip(self, values) if keep)
        keep = set(values.tolist())
        return self._with(item for item in self if item.id in keep)

    def remove(self, ids: int | Iterable[int]) -> Instances:
        """Drop the objects with these numbers; numbers that do not exist are ignored."""
        gone = set(ids) if isinstance(ids, Iterable) else {ids}
        return self._with(item for item in self if item.id not in gone)

    def filter_area(self, min: float | None = None, max: float | None = None) -> Instances:
        """Keep objects of at least `min` and at most `max` pixels; None sets no bound."""
        keep = np.ones(len(self), dtype=bool)
        if min is not None:
            keep &= self.areas >= min
        if max is not None:
            keep &= self.areas <= max
        return self.select(keep)

    def renumber(self) -> Instances:
        """Number the objects from 1 without gaps, in their present order."""
        items = (replace(item, id=index) for index, item in enumerate(self, start=1))
        return Instances(items, self._shape)

    # --- one label a pixel ---------------------------------------------------------------

    def label_map(self, window: PixelWindow | None = None) -> NDArray[np.int32]:
        """Return the number of the object that owns each pixel, 0 where there is none.

        Parameters
        ----------
        window : object with x, y, width, height, optional
            Part of the scene, in scene pixels; the whole scene if not given.

        Returns
        -------
        ndarray of int32, shape (H, W)
            Overlaps are resolved by :func:`resolve_overlap`.
        """
        labels, x, y = self._canvas(window, np.int32)
        for index in self.paint_order:
            paste(labels, self._items[index], x, y, self._items[index].id)
        return labels

    def union_mask(self, window: PixelWindow | None = None) -> Mask:
        """Return where there is any object, shape (H, W); `window` as in :meth:`label_map`."""
        covered, x, y = self._canvas(window, np.bool_)
        for item in self:
            paste(covered, item, x, y)
        return covered

    # --- helpers -------------------------------------------------------------------------

    def _with(self, items: Iterable[Instance]) -> Instances:
        return Instances(items, self._shape, next_id=self._next_id)

    def _canvas(self, window: PixelWindow | None, dtype: type) -> tuple[NDArray, int, int]:
        if window is None:
            return np.zeros(self._shape, dtype), 0, 0
        return np.zeros((window.height, window.width), dtype), window.x, window.y

    def _check_inside(self) -> None:
        height, width = self._shape
        x0, y0, x1, y1 = self.bboxes.T
        outside = (x0 < 0) | (y0 < 0) | (x1 > width) | (y1 > height)
        if outside.any():
            item = self._items[int(np.argmax(outside))]
            raise RsamError(
                f"Object {item.id} (x {item.bbox[0]} to {item.bbox[2]}, y {item.bbox[1]} to "
                f"{item.bbox[3]}) reaches outside the image of {width} × {height} pixels. "
                "Clip its mask to the image first."
            )


def _covers(item: Instance, column: int, row: int) -> bool:
    return bool(item.mask[row - item.y, column - item.x])


def _frozen(values: list, dtype: type) -> NDArray:
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array
