"""Lesson 3: objects to point at, a map of clicks, counts on small and large; its worksheet."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.lessons import prompts as lesson
from rsam_core.evaluate.learn.lessons import prompts_counts as counting
from rsam_core.evaluate.learn.lessons import prompts_map as mapping
from rsam_core.evaluate.learn.lessons import prompts_objects as objects
from rsam_core.evaluate.learn.lessons import prompts_words as by_word
from rsam_core.evaluate.learn.lessons.prompts_counts import Tally
from rsam_core.evaluate.learn.lessons.prompts_objects import TARGETS, TRIALS, target
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, disc, overlap, rectangle

SHAPE = (80, 120)
KINDS = {"lorry": "truck", "roof": "roof", "tree": "tree", "car": "car", "box": "container"}


@pytest.fixture
def model(tiny, monkeypatch) -> Segmenter:
    """The embedded model, loaded once for all tests."""
    segmenter = Segmenter(tiny)
    monkeypatch.setattr(asking, "segmenter", lambda: segmenter)
    return segmenter


def check(key: str):
    return next(check for check in lesson.CHECKS if check.key == key)


def centre(mask: np.ndarray) -> tuple[float, float]:
    """The pixel of a mask farthest from what is not of it."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return column + 0.5, row + 0.5


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("one", [*TARGETS, *TRIALS], ids=lambda one: one.key)
def test_each_object_is_what_it_is_called_and_whole(one: objects.Target) -> None:
    assert one.subject.kinds[one.number] == KINDS[one.key.split("-")[0]]
    x0, y0, x1, y1 = box(one.truth)
    height, width = one.truth.shape
    assert x0 > 0
    assert y0 > 0
    assert x1 < width
    assert y1 < height
    view = one.view
    assert view.x <= x0 < x1 <= view.x + view.width <= width
    assert view.y <= y0 < y1 <= view.y + view.height <= height
    assert view.width * 5 == view.height * 8
    # The top-left corner of the object's box, on the screen and back.
    assert view.from_shown((x0 - view.x) * view.scale, (y0 - view.y) * view.scale) == (
        pytest.approx((x0, y0))
    )


def test_small_and_large_objects_come_in_turn() -> None:
    assert [one.large for one in TRIALS] == [k % 2 == 1 for k in range(len(TRIALS))]
    assert [one.large for one in TRIALS] == [one.truth.sum() >= 1024 for one in TRIALS]
    assert len({one.key for one in (*TARGETS, *TRIALS)}) == len(TARGETS) + len(TRIALS)


def test_places_to_click_cover_the_object_and_a_rim() -> None:
    for truth in (rectangle(SHAPE, 40, 30, 90, 40), rectangle(SHAPE, 0, 0, 12, 80)):
        x0, _, x1, _ = box(truth)
        x, y = mapping.places_to_click(truth)
        assert 20 <= len(x) * len(y) <= mapping.MOST
        assert x[0] < x0 + 5
        assert x[-1] > x1 - 1
        assert (x > 0).all()
        assert (y > 0).all()
        assert (y < SHAPE[0]).all()
        assert np.ptp(np.diff(x)) < 1e-9


def test_the_middle_of_a_long_object_is_half_way_along_it_and_on_it() -> None:
    assert mapping.middle_of(rectangle(SHAPE, 10, 20, 41, 25)) == (25.5, 22.5)
    # The centre of mass of an L lies beside it.
    corner = rectangle(SHAPE, 10, 10, 14, 50) | rectangle(SHAPE, 10, 46, 50, 50)
    column, row = mapping.middle_of(corner)
    assert corner[int(row), int(column)]


