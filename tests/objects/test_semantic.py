"""One class a pixel: maps, areas, pictures and legend, on squares counted by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rsam_core.errors import RsamError
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import covered_ground
from rsam_core.objects.semantic import (
    class_areas,
    class_map,
    class_palette,
    semantic_legend,
    semantic_picture,
)
from rsam_core.scene.window import Window

SQUARE = np.ones((10, 10), bool)
CLASSES = ClassList()
BUILDING, WATER = CLASSES.position("building") + 1, CLASSES.position("water") + 1


def scene_of(*rows: tuple[int, int, float, str | None]) -> Instances:
    items = [Instance(SQUARE, x, y, score, label=label) for x, y, score, label in rows]
    return Instances(items, (30, 40))


def test_the_better_object_owns_shared_pixels():
    objects = scene_of((0, 0, 0.5, "building"), (5, 0, 0.9, "water"))
    values = class_map(objects, CLASSES)
    assert (values[:10, :5] == BUILDING).all()
    assert (values[:10, 5:15] == WATER).all()
    assert values[10:].sum() == 0
    part = class_map(objects, CLASSES, Window(3, 2, 5, 4))
    assert (part == values[2:6, 3:8]).all()


def test_objects_without_a_class_hide_nothing():
    objects = scene_of((0, 0, 0.5, "building"), (0, 0, 0.9, None), (20, 20, 1, None))
    values = class_map(objects, CLASSES)
    assert (values[:10, :10] == BUILDING).all()
    assert np.count_nonzero(values) == 100
    assert class_map(scene_of((0, 0, 1, None)), CLASSES).sum() == 0


def test_high_numbers_and_other_spellings():
    objects = Instances(
        [Instance(SQUARE, 0, 0, id=90_000, label="Building"),
         Instance(SQUARE, 20, 0, id=5, label="zebra"),
         Instance(SQUARE, 0, 15, id=700, label="arch")], (30, 40)
    )  # fmt: skip
    values = class_map(objects, CLASSES)
    assert (values[0, 0], values[20, 0], values[0, 20]) == (BUILDING, 9, 10)
    assert semantic_legend(objects, CLASSES)[1][0] == "arch"
    assert [name for name, _ in semantic_legend(objects, CLASSES)] == ["building", "arch", "zebra"]


def test_areas_count_each_pixel_once():
    objects = scene_of((0, 0, 0.5, "building"), (5, 0, 0.9, "water"), (20, 20, 1, None))
    scene = SimpleNamespace(gsd=2.0, pixel_area_m2=4.0)
    table = class_areas(objects, CLASSES, scene).set_index("class")
    expected = {"building": 50, "water": 100, "no class": 100, "no object": 950}
    assert table["area"].to_dict() == expected
    assert table["objects"].to_dict() == {"building": 1, "water": 1, "no class": 1, "no object": 0}
    assert table["share"].sum() == pytest.approx(1)
    assert table["area_m2"]["water"] == 400
    assert table["color"]["building"] == CLASSES.color("building")
    assert "area_m2" not in class_areas(objects, CLASSES)
    assert class_areas(Instances.empty((4, 5)), CLASSES)["area"].tolist() == [20]


def test_rows_of_the_class_table_add_up_to_what_the_objects_cover():
    # An object without a class lies half below one that has one.
    objects = scene_of((0, 0, 0.9, None), (5, 0, 0.5, "building"), (20, 20, 1, None))
    table = class_areas(objects, CLASSES).set_index("class")["area"]
    assert table.to_dict() == {"building": 100, "no class": 150, "no object": 950}
    pixels, metres = covered_ground(objects, SimpleNamespace(gsd=2.0))
    assert (pixels, metres) == (250, 1000.0) == (objects.union_mask().sum(), 4.0 * 250)
    assert table.drop("no object").sum() == pixels


def test_a_class_that_is_hidden_entirely_is_still_listed():
    objects = scene_of((0, 0, 0.5, "building"), (0, 0, 0.9, "water"))
    table = class_areas(objects, CLASSES).set_index("class")
    assert table["area"]["building"] == 0
    assert table["objects"]["building"] == 1


def test_the_picture_has_the_colours_of_the_classes():
    objects = scene_of((0, 0, 0.5, "building"), (5, 0, 0.9, "water"))
    image = np.full((30, 40, 3), 100, np.uint8)
    picture = semantic_picture(image, objects, CLASSES, opacity=1)
    colors = class_palette(CLASSES)
    assert (picture[:10, :15] == colors[class_map(objects, CLASSES)[:10, :15]]).all()
    assert (picture[10:] == 100).all()
    half = semantic_picture(image, objects, CLASSES.recolor("water", "#000000"), opacity=0.5)
    assert half[2, 10].tolist() == [50, 50, 50]
    assert (image == 100).all()


@pytest.mark.parametrize(("scale", "origin"), [(0.5, (0, 0)), (2.0, (5, 5)), (1.0, (-3, 8))])
def test_the_picture_of_a_view_shows_the_same_classes(scale, origin):
    objects = scene_of((0, 0, 0.5, "building"), (10, 10, 0.9, "water"))
    view = np.zeros((12, 16, 3), np.uint8)
    picture = semantic_picture(view, objects, CLASSES, opacity=1, origin=origin, scale=scale)
    values, colors = class_map(objects, CLASSES), class_palette(CLASSES)
    for row in range(12):
        for column in range(16):
            x, y = (column + 0.5) / scale + origin[0], (row + 0.5) / scale + origin[1]
            inside = 0 <= x < 40 and 0 <= y < 30
            expected = colors[values[int(y), int(x)]] if inside else colors[0]
            assert (picture[row, column] == expected).all()


def test_senseless_views_are_refused():
    image = np.zeros((5, 5, 3), np.uint8)
    for wrong in ({"opacity": 2}, {"scale": 0}):
        with pytest.raises(RsamError):
            semantic_picture(image, Instances.empty((5, 5)), CLASSES, **wrong)
