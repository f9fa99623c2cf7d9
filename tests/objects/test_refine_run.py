"""Settings, and taking the steps on all objects."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import Cancelled, RefineError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.refine import SUGGESTED, RefineSettings, refine


def square_with_hole(side: int = 20, hole: int = 3) -> np.ndarray:
    mask = np.ones((side, side), bool)
    mask[8 : 8 + hole, 8 : 8 + hole] = False
    return mask


@pytest.fixture
def objects() -> Instances:
    clean = np.ones((20, 20), bool)
    return Instances(
        [
            Instance(square_with_hole(), 10, 10, 0.7, 4, "box", "building"),
            Instance(clean, 50, 10, id=7),
            Instance(square_with_hole(), 0, 60, id=9),
        ],
        (100, 90),
    )


def test_numbers_labels_and_unchanged_objects_stay(objects):
    result = refine(objects, RefineSettings.none(hole_area=10))
    assert result.ids.tolist() == [4, 7, 9]
    assert result.areas.tolist() == [400, 400, 400]
    assert (result[0].label, result[0].score, result[0].source) == ("building", 0.7, "box")
    assert result[1] is objects[1]
    assert result.next_id == objects.next_id
    assert result.shape == objects.shape
    assert objects.areas.tolist() == [391, 400, 391]


def test_only_some(objects):
    result = refine(objects, RefineSettings.none(hole_area=10), only=[9, 1234])
    assert result.areas.tolist() == [391, 400, 400]
    assert result[0] is objects[0]


def test_nothing_to_do(objects):
    result = refine(objects, RefineSettings.none())
    assert all(one is other for one, other in zip(result, objects))
    assert len(refine(Instances.empty((5, 5)))) == 0


def test_small_objects_are_dropped_last(objects):
    assert refine(objects, RefineSettings.none(smallest=395)).ids.tolist() == [7]
    filled = refine(objects, RefineSettings.none(hole_area=10, smallest=395))
    assert filled.ids.tolist() == [4, 7, 9]
    assert refine(objects, RefineSettings.none(smallest=500), only=[4]).ids.tolist() == [7, 9]


def test_objects_never_leave_the_scene(objects):
    everything = RefineSettings(
        opening=2, closing=6, smooth=3, simplify=2, regularise=True, min_agreement=0
    )
    assert len(refine(objects, everything)) == 3


def test_metres_become_pixels(objects):
    settings = RefineSettings.none(hole_area=1.0, smooth=0.9, unit="m")
    pixels = settings.in_pixels(0.3)
    assert pixels.hole_area == pytest.approx(1 / 0.09)
    assert pixels.smooth == pytest.approx(3.0)
    assert pixels.unit == "px"
    hole = RefineSettings.none(hole_area=1.0, unit="m")
    # A hole of nine pixels is 0.81 m² at 0.3 m and 2.25 m² at 0.5 m.
    assert refine(objects, hole, gsd=0.3).areas.tolist() == [400, 400, 400]
    assert refine(objects, hole, gsd=0.5).areas.tolist() == [391, 400, 391]
    with pytest.raises(RefineError, match="size of a pixel"):
        refine(objects, hole)


def test_buildings_cut_by_the_edge_are_not_straightened():
    rows, columns = np.mgrid[:40, :40]
    cut = (columns - rows < 25) & (columns + rows < 45)
    objects = Instances([Instance(cut, 0, 0)], (100, 100))
    settings = RefineSettings.none(regularise=True, min_agreement=0)
    assert refine(objects, settings)[0] is objects[0]
    inside = Instances([Instance(cut, 5, 5)], (100, 100))
    assert refine(inside, settings)[0] is not inside[0]


def test_progress_and_cancelling(objects):
    shares = []
    refine(objects, progress=lambda share, text: shares.append(share))
    assert shares[0] == 0
    assert shares[-1] == 1
    with pytest.raises(Cancelled):
        refine(objects, cancelled=lambda: True)


@pytest.mark.parametrize(
    "bad",
    [
        {"smooth": -1},
        {"hole_area": float("nan")},
        {"opening": 51},
        {"unit": "feet"},
        {"min_agreement": 1.2},
        {"simplify": "much"},
    ],
)
def test_bad_settings_are_refused(bad):
    with pytest.raises(RefineError):
        RefineSettings(**bad)


def test_settings_in_words_and_as_a_dictionary():
    settings = RefineSettings.none(smooth=1.5, hole_area=4, unit="m", regularise=True)
    assert settings.steps == ("hole_area", "smooth", "regularise")
    words = settings.describe()
    assert "fill holes 4 m²" in words
    assert "smooth the outline 1.5 m" in words
    assert RefineSettings(**settings.to_dict()) == settings
    assert RefineSettings.none().describe() == "nothing"
    for step in SUGGESTED:
        assert RefineSettings.suggested(step).steps == (step,)
    with pytest.raises(RefineError):
        RefineSettings.suggested("polish")
