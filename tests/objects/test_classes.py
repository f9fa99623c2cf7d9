"""Names and colours of classes, and labels that follow them."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import ClassifyError
from rsam_core.objects import palette
from rsam_core.objects.classify.classes import (
    ClassList,
    ObjectClass,
    relabel,
    set_label,
    set_labels,
)
from rsam_core.objects.instances import Instance, Instances

DOT = np.ones((2, 2), bool)


def three() -> Instances:
    labels = ["road", None, "road"]
    items = [Instance(DOT, 3 * i, 0, id=i + 1, label=label) for i, label in enumerate(labels)]
    return Instances(items, (4, 12), next_id=9)


def test_presets_are_the_eight_of_the_palette():
    assert ClassList().colors == palette.CLASSES
    assert len({item.color for item in ClassList()}) == 8


def test_names_are_unique_whatever_their_case_and_blanks():
    classes = ClassList().add("  Green   house ")
    assert classes.names[-1] == "Green house"
    for double in ("green house", "Building", " ROAD "):
        with pytest.raises(ClassifyError, match="already"):
            classes.add(double)
    with pytest.raises(ClassifyError, match="already"):
        classes.rename("road", "Water")


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x07b", None, 5])
def test_unusable_names_are_refused(name):
    with pytest.raises(ClassifyError, match=r"needs a name|at most|unprintable"):
        ClassList().add(name)


def test_unusable_colours_are_refused():
    with pytest.raises(ClassifyError, match="not a colour"):
        ObjectClass("pool", "blue")
    assert ObjectClass("pool", "#abc").color == "#AABBCC"


def test_a_new_class_gets_a_colour_far_from_the_others():
    classes = ClassList()
    for index in range(6):
        classes = classes.add(f"class {index}")
    rgb = np.array([palette.to_rgb(item.color) for item in classes], float)
    distance = np.linalg.norm(rgb[:, None] - rgb[None], axis=2)
    assert distance[~np.eye(len(rgb), dtype=bool)].min() > 40


def test_changes_keep_the_order():
    classes = ClassList().rename("road", "street").recolor("WATER", "#010203").remove("other")
    assert classes.names[:4] == ("building", "street", "vegetation", "water")
    assert classes.color("water") == "#010203"
    assert classes.color("street") == palette.CLASSES["road"]
    assert "other" not in classes
    with pytest.raises(ClassifyError, match="no class “other”"):
        classes.get("other")


def test_labels_in_use_are_appended_in_alphabetical_order():
    assert ClassList().including(["zoo", None, "Building", "arch"]).names[8:] == ("arch", "zoo")


def test_json_round_trip_and_broken_json():
    classes = ClassList().add("pool", "#123456").remove("field")
    assert ClassList.from_json(classes.to_json()) == classes
    for broken in (None, {}, [1], [{"name": "x"}], [{"color": "#123456"}]):
        with pytest.raises(ClassifyError):
            ClassList.from_json(broken)


def test_at_most_254_classes():
    many = tuple(ObjectClass(f"c{i}", "#123456") for i in range(255))
    assert len(ClassList(many[:254])) == 254
    with pytest.raises(ClassifyError, match="At most 254"):
        ClassList(many)


def test_labels_follow_without_changing_anything_else():
    before = three()
    renamed = relabel(before, {"road": "street"})
    assert [item.label for item in renamed] == ["street", None, "street"]
    assert [item.label for item in relabel(before, {"road": None})] == [None] * 3
    chosen = set_label(before, {2, 77}, "water")
    assert [item.label for item in chosen] == ["road", "water", "road"]
    assert chosen[0] is before[0]
    assert chosen.next_id == 9
    assert (chosen[1].mask == before[1].mask).all()
    assert [i.label for i in set_labels(before, {1: None, 3: "field"})] == [None, None, "field"]
    assert [item.label for item in before] == ["road", None, "road"]
