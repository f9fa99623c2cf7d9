"""Ground truth of a scene: what somebody drew elsewhere, or in the app, in the scene's pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError, SceneError
from rsam_core.formats.placement import Place
from rsam_core.objects.instances import Instances
from rsam_core.scene.sources import file_of

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

Source = str | os.PathLike[str] | bytes | BinaryIO

TRUTH_TYPES = (
    "png", "tif", "tiff", "geojson", "json", "gpkg", "zip", "kml", "geojsonl", "geojsons",
    "ndjson", "jsonl",
)  # fmt: skip
"""Endings of the files that :func:`read_truth` reads."""

_SPECK = 4
_MANY = 1000
_ALL = 0.995


@dataclass(frozen=True)
class OtherReading:
    """Another way to read a file of truth, where the one that was taken is a guess.

    Attributes
    ----------
    option : {"placed", "values", "encoding"}
        Argument of :func:`read_truth`.
    value : str
        What to give for it.
    words : str
        For people, to go on from "Read it as …".
    """

    option: str
    value: str
    words: str


@dataclass(frozen=True, eq=False)
class Truth:
    """Ground truth of one scene.

    Attributes
    ----------
    objects : Instances
        The true objects, in scene pixels; outlines may overlap.
    name : str
        Where it came from, for people.
    kind : {"raster", "outlines", "coco", "drawn", "objects"}
    notes : tuple of str
        What was done to make it fit; may be empty.
    warnings : tuple of str
        What looks wrong about it; may be empty.
    valid : ndarray of bool, shape (H, W), or None
        Where it says something; everywhere if None.
    attributes : tuple of dict
        Of outlines: what the file says of each object, in the same order; otherwise empty.
    others : tuple of OtherReading
        Other ways to read the file; empty where there was nothing to guess.
    """

    objects: Instances
    name: str = "truth"
    kind: str = "raster"
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    valid: NDArray[np.bool_] | None = None
    attributes: tuple[dict[str, Any], ...] = ()
    others: tuple[OtherReading, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene."""
        return self.objects.shape

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.objects)

    @property
    def coverage(self) -> float:
        """Share of the scene about which it says something, 0 to 1."""
        return 1.0 if self.valid is None else float(self.valid.mean())

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """Number of the object at each pixel, 0 for background, shape (H, W)."""
        return self.objects.label_map()

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Where there is any object, shape (H, W)."""
        return self.objects.union_mask()

    def inside(self, objects: Instances) -> Instances:
        """Keep the objects of which at least half lies where the truth says something."""
        if self.valid is None:
            return objects

        def known(item: Any) -> bool:
            x0, y0, x1, y1 = item.bbox
            return bool(2 * np.count_nonzero(self.valid[y0:y1, x0:x1] & item.mask) >= item.area)

        return objects.select(known)


@overload
def read_truth(
    source: Source,
    scene_or_shape: tuple[int, int],
    *,
    name: str | None = None,
    fit: bool = False,
    layer: str | None = None,
    placed: str | None = None,
    values: Literal["labels", "mask"] | None = None,
    encoding: str | None = None,
) -> NDArray[np.int32]: ...
@overload
def read_truth(
    source: Source,
    scene_or_shape: Scene,
    *,
    name: str | None = None,
    fit: bool = False,
    layer: str | None = None,
    placed: str | None = None,
    values: Literal["labels", "mask"] | None = None,
    encoding: str | None = None,
) -> Truth: ...
def read_truth(
    source: Source,
    scene_or_shape: Any,
    *,
    name: str | None = None,
    fit: bool = False,
    layer: str | None = None,
    placed: str | None = None,
    values: Literal["labels", "mask"] | None = None,
    encoding: str | None = None,
) -> Truth | NDArray[np.int32]:
    """Read ground truth from a file and lay it onto a scene.

    Parameters
    ----------
    source : path, bytes or binary file object
        A mask or label image (PNG, TIFF, GeoTIFF: one band of whole numbers, a palette, or
        colours), outlines (GeoJSON, also with one feature a line; GeoPackage; KML; Shapefile in a
        ZIP archive), or COCO JSON. Nothing but this file is opened, whatever it names.
    scene_or_shape : Scene or (int, int)
        The scene, or only the height and width of an image without georeference.
    name : str, optional
        Name of the file for messages; by default that of the path or file object.
    fit : bool
        Whether a mask without georeference and of other size, but of the same proportions, is
        stretched to the scene.
    layer : str, optional
        Which layer of outlines, where a file has several.
    placed : str, optional
        What the coordinates of outlines mean: ``"file"`` (as the file says), ``"map"`` (as in the
        image), ``"degrees"``, ``"pixels"``, ``"pixels-up"`` (y is minus the row), or a coordinate
        system such as ``"EPSG:32737"``. By default the most likely meaning by which they meet the
        image; `Truth.others` names the others.
    values : {"labels", "mask"}, optional
        ``"labels"``: each value of a raster is an object, ``"mask"``: what is at least half as
        high as the highest value is object. By default a mask of one value whose edges are grey,
        as they become by smooth resizing and by JPEG, is taken for a mask.
    encoding : str, optional
        Code page of the texts of a Shapefile, such as ``"cp1251"``.

    Returns
    -------
    Truth
        For a scene.
    ndarray of int32, shape (H, W)
        For a shape: the labels alone; 0 is background, anything else is object.

    Raises
    ------
    TruthChoice
        If there are several layers, or only an unlikely meaning of the coordinates fits; it names
        what to choose from.
    MetricError
        If the file cannot be read as truth, does not fit the scene in size or place, or is
        plainly no truth (tens of thousands of specks).

    Notes
    -----
    *Rasters.* Background is the value 0, or black in colours and palettes; failing that, index 0
    of a palette; failing that, the most frequent value, unless it is the only one. Pixels that
    are transparent, marked "no data", negative, or no numbers (above 10³⁷, as some programs mark
    them) are background in any case. If one value besides the background occurs, each connected
    piece (pixels that touch by an edge or a corner) is an object, numbered from 1 from the top
    down. If several occur, each is an object that keeps its number; colours are numbered from 1
    in ascending order of red, green and blue. A GeoTIFF goes where its georeference says (nearest
    pixel), everything else has to have the size of the scene.

    *Outlines* are converted to the scene's coordinate system; a pixel is object if its centre
    lies inside. Without georeference their coordinates are pixels. Entries without an area are
    left out, and a note says how many.
    """
    place = Place.of(scene_or_shape)
    try:
        file = file_of(source, name)
        if file.size == 0:
            raise MetricError(f"“{file.name}” is empty (0 bytes). Save the mask again.")
        kind = kind_of(file.head(1024))
        if kind == "raster":
            from rsam_core.formats.truth_raster import read_raster
            from rsam_core.scene.examiners import examined

            # Reading a mask may take long, or never end, if it was made for that.
            strange = not isinstance(source, (str, os.PathLike))
            file, _ = examined(file, elsewhere=strange, picture=False)

            labels, valid, notes, others = read_raster(file, place, fit=fit, values=values)
            if not hasattr(scene_or_shape, "transform"):
                return labels
            if values != "labels":
                _check_specks(labels, file.name)
            truth = _truth(Instances.from_label_map(labels), file.name, "raster", notes, valid)
            return replace(truth, others=tuple(OtherReading(*other) for other in others))
        content = file.source if isinstance(file.source, bytes) else file.source.read_bytes()
        truth = _outlines(content, kind, place, file.name, layer, placed, encoding)
    except SceneError as error:
        raise MetricError(str(error)) from error
    except OSError as error:
        raise MetricError(
            f"“{name or 'The file'}” cannot be read ({error.strerror or error}). Choose it again."
        ) from error
    return truth if hasattr(scene_or_shape, "transform") else truth.objects.label_map()


def truth_from_objects(objects: Instances, name: str = "objects of this session") -> Truth:
    """Take the objects of a session for truth, for example after correcting them by hand."""
    return _truth(objects, name, "objects", (), None)


def truth_from_labels(labels: ArrayLike, name: str = "labels") -> Truth:
    """Take a label map for truth: 0 is background, every other number an object."""
    return _truth(Instances.from_label_map(labels), name, "raster", (), None)


def truth_from_polygons(
    polygons: Sequence[ArrayLike], scene_or_shape: Any, name: str = "drawn by hand"
) -> Truth:
    """Make truth of polygons drawn in the app.

    Parameters
    ----------
    polygons : sequence of array_like of float, shape (N, 2)
        Corners x, y in scene pixels, three or more each.
    scene_or_shape : Scene or (int, int)
        What they were drawn on.
    name : str

    Raises
    ------
    MetricError
        If a polygon has fewer than three corners, or none of them lies in the scene.
    """
    import shapely

    from rsam_core.formats.truth_outlines import draw

    shapes = []
    for corners in polygons:
        points = np.asarray(corners, dtype=float)
        if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
            raise MetricError("An outline needs at least three corners. Draw it again.")
        shapes.append(shapely.make_valid(shapely.Polygon(points)))
    objects, notes = draw(shapes, Place.of(scene_or_shape).shape)
    if polygons and not len(objects):
        raise MetricError("Nothing that you drew lies in the image. Draw around the objects.")
    return _truth(objects, name, "drawn", notes, None)


def _truth(
    objects: Instances,
    name: str,
    kind: str,
    notes: Sequence[str],
    valid: NDArray[np.bool_] | None,
) -> Truth:
    kind = kind if kind in ("raster", "coco", "drawn", "objects") else "outlines"
    return Truth(objects, name, kind, tuple(notes), _warnings(objects, valid), valid)


def _warnings(objects: Instances, valid: NDArray[np.bool_] | None) -> tuple[str, ...]:
    """Say what looks wrong."""
    if not len(objects):
        return (
            "This truth marks no object at all. If that is right, every object that you outline "
            "counts as wrong; if not, check that the mask is not all black.",
        )
    known = objects.shape[0] * objects.shape[1] if valid is None else int(valid.sum())
    if objects.areas.max() >= _ALL * known or objects.union_mask().sum() >= _ALL * known:
        return (
            "This truth marks the whole image as object, so there is no background to be wrong "
            "about. Perhaps object and background are swapped, or the background is not 0.",
        )
    return ()


def _check_specks(labels: NDArray[np.int32], name: str) -> None:
    numbers, areas = np.unique(labels[labels != 0], return_counts=True)
    if len(numbers) > _MANY and np.median(areas) < _SPECK:
        raise MetricError(
            f"“{name}” holds {len(numbers):,} different values, most of them on "
            f"{np.median(areas):.0f} pixel{'s' if np.median(areas) != 1 else ''} or so: it looks "
            "like a photograph or a height model, not like a label image. Choose the file in "
            "which every object has one number and the background is 0."
        )


def kind_of(head: bytes) -> str:
    """Tell by the first kilobyte what a file is.

    Returns
    -------
    {"raster", "zip", "gpkg", "json", "kml"}

    Raises
    ------
    MetricError
        If it is XML of another kind.
    """
    from rsam_core.formats.vector_kml import is_kml

    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"SQLite format 3\0"):
        return "gpkg"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")
    if text.startswith((b"{", b"[")):
        return "json"
    if is_kml(head):
        return "kml"
    if text.startswith(b"<"):
        raise MetricError(
            "This file is XML (such as GML, or a list that names other files) and not opened as "
            "truth. Export the outlines as GeoJSON or GeoPackage."
        )
    return "raster"


def _outlines(
    content: bytes,
    kind: str,
    place: Place,
    name: str,
    layer: str | None,
    placed: str | None,
    encoding: str | None,
) -> Truth:
    from rsam_core.formats.truth_apart import read_outlines

    found = read_outlines(content, kind, place, name, layer=layer, placed=placed, encoding=encoding)
    truth = _truth(found.objects(), name, found.kind, found.notes, None)
    others = tuple(OtherReading(*other) for other in found.others)
    return replace(truth, attributes=found.rows, others=others)
