"""Lesson 9: what hides, borders, training places and sentences against independent truth."""

from __future__ import annotations

import re
from itertools import combinations

import cv2
import numpy as np
import pytest
from shapely import unary_union
from shapely.geometry import box

from rsam_core.evaluate.learn.asking import segmenter
from rsam_core.evaluate.learn.lesson import Task
from rsam_core.evaluate.learn.lessons import pitfalls_borders as borders
from rsam_core.evaluate.learn.lessons import pitfalls_claims as claims
from rsam_core.evaluate.learn.lessons import pitfalls_hiding as hiding
from rsam_core.evaluate.learn.lessons import pitfalls_learnt as learnt
from rsam_core.evaluate.learn.lessons import pitfalls_own as own
from rsam_core.evaluate.learn.lessons.pitfalls import EVERYWHERE, LESSON
from rsam_core.evaluate.learn.subject import Subject

CHECK = {check.key: check for check in LESSON.checks}


def found(kind: str, amount: float) -> hiding.Found:
    model = segmenter()
    return hiding.find(model, model.embed(hiding.disturbed(kind, amount)))


def numbers(text: str) -> list[float]:
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text)]


# -- haze, shadow, trees ------------------------------------------------------------------------
def test_haze_is_a_share_of_the_airs_light() -> None:
    clear, hazy = hiding.place().image.astype(float), hiding.disturbed("haze", 0.6)
    for y, x in ((3, 5), (100, 160), (199, 319)):
        air = np.array([0.70, 0.74, 0.78]) * 255
        np.testing.assert_allclose(hazy[y, x], 0.4 * clear[y, x] + 0.6 * air, atol=0.51)


def test_a_shadow_covers_the_share_that_is_asked_for() -> None:
    clear = hiding.place().image.astype(float).sum(2)
    shaded = hiding.disturbed("shadow", 0.4).astype(float).sum(2)
    dark = shaded < 0.6 * clear
    assert dark.mean() == pytest.approx(0.4, abs=0.02)
    # From the upper left, and nothing else is touched.
    assert dark[0, 0]
    assert not dark[-1, -1]
    np.testing.assert_array_equal(shaded[-20:, -20:], clear[-20:, -20:])


def test_trees_cover_edges_and_leave_the_clicks_free() -> None:
    gsd = hiding.place().gsd
    for tree in hiding.crowns():
        for house in hiding.houses():
            apart = np.hypot(tree.x - house.x * gsd, tree.y - house.y * gsd)
            assert apart > tree.radius + 1
    clear = hiding.place().image.astype(int)
    changed = [
        (np.abs(hiding.disturbed("trees", amount) - clear).max(2) > 8) for amount in (0.2, 0.6)
    ]
    assert changed[0].mean() < changed[1].mean()
    assert (changed[1] | ~changed[0]).mean() > 0.99  # more trees, never fewer


def test_nothing_before_the_houses_is_the_place_itself() -> None:
    for kind in hiding.KINDS:
        np.testing.assert_array_equal(hiding.disturbed(kind, 0.0), hiding.place().image)


def test_the_click_lies_deepest_in_its_house() -> None:
    for at, house in enumerate(hiding.houses()):
        assert house.truth[int(house.y), int(house.x)]
        assert hiding.house_at(house.x + 1, house.y - 1) == at
        rows, columns = np.nonzero(~house.truth)
        nearest = np.hypot(rows + 0.5 - house.y, columns + 0.5 - house.x).min()
        assert nearest > 8


def test_masks_are_judged_by_hand_made_counts() -> None:
    truths = [house.truth for house in hiding.houses()]
    empty = np.zeros_like(truths[0])
    half = truths[0].copy()
    half[: int(hiding.houses()[0].y)] = False
    verdict = hiding.judged([half, *truths[1:-1], empty])
    assert verdict.ious[0] == pytest.approx(half.sum() / truths[0].sum())
    assert verdict.ious[1:] == (*[1.0] * (len(truths) - 2), 0.0)
    true = sum(t.sum() for t in truths)
    area = half.sum() + sum(t.sum() for t in truths[1:-1])
    assert verdict.area_share == pytest.approx(area / true)
    assert verdict.true_areas[0] == pytest.approx(truths[0].sum() * 0.09)
    assert verdict.mean_iou == pytest.approx(sum(verdict.ious) / len(truths))


def test_the_model_finds_less_under_trees_and_too_much_in_haze() -> None:
    clear, trees, haze = found("haze", 0.0), found("trees", 0.6), found("haze", 0.9)
    assert clear.mean_iou > 0.85
    assert trees.mean_iou < 0.75 * clear.mean_iou
    report = {"smallest": trees.area_share, "largest": haze.area_share}
    assert CHECK["hidden"].is_done(report)
    assert not CHECK["hidden"].is_done({"smallest": clear.area_share, "largest": 1.3})
    assert not CHECK["hidden"].is_done({"smallest": 0.5, "largest": clear.area_share})


