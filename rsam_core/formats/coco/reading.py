"""Truth read from COCO JSON: polygons, run lengths and boxes of one image of a data set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.formats.coco.run_lengths import decode_crop
from rsam_core.formats.placement import Place
from rsam_core.formats.truth_outlines import Packed, check_work, drawn_masks, joined, packed
from rsam_core.formats.truth_vector import Outlines
from rsam_core.formats.vector_layer import ring_of
from rsam_core.objects.checks import check_same_size
from rsam_core.objects.classify.classes import clean_label
from rsam_core.objects.crops import Crop
from rsam_core.objects.packed_masks import PackedMasks
from rsam_core.runtime.limited_reading import MEMORY, SECONDS, ReadingFailed, run_limited

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

HERE_BELOW = 1 << 20
"""Bytes of JSON that are read here; more is read in a process of its own."""

_BOX = "box"


def is_coco(data: Any) -> bool:
    """Whether parsed JSON looks like a COCO data set."""
    return isinstance(data, dict) and "annotations" in data and "images" in data


def may_be_coco(content: bytes) -> bool:
    """Whether a text holds the words of which a COCO data set consists."""
    return b'"annotations"' in content and b'"images"' in content


@dataclass(frozen=True, eq=False)
class CocoFile:
    """A COCO data set, of which the annotations of an image are unpacked when they are needed.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    images : list of dict
        What it says of each image.
    """

    name: str
    images: list[dict[str, Any]]
    _classes: dict[str, str | None] = field(repr=False)
    _annotations: list[str] = field(repr=False)

    @classmethod
    def open(cls, content: bytes, name: str) -> CocoFile | None:
        """Read a file; None if it is no COCO data set.

        Raises
        ------
        MetricError
            If it takes too much time or memory.
        """
        if len(content) <= HERE_BELOW:
            return cls.open_here(content, name)
        if not may_be_coco(content):
            return None
        seconds, memory = SECONDS + len(content) / 5e6, MEMORY + 12 * len(content)
        try:
            parts = run_limited(_split, content, seconds=seconds, memory=memory)
        except ReadingFailed as error:
            raise MetricError(
                f"“{name}” is too large to read, or damaged. Split the data set into parts."
            ) from error
        return cls._of(parts, name)

    @classmethod
    def open_here(cls, content: bytes, name: str) -> CocoFile | None:
        """Read a file in this process; None if it is no COCO data set."""
        return cls._of(_split(content), name) if may_be_coco(content) else None

    @classmethod
    def _of(cls, parts: Mapping[str, Any], name: str) -> CocoFile | None:
        if not parts["is_coco"]:
            return None
        return cls(name, parts["images"], parts["classes"], parts["annotations"])

    def find(self, wanted: str) -> int:
        """Return the place of the image of a name (or path) in `images`.

        Raises
        ------
        MetricError
            If there is none, or several could be meant.
        """
        if not self.images:
            raise MetricError(f"“{self.name}” lists no image. Export the data set with its images.")
        if len(self.images) == 1:
            return 0
        files = [_path(entry) for entry in self.images]
        path = PurePosixPath(wanted.replace("\\", "/"))
        tries: tuple[Callable[[PurePosixPath], Any], ...] = (
            lambda file: file,
            lambda file: file.name,
            lambda file: file.stem,
        )
        for key in tries:
            same = [i for i, file in enumerate(files) if key(file) == key(path)]
            if len(same) == 1:
                return same[0]
        some = ", ".join(str(file)[:60] for file in files[:3])
        named = sum(file.name == path.name for file in files)
        raise MetricError(
            f"“{self.name}” describes {len(files):,} images ({some}…), and "
            + (f"{named} of them are" if named else "none of them is")
            + f" called “{wanted}”. Open the image under the name that the file lists."
        )

    def outlines(self, index: int, place: Place) -> Outlines:
        """Draw the objects of one image, by its place in `images`.

        Crowd annotations, and those that cannot be used, are left out, and notes say so. Objects
        are labelled by their category.

        Raises
        ------
        MetricError
            If the image has another size, no annotation can be used, or there is too much to draw.
        """
        entry = self.images[index]
        try:
            size = int(entry["height"]), int(entry["width"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise MetricError(_broken(self.name)) from error
        check_same_size(place.shape, size, "image that the COCO file describes", reference="image")
        annotations = json.loads(self._annotations[index])
        found = _Found()
        for annotation in annotations:
            if annotation.get("iscrowd") in (1, True, "1"):
                found.reasons["crowd"] += 1
            else:
                found.add(annotation, place.shape)
        masks, kept = found.drawn(place.shape)
        if found.reasons["broken"] and found.reasons["broken"] == len(annotations):
            raise MetricError(_broken(self.name))
        labels = (self._classes.get(_key(found.categories[at])) for at in kept)
        notes = tuple(_notes(found.reasons))
        return Outlines(masks, place.shape, "coco", tuple(labels), (), notes)

    def size(self, index: int) -> int:
        """Return how long the text of an image's annotations is."""
        return len(self._annotations[index])

    def alone(self, index: int) -> CocoFile:
        """Return the data set of one of its images."""
        texts = [self._annotations[index]]
        return CocoFile(self.name, [self.images[index]], self._classes, texts)


