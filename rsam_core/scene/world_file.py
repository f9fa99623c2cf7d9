"""World files: six lines beside an image that say where its pixels lie on the map.

The format is Esri's: the terms A, D, B, E, C and F of the affine transform, one a line, where C and
F are the map coordinates of the *centre* of the top-left pixel.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO

from rsam_core.errors import SceneError

if TYPE_CHECKING:
    from affine import Affine

WORLD_FILE_TYPES = (
    "tfw", "tifw", "tiffw", "jgw", "jpgw", "jpegw", "pgw", "pngw", "bpw", "bmpw",
    "gfw", "gifw", "j2w", "jp2w", "wpw", "webpw", "wld",
)  # fmt: skip
"""Endings of world files, without the dot, in the order in which an upload field may list them."""

# Six numbers take some hundred characters; a longer file is something else.
_MAX_BYTES = 4096


def parse_world_file(content: bytes, name: str = "the world file") -> Affine:
    """Read the transform out of a world file.

    Parameters
    ----------
    content : bytes
        The whole file: six numbers, one a line. Decimal commas are understood.
    name : str
        File name for messages.

    Returns
    -------
    affine.Affine
        From pixels (origin at the top-left corner of the top-left pixel) to map coordinates.

    Raises
    ------
    SceneError
        It does not hold six numbers, or they make no image on a map.
    """
    from affine import Affine

    if not content.strip():
        raise SceneError(f"The world file “{name}” is empty. Copy or export it again.")
    try:
        if len(content) > _MAX_BYTES:
            raise ValueError
        words = content.decode("utf-8-sig").split()
        a, d, b, e, x, y = (float(word.replace(",", ".")) for word in words)
    except ValueError as error:
        raise SceneError(
            f"“{name}” is not a world file: that is a short text of exactly six numbers, one a "
            "line. Export it again together with the image."
        ) from error
    if not all(math.isfinite(value) for value in (a, d, b, e, x, y)) or a * e - b * d == 0:
        raise SceneError(
            f"The world file “{name}” is broken: its pixels have no size on the map. Export it "
            "again together with the image."
        )
    return Affine(a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)


def belongs(world_name: str, image_name: str) -> bool:
    """Tell by the names whether a world file goes with an image.

    ``town.tfw``, ``town.tifw`` and ``town.wld`` go with ``town.tif``, also ``town.tif.tfw``; case
    does not matter.
    """
    world, image = PurePath(world_name.lower()), PurePath(image_name.lower())
    kind, ending = world.suffix.lstrip("."), image.suffix.lstrip(".")
    if kind not in WORLD_FILE_TYPES or world.stem not in (image.stem, image.name):
        return False
    return kind == "wld" or kind in _endings(ending) or not ending


def is_world_file(name: str) -> bool:
    """Tell by its ending whether a file is a world file."""
    return PurePath(name.lower()).suffix.lstrip(".") in WORLD_FILE_TYPES


def sibling(path: Path) -> Path | None:
    """Return the world file beside an image, if there is one."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if is_world_file(entry.name))
    except OSError:
        return None
    return next((path.parent / name for name in names if belongs(name, path.name)), None)


def pair_uploads(names: Iterable[str]) -> dict[str, str | None]:
    """Find for each image among uploaded files the world file that goes with it.

    Parameters
    ----------
    names : iterable of str
        Names of images and world files, in any order.

    Returns
    -------
    dict of str to str or None
        Each image's name and that of its world file. A single image takes a single world file
        only if their names agree.

    Raises
    ------
    SceneError
        A world file goes with none of the images.
    """
    names = list(names)
    worlds = [name for name in names if is_world_file(name)]
    images = [name for name in names if not is_world_file(name)]
    pairs = {
        image: next((world for world in worlds if belongs(world, image)), None) for image in images
    }
    for world in worlds:
        if world not in pairs.values():
            raise _of_another(world, images[0] if len(images) == 1 else None)
    return pairs


def read_world_file(source: bytes | str | os.PathLike[str] | BinaryIO, image_name: str) -> Affine:
    """Read the world file given for an image.

    Parameters
    ----------
    source : bytes, path or binary file object
        Where it has a name, that must agree with the image's.
    image_name : str
        File name of the image.

    Raises
    ------
    SceneError
        It cannot be read, belongs to another image or is broken.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return parse_world_file(bytes(source))
    name = Path(str(getattr(source, "name", source))).name
    if not belongs(name, image_name):
        raise _of_another(name, image_name)
    try:
        if hasattr(source, "read"):
            content = source.getvalue() if hasattr(source, "getvalue") else source.read()
        else:
            content = Path(source).read_bytes()
    except (OSError, TypeError, ValueError) as error:
        raise SceneError(
            f"The world file “{name}” cannot be read. Check that it is there, or leave it out."
        ) from error
    return parse_world_file(content if isinstance(content, bytes) else content.encode(), name)


def _of_another(world: str, image: str | None) -> SceneError:
    beside = f"“{image}”" if image else "any of these images"
    return SceneError(
        f"The world file “{world}” does not go with {beside}: a world file is named like its "
        "image (town.tif and town.tfw, photo.jpg and photo.jgw). Choose the right one, or leave it "
        "out."
    )


def _endings(kind: str) -> tuple[str, ...]:
    """Return the endings of world files for an image type: first and last letter, and all."""
    alike = {"tif": ("tif", "tiff"), "tiff": ("tif", "tiff"), "jpg": ("jpg", "jpeg")}
    kinds = alike.get(kind, ("jpg", "jpeg") if kind == "jpeg" else (kind,))
    return tuple(
        ending for item in kinds if item for ending in (f"{item[0]}{item[-1]}w", f"{item}w")
    )
