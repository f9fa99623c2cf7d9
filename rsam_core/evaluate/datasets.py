"""Data sets: a folder or zip archive of images with their truth, found by the names alone.

Accepted layouts, also inside further folders::

    images/NAME.png  +  instances/NAME.png  (or masks/, labels/, truth/, gt/, annotations/)
    images/train/NAME.png  +  labels/train/NAME.png  (any folders below)
    NAME.png         +  NAME_mask.png       (or _label, _instances, _truth, _gt)
    images/NAME.png  +  annotations.json    (COCO)

Beside label images and masks, GeoJSON and GeoPackage outlines of georeferenced images will do.
A truth file may be called NAME_0, NAME_1, ... by annotator; the first one is taken.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, DatasetError, RsamError
from rsam_core.formats.coco import CocoFile
from rsam_core.formats.placement import Place
from rsam_core.formats.truth_apart import outlines_of_image
from rsam_core.objects.instances import Instances
from rsam_core.runtime.archive import Files, Source, open_files
from rsam_core.runtime.failures import reason
from rsam_core.scene.scene import Scene, open_scene

IMAGE_TYPES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".jp2", ".bmp", ".webp")
TRUTH_TYPES = (".png", ".tif", ".tiff", ".geojson", ".gpkg")
IMAGE_FOLDERS = ("images", "image", "imgs", "img")
TRUTH_FOLDERS = (
    "instances",
    "instance",
    "masks",
    "mask",
    "labels",
    "label",
    "truth",
    "gt",
    "annotations",
)
_SUFFIX = re.compile(r"[_-](?:instances?|masks?|labels?|truth|gt)$", re.IGNORECASE)
_ANNOTATOR = re.compile(r"_\d+$")


@dataclass(frozen=True, eq=False)
class Sample:
    """An image with its true objects.

    Attributes
    ----------
    name : str
        Name of the image within its data set.
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    truth : Instances
        The true objects, of the image's size.
    """

    name: str
    image: NDArray[np.uint8] = field(repr=False)
    truth: Instances = field(repr=False)

    def __post_init__(self) -> None:
        if self.truth.shape != self.image.shape[:2]:
            height, width = self.image.shape[:2]
            raise DatasetError(
                f"“{self.name}” has {width} × {height} pixels, but its truth has "
                f"{self.truth.shape[1]} × {self.truth.shape[0]}."
            )


@dataclass(frozen=True, eq=False)
class Item:
    """An image of a data set that is not read yet.

    Attributes
    ----------
    name : str
        Path of the image inside the data set.
    truth : str
        Path of its truth.
    """

    name: str
    truth: str
    _read: Callable[[], Sample] = field(repr=False)

    def read(self) -> Sample:
        """Read image and truth.

        Raises
        ------
        DatasetError
            If one of them cannot be read, or their sizes differ; names the file.
        """
        try:
            return self._read()
        except (DatasetError, Cancelled):
            raise
        # Whatever is wrong with one image, the others are evaluated.
        except Exception as error:
            text = reason(error)
            raise DatasetError(text if self.name in text else f"{self.name}: {text}") from error


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with truth.

    Attributes
    ----------
    name : str
    items : tuple of Item
        In order of name.
    notes : tuple of str
        What was left out, and why.
    fingerprint : str
        Changes when a file is added, removed or changed.
    """

    name: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.items)

    def limited(self, count: int | None, seed: int = 0) -> Dataset:
        """At most `count` images, drawn by `seed` and kept in order of name.

        Raises
        ------
        DatasetError
            If `count` is not at least 1.
        """
        if count is None or count >= len(self.items):
            return self
        if count < 1:
            raise DatasetError("At least one image must be evaluated.")
        chosen = np.random.default_rng(seed).choice(len(self.items), count, replace=False)
        items = tuple(self.items[i] for i in sorted(chosen))
        mark = hashlib.sha256(f"{self.fingerprint} {[i.name for i in items]}".encode())
        return Dataset(self.name, items, self.notes, mark.hexdigest()[:16])

    @classmethod
    def from_samples(cls, name: str, samples: list[Sample]) -> Dataset:
        """A data set of images that are in memory already."""
        items = tuple(Item(s.name, s.name, lambda s=s: s) for s in samples)
        mark = hashlib.sha256()
        for sample in samples:
            mark.update(sample.name.encode() + sample.image.tobytes())
            mark.update(np.ascontiguousarray(sample.truth.label_map()).tobytes())
        return cls(name, items, (), mark.hexdigest()[:16])


