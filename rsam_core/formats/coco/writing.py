"""Objects written as COCO JSON with polygons or run lengths, for training other models."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ExportError
from rsam_core.formats.coco.run_lengths import encode
from rsam_core.formats.names import safe_path
from rsam_core.formats.polygons import OutlineSettings, outlines
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances

UNLABELLED = "object"
"""Category of objects without a class."""


def to_coco(
    instances: Instances,
    scene: Any = None,
    *,
    classes: ClassList | None = None,
    masks: Literal["polygon", "rle"] = "polygon",
    settings: OutlineSettings | None = None,
    file_name: str | None = None,
) -> bytes:
    """Return objects as COCO JSON [1]_.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Brings the file name, and the ground sample distance for `settings`.
    classes : ClassList, optional
        Categories, numbered from 1; labels that it does not list follow, then ``"object"`` if
        there are objects without a class.
    masks : {"polygon", "rle"}
        ``"polygon"``: outlines; objects with holes, which polygons of this format cannot have,
        are written as run lengths. ``"rle"``: run lengths for all, exact to the pixel.
    settings : OutlineSettings, optional
        Simplification of the polygons.
    file_name : str, optional
        Name of the image, or its path within a data set. What would lead out of that is left
        out.

    Returns
    -------
    bytes
        Boxes are x, y, width, height; areas are pixels of the mask; ``iscrowd`` is 0.

    Raises
    ------
    ExportError
        If `masks` is something else.

    References
    ----------
    .. [1] Tsung-Yi Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014.
    """
    if masks not in ("polygon", "rle"):
        raise ExportError(f"COCO masks are “polygon” or “rle”, not {masks!r}.")
    names, numbers = categories(instances, classes)
    height, width = instances.shape
    shapes = outlines(instances, settings, scene) if masks == "polygon" else [None] * len(instances)
    annotations = [
        {
            "id": item.id,
            "image_id": 1,
            "category_id": number + 1,
            "segmentation": _segmentation(item, shape, instances.shape),
            "area": item.area,
            "bbox": [item.x, item.y, item.mask.shape[1], item.mask.shape[0]],
            "iscrowd": 0,
            "score": round(item.score, 6),
        }
        for item, shape, number in zip(instances, shapes, numbers)
    ]
    name = safe_path(file_name or getattr(scene, "name", None) or "image")
    told = getattr(scene, "attribution", "")
    contributor = {"contributor": told} if told else {}
    content = {
        "info": {"description": f"Objects in {name}", "version": "1.0", **contributor},
        "licenses": [],
        "images": [{"id": 1, "file_name": name, "width": width, "height": height}],
        "categories": [
            {"id": index, "name": name, "supercategory": ""}
            for index, name in enumerate(names, start=1)
        ],
        "annotations": annotations,
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()


def categories(
    instances: Instances, classes: ClassList | None = None
) -> tuple[tuple[str, ...], list[int]]:
    """Return the names of all categories, and the position of each object's one.

    Without `classes`, only the labels in use are categories.
    """
    listed = ClassList(()) if classes is None else classes
    listed = listed.including(item.label for item in instances)
    names = listed.names
    if not names or any(not item.label for item in instances):
        listed = listed if UNLABELLED in listed else listed.add(UNLABELLED)
        names = listed.names
    numbers = [listed.position(item.label or UNLABELLED) for item in instances]
    return names, numbers  # type: ignore[return-value]


def _segmentation(item: Instance, shape: Any, size: tuple[int, int]) -> Any:
    pieces = [] if shape is None else list(getattr(shape, "geoms", [shape]))
    if not pieces or any(len(piece.interiors) for piece in pieces):
        return {"size": list(size), "counts": encode(item, size)}
    return [_flat(np.asarray(piece.exterior.coords)) for piece in pieces]


def _flat(ring: NDArray[np.float64]) -> list[float]:
    """Return x, y, x, y, ... of a ring without its repeated first point."""
    return [int(v) if v == int(v) else round(float(v), 3) for v in ring[:-1].ravel()]
