"""Many masks in little memory: one bit a pixel of each mask's own box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance, Mask


@dataclass(frozen=True, eq=False)
class PackedMasks(Sequence[Instance]):
    """A sequence of objects that unpacks a mask only when it is asked for.

    Three masks a grid point over a scene of 100 megapixels are several hundred thousand objects;
    packed they take a tenth of the memory.

    Attributes
    ----------
    boxes : ndarray of int64, shape (N, 4)
        Tight bounding boxes x0, y0, x1, y1 in pixel edges.
    areas : ndarray of int64, shape (N,)
        Pixels of each mask.
    scores : ndarray of float64, shape (N,)
        Predicted IoU.
    bits : ndarray of uint8
        All masks one after another, each row by row and padded to whole bytes.
    starts : ndarray of int64, shape (N,)
        Where in `bits` each mask begins.
    """

    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]
    scores: NDArray[np.float64]
    bits: NDArray[np.uint8]
    starts: NDArray[np.int64]

    @classmethod
    def pack(cls, items: Iterable[Instance]) -> PackedMasks:
        """Pack objects; their numbers, sources and labels are not kept."""
        items = list(items)
        packed = [np.packbits(item.mask) for item in items]
        lengths = np.array([len(p) for p in packed], np.int64)
        return cls(
            np.array([item.bbox for item in items], np.int64).reshape(-1, 4),
            np.array([item.area for item in items], np.int64),
            np.array([item.score for item in items], np.float64),
            np.concatenate(packed) if packed else np.zeros(0, np.uint8),
            np.cumsum(lengths) - lengths,
        )

    @classmethod
    def concat(cls, parts: Sequence[PackedMasks]) -> PackedMasks:
        """Join several sequences in their order."""
        if not parts:
            return cls.pack(())
        lengths = np.array([len(part.bits) for part in parts], np.int64)
        offsets = np.cumsum(lengths) - lengths
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.areas for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.bits for part in parts]),
            np.concatenate([part.starts + o for part, o in zip(parts, offsets)]),
        )

    def take(self, positions: NDArray[np.int64]) -> PackedMasks:
        """The objects at positions, in that order; the bits are shared, not copied."""
        return PackedMasks(
            self.boxes[positions],
            self.areas[positions],
            self.scores[positions],
            self.bits,
            self.starts[positions],
        )

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = (self.boxes, self.areas, self.scores, self.bits, self.starts)
        return sum(a.nbytes for a in arrays)

    def mask(self, position: int) -> Mask:
        """The cropped mask at a position."""
        x0, y0, x1, y1 = self.boxes[position].tolist()
        count, start = (x1 - x0) * (y1 - y0), int(self.starts[position])
        bits = self.bits[start : start + -(-count // 8)]
        return np.unpackbits(bits, count=count).view(bool).reshape(y1 - y0, x1 - x0)

    def __len__(self) -> int:
        return len(self.boxes)

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> PackedMasks: ...
    def __getitem__(self, index: int | slice) -> Instance | PackedMasks:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        position = range(len(self))[index]
        x, y = self.boxes[position, :2].tolist()
        return Instance(self.mask(position), x, y, float(self.scores[position]))
