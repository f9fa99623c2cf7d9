"""Objects of a COCO annotation file: polygons and run-length encoded masks.

References
----------
.. [1] T.-Y. Lin et al., "Microsoft COCO: Common objects in context", ECCV 2014, and the data
   format at https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import DatasetError
from rsam_core.instance import Instance
from rsam_core.instances import Instances


@dataclass(frozen=True, eq=False)
class CocoImage:
    """An image of a COCO file with its annotations.

    Attributes
    ----------
    file_name : str
    annotations : tuple of mapping
        As in the file; crowds and mere boxes are left out.
    categories : mapping of int to str
    """

    file_name: str
    annotations: tuple[Mapping[str, Any], ...]
    categories: Mapping[int, str]

    def instances(self, shape: tuple[int, int]) -> Instances:
        """The annotated objects in an image of `shape` (height, width).

        Raises
        ------
        DatasetError
            If an annotation is not a polygon or mask of that image.
        """
        items = []
        for number, annotation in enumerate(self.annotations, start=1):
            label = self.categories.get(annotation.get("category_id"))
            try:
                mask = segmentation_mask(annotation["segmentation"], shape)
            except (TypeError, ValueError, IndexError, KeyError) as error:
                raise DatasetError(
                    f"Annotation {annotation.get('id', number)} of “{self.file_name}” cannot be "
                    f"read as a polygon or mask of {shape[1]} × {shape[0]} pixels."
                ) from error
            if mask.any():
                items.append(Instance.from_mask(mask, id=number, source="truth", label=label))
        return Instances(items, shape)


def is_coco(content: bytes) -> bool:
    """Whether a file looks like COCO annotations, from its keys alone."""
    return b'"images"' in content and b'"annotations"' in content


def read_coco(content: bytes, name: str) -> tuple[list[CocoImage], int]:
    """Read a COCO file.

    Returns
    -------
    images : list of CocoImage
        In the order of the file.
    skipped : int
        Annotations without an outline of one object (crowds, boxes), which were left out.

    Raises
    ------
    DatasetError
        If it is not a COCO file.
    """
    try:
        data = json.loads(content)
        categories = {int(c["id"]): str(c["name"]) for c in data.get("categories", [])}
        by_image: dict[Any, list[Mapping[str, Any]]] = {}
        skipped = 0
        for annotation in data["annotations"]:
            if annotation.get("iscrowd") or not annotation.get("segmentation"):
                skipped += 1
            else:
                by_image.setdefault(annotation["image_id"], []).append(annotation)
        images = [
            CocoImage(str(image["file_name"]), tuple(by_image.get(image["id"], ())), categories)
            for image in data["images"]
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"“{name}” is not a COCO annotation file: it needs “images” with id and file_name and "
            "“annotations” with image_id and segmentation."
        ) from error
    return images, skipped


def segmentation_mask(segmentation: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask (H, W) of polygons, of a list of counts, or of compressed counts.

    A pixel belongs to a polygon if its centre does.
    """
    if isinstance(segmentation, Mapping):
        height, width = (int(side) for side in segmentation["size"])
        if (height, width) != tuple(shape):
            raise ValueError("the mask has another size than the image")
        counts = segmentation["counts"]
        return _runs(_unpack(counts) if isinstance(counts, str) else counts, shape)
    from rasterio.features import rasterize

    rings = []
    for polygon in segmentation:
        corners = np.asarray(polygon, float).reshape(-1, 2)
        if len(corners) < 3 or not np.isfinite(corners).all():
            raise ValueError("a polygon needs three corners")
        closed = [*corners.tolist(), corners[0].tolist()]
        rings.append({"type": "Polygon", "coordinates": [closed]})
    if not rings:
        return np.zeros(shape, bool)
    return rasterize(rings, out_shape=shape, dtype=np.uint8).astype(bool)


def _runs(counts: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Runs of 0 and 1 in turn, column by column."""
    lengths = np.asarray(counts, np.int64)
    if (lengths < 0).any() or lengths.sum() != shape[0] * shape[1]:
        raise ValueError("the runs do not fill the image")
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(shape, order="F")


def _unpack(text: str) -> list[int]:
    """Counts from COCO's text form: 5 bits a character, differences to the last but one."""
    counts: list[int] = []
    position, codes = 0, text.encode("ascii")
    while position < len(codes):
        value, shift = 0, 0
        while True:
            code = codes[position] - 48
            value |= (code & 0x1F) << shift
            position, shift = position + 1, shift + 5
            if not code & 0x20:
                break
        if code & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts
