"""The semantic view: one class a pixel, with its legend and the area of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import RsamError
from rsam_core.objects import palette
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.crops import Crop, paste
from rsam_core.objects.ground_sizes import ground_label_areas
from rsam_core.objects.instances import Instances, PixelWindow
from rsam_core.objects.resample import view_mask
from rsam_core.scene.ground_scale import ground_of

if TYPE_CHECKING:
    import pandas as pd


def class_map(
    instances: Instances, classes: ClassList, window: PixelWindow | None = None
) -> NDArray[np.uint8]:
    """Return the class of each pixel.

    Parameters
    ----------
    instances : Instances
        Objects without a class are left out. Where others overlap,
        :func:`rsam_core.objects.instances.resolve_overlap` says which one owns a pixel.
    classes : ClassList
        Labels that it does not list follow after it, in alphabetical order.
    window : object with x, y, width, height, optional
        Part of the scene, in scene pixels; the whole scene if not given.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        0 where there is no class, else 1 + position in ``classes.including(labels)``.
    """
    labelled = instances.select(lambda item: bool(item.label))
    owners = labelled.label_map(window)
    if not len(labelled):
        return owners.astype(np.uint8)
    values = _values(labelled, classes)
    order = np.argsort(labelled.ids)
    place = np.searchsorted(labelled.ids[order], owners)
    result = values[order][np.minimum(place, len(order) - 1)]
    result[owners == 0] = 0
    return result


def class_areas(instances: Instances, classes: ClassList, scene: Any = None) -> pd.DataFrame:
    """Return how much of the scene each class covers.

    Parameters
    ----------
    instances : Instances
    classes : ClassList
    scene : Scene, optional
        Brings the ground sample distance.

    Returns
    -------
    pandas.DataFrame
        A row for each class that occurs; one, "no class", for objects without a class, if there
        are any; and a last one, "no object", for the rest of the scene: ``class``, ``color``,
        ``objects``, ``area`` (pixels, each counted once), ``share`` of the scene (0 to 1), and
        ``area_m2`` if metres are known. Areas and shares add up to the scene.
    """
    import pandas as pd

    everything = classes.including(item.label for item in instances)
    number = len(everything) + 2
    labels = class_map(instances, classes).astype(np.uint16)
    for item in instances:
        if not item.label:
            # Where a class covers an object without one, the class has the pixel.
            part = labels[
                item.y : item.y + item.mask.shape[0], item.x : item.x + item.mask.shape[1]
            ]
            part[item.mask & (part == 0)] = number - 1
    pixels = np.bincount(labels.ravel(), minlength=number)
    counts = np.bincount(_values(instances, classes), minlength=number)
    rows = {
        index: (item.name, item.color, int(counts[index]), int(pixels[index]))
        for index, item in enumerate(everything, start=1)
        if counts[index]
    }
    if counts[0]:
        rows[number - 1] = ("no class", palette.UNLABELLED, int(counts[0]), int(pixels[-1]))
    rows[0] = ("no object", palette.UNLABELLED, 0, int(pixels[0]))
    table = pd.DataFrame(list(rows.values()), columns=["class", "color", "objects", "area"])
    table["share"] = table["area"] / max(1, instances.shape[0] * instances.shape[1])
    ground = ground_of(scene)
    if ground is not None:
        table["area_m2"] = ground_label_areas(labels, number, ground)[list(rows)]
    return table


def semantic_picture(
    image: NDArray[np.uint8],
    instances: Instances,
    classes: ClassList,
    *,
    opacity: float = 0.6,
    origin: tuple[float, float] = (0.0, 0.0),
    scale: float = 1.0,
) -> NDArray[np.uint8]:
    """Draw the class of each pixel onto an image.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        The view.
    instances : Instances
        In scene pixels; objects without a class are left out.
    classes : ClassList
        Brings the colours.
    opacity : float
        0 (the image alone) to 1 (the classes alone).
    origin, scale
        As in :func:`rsam_core.render.overlays.overlay`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    RsamError
        If the opacity or the scale is out of range.
    """
    if not 0 <= opacity <= 1:
        raise RsamError("The opacity must be between 0 and 1.")
    if not scale > 0:
        raise RsamError("The scale of a view must be above 0.")
    height, width = image.shape[:2]
    owners = np.zeros((height, width), dtype=np.uint8)
    labelled = instances.select(lambda item: bool(item.label))
    values = _values(labelled, classes)
    for index in labelled.paint_order:
        part = view_mask(labelled[index], origin, scale, (0, 0, width, height))
        paste(owners, Crop(*part), value=values[index])
    colors = class_palette(classes.including(item.label for item in labelled)).astype(np.float32)
    painted = owners > 0
    picture = image.copy()
    blended = picture[painted] * (1 - opacity) + colors[owners[painted]] * opacity
    picture[painted] = np.round(blended).astype(np.uint8)
    return picture


def semantic_legend(instances: Instances, classes: ClassList) -> list[tuple[str, str]]:
    """Return name and colour of each class that occurs, in the order of the list."""
    everything = classes.including(item.label for item in instances)
    used = set(_values(instances, classes).tolist())
    return [
        (item.name, item.color) for value, item in enumerate(everything, start=1) if value in used
    ]


def class_palette(classes: ClassList) -> NDArray[np.uint8]:
    """Return the colours of a class map's values, shape (K + 1, 3); 0 is black."""
    colors = [(0, 0, 0), *(palette.to_rgb(item.color) for item in classes)]
    return np.array(colors, dtype=np.uint8)


def _values(instances: Instances, classes: ClassList) -> NDArray[np.uint8]:
    """Return the class map's value of each object, 0 without a class."""
    everything = classes.including(item.label for item in instances)
    values = {None: 0, "": 0}
    for item in instances:
        if item.label not in values:
            values[item.label] = everything.position(item.label) + 1
    return np.array([values[item.label] for item in instances], dtype=np.uint8)