def open_dataset(source: Source, *, name: str | None = None, every_value: bool = False) -> Dataset:
    """Find the pairs of image and truth in a folder or zip archive. Nothing is decoded yet.

    Parameters
    ----------
    source : path, bytes or binary file object
        A folder, or a zip archive.
    name : str, optional
        Name to show; that of the folder or archive by default.
    every_value : bool
        Whether each value of a label image is an object, 0 as well, as where a photograph is
        divided into regions throughout. Otherwise 0 is background.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If the source cannot be opened, or there is no pair; says what was found.
    """
    files = open_files(source, name)
    pictures = [n for n in files.names if n.lower().endswith(IMAGE_TYPES)]
    if not pictures:
        raise DatasetError(f"“{files.label}” holds no images (PNG, JPG or TIFF). {_EXPECTED}")
    pairs, notes = _by_folder(files)
    if not pairs:
        pairs, notes = _by_suffix(pictures)
    if pairs:
        items = [_mask_item(files, image, truth, every_value) for image, truth in pairs]
    else:
        items, notes = _from_coco(files, pictures)
    if not items:
        texts = sum(name.lower().endswith(".txt") for name in files.names)
        yolo = " Text files (YOLO) are not read; export masks or COCO." if texts > 1 else ""
        raise DatasetError(
            f"“{files.label}” holds {len(pictures)} images, but no truth was found for any of "
            f"them. {_EXPECTED}{yolo}{' ' + ' '.join(notes) if notes else ''}"
        )
    items.sort(key=lambda item: item.name)
    mark = hashlib.sha256(f"every value {every_value}".encode())
    for path in sorted({p for item in items for p in (item.name, item.truth)}):
        mark.update(files.stamp(path).encode("utf-8", "surrogateescape"))
    label = name or files.label
    return Dataset(label, tuple(items), tuple(notes), mark.hexdigest()[:16])


_EXPECTED = (
    "A data set is a folder “images” beside a folder “instances” or “masks” with files of the "
    "same names, or images with masks called NAME_mask.png, or images with a COCO file."
)


def _by_folder(files: Files) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of files in folders whose paths differ by the name of the kind alone."""
    folders: dict[PurePosixPath, list[str]] = {}
    for path in files.names:
        if path.lower().endswith((*IMAGE_TYPES, *TRUTH_TYPES)):
            folders.setdefault(PurePosixPath(path).parent, []).append(path)
    lower = {str(folder).lower(): folder for folder in folders}
    pairs, lonely = [], []
    for folder, paths in folders.items():
        images = [path for path in paths if path.lower().endswith(IMAGE_TYPES)]
        beside = _truth_folder(folder, lower)
        if beside is None or not images:
            continue
        by_stem = _by_stem(folders[beside])
        for image in images:
            match = by_stem.get(PurePosixPath(image).stem)
            if match:
                pairs.append((image, match))
            else:
                lonely.append(image)
    return pairs, _without_truth(lonely)


def _truth_folder(folder: PurePosixPath, lower: dict[str, PurePosixPath]) -> PurePosixPath | None:
    """Folder of the truth that belongs to a folder of images, such as ``labels/train`` to
    ``images/train``; the last part of the path that says “images” counts.
    """
    parts = [part.lower() for part in folder.parts]
    for place in range(len(parts) - 1, -1, -1):
        if parts[place] not in IMAGE_FOLDERS:
            continue
        for kind in TRUTH_FOLDERS:
            path = "/".join([*parts[:place], kind, *parts[place + 1 :]])
            if path in lower and lower[path] != folder:
                return lower[path]
    return None


def _by_stem(paths: list[str]) -> dict[str, str]:
    """Truth by the name it belongs to: the same name first, then NAME_mask, then NAME_0."""
    best: dict[str, tuple[int, str]] = {}
    for path in paths:
        if path.lower().endswith(TRUTH_TYPES):
            stem = PurePosixPath(path).stem
            for rank, key in enumerate((stem, _SUFFIX.sub("", stem), _ANNOTATOR.sub("", stem))):
                best[key] = min(best.get(key, (rank, path)), (rank, path))
    return {key: path for key, (_, path) in best.items()}


def _by_suffix(pictures: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs like NAME.png and NAME_mask.png in one folder."""
    truths: dict[tuple[str, str], str] = {}
    for path in pictures:
        pure = PurePosixPath(path)
        if _SUFFIX.search(pure.stem) and path.lower().endswith(TRUTH_TYPES):
            truths.setdefault((str(pure.parent), _SUFFIX.sub("", pure.stem)), path)
    pairs, lonely = [], []
    for path in pictures:
        pure = PurePosixPath(path)
        if _SUFFIX.search(pure.stem):
            continue
        match = truths.get((str(pure.parent), pure.stem))
        if match:
            pairs.append((path, match))
        else:
            lonely.append(path)
    return pairs, _without_truth(lonely) if pairs else []


