"""Run lengths of the COCO format: lengths of runs of background and object, down the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, paste
from rsam_core.objects.instances import Instance


def encode(item: Instance, shape: tuple[int, int]) -> list[int]:
    """Return lengths of alternating runs of 0 and 1 in the whole scene, column by column.

    The first one is of zeros, and may be 0.
    """
    height, width = shape
    rows = item.mask.shape[0]
    # Borders of the runs within each column of the crop, at their place in the whole scene.
    padded = np.zeros((item.mask.shape[1], rows + 2), dtype=np.int8)
    padded[:, 1:-1] = item.mask.T
    columns, edges = np.nonzero(np.diff(padded, axis=1))
    places = (item.x + columns).astype(np.int64) * height + item.y + edges
    # Where a run ends at the foot of a column and the next one begins at the head, they are one.
    same = np.flatnonzero(np.diff(places) == 0)
    places = np.delete(places, np.concatenate([same, same + 1]))
    lengths = np.diff(np.concatenate([[0], places, [height * width]]))
    counts = lengths.tolist()
    return counts[:-1] if counts[-1] == 0 else counts


def decode(segmentation: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode COCO run lengths, plain or compressed, to a mask of shape (H, W).

    Runs alternate between background and object and go down the columns.

    Raises
    ------
    ValueError
        If the runs do not fill the size exactly.
    """
    height, width = (int(value) for value in segmentation["size"])
    mask = np.zeros((height, width), bool)
    crop = decode_crop(segmentation)
    if crop is not None:
        paste(mask, crop)
    return mask


def decode_crop(segmentation: Mapping[str, Any]) -> Crop | None:
    """Decode run lengths from the first to the last column in which there is anything.

    Raises
    ------
    ValueError
        If the runs do not fill the size exactly.
    """
    height, width = (int(value) for value in segmentation["size"])
    counts = segmentation["counts"]
    if isinstance(counts, (str, bytes)):
        counts = _uncompressed(counts.encode() if isinstance(counts, str) else counts)
    runs = _whole(counts)
    if (runs < 0).any() or sum(runs.tolist()) != height * width:
        raise ValueError("the runs do not fill the image")
    ends = np.cumsum(runs)
    full = np.flatnonzero(runs[1::2]) * 2 + 1
    if not full.size:
        return None
    left = int(ends[full[0] - 1]) // height
    right = -(-int(ends[full[-1]]) // height)
    # Each change of background and object, and what they add up to from there on.
    flips = np.zeros((right - left) * height + 1, np.int8)
    np.add.at(flips, ends[full - 1] - left * height, 1)
    np.add.at(flips, ends[full] - left * height, -1)
    mask = np.cumsum(flips[:-1], dtype=np.int8).astype(bool).reshape(right - left, height).T
    rows = np.flatnonzero(mask.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return Crop(mask[top:bottom], left, top)


def _whole(counts: Sequence[Any]) -> NDArray[np.int64]:
    runs = np.asarray(counts, dtype=float)
    if runs.ndim != 1 or not (np.abs(runs) < 2**53).all() or (runs % 1).any():
        raise ValueError("not whole numbers")
    return runs.astype(np.int64)


def _uncompressed(text: bytes) -> list[int]:
    """Decode COCO's text of run lengths.

    A number is a group of characters from "0" on with five bits each, lowest first; the sixth bit
    says that the number goes on, and the highest data bit of the last one is the sign. From the
    fourth number on it is the difference from the number two before.
    """
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("not a text of run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
