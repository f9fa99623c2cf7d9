"""Truth as COCO JSON: polygons and run lengths of one image of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.instances import Instance, Instances
from rsam_core.metrics import check_same_size
from rsam_core.truth_place import Place
from rsam_core.truth_vector import draw


def is_coco(data: Any) -> bool:
    """Whether parsed JSON looks like a COCO data set."""
    return isinstance(data, dict) and "annotations" in data and "images" in data


def read_coco(
    data: Mapping[str, Any], place: Place, name: str = "COCO file", image: str | None = None
) -> tuple[Instances, list[str]]:
    """Read the objects of one image of a COCO data set.

    Parameters
    ----------
    data : mapping
        Parsed JSON with ``images``, ``annotations`` and ``categories``.
    place : Place
        The scene's size; its name says which image is meant.
    name : str
        Of the file, for messages.
    image : str, optional
        File name of the image, if it is not that of the scene.

    Returns
    -------
    objects : Instances
        Labelled by their category. Crowd annotations are left out.
    notes : list of str

    Raises
    ------
    MetricError
        If the image is not listed, has another size, or an annotation is broken.
    """
    import shapely

    entry = _image(data["images"], image or place.name, name)
    try:
        size = int(entry["height"]), int(entry["width"])
        wanted = entry["id"]
        classes = {c["id"]: str(c["name"]) for c in data.get("categories") or ()}
        own = [a for a in data["annotations"] if a["image_id"] == wanted]
    except (KeyError, TypeError, ValueError) as error:
        raise MetricError(_broken(name)) from error
    check_same_size(place.shape, size, "image that the COCO file describes", reference="image")
    items: list[Instance] = []
    crowds = outside = 0
    for annotation in own:
        if annotation.get("iscrowd"):
            crowds += 1
            continue
        try:
            label = classes.get(annotation.get("category_id"))
            segmentation = annotation["segmentation"]
            if isinstance(segmentation, Mapping):
                mask = decode_rle(segmentation)
                if mask.any():
                    check_same_size(place.shape, mask.shape, "run lengths", reference="image")
                    items.append(Instance.from_mask(mask, source="truth", label=label))
                continue
            rings = [np.asarray(ring, float).reshape(-1, 2) for ring in segmentation]
            polygon = shapely.union_all(
                [shapely.make_valid(shapely.Polygon(ring)) for ring in rings if len(ring) >= 3]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MetricError(_broken(name)) from error
        drawn, _ = draw([polygon], place.shape, [label])
        outside += not len(drawn)
        items.extend(Instance(i.mask, i.x, i.y, source="truth", label=label) for i in drawn)
    notes = []
    if crowds:
        notes.append(f"{crowds:,} crowd annotation{'s were' if crowds > 1 else ' was'} left out.")
    if outside:
        notes.append(f"{outside:,} annotations have no area in the image.")
    return Instances(items, place.shape), notes


def _image(images: Sequence[Mapping[str, Any]], wanted: str, name: str) -> Mapping[str, Any]:
    if not isinstance(images, list) or not images:
        raise MetricError(f"“{name}” lists no image. Export the data set with its images.")
    if len(images) == 1:
        return images[0]
    files = [PurePath(str(entry.get("file_name", ""))) for entry in images]
    for key in ("name", "stem"):
        same = [i for i, f in enumerate(files) if getattr(f, key) == getattr(PurePath(wanted), key)]
        if len(same) == 1:
            return images[same[0]]
    some = ", ".join(f.name for f in files[:3])
    raise MetricError(
        f"“{name}” describes {len(images):,} images ({some}…), and none of them is called "
        f"“{wanted}”. Open the image under the name that the file lists."
    )


def _broken(name: str) -> str:
    return (
        f"“{name}” is not a complete COCO file: an annotation or image lacks what it needs, or "
        "holds something else. Export it again from the labelling program."
    )


def decode_rle(segmentation: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode COCO run lengths, plain or compressed, to a mask of shape (H, W).

    Runs alternate between background and object and go down the columns.

    Raises
    ------
    ValueError
        If the runs do not fill the size exactly.
    """
    height, width = (int(value) for value in segmentation["size"])
    counts = segmentation["counts"]
    if isinstance(counts, (str, bytes)):
        counts = _uncompressed(counts.encode() if isinstance(counts, str) else counts)
    runs = np.asarray(counts, dtype=np.int64)
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError("the runs do not fill the image")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


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
        if not 0 <= bits < 64:
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
