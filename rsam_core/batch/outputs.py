"""The files that a batch writes for each scene."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsam_core.errors import BatchError
from rsam_core.objects.instances import Instances


@dataclass(frozen=True)
class Export:
    """A format.

    Attributes
    ----------
    title : str
    ending : str
        What follows the scene's name.
    make : callable
        From objects, scene and table to bytes.
    """

    title: str
    ending: str
    make: Callable[[Instances, Any, Any], bytes]


def _from(name: str, *, table: bool = True) -> Callable[[Instances, Any, Any], bytes]:
    """A function of `rsam_core.formats`, imported when it is needed."""

    def make(objects: Instances, scene: Any, measures: Any) -> bytes:
        from rsam_core import formats as export

        function = getattr(export, name)
        return function(objects, scene, table=measures) if table else function(objects, scene)

    return make


def _csv(objects: Instances, scene: Any, measures: Any) -> bytes:
    from rsam_core.formats import to_csv

    return to_csv(measures)


EXPORTS: dict[str, Export] = {
    "gpkg": Export("GeoPackage", ".gpkg", _from("to_geopackage")),
    "geojson": Export("GeoJSON", ".geojson", _from("to_geojson")),
    "shp": Export("Shapefile, zipped", "_shp.zip", _from("to_shapefile")),
    "coco": Export("COCO", "_coco.json", _from("to_coco", table=False)),
    "csv": Export("table (CSV)", ".csv", _csv),
    "labels": Export("labels (GeoTIFF)", "_labels.tif", _from("label_geotiff", table=False)),
}
"""Formats by their name in a recipe."""


def write_outputs(
    place: Path, stem: str, formats: Sequence[str], objects: Instances, scene: Any, table: Any
) -> list[str]:
    """Write all files of a scene, all or none.

    Parameters
    ----------
    place : Path
        Folder of the scene; replaced if it is there.
    stem : str
        What the files' names begin with.
    formats : sequence of str
        Keys of `EXPORTS`.
    objects : Instances
    scene : Scene
    table : pandas.DataFrame
        Measures of the objects.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    BatchError
        If they cannot be written.
    ExportError
        If the objects do not fit a format.
    """
    partial = place.with_name(place.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        names = []
        for name in formats:
            file = stem + EXPORTS[name].ending
            (partial / file).write_bytes(EXPORTS[name].make(objects, scene, table))
            names.append(file)
        # Only a whole set of files takes the place of an earlier one.
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
    except OSError as error:
        raise BatchError(
            f"The results cannot be written to {place} ({error.strerror or error}). Free some "
            "space, or choose another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return names
