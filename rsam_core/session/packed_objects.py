"""Objects as two blocks of bytes: a list in JSON, and their masks as packed bits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsam_core.errors import ProjectError, RsamError
from rsam_core.objects.instances import Instance, Instances
from rsam_core.runtime.courtesy import courteous

MAX_PIXELS = 1 << 31
"""Most pixels of all masks together, each in its own box."""

BROKEN = "The project file is damaged: {}. Download or copy it again, or use an earlier save."


MAX_NUMBER = 2**31 - 2
"""The highest number of an object: label images have 32 bits."""


def pack_objects(instances: Instances) -> tuple[bytes, bytes]:
    """Return the list of objects, and all masks one after the other.

    Each mask is its rows one after the other, eight pixels a byte, filled up with zeros.
    """
    rows = [
        [item.id, item.x, item.y, item.mask.shape[1], item.mask.shape[0], item.score, item.source,
         item.label]
        for item in instances
    ]  # fmt: skip
    text = json.dumps(
        {"next_id": instances.next_id, "objects": rows}, ensure_ascii=False, allow_nan=False
    )
    return text.encode(), b"".join(np.packbits(item.mask).tobytes() for item in instances)


@dataclass(frozen=True)
class ObjectList:
    """A list of objects as a project holds it, checked, without their masks.

    Attributes
    ----------
    rows : list
        As :func:`pack_objects` writes them.
    next_id : object
        Whatever stands there.
    sizes : list of int
        Bytes of each object's mask.
    shape : (int, int)
        Height and width of the scene.
    """

    rows: list[Any]
    next_id: Any
    sizes: list[int]
    shape: tuple[int, int]

    @classmethod
    def read(cls, text: bytes, shape: tuple[int, int]) -> ObjectList:
        """Read the list.

        Raises
        ------
        ProjectError
            If it is not readable, or does not fit the scene.
        """
        rows, next_id = _content(text)
        return cls(rows, next_id, _sizes(rows, shape), shape)

    @property
    def length(self) -> int:
        """Bytes that the masks have together."""
        return sum(self.sizes)

    def objects(self, masks: bytes) -> Instances:
        """Return the objects with their masks.

        Raises
        ------
        ProjectError
            If list and masks do not fit each other.
        """
        try:
            if self.length != len(masks):
                raise ProjectError(BROKEN.format("its masks do not fit its list of objects"))
            packed = np.frombuffer(masks, dtype=np.uint8)
            items, start = [], 0
            for row, size in courteous(zip(self.rows, self.sizes)):
                items.append(_item(row, packed[start : start + size]))
                start += size
            if type(self.next_id) is not int or self.next_id > MAX_NUMBER:
                raise ProjectError(BROKEN.format("its list of objects is not readable"))
            return Instances(items, self.shape, next_id=self.next_id)
        except ProjectError:
            raise
        except RsamError as error:
            raise ProjectError(BROKEN.format(str(error).rstrip("."))) from error
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            raise ProjectError(BROKEN.format("its list of objects is not readable")) from error


def _content(text: bytes) -> tuple[list[Any], Any]:
    try:
        content = json.loads(text)
        rows, next_id = content["objects"], content["next_id"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise ProjectError(BROKEN.format("its list of objects is not readable")) from error
    if not isinstance(rows, list):
        raise ProjectError(BROKEN.format("its list of objects is not readable"))
    return rows, next_id


def _sizes(rows: list[Any], shape: tuple[int, int]) -> list[int]:
    try:
        sizes = [_packed_size(row, shape) for row in rows]
    except (ValueError, TypeError) as error:
        raise ProjectError(BROKEN.format("its list of objects is not readable")) from error
    if 8 * sum(sizes) > MAX_PIXELS + 8 * len(sizes):
        raise ProjectError(
            f"The file is refused, because its masks have more than {MAX_PIXELS / 1e9:.1f} "
            "billion pixels. It is damaged or was not made by RSAM."
        )
    return sizes


def _packed_size(row: Any, shape: tuple[int, int]) -> int:
    """Return the bytes of a mask, after checking that it lies inside the scene."""
    id, x, y, width, height, score, source, label = row
    whole = all(type(value) is int for value in (id, x, y, width, height))
    words = isinstance(source, str) and (label is None or isinstance(label, str))
    if not (whole and words and isinstance(score, int | float)) or not 1 <= id <= MAX_NUMBER:
        raise ProjectError(BROKEN.format("an object is not readable"))
    inside = 0 <= x < x + width <= shape[1] and 0 <= y < y + height <= shape[0]
    if not inside:
        raise ProjectError(BROKEN.format(f"object {id} lies outside the image"))
    return (width * height + 7) // 8


def _item(row: Any, packed: np.ndarray) -> Instance:
    id, x, y, width, height, score, source, label = row
    mask = np.unpackbits(packed, count=width * height).view(bool).reshape(height, width)
    item = Instance(mask, x, y, score, id, source, label)
    if item.mask.shape != mask.shape:
        raise ProjectError(BROKEN.format(f"the mask of object {id} is not what was saved"))
    return item