def test_a_map_of_clicks_is_one_answer_for_each_place() -> None:
    truth = rectangle(SHAPE, 40, 30, 80, 50)

    def paint(prompt, many):
        x, y = prompt.points[0]
        good, bad = disc(SHAPE, x, y, 10), disc(SHAPE, x, y, 3)
        return [bad, good, bad], [0.2, 0.9, 0.3]

    fake = FakeModel(paint)
    model = Segmenter(fake)
    told: list[float] = []
    found = mapping.click_map(
        model, model.embed(np.zeros((*SHAPE, 3), np.uint8)), truth, told.append
    )
    x, y = mapping.places_to_click(truth)
    wanted = [[overlap(truth, disc(SHAPE, a, b, 10)) for a in x] for b in y]
    assert found.iou == pytest.approx(np.array(wanted))
    inside = [[40 <= a < 80 and 30 <= b < 50 for a in x] for b in y]
    assert found.inside.tolist() == inside
    # The rectangle's middle, (60, 40), is a corner of four pixels; the first one is clicked.
    assert found.centre == pytest.approx(overlap(truth, disc(SHAPE, 59.5, 39.5, 10)))
    assert len(fake.calls) == found.iou.size + 1
    assert told == sorted(told)
    assert told[-1] == 1
    row, column = found.nearest(61, 41)
    assert abs(x[column] - 61) == np.abs(x - 61).min()
    assert abs(y[row] - 41) == np.abs(y - 41).min()
    assert (found.mask(row, column) == disc(SHAPE, x[column], y[row], 10)).all()

    # Distances to the nearest pixel outside: the middle rows are 10 pixels deep.
    depths = [
        [
            min(int(a) - 39, 80 - int(a), int(b) - 29, 50 - int(b)) / 10 if here else 0
            for a, here in zip(x, row)
        ]
        for b, row in zip(y, inside)
    ]
    deep = np.array(depths) >= 0.5
    assert found.means == {
        "deep": pytest.approx(found.iou[deep].mean()),
        "rim": pytest.approx(found.iou[np.array(inside) & ~deep].mean()),
        "outside": pytest.approx(found.iou[~np.array(inside)].mean()),
    }


def test_an_answer_without_masks_is_worth_nothing() -> None:
    truth = rectangle(SHAPE, 40, 30, 80, 50)
    fake = FakeModel(lambda prompt, many: ([np.zeros(SHAPE, bool)] * 3, [0.2, 0.1, 0.1]))
    model = Segmenter(fake)
    found = mapping.click_map(model, model.embed(np.zeros((*SHAPE, 3), np.uint8)), truth)
    assert not found.iou.any()
    assert not found.mask(0, 0).any()


def test_heat_is_bright_where_clicks_are_good() -> None:
    one = target("tree")
    x, y = mapping.places_to_click(one.truth)
    shape = len(y), len(x)
    iou = np.zeros(shape)
    iou[0, 0] = 1
    nothing = [[(np.zeros((1, 1), bool), 0, 0)] * len(x) for _ in y]
    clicks = mapping.ClickMap(
        x, y, iou, np.ones(shape, bool), np.ones(shape), nothing, 0.5, one.truth.shape
    )
    shown = mapping.heat(one, clicks)
    view = one.view

    def colour(row: int, column: int) -> np.ndarray:
        a = round((y[row] - view.y) * view.scale), round((x[column] - view.x) * view.scale)
        return shown[a[0] - 3 : a[0] + 4, a[1] - 3 : a[1] + 4].reshape(-1, 3).mean(0)

    # Viridis goes from dark violet to yellow.
    assert colour(0, 0)[0] > 170 > 110 > colour(0, 0)[2]
    assert colour(0, len(x) - 1)[1] < 90
    assert shown.shape == (400, 640, 3)


def test_tallies_by_hand() -> None:
    found = counting.tallied(
        {
            "car-1": (0.8, 0.7), "tree-1": (0.5, 0.9), "lorry-1": (0.2, 0.8),
            "roof-1": (0.9, 0.905), "roof-2": (0.95, 0.9),
        }
    )  # fmt: skip
    assert found == {"small": Tally(1, 2, 0), "large": Tally(1, 0, 1)}
    assert (found["small"].winner, found["large"].winner) == ("box", "point")
    assert (found["small"] + Tally(1, 0, 0)).winner == "neither"
    assert found["small"].total == 3


@pytest.mark.parametrize(("point", "box"), [(7, 1), (1, 7), (3, 3), (0, 5), (12, 4)])
def test_the_coin_by_counting(point: int, box: int) -> None:
    n, least = point + box, min(point, box)
    rows = sum(comb(n, k) for k in range(n + 1) if min(k, n - k) <= least)
    assert Tally(point, box).chance == pytest.approx(rows / 2**n)
    assert Tally(equal=4).chance == 1


def test_words_find_the_lorry_among_what_is_found_around_it(model) -> None:
    one = target("lorry")
    view = by_word.around(one)
    part = np.ascontiguousarray(
        one.subject.image[view.y : view.y + view.height, view.x : view.x + view.width]
    )
    known = by_word.described(model, model.embed(part), part, 0.3)
    masks, best = by_word.by_words(known, one, "white objects")
    assert best is not None
    fits = [overlap(one.truth, mask) for mask in masks]
    assert fits[best] == max(fits) > 0.5
    # Where the masks lie: whatever is found is found within the part that was looked at.
    everything, _ = by_word.by_words(known, one, "objects over 1 pixels")
    assert len(everything) == len(known.objects)
    for mask, item in zip(everything, known.objects):
        x0, y0, _, _ = box(mask)
        assert (x0, y0) == (view.x + item.bbox[0], view.y + item.bbox[1])
    assert by_word.by_words(known, one, "swimming pools")[1] is None


