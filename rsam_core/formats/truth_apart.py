"""Outlines read and drawn in a process of its own, where reading them may take a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rsam_core.errors import MetricError
from rsam_core.formats.coco import CocoFile
from rsam_core.formats.placement import Place
from rsam_core.formats.truth_vector import Outlines, read_vector
from rsam_core.formats.vector_files import check_encoding, only_shapefiles, read_layers
from rsam_core.objects.packed_masks import PackedMasks
from rsam_core.runtime.limited_reading import MEMORY, SECONDS, ReadingFailed, run_limited

HERE_BELOW = 64 << 10
"""Bytes of JSON that are read here: no process of its own is worth its start."""
IMAGE_HERE_BELOW = 256 << 10
"""The same of one image among many: each process takes time to start."""


def read_outlines(
    content: bytes,
    kind: str,
    place: Place,
    name: str,
    *,
    layer: str | None = None,
    placed: str | None = None,
    encoding: str | None = None,
) -> Outlines:
    """Draw the outlines of a file into the pixels of a scene.

    Parameters
    ----------
    content : bytes
    kind : {"json", "gpkg", "zip", "kml"}
        JSON may be GeoJSON or a COCO data set.
    place : Place
        The scene's size, georeference and name.
    name : str
        Of the file, for messages.
    layer, placed, encoding : str, optional
        See :func:`rsam_core.formats.truth.read_truth`.

    Raises
    ------
    TruthChoice
        If there are several layers, or coordinates that may mean several things.
    MetricError
        If it cannot be read, takes too long, or holds nothing of the scene.
    """
    check_encoding(encoding)
    asked = (content, kind, place, name, layer, placed, encoding)
    if kind == "json" and len(content) <= HERE_BELOW:
        return _read(*asked)
    try:
        packed = run_limited(
            _read_packed,
            *asked,
            seconds=SECONDS + len(content) / 5e6,
            memory=MEMORY + 12 * len(content),
            environment=only_shapefiles(),
        )
    except ReadingFailed as error:
        raise failed(error, name) from error
    return _unpacked(packed)


def outlines_of_image(coco: CocoFile, index: int, place: Place) -> Outlines:
    """Draw the objects of one image of a data set; see `CocoFile.outlines`."""
    if coco.size(index) <= IMAGE_HERE_BELOW:
        return coco.outlines(index, place)
    try:
        return _unpacked(run_limited(_image_packed, coco.alone(index), place))
    except ReadingFailed as error:
        raise failed(error, coco.name) from error


def failed(error: ReadingFailed, name: str) -> MetricError:
    """Return what to say where a reading came to no end."""
    if error.why == "damaged":
        return MetricError(
            f"“{name}” cannot be read as outlines: it is damaged or incomplete. Export it "
            "again as GeoJSON, GeoPackage or zipped Shapefile."
        )
    what = "takes too long" if error.why == "time" else "needs too much memory"
    return MetricError(
        f"“{name}” {what} to read. Clip it to the area of the image and export it again."
    )


def _read(
    content: bytes,
    kind: str,
    place: Place,
    name: str,
    layer: str | None,
    placed: str | None,
    encoding: str | None,
) -> Outlines:
    coco = CocoFile.open_here(content, name) if kind == "json" else None
    if coco is not None:
        return coco.outlines(coco.find(place.name), place)
    layers = read_layers(content, kind, name, encoding)
    return read_vector(layers, place, name, layer=layer, placed=placed)


def _image_packed(coco: CocoFile, place: Place) -> dict[str, Any]:
    return _packed(coco.outlines(0, place))


def _read_packed(*asked: Any) -> dict[str, Any]:
    return _packed(_read(*asked))


def _packed(found: Outlines) -> dict[str, Any]:
    masks = found.masks
    return {
        "boxes": masks.boxes,
        "areas": masks.areas,
        "bits": masks.bits,
        "starts": masks.starts,
        "labels": found.labels,
        "rows": found.rows,
        "notes": found.notes,
        "others": found.others,
        "kind": found.kind,
        "shape": found.shape,
    }


def _unpacked(data: Mapping[str, Any]) -> Outlines:
    arrays = (data[name] for name in ("boxes", "areas", "bits", "starts"))
    boxes, areas, bits, starts = arrays
    height, width = data["shape"]
    return Outlines(
        PackedMasks(boxes, areas, np.ones(len(boxes)), bits, starts),
        (height, width),
        data["kind"],
        tuple(data["labels"]),
        tuple(data["rows"]),
        tuple(data["notes"]),
        tuple((option, value, words) for option, value, words in data["others"]),
    )
