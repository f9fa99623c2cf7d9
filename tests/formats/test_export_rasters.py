"""Class and instance maps with colour tables, read back with rasterio and Pillow."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from rsam_core.errors import ExportError
from rsam_core.formats import class_geotiff, class_png, instance_png, label_geotiff
from rsam_core.formats.truth import read_truth
from rsam_core.objects import palette
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.semantic import class_map

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

UTM = SimpleNamespace(crs="EPSG:32637", transform=Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000))
SQUARE = np.ones((10, 10), bool)
CLASSES = ClassList()


def objects(first: int = 3) -> Instances:
    labels = ("water", None, "jetty")
    items = [Instance(SQUARE, 12 * i, 4, id=first + 7 * i, label=label)
             for i, label in enumerate(labels)]  # fmt: skip
    return Instances(items, (30, 40))


@pytest.mark.parametrize("scene", [UTM, None])
def test_class_geotiff_has_names_colours_and_place(scene):
    with MemoryFile(class_geotiff(objects(), CLASSES, scene)) as memory, memory.open() as dataset:
        values = dataset.read(1)
        assert (values == class_map(objects(), CLASSES)).all()
        assert dataset.nodata == 0
        assert dataset.crs == (scene and scene.crs)
        assert dataset.tags(1)["CLASS_4"] == "water"
        assert dataset.tags(1)["CLASS_9"] == "jetty"
        table = dataset.colormap(1)
    assert table[values[5, 5]] == (*palette.to_rgb(CLASSES.color("water")), 255)
    assert table[0][:3] == (0, 0, 0)


def test_instance_geotiff_with_colours_has_sixteen_bits():
    with MemoryFile(label_geotiff(objects(), UTM, colors=True)) as memory, memory.open() as dataset:
        assert dataset.dtypes == ("uint16",)
        assert (dataset.read(1) == objects().label_map()).all()
        assert dataset.colormap(1)[10][:3] == palette.random_color(10)
    with pytest.raises(ExportError, match="up to 65,535"):
        label_geotiff(objects(65_530), colors=True)


def test_png_with_a_colour_table_holds_values_and_colours():
    image = Image.open(io.BytesIO(class_png(objects(), CLASSES)))
    assert image.mode == "P"
    values = np.array(image)
    assert (values == class_map(objects(), CLASSES)).all()
    shown = np.array(image.convert("RGB"))
    assert tuple(shown[5, 5]) == palette.to_rgb(CLASSES.color("water"))
    assert shown[29, 39].tolist() == [0, 0, 0]
    numbers = Image.open(io.BytesIO(instance_png(objects())))
    assert (np.array(numbers) == objects().label_map()).all()
    assert tuple(np.array(numbers.convert("RGB"))[5, 5]) == palette.random_color(3)
    with pytest.raises(ExportError, match="up to 255"):
        instance_png(objects(250))


def test_maps_come_back_as_truth():
    labels = read_truth(instance_png(objects()), (30, 40))
    assert (labels == objects().label_map()).all()


def test_maps_of_nothing():
    assert np.array(Image.open(io.BytesIO(class_png(Instances.empty((4, 5)), CLASSES)))).sum() == 0
    with pytest.raises(ExportError, match="no pixels"):
        instance_png(Instances.empty((0, 0)))
