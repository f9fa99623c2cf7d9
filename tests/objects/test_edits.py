"""Edits on top of found objects: what they change, what they leave, and when they lapse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rsam_core.objects.edits import Edits
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances

SHAPE = (100, 100)


def square(id: int, x: int, side: int = 10, **more) -> Instance:
    return Instance(np.ones((side, side), bool), x, 5, 0.5, id, **more)


def found(*items: Instance) -> Instances:
    return Instances(items or (square(1, 0), square(2, 20), square(3, 40)), SHAPE)


def places(objects: Instances) -> dict[int, tuple]:
    return {item.id: (*item.bbox, item.label) for item in objects}


def test_without_edits_the_objects_are_the_very_same():
    objects = found()
    assert not Edits()
    assert Edits().apply(objects) is objects


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o.remove([2]),
        lambda o: o.replace(square(2, 21, 7)),
        lambda o: o.add(square(0, 60)),
        lambda o: o.replace(replace(o.get(3), label="roof")),
        lambda o: o.remove([1]).replace(square(3, 70, 20, label="water")).add(square(9, 2, 3)),
        lambda o: o.select([]),
    ],
    ids=["remove", "reshape", "add", "label", "all", "none left"],
)
def test_edits_reach_what_is_wanted(change):
    objects = found()
    wanted = change(objects)
    edits = Edits().between(objects, wanted)
    assert places(edits.apply(objects)) == places(wanted)
    # From there on, and back again.
    onward = edits.between(objects, objects)
    assert places(onward.apply(objects)) == places(objects)


def test_edits_keep_to_their_objects_when_others_come_and_go():
    objects = found()
    wanted = objects.remove([1]).replace(square(2, 20, 6)).replace(square(3, 40, label="roof"))
    edits = Edits().between(objects, wanted)
    fewer = edits.apply(found(square(1, 0), square(2, 20)))
    assert places(fewer) == {2: (20, 5, 26, 11, None)}
    # While objects 1 and 3 are hidden, another edit must not make them forget theirs.
    base = found(square(2, 20))
    more = edits.between(base, edits.apply(base).add(square(8, 80)))
    again = places(more.apply(found()))
    assert again == {
        2: (20, 5, 26, 11, None),
        3: (40, 5, 50, 15, "roof"),
        8: (80, 5, 90, 15, None),
    }


def test_a_new_outline_lapses_when_its_object_is_prompted_anew():
    edits = Edits().between(found(), found().replace(square(2, 20, 6)))
    prompted = found(square(1, 0), square(2, 20, 12))
    assert edits.apply(prompted).get(2).area == 144


def test_a_label_stays_when_its_object_is_prompted_anew():
    edits = Edits().between(found(), found().replace(square(2, 20, label="roof")))
    assert edits.apply(found(square(2, 20, 12))).get(2).label == "roof"


def test_a_label_can_be_taken_away_again():
    labelled = found(square(1, 0, label="roof"))
    edits = Edits().between(labelled, labelled.replace(square(1, 0)))
    assert edits.apply(labelled).get(1).label is None


def test_added_objects_can_be_changed_and_removed():
    objects = found()
    first = Edits().between(objects, objects.add(square(7, 60)))
    shown = first.apply(objects)
    second = first.between(objects, shown.replace(square(7, 60, 4, label="car")))
    assert places(second.apply(objects))[7] == (60, 5, 64, 9, "car")
    assert 7 not in places(second.between(objects, objects).apply(objects))


def test_numbers_that_edits_know_are_not_given_away():
    objects = found()
    edits = Edits().between(objects, objects.add(square(50, 60)))
    assert edits.highest == 50
    assert edits.apply(objects).next_id == 51


def test_a_mask_of_the_same_box_and_area_is_another_mask():
    one, two = np.ones((4, 4), bool), np.ones((4, 4), bool)
    one[1, 1] = two[2, 2] = False
    base = found(Instance(one, 0, 0, id=1))
    edits = Edits().between(base, found(Instance(two, 0, 0, id=1)))
    assert np.array_equal(edits.apply(base).get(1).mask, two)