class _Found:
    """Objects of an image: outlines, which are drawn all at once, and masks."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.categories: list[Any] = []
        self._kinds: list[str] = []
        self._shapes: dict[int, BaseGeometry] = {}
        self._masks: dict[int, Packed] = {}
        self._pixels = 0

    def add(self, annotation: Mapping[str, Any], shape: tuple[int, int]) -> None:
        """Take an annotation in, or count why it cannot be used."""
        item, kind = _object(annotation, shape)
        if item is None:
            self.reasons[kind] += 1
            return
        at = len(self._kinds)
        self._kinds.append(kind)
        self.categories.append(annotation.get("category_id"))
        if isinstance(item, Crop):
            # To unpack runs takes as long as whole columns of the image.
            self._pixels += shape[0] * item.mask.shape[1]
            check_work(self._pixels, shape)
            self._masks[at] = packed(item)
        else:
            self._shapes[at] = item

    def drawn(self, shape: tuple[int, int]) -> tuple[PackedMasks, list[int]]:
        """Return the masks in the order of the annotations, and which of those they are."""
        outlines = list(self._shapes)
        drawn = drawn_masks(list(self._shapes.values()), shape)
        where = np.array([*(outlines[at] for at in drawn.kept), *self._masks], np.int64)
        order = np.argsort(where)
        kept = where[order].tolist()
        self.reasons["outside"] += len(self._kinds) - len(kept)
        self.reasons.update(self._kinds[at] for at in kept)
        masks = PackedMasks.concat([drawn.masks, joined(list(self._masks.values()))])
        return masks.take(order), kept


def _split(content: bytes) -> dict[str, Any]:
    """Parse a data set and sort its annotations by image, each image's as text of its own."""
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        data = None
    nothing = {"is_coco": False, "images": [], "classes": {}, "annotations": []}
    if not is_coco(data):
        return nothing
    images, annotations, categories = (
        value if isinstance(value, list) else []
        for value in (data["images"], data["annotations"], data.get("categories"))
    )
    entries = [entry for entry in images if isinstance(entry, dict)]
    own: dict[str, list[Any]] = {}
    for annotation in annotations:
        if isinstance(annotation, dict):
            own.setdefault(_key(annotation.get("image_id")), []).append(annotation)
    classes = {
        _key(category.get("id")): clean_label(category.get("name"))
        for category in categories
        if isinstance(category, dict)
    }
    texts = [json.dumps(own.get(_key(entry.get("id")), [])) for entry in entries]
    return {"is_coco": True, "images": entries, "classes": classes, "annotations": texts}


def _key(number: Any) -> str:
    """Return a number or name as a key, 3 and "3" alike."""
    return number if isinstance(number, str) else json.dumps(number)


def _path(entry: Mapping[str, Any]) -> PurePosixPath:
    return PurePosixPath(str(entry.get("file_name", "")).replace("\\", "/"))


def _object(
    annotation: Mapping[str, Any], shape: tuple[int, int]
) -> tuple[Crop | BaseGeometry | None, str]:
    """Return the object of an annotation, or its outline to draw, and what became of it."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, shape)
    if segmentation is not None and not isinstance(segmentation, list):
        return None, "broken"
    if not segmentation:
        return _from_box(annotation.get("bbox"))
    import shapely

    # Some programs write one outline without the list around it.
    flat = not isinstance(segmentation[0], list)
    rings = [_corners(ring) for ring in ([segmentation] if flat else segmentation)]
    polygons = [shapely.Polygon(ring) for ring in rings if ring is not None]
    if not polygons:
        return None, "broken"
    return (polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)), "good"


def _corners(ring: Any) -> NDArray[np.float64] | None:
    if not isinstance(ring, list) or len(ring) < 6:
        return None
    if isinstance(ring[0], list):
        return ring_of(ring)
    return ring_of(list(zip(ring[::2], ring[1::2])))


def _from_runs(segmentation: Mapping[str, Any], shape: tuple[int, int]) -> tuple[Crop | None, str]:
    try:
        size = tuple(int(value) for value in segmentation["size"])
        if size != tuple(shape):
            return None, "broken"
        crop = decode_crop(segmentation)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None, "broken"
    return (None, "empty") if crop is None else (crop, "good")


def _from_box(box: Any) -> tuple[BaseGeometry | None, str]:
    import shapely

    if box is None:
        return None, "empty"
    try:
        x, y, width, height = (float(value) for value in box)
    except (TypeError, ValueError, OverflowError):
        return None, "broken"
    corners = ring_of([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    if corners is None or not (width > 0 and height > 0):
        return None, "broken"
    return shapely.Polygon(corners), _BOX


def _notes(reasons: Counter[str]) -> list[str]:
    def told(count: int, one: str, many: str) -> str:
        return f"{count:,} {one if count == 1 else many}"

    notes = []
    if reasons["crowd"]:
        was = ("crowd annotation was", "crowd annotations were")
        notes.append(f"{told(reasons['crowd'], *was)} left out.")
    if reasons[_BOX]:
        was = ("annotation has", "annotations have")
        notes.append(
            f"{told(reasons[_BOX], *was)} a box and no outline; the whole box was taken as object."
        )
    if reasons["empty"]:
        was = ("annotation without outline was", "annotations without outline were")
        notes.append(f"{told(reasons['empty'], *was)} left out.")
    if reasons["broken"]:
        was = ("annotation was", "annotations were")
        notes.append(
            f"{told(reasons['broken'], *was)} left out: the outline is no list of coordinates "
            "within reach, or does not fit the image."
        )
    if reasons["outside"]:
        was = ("annotation has", "annotations have")
        notes.append(f"{told(reasons['outside'], *was)} no area in the image.")
    return notes


def _broken(name: str) -> str:
    return (
        f"“{name}” is not a complete COCO file: an annotation or image lacks what it needs, or "
        "holds something else. Export it again from the labelling program, with outlines "
        "(segmentation)."
    )
