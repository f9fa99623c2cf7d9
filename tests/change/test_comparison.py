"""Verdicts on objects of two dates, with a model whose answers are known and drawn houses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.change import ArrayPicture, CompareSettings
from rsam_core.change.compared import judged
from rsam_core.change.date_view import DateView
from rsam_core.change.decide import LOWEST, decide, needed
from rsam_core.change.evidence import COLUMNS, gather
from rsam_core.change.findings import Candidate, Growth
from rsam_core.change.judge import CLASSES, changed, load_judge
from rsam_core.change.objects_of import places_of_difference
from rsam_core.change.pairing import contained, pair, remainder, tolerant_overlap
from rsam_core.errors import Cancelled, ChangeError
from rsam_core.objects.crops import Crop
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples import render_pair
from rsam_core.samples.pair_records import paste
from rsam_core.scene.window import Window
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, rectangle

SHAPE = (160, 200)


def square(x: int, y: int, side: int = 20, score: float = 0.9, source: str = "everything"):
    return Instance(np.ones((side, side), bool), x, y, score, source=source)


def candidate(item: Instance, date: int, name: str, sure: float = 0.9) -> Candidate:
    chances = np.full(len(CLASSES), (1 - sure) / (len(CLASSES) - 1), np.float32)
    chances[CLASSES.index(name)] = sure
    return Candidate(item, date, chances)


# --- pairs of outlines ----------------------------------------------------------------------


def test_tolerance_forgives_a_displacement():
    first, second = square(10, 10), square(12, 10)
    # Without tolerance it is the Dice coefficient: 18 of 20 columns are shared.
    assert tolerant_overlap(first, second, 0) == pytest.approx(0.9)
    assert tolerant_overlap(first, second, 2) == 1.0
    assert tolerant_overlap(first, square(60, 60), 2) == 0.0


def test_each_object_is_in_one_pair():
    first = [square(10, 10), square(14, 10), square(100, 100)]
    second = [square(11, 10), square(60, 60)]
    assert pair(first, second) == [(0, 0)]
    assert pair([], second) == []


def test_what_a_larger_outline_has_more():
    small = Crop(np.ones((20, 20), bool), 10, 10)
    large = Crop(np.ones((20, 32), bool), 10, 10)
    rest = remainder(large, small, 2)
    assert (rest.mask.sum(), contained(small, large)) == (12 * 20, 1.0)
    covered = paste(rest, SHAPE)
    assert covered[10:30, 30:42].all()
    assert remainder(small, large, 2) is None


# --- verdicts -------------------------------------------------------------------------------


def test_one_verdict_for_each_place():
    found = decide(
        [
            candidate(square(10, 10), 0, "left"),
            candidate(square(12, 11), 1, "revealed"),
            candidate(square(60, 10), 1, "left"),
            candidate(square(60, 10), 0, "revealed"),
            candidate(square(110, 10), 0, "inside"),
            candidate(square(110, 11), 1, "inside"),
            candidate(square(10, 80), 0, "same"),
            candidate(square(11, 80), 1, "same"),
        ],
        [],
        fire=0.5,
    )
    verdicts = {change.outline.bbox[:2]: change.change for change in found}
    assert verdicts == {
        (10, 10): "gone",
        (60, 10): "new",
        (110, 11): "changed inside",
        (11, 80): "unchanged",
    }
    assert [change.id for change in found] == [1, 2, 3, 4]
    gone = next(change for change in found if change.change == "gone")
    assert (gone.after, gone.before.bbox) == (None, (10, 10, 30, 30))
    assert 0.5 < gone.probability <= 1
    assert "second date" in gone.reason


def test_both_having_left_means_changed_inside_or_either_but_once():
    found = decide(
        [candidate(square(10, 10), 0, "left"), candidate(square(10, 10), 1, "left")], [], fire=0.5
    )
    assert len(found) == 1
    assert found[0].change != "unchanged"


def test_threshold_acts():
    some = [candidate(square(10, 10), 0, "left", 0.7)]
    assert decide(some, [], fire=0.5)[0].change == "gone"
    assert decide(some, [], fire=0.95)[0].change == "unchanged"


def test_an_object_that_grew_is_enlarged_and_its_parts_are_not_new():
    small = candidate(square(10, 10), 0, "same")
    large = candidate(Instance(np.ones((20, 32), bool), 10, 10, 0.9), 1, "same")
    wing = candidate(Instance(np.ones((20, 12), bool), 30, 10, 0.9), 1, "left")
    found = decide([small, large, wing], [Growth(small, large, 0.9)], fire=0.5)
    assert [change.change for change in found] == ["enlarged"]
    assert (found[0].before.area, found[0].after.area) == (400, 640)
    assert "+60%" in found[0].reason
    turned = Growth(candidate(small.item, 1, "same"), candidate(large.item, 0, "same"), 0.9)
    assert [c.change for c in decide([], [turned], fire=0.5)] == ["shrunk"]
    assert decide([], [turned], fire=0.95) == []


def test_the_judge_knows_clear_cases():
    judge = load_judge()
    row = dict.fromkeys(COLUMNS, 0.0)
    still = {**row, "overlap": 0.95, "score_own": 0.8, "score_other": 0.8, "pattern": 0.9,
             "edge_pattern": 0.9, "border_own": 1.2, "border_other": 1.2, "size": 0.85,
             "lightness_own": 0.5, "lightness_other": 0.5, "look_pattern": 0.9,
            "cells_mean": 0.1, "cells_top": 0.15, "look_difference": 4.0}  # fmt: skip
    gone = {**still, "overlap": 0.3, "feature_distance": 0.9, "contrast_distance": 1.0,
            "contrast_gain": -0.6, "lightness_step": 2.0, "colour_step": 2.0,
            "pixel_difference": 3.0, "ring_difference": 0.6, "spread_gain": -0.5, "pattern": 0.1,
            "edge_pattern": 0.1, "border_other": 0.4, "score_other": 0.5,
            "look_difference": 18.0, "look_difference_top": 30.0, "look_changed_share": 0.6,
            "look_largest_changed": 0.5, "look_pattern": 0.1, "cells_mean": 0.8, "cells_top": 1.1,
            "cells_relative": 1.5, "step_relative": 1.0}  # fmt: skip
    table = np.array([list(still.values()), list(gone.values())], np.float32)
    chances = judge.probabilities(table)
    assert chances.sum(1) == pytest.approx(1.0)
    still, gone = changed(chances)
    assert still < judge.fire < gone
    assert 0.2 < judge.fire <= 0.9


# --- evidence -------------------------------------------------------------------------------


def drawn_dates() -> tuple[np.ndarray, np.ndarray]:
    """Grass with a red house at both dates, one at the first and one at the second."""
    rng = np.random.default_rng(0)
    ground = rng.normal((110, 125, 80), 4, (*SHAPE, 3))
    dates = []
    for houses in ([(20, 20), (90, 20)], [(20, 20), (90, 90)]):
        image = ground.copy() + rng.normal(0, 2, ground.shape)
        for x, y in houses:
            image[y : y + 30, x : x + 40] = (170, 90, 70)
            image[y + 14 : y + 16, x : x + 40] = (120, 60, 50)
        dates.append(image.clip(0, 255).astype(np.uint8))
    return tuple(dates)


def boxes_as_masks(prompt, multimask):
    x0, y0, x1, y1 = (round(v) for v in prompt.box) if prompt.box is not None else (0, 0, 9, 9)
    count = 3 if multimask else 1
    return [rectangle(SHAPE, x0, y0, x1, y1)] * count, [0.8] * count


def test_evidence_tells_what_stays_from_what_goes():
    segmenter = Segmenter(FakeModel(boxes_as_masks))
    views = [DateView(image, segmenter.embed(image)) for image in drawn_dates()]
    houses = [Instance(np.ones((30, 40), bool), 20, 20), Instance(np.ones((30, 40), bool), 90, 20)]
    table = gather(segmenter, houses, *views).table
    stays, goes = (dict(zip(COLUMNS, row)) for row in table)
    assert stays["pattern"] > 0.9 > 0.5 > goes["pattern"]
    assert goes["pixel_difference"] > 5 * stays["pixel_difference"]
    assert goes["border_other"] < goes["border_own"]
    assert table.shape == (2, len(COLUMNS))
    assert np.isfinite(table).all()
    assert gather(segmenter, [], *views).table.shape == (0, len(COLUMNS))


def test_places_of_difference_are_the_houses_that_came_and_went():
    segmenter = Segmenter(FakeModel(boxes_as_masks))
    views = [DateView(image, segmenter.embed(image)) for image in drawn_dates()]
    found = places_of_difference(*views, np.ones(SHAPE, bool))
    for x, y in ((90, 20), (90, 90)):
        truth = np.zeros(SHAPE, bool)
        truth[y : y + 30, x : x + 40] = True
        overlaps = [
            (paste(item, SHAPE) & truth).sum() / (paste(item, SHAPE) | truth).sum()
            for item in found
        ]
        assert max(overlaps) > 0.75
    assert all(item.area > 40 for item in found)


# --- the whole ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town():
    counts = {"built": 2, "demolished": 2}
    return render_pair(16, ("built", "demolished"), width=320, height=256, style="suburb",
                       counts=counts)  # fmt: skip


@pytest.fixture(scope="module")
def given(town) -> tuple[Instances, Instances]:
    """The true houses of each date, as a layer would give them."""
    sides = []
    for name in ("before", "after"):
        items = [
            Instance(end.mask, end.x, end.y, source="layer")
            for record in (*town.records, *town.unchanged)
            if (end := getattr(record, name)) is not None and end.area > 150
        ]
        sides.append(Instances(items, town.shape))
    return tuple(sides)


@pytest.fixture(scope="module")
def result(town, given):
    before = ArrayPicture(town.before.image, "town_2016.png", gsd=0.3)
    after = ArrayPicture(town.after.image, "town_2020.png", gsd=0.3)
    # Houses of a layer lie in pixels of each date's own picture; this one's is moved by the pair.
    alignment = rsam.align(before, after)
    moved = Instances(
        [i for i in (_moved(item, town) for item in given[1]) if i is not None], town.shape
    )
    return rsam.compare(before, after, objects=(given[0], moved), alignment=alignment)


def _moved(item: Instance, town) -> Instance | None:
    import cv2

    mask = paste(item, town.shape).astype(np.uint8)
    height, width = town.shape
    mask = cv2.warpAffine(mask, town.matrix[:2], (width, height), flags=cv2.INTER_NEAREST)
    return Instance(mask, source="layer") if mask.any() else None


def test_rendered_houses_get_their_verdicts(town, result):
    right = 0
    for record in town.records:
        truth = paste(record.before or record.after, town.shape)
        for change in result.changes:
            mine = paste(change.outline, town.shape)
            if (truth & mine).sum() > 0.5 * (truth | mine).sum():
                right += change.change == ("new" if record.kind == "built" else "gone")
    assert len(town.records) == 4
    assert right >= 3
    still = [c for c in result.changes if c.change == "unchanged"]
    assert len(still) > 0.8 * (len(result.changes) - len(town.records))


def test_masks_tables_and_thumbnails_agree(town, result):
    table = result.table()
    assert list(table["id"]) == [c.id for c in result.changes]
    mask = result.mask(("new", "gone"))
    assert mask.shape == town.shape
    whole = result.mask()
    assert (mask & ~whole).sum() == 0
    part = rsam.Window(40, 60, 100, 90)
    assert np.array_equal(result.mask(window=part), whole[part.slices])
    row = table.iloc[0]
    change = result.changes[0]
    expected = change.before.area if change.before is not None else 0
    assert row["area_before"] == expected
    assert row["area_before_m2"] == pytest.approx(expected * 0.09, rel=1e-3)
    first, second = result.thumbnails(change)
    assert first.shape == second.shape
    assert first.shape[0] >= change.outline.mask.shape[0]
    outlines = result.instances(("new", "gone"))
    assert {item.label for item in outlines} <= {"new", "gone"}
    assert result.scene.name == "town_2016.png"


def test_thresholds_act_without_decoding(result):
    strict, loose = result.with_threshold(1.0), result.with_threshold(0.02)
    assert not strict.mask().any()
    assert len(loose.of(["new", "gone", "changed inside"])) >= len(
        result.of(["new", "gone", "changed inside"])
    )


def test_words_for_what_cannot_be(town, result):
    with pytest.raises(ChangeError, match="burnt"):
        result.mask(("burnt",))
    with pytest.raises(ChangeError, match="speed"):
        rsam.compare(town.before.image, town.after.image, speed=3)
    with pytest.raises(ChangeError, match="probability"):
        CompareSettings(threshold=1.5)
    with pytest.raises(Cancelled):
        rsam.compare(town.before.image, town.after.image, cancelled=lambda: True)


def test_large_scenes_are_compared_in_windows_and_seen_once():
    """Four windows: each house is compared in one of them, at its place in the whole grid."""
    counts = {"built": 6}
    town = render_pair(6, ("built",), width=420, height=400, style="suburb", counts=counts,
                       shift=(0.0, 0.0))  # fmt: skip
    truth = [r.after for r in town.records if r.after.area > 150]
    given = Instances([Instance(t.mask, t.x, t.y, source="layer") for t in truth], town.shape)
    empty = Instances.empty(town.shape)
    whole = rsam.compare(town.before.image, town.after.image, objects=(empty, given))
    parts = rsam.compare(town.before.image, town.after.image, objects=(empty, given), tile=256)

    def found(result):
        return sorted((c.change, c.outline.bbox[:2]) for c in result.changes)

    assert len(found(parts)) == len(truth)
    same = set(found(whole)) & set(found(parts))
    assert len(same) >= len(truth) - 1
    assert sum(c.change == "new" for c in parts.changes) >= len(truth) - 1


def test_what_no_threshold_would_show_is_let_go():
    house, again = square(10, 10), square(11, 10)
    faint = square(100, 100)
    some = [
        candidate(house, 0, "left", 0.7),
        candidate(again, 1, "same", 0.99),  # it votes on the same place
        candidate(faint, 0, "same", 0.99),
        candidate(square(101, 100), 1, "same", 0.99),
        candidate(square(100, 101), 0, "same", 0.98),  # the same object once more
    ]
    assert needed(some, unchanged=False) == some[:2]
    left = needed(some)
    assert some[:2] == left[:2]
    assert len(left) == 4
    for fire in (LOWEST, 0.5, 0.9):
        before = [(c.change, c.outline.bbox) for c in decide(some, [], fire)]
        assert [(c.change, c.outline.bbox) for c in decide(left, [], fire)] == before


def test_what_clings_to_a_standing_house_is_its_wing():
    def built(item: Instance, date: int, name: str, kind: str = "building") -> Candidate:
        return replace(candidate(item, date, name), kind=kind)

    house = [built(square(40, 40, 30), 0, "same"), built(square(40, 40, 30), 1, "same")]
    wing = Instance(np.ones((20, 16), bool), 70, 45, 0.9)
    found = decide([*house, built(wing, 1, "left")], [], fire=0.5)
    assert [c.change for c in found] == ["enlarged"]
    assert (found[0].before.area, found[0].after.area) == (900, 900 + 320)
    assert "+36%" in found[0].reason
    gone = decide([*house, built(wing, 0, "left")], [], fire=0.5)
    assert [c.change for c in gone] == ["shrunk"]
    # A car beside it, a house as large as it, and one that stands apart are no wings of it.
    large = Instance(np.ones((30, 30), bool), 70, 40, 0.9)
    apart = Instance(np.ones((20, 16), bool), 80, 45, 0.9)
    for other in (built(wing, 1, "left", "car"), built(large, 1, "left"), built(apart, 1, "left")):
        verdicts = sorted(c.change for c in decide([*house, other], [], fire=0.5))
        assert verdicts == ["new", "unchanged"]
    # Nor is anything a wing of a house that is new itself.
    alone = [built(square(40, 40, 30), 1, "left"), built(wing, 1, "left")]
    assert {c.change for c in decide(alone, [], fire=0.5)} == {"new"}


def test_a_wing_is_told_from_a_neighbour():
    def built(item: Instance, date: int, name: str, kind: str = "building") -> Candidate:
        return replace(candidate(item, date, name), kind=kind)

    house = square(40, 40, 30)
    wing, whole = np.zeros((30, 46), bool), np.ones((30, 46), bool)
    wing[5:25, 30:] = True
    whole[:5, 30:] = whole[25:, 30:] = False
    # The house is outlined at the first date only, or at the second with its wing; what the model
    # cannot name may be a wing, too.
    for there, kind in (
        ([built(house, 0, "same"), built(square(41, 41, 28), 1, "same")], "building"),
        ([built(house, 0, "same"), built(Instance(whole, 40, 40, 0.9), 1, "same")], "building"),
        ([built(house, 0, "same"), built(Instance(whole, 40, 40, 0.9), 1, "same")], "not sure"),
    ):
        part = built(Instance(wing, 40, 40, 0.95), 1, "left", kind)
        found = decide([*there, part], [], fire=0.5)
        assert [c.change for c in found if c.change != "unchanged"] == ["enlarged"]
        assert found[0].after.area - found[0].before.area == pytest.approx(320, abs=160)
    # A row house of nearly half the size beside it: a house of its own.
    row = built(Instance(np.ones((30, 13), bool), 70, 40, 0.9), 1, "left")
    both = [built(house, 0, "same"), built(house, 1, "same")]
    assert {c.change for c in decide([*both, row], [], fire=0.5)} == {"new", "unchanged"}


def test_what_is_gone_is_named_by_what_was_there():
    bare = replace(
        candidate(square(40, 40), 1, "revealed"), kind="bare ground", kind_probability=0.9,
        kind_there="tree",
    )  # fmt: skip
    (change,) = decide([bare], [], fire=0.5)
    assert (change.change, change.kind) == ("gone", "tree")
    assert np.isnan(change.kind_probability)


def test_wide_ground_of_which_nothing_is_the_same_is_another_ground():
    chances = np.zeros(len(CLASSES), np.float32)
    chances[[CLASSES.index(n) for n in ("same", "left", "partly")]] = 0.04, 0.3, 0.66
    flood = replace(
        candidate(square(20, 20, 60), 1, "left"), chances=chances, kind="road",
        kind_there="grass or field",
    )  # fmt: skip
    car = replace(candidate(square(30, 30, 9), 0, "left"), kind="car")
    house = replace(candidate(square(50, 50, 20), 0, "left"), kind="building")
    found = decide([flood, car, house], [], fire=0.75)
    assert [(c.change, c.kind) for c in found] == [("new", "road"), ("gone", "building")]
    assert found[0].reason == "hardly anything of this ground is as it was"
    assert flood in needed([flood], unchanged=False)
    small = replace(flood, item=square(20, 20, 30))
    for other in (small, replace(flood, kind="building"), replace(flood, kind_there="building")):
        assert decide([other], [], fire=0.75) == []


def test_changed_objects_become_changed_blocks(result, town):
    houses = [candidate(square(x, 40), 1, "left") for x in (40, 70, 140)]
    found = judged(result.alignment, tuple(houses), (), (), (), CompareSettings())
    alone, blocks = found.mask(("new",)), found.mask(("new",), gap=8)
    assert alone.sum() == 3 * 400
    # The first two are 10 pixels apart, the third 50.
    assert blocks[50, 62:68].all()
    assert not blocks[50, 95:138].any()
    assert not (alone & ~blocks).any()
    part = Window(55, 30, 60, 40)
    assert (found.mask(("new",), part, gap=8) == blocks[part.slices]).all()
    with pytest.raises(ChangeError, match="0 or more"):
        found.mask(gap=-1)


def test_what_left_is_asked_for_by_what_was_there(result):
    # A house that nobody outlined is known from the bare ground that came to light.
    bare = replace(
        candidate(square(40, 40), 1, "revealed"), kind="bare ground", kind_there="building"
    )
    field = replace(bare, kind_there="grass or field")
    for one, wanted in ((bare, ["gone"]), (field, [])):
        found = judged(result.alignment, (one,), (), ("building",), (), CompareSettings())
        assert [change.change for change in found.changes] == wanted


def test_a_part_that_changed_is_no_change_of_the_whole():
    found = decide([candidate(square(10, 10), 0, "partly")], [], fire=0.5)
    assert found == []


def test_a_new_thing_on_a_roof_that_stands_is_a_change_of_that_roof():
    roof = replace(candidate(square(10, 10, 40), 0, "same"), kind="building")
    hole = replace(candidate(square(20, 20, 12), 1, "left"), kind="pool")
    found = decide([roof, hole], [], fire=0.5)
    assert [(c.change, c.outline.area, c.kind) for c in found] == [
        ("changed inside", 1600, "building")
    ]
    assert "surface" in found[0].reason
    for other in (
        replace(roof, kind="bare ground"),
        replace(candidate(square(10, 10, 40), 0, "left"), kind="building"),
    ):
        said = [c.change for c in decide([other, hole], [], fire=0.5) if c.change != "unchanged"]
        assert "changed inside" not in said