def _from_coco(files: Files, pictures: list[str]) -> tuple[list[Item], list[str]]:
    """Items of the COCO files; an image may lie anywhere if its name is unique."""
    items: dict[str, Item] = {}
    notes: list[str] = []
    for path in (n for n in files.names if n.lower().endswith(".json")):
        try:
            coco = CocoFile.open(files.read(path), path)
        except RsamError as error:
            notes.append(f"“{path}” was left out: {error}")
            continue
        if coco is None:
            continue
        lost = 0
        for index, entry in enumerate(coco.images):
            name = str(entry.get("file_name", ""))
            image = _find_image(name, str(PurePosixPath(path).parent), pictures)
            lost += image is None
            if image is not None:
                items.setdefault(image, _coco_item(files, image, path, coco, index))
        if lost:
            what = "image named in “{}” is" if lost == 1 else "images named in “{}” are"
            notes.append(f"{lost} {what.format(path)} missing.")
    return list(items.values()), notes


def _coco_item(files: Files, image: str, path: str, coco: CocoFile, index: int) -> Item:
    def read() -> Sample:
        scene = _open(files, image)
        objects = outlines_of_image(coco, index, Place.of(scene)).objects()
        return Sample(image, scene.read_rgb(), objects)

    return Item(image, path, read)


def _find_image(name: str, folder: str, pictures: list[str]) -> str | None:
    name = unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./").lstrip("/")
    for candidate in (name, f"{folder}/{name}", f"{folder}/images/{name}", f"images/{name}"):
        if candidate in pictures:
            return candidate
    same = [p for p in pictures if PurePosixPath(p).name == PurePosixPath(name).name]
    return same[0] if len(same) == 1 else None


def _mask_item(files: Files, image: str, truth: str, every_value: bool) -> Item:
    def read() -> Sample:
        from rsam_core.formats.truth import read_truth

        scene = _open(files, image)
        content = files.read(truth)
        if every_value:
            objects = _all_regions(content, truth)
        else:
            objects = read_truth(content, scene, name=PurePosixPath(truth).name).objects
        return Sample(image, scene.read_rgb(), objects)

    return Item(image, truth, read)


def _all_regions(content: bytes, name: str) -> Instances:
    """Every value of the first band as an object."""
    values = open_scene(content, name=PurePosixPath(name).name).read_bands()[..., 0]
    if values.dtype.kind not in "ui":
        raise DatasetError(f"“{name}” must hold whole numbers, one for each region.")
    numbers = np.unique(values, return_inverse=True)[1].reshape(values.shape)
    return Instances.from_label_map(numbers.astype(np.int32) + 1)


def _open(files: Files, name: str) -> Scene:
    return open_scene(files.read(name), name=PurePosixPath(name).name)


def _without_truth(names: list[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(PurePosixPath(name).name for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    what = "image without truth was" if len(names) == 1 else "images without truth were"
    return [f"{len(names)} {what} left out: {shown}{more}."]