def test_outlines_are_drawn_over_the_place() -> None:
    truths = [house.truth for house in hiding.houses()]
    shown = hiding.picture(hiding.place().image, hiding.judged(truths))
    assert shown.shape == (400, 640, 3)
    plain = cv2.resize(hiding.place().image, (640, 400), interpolation=cv2.INTER_LINEAR)
    drawn = (np.abs(shown.astype(int) - plain).max(2) > 30).nonzero()
    assert len(drawn[0]) > 1000
    # Beyond the picture nothing is house, so that cut houses have a border there, too.
    large = np.pad(np.repeat(np.repeat(np.any(truths, 0), 2, 0), 2, 1), 1).astype(np.uint8)
    away = sum(cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (large, 1 - large))
    assert away[1:-1, 1:-1][drawn].max() < 8


# -- an own image -------------------------------------------------------------------------------
def test_haze_over_an_own_image() -> None:
    image = np.full((400, 700, 3), 90, np.uint8)
    image[170:230, 320:380] = (200, 60, 40)
    subject = Subject("own-drawn", "drawn", image, own=True)
    part = own.part_of(subject)
    assert part.shape == (320, 480, 3)
    # 40 rows and 110 columns are cut off on each side.
    np.testing.assert_array_equal(part[130:190, 210:270], image[170:230, 320:380])
    assert own.disturbed(part, "haze", 0.0) is part
    hazy = own.disturbed(part, "haze", 0.5)
    assert hazy[0, 0, 0] == round(45 + 0.35 * 255)
    dark = own.disturbed(part, "shadow", 0.3)[..., 0].astype(float) / part[..., 0] < 0.6
    assert dark.mean() == pytest.approx(0.3, abs=0.02)
    truth = np.zeros((320, 480), bool)
    truth[130:190, 210:270] = True
    model = segmenter()
    mask = own.answer(model, model.embed(part), 240, 160)
    assert own.compared(truth, mask).iou > 0.9
    assert own.picture(part, truth, mask, 2).shape == (640, 960, 3)


def test_what_is_left_of_an_answer() -> None:
    clear, now = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    assert own.compared(clear, now) == own.Kept(1.0, 1.0)
    clear[:5], now[2:7] = True, True
    assert own.compared(clear, now) == own.Kept(pytest.approx(3 / 7), pytest.approx(1.0))
    assert own.compared(clear, ~clear | clear).area_share == pytest.approx(2)
    assert own.compared(np.zeros((10, 10), bool), now).area_share == 0


# -- borders ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "metres"), [("car", 0.6), ("roof", -1.0), ("roof", 1.5)])
def test_areas_with_a_moved_border_are_those_of_a_buffer(kind: str, metres: float) -> None:
    thing = borders.object_of(kind)
    side = thing.gsd
    squares = [box(x, y, x + 1, y + 1) for y, x in zip(*np.nonzero(thing.truth[::2, ::2]))]
    shape = unary_union(squares)
    expected = shape.buffer(metres / (2 * side)).area / shape.area
    assert borders.share_of_area(kind, metres) == pytest.approx(expected, rel=0.02)


def test_a_border_at_its_place_changes_nothing() -> None:
    for kind in borders.KINDS:
        assert borders.share_of_area(kind, 0.0) == pytest.approx(1, abs=0.001)
        assert borders.picture(kind, 0.6).shape == (320, 320, 3)


def test_the_same_border_matters_more_for_what_is_small() -> None:
    car, house, field = (borders.share_of_area(kind, 0.6) - 1 for kind in borders.KINDS)
    assert car > 3 * house > 3 * field > 0
    assert borders.share_of_area("car", -2.0) == 0


def test_true_areas_come_from_the_truth() -> None:
    subject = hiding.place()
    sizes = np.bincount(subject.labels.ravel()) * subject.gsd**2
    assert any(np.isclose(sizes, borders.object_of("roof").area))
    assert 2 < borders.object_of("car").area < 14
    assert borders.object_of("field").area > 5000


def test_the_model_errs_more_on_coarse_pixels() -> None:
    fine, coarse = (borders.asked(segmenter(), gsd) for gsd in (0.3, 2.0))
    assert abs(fine["share"] - 1) < 0.1 < abs(coarse["share"] - 1)
    mean = np.mean([house.truth.sum() for house in hiding.houses()])
    assert fine["pixels"] == pytest.approx(mean)
    assert coarse["pixels"] == pytest.approx(mean * (0.3 / 2) ** 2, rel=0.02)


# -- training places ----------------------------------------------------------------------------
def test_the_learner_is_a_weighted_least_squares_line() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) * [1, 5, 0.2] + [0, 3, -1]
    is_roof = x[:, 0] + 0.1 * x[:, 1] > 0.8
    learner = learnt.fit(x.astype(np.float32), is_roof)
    z = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(len(x))])
    root = np.sqrt(np.where(is_roof, 0.5 / is_roof.mean(), 0.5 / (1 - is_roof.mean())))
    # Ridge regression as plain least squares with rows that pull weights to zero.
    pull = np.sqrt(0.01 * len(x)) * np.eye(4)
    rows = np.vstack([z * root[:, None], pull])
    wanted = np.concatenate([np.where(is_roof, 1, -1) * root, np.zeros(4)])
    weights = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    np.testing.assert_allclose(learner.weights, weights, atol=1e-3)
    assert ((learner.score(x.astype(np.float32)) > 0) == is_roof).mean() > 0.9