def test_the_checks_ask_for_what_they_say(model) -> None:
    one = target("lorry")
    embedding = model.embed(one.subject.image)
    marks = asking.Marks()
    report = {"part": "ways", "target": "lorry"}
    # Along the lorry's length, from end to end.
    rows, columns = np.nonzero(one.truth)
    for share in (0.3, 0.9):
        k = np.argsort(columns)[int(share * len(columns))]
        near = np.abs(columns - columns[k]) <= 1
        marks = asking.with_point(marks, columns[k] + 0.5, rows[near].mean() + 0.5, 1)
    found = asking.answer(model, embedding, marks).masks[0]
    value = overlap(one.truth, found)
    assert value > 0.75
    assert check("points").is_done({**report, "iou": {"points": value}})
    first = asking.answer(model, embedding, asking.Marks(marks.points[:1])).masks[0]
    report["iou"] = {"points": overlap(one.truth, first)}
    assert not check("points").is_done(report)

    place = {"part": "where", "on_object": True, "best": 0.9, "here": 0.59}
    assert check("place").is_done(place)
    assert not check("place").is_done({**place, "here": 0.61})
    assert not check("place").is_done({**place, "here": None})
    assert not check("place").is_done({**place, "on_object": False})

    tallies = {"small": Tally(1, 2), "large": Tally(1, 1, 1)}
    said = {"small": "box", "large": "neither"}
    counted = {"part": "size", "trials": 6, "tallies": tallies, "said": said}
    assert check("claim").is_done(counted)
    assert not check("claim").is_done({**counted, "trials": 5})
    assert not check("claim").is_done({**counted, "said": {"small": "box", "large": "box"}})
    only_small = {"small": Tally(1, 5), "large": Tally()}
    assert not check("claim").is_done({**counted, "tallies": only_small})


@pytest.fixture
def _few_clicks(monkeypatch):
    """Maps of fewer clicks, which take less time."""
    monkeypatch.setattr(mapping, "MOST", 16)
    lesson._mapped.cache_clear()
    yield
    lesson._mapped.cache_clear()


@pytest.mark.usefixtures("_few_clicks")
def test_the_worksheet_says_what_is_counted(model) -> None:
    ways, places, study, coin = lesson.worksheet()
    embeddings: dict[str, object] = {}

    def found(one: objects.Target, **prompt) -> np.ndarray:
        if one.style not in embeddings:
            embeddings[one.style] = model.embed(one.subject.image)
        return model.predict(embeddings[one.style], Prompt(**prompt)).masks[0]

    lorry = target("lorry")
    point = found(lorry, points=[centre(lorry.truth)])
    truth = lorry.truth
    tp, fp, fn = (int(part.sum()) for part in (point & truth, point & ~truth, truth & ~point))
    assert f"{tp} pixels TP, {fp} FP and {fn} FN" in ways.question
    assert f"= {tp / (tp + fp + fn):.0%}" in ways.answer
    by_box = found(lorry, box=box(lorry.truth))
    assert f"The box gives {overlap(truth, by_box):.0%}" in ways.answer

    counts = {"small": [0, 0], "large": [0, 0]}
    for one in TRIALS:
        by_point = overlap(one.truth, found(one, points=[centre(one.truth)]))
        by_box = overlap(one.truth, found(one, box=box(one.truth)))
        if abs(by_point - by_box) >= 0.01:
            counts["large" if one.truth.sum() >= 32 * 32 else "small"][int(by_box > by_point)] += 1
    small, large = counts["small"], counts["large"]
    assert f"point was better {small[0]} times, the box {small[1]} times" in study.question
    assert f"point {large[0]} times, the box {large[1]} times" in study.question
    says = {True: "it holds", False: "it does not hold"}
    assert f"small objects: {says[small[0] > small[1]]}" in study.answer
    assert f"large ones: {says[large[1] > large[0]]}" in study.answer

    tree = target("tree")
    clicks = mapping.click_map(model, model.embed(tree.subject.image), tree.truth)
    outside = clicks.iou[~tree.truth[np.ix_(clicks.y.astype(int), clicks.x.astype(int))]]
    assert f"beside it {outside.mean():.0%}" in places.answer
    # Of 8 tosses at most one of one side: none or one, of either.
    assert f"{2 * (1 + 8)} of {2**8}" in coin.answer
    assert f"{2 * 9 / 256:.1%}" in coin.answer
