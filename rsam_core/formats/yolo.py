"""Objects as YOLO segmentation labels: a text file with a polygon a line."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.formats.coco import categories
from rsam_core.formats.names import safe_part, safe_path
from rsam_core.formats.polygons import OutlineSettings, outlines
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instances


def to_yolo(
    instances: Instances,
    scene: Any = None,
    *,
    classes: ClassList | None = None,
    settings: OutlineSettings | None = None,
    file_name: str | None = None,
) -> bytes:
    """Return objects as a zip with YOLO segmentation labels.

    It holds ``labels/NAME.txt`` (the image's name as every system can keep it) with a line an
    object (number of the class from 0, then x and y of the outline as shares of the image's width
    and height), ``classes.txt`` with a class a line, and ``data.yaml``.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Brings the name, and the ground sample distance for `settings`.
    classes : ClassList, optional
        As for :func:`rsam_core.formats.coco.to_coco`.
    settings : OutlineSettings, optional
    file_name : str, optional
        Name of the image.

    Notes
    -----
    A line is one closed polygon. Holes and further pieces of an object are joined to it by cuts
    of no width, so that its area is that of the object.
    """
    names, numbers = categories(instances, classes)
    height, width = instances.shape
    size = np.array([width, height], dtype=float)
    lines = []
    for shape, number in zip(outlines(instances, settings, scene), numbers):
        ring = np.clip(one_ring(shape) / size, 0, 1)
        lines.append(f"{number} " + " ".join(f"{value:.7g}" for value in ring.ravel()))
    path = safe_path(file_name or getattr(scene, "name", None) or "image")
    stem = safe_part(PurePosixPath(path).stem)
    listed = "\n".join(f"  {index}: {json.dumps(name)}" for index, name in enumerate(names))
    about = f"path: .\ntrain: images\nval: images\nnames:\n{listed}\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"labels/{stem}.txt", "".join(f"{line}\n" for line in lines))
        archive.writestr("classes.txt", "".join(f"{name}\n" for name in names))
        archive.writestr("data.yaml", about)
    return stream.getvalue()


def one_ring(shape: Any) -> NDArray[np.float64]:
    """Return a polygon with holes or several pieces as one ring, shape (N, 2), not closed.

    Each further ring is entered and left where it comes closest, along the same line. Outer
    rings turn one way and holes the other, so that the ring's area is that of the polygon.
    """
    import shapely

    shape = shapely.orient_polygons(shape, exterior_cw=False)
    pieces = sorted(getattr(shape, "geoms", [shape]), key=lambda piece: -piece.area)
    rings = [
        np.asarray(ring.coords)[:-1]
        for piece in pieces
        for ring in (piece.exterior, *piece.interiors)
    ]
    result = rings[0]
    for ring in rings[1:]:
        here, there = _closest(result, ring)
        turned = np.roll(ring, -there, axis=0)
        result = np.concatenate([result[: here + 1], turned, turned[:1], result[here:]], axis=0)
    return result


def _closest(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[int, int]:
    """Return the positions of the closest two points of two rings."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(second).query(first)
    here = int(np.argmin(distance))
    return here, int(index[here])