def test_nothing_is_learnt_from_the_half_for_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    model = segmenter()
    real = learnt.taught(model, ["village"])
    seen = learnt.seen(model, "village")
    half = seen.features.shape[1] // 2
    features, share = seen.features.copy(), seen.share.copy()
    features[:, half:], share[:, half:] = 0, 1
    monkeypatch.setitem(learnt._seen, "village", learnt.Seen(features, share))
    np.testing.assert_array_equal(real.weights, learnt.taught(model, ["village"]).weights)


def test_what_was_never_seen_is_missed() -> None:
    trials = learnt.trials(segmenter(), ["estate"])
    for place, trial in trials.items():
        truth = np.isin(learnt.subject(place).labels, learnt.subject(place).numbers("roof"))
        truth = truth[:, 200:]
        both, either = (truth & trial.mask).sum(), (truth | trial.mask).sum()
        assert trial.iou == pytest.approx(both / either)
    assert trials["informal"].iou < 0.5 * trials["estate"].iou
    assert learnt.picture("informal", trials["informal"]).shape == (480, 400, 3)


def test_two_places_are_enough_if_they_differ() -> None:
    good = []
    for pair in combinations(learnt.PLACES, 2):
        ious = {place: t.iou for place, t in learnt.trials(segmenter(), pair).items()}
        if CHECK["taught"].is_done({"places": list(pair), "ious": ious}):
            good.append(pair)
            assert all(iou > EVERYWHERE for iou in ious.values())
    assert 1 <= len(good) < 4
    everywhere = learnt.trials(segmenter(), learnt.PLACES)
    ious = {place: trial.iou for place, trial in everywhere.items()}
    assert not CHECK["taught"].is_done({"places": list(learnt.PLACES), "ious": ious})
    assert not CHECK["taught"].is_done({"places": [], "ious": {}})


# -- sentences ----------------------------------------------------------------------------------
def test_sentences_speak_of_what_is_in_the_picture() -> None:
    subject = hiding.place()
    kinds = np.array([subject.kinds.get(n, "") for n in range(subject.labels.max() + 1)])
    at = kinds[subject.labels]
    assert claims.roof_area() == pytest.approx((at == "roof").sum() * 0.3**2)
    assert claims.cars() == len(np.unique(subject.labels[at == "car"]))
    said = {claim.key: claim.text() for claim in claims.CLAIMS}
    assert str(claims.cars()) in said["cars"]
    area, permit = numbers(said["permit"])
    assert area > permit == round(0.95 * claims.house_area())
    assert (at == "pool").any()
    # The permit is exceeded by hardly more than a border that is half a pixel off.
    assert 0.02 < claims.half_pixel() < 0.08


def test_sorting() -> None:
    answers = {claim.key: claim.verdict for claim in claims.CLAIMS}
    assert claims.right(answers) == 6
    assert CHECK["sorted"].is_done({"right": 6})
    wrong = answers | {"away": "hint"}
    assert claims.right(wrong) == 5
    assert not CHECK["sorted"].is_done({"right": claims.right(wrong)})
    assert claims.right({}) == 0
    assert {claim.verdict for claim in claims.CLAIMS} == set(claims.VERDICTS)
    assert all(claim.reason() for claim in claims.CLAIMS)


# -- worksheet ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def tasks() -> tuple[Task, ...]:
    return LESSON.worksheet()


def test_the_answers_of_the_worksheet(tasks: tuple[Task, ...]) -> None:
    covered, hazy, border, places, sentences = tasks
    true, area = numbers(covered.question)
    assert true == pytest.approx(sum(h.truth.sum() for h in hiding.houses()) * 0.09, abs=0.5)
    assert area == pytest.approx(sum(m.sum() for m in found("trees", 0.4).masks) * 0.09, abs=0.5)
    assert numbers(covered.answer)[0] == pytest.approx(100 * (true - area) / true, abs=0.6)
    clear, haze, iou = numbers(hazy.question)
    assert numbers(hazy.answer)[0] == 100 - haze
    assert iou < clear
    side, _, gsd = numbers(border.question)[:3]
    by_hand = 100 * ((side + 2 * gsd) ** 2 - side**2) / side**2
    share, more_car, more_field = numbers(border.answer)[-3:]
    assert share == pytest.approx(by_hand, abs=0.06)
    assert more_car > share > more_field
    home, away = numbers(places.question)
    assert home > 2 * away
    assert numbers(places.answer)[0] > 2 * away
    assert sentences.answer.count(";") == 5
    assert "(c) Only an indication" in sentences.answer
    assert [t.picture is not None for t in tasks] == [True, True, False, True, True]


def test_the_cover() -> None:
    cover = LESSON.cover()
    assert cover.shape == (240, 400, 3)
    clear, shadow, haze = (cover[:, i * 100 + 10 : i * 100 + 90].mean() for i in range(3))
    assert shadow < clear < haze
