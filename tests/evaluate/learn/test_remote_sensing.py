"""Lesson 1: pixels, bands and slant against means, formulas and drawn shapes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rsam_core.evaluate.learn.lessons import remote_sensing_bands as bands
from rsam_core.evaluate.learn.lessons import remote_sensing_scale as scale
from rsam_core.evaluate.learn.lessons import remote_sensing_view as view
from rsam_core.evaluate.learn.lessons.remote_sensing import LESSON
from rsam_core.evaluate.learn.subject import Subject, place_subject

CHECK = {check.key: check for check in LESSON.checks}


def blocks(array: np.ndarray, side: int) -> np.ndarray:
    """An array cut into squares: (rows, columns, side * side, ...)."""
    h, w = array.shape[0] // side, array.shape[1] // side
    cut = array.reshape(h, side, w, side, *array.shape[2:]).swapaxes(1, 2)
    return cut.reshape(h, w, side * side, *array.shape[2:])


# -- the size of a pixel ------------------------------------------------------------------------
def test_a_pixel_is_the_mean_of_its_ground() -> None:
    mean = blocks(scale.place().image.astype(float), 10).mean(2)
    np.testing.assert_allclose(scale.sensed(3.0), mean, atol=0.51)


@pytest.mark.parametrize("kind", ["roof", "car"])
def test_an_object_has_a_pixel_of_its_own_where_all_of_a_square_is_its(kind: str) -> None:
    subject = scale.place()
    squares = blocks(subject.labels, 10)
    pure = np.unique(squares[(squares == squares[:, :, :1]).all(2)][:, 0])
    numbers = [n for n, k in subject.kinds.items() if k == kind]
    share = np.isin(numbers, pure).mean()
    assert scale.own_pixels(3.0)[kind] == pytest.approx(share)
    assert scale.own_pixels(0.3)[kind] == 1


def test_streets_count_by_their_area() -> None:
    subject = scale.place()
    road = np.isin(subject.labels, [n for n, k in subject.kinds.items() if k == "road"])
    share = blocks(road, 10).all(2).sum() * 100 / road.sum()
    assert scale.own_pixels(3.0)["road"] == pytest.approx(share)


def test_things_vanish_one_after_the_other() -> None:
    for kind in scale.KINDS:
        shares = [scale.own_pixels(gsd)[kind] for gsd in scale.STEPS]
        assert shares == sorted(shares)
        step = scale.coarsest(kind)
        assert scale.own_pixels(step)[kind] >= 0.5
        before = scale.STEPS[scale.STEPS.index(step) - 1]
        assert scale.own_pixels(before)[kind] < 0.5
    assert scale.coarsest("roof") > scale.coarsest("car")


def test_breadth_is_that_of_what_was_drawn() -> None:
    # Cars are laid out 1.6 to 2.1 m wide; half a pixel on each side is rounding.
    assert scale.breadth("car") == pytest.approx(1.85, abs=0.3)


def test_the_closeup_shows_the_pixels_of_the_whole() -> None:
    corner = scale.corner_around(50.0, 40.0)
    part, whole = scale.closeup(corner, 3.0), scale.sensed(3.0)
    for x, y in ((0, 0), (100, 47), (359, 179)):
        metres = corner[0] + (x + 0.5) * 0.1, corner[1] + (y + 0.5) * 0.1
        np.testing.assert_array_equal(part[y, x], whole[int(metres[1] // 3), int(metres[0] // 3)])


@pytest.mark.parametrize("at", [(0, 0), (180, 90), (-5, 45), (91, 44)])
def test_the_closeup_stays_inside(at: tuple[float, float]) -> None:
    left, top = scale.corner_around(*at)
    assert 0 <= left <= 180 - 36
    assert 0 <= top <= 90 - 18
    assert scale.closeup((left, top), 0.1).shape == (180, 360, 3)


# -- near infrared ------------------------------------------------------------------------------
def drawn(own: bool = True) -> Subject:
    """A lawn beside a painted court: the same green, another near infrared."""
    stored = np.zeros((20, 40, 4), np.float32)
    stored[..., :3] = (90, 120, 80)
    stored[:, :20, 3], stored[:, 20:, 3] = 180, 90
    return Subject(
        "drawn", "drawn", stored[..., :3].astype(np.uint8), 0.5, bands=stored, red=0, green=1,
        blue=2, nir=3, own=own,
    )  # fmt: skip


def test_near_infrared_tells_lawn_from_paint() -> None:
    lawn, court = (bands.spectrum(drawn(), x, 10) for x in (10, 30))
    assert lawn.ndvi == pytest.approx((180 - 90) / (180 + 90))
    assert court.ndvi == pytest.approx(0)
    assert lawn.looks_green
    assert court.looks_green
    assert court.only_paint
    assert not lawn.only_paint
    assert lawn.shares == pytest.approx(
        {"blue": 80 / 180, "green": 120 / 180, "red": 0.5, "nir": 1.0}
    )


def test_planted_area_is_the_lawn() -> None:
    mask = bands.planted(drawn(), 0.2)
    assert mask[:, :20].all()
    assert not mask[:, 20:].any()
    shown = bands.marked(drawn().image, mask)
    assert (shown[0, 0] == drawn().image[0, 0]).all()
    assert len(set(shown[0, 30])) == 1


def test_leaves_are_red_in_colour_infrared_and_green_as_index() -> None:
    infrared, plants = (bands.picture(drawn(), view_) for view_ in ("infrared", "ndvi"))
    assert infrared[0, 0, 0] > infrared[0, 30, 0]
    assert plants[0, 0, 1] > plants[0, 0, 0]
    assert plants[0, 30, 0] > 200


@pytest.mark.parametrize("at", [(0, 0), (39.9, 19.9), (40, 20)])
def test_a_spectrum_at_the_edge(at: tuple[float, float]) -> None:
    assert np.isfinite(bands.spectrum(drawn(), *at).ndvi)


def test_an_image_without_infrared_gives_way_to_the_campus() -> None:
    plain = Subject("plain", "plain", np.zeros((9, 9, 3), np.uint8), own=True)
    assert bands.subject_for(plain).key == "place-campus"
    assert bands.subject_for(None).key == "place-campus"
    own = drawn()
    assert bands.subject_for(own) is own


# -- sun and slant ------------------------------------------------------------------------------
@pytest.mark.parametrize("lean", [-25.0, -8.0, 5.0, 20.0])
def test_the_roof_is_shown_where_the_formula_says(lean: float) -> None:
    roof = view.photo(50.0, lean).roof
    moved = view.TOWER_HEIGHT * np.tan(np.deg2rad(lean))
    rows, columns = np.nonzero(roof)
    assert columns.min() * view.GSD == pytest.approx(view.TOWER[0] + moved, abs=0.41)
    assert (columns.max() + 1) * view.GSD == pytest.approx(view.TOWER[2] + moved, abs=0.41)
    assert rows.min() * view.GSD == pytest.approx(view.TOWER[1], abs=0.21)
    wide = view.TOWER[2] - view.TOWER[0]
    common = max(wide - abs(moved), 0)
    assert view.roof_iou(lean) == pytest.approx(common / (2 * wide - common), abs=0.03)


def test_the_roof_leaves_its_footprint_where_it_should() -> None:
    assert view.roof_iou(0) == 1
    turning = np.rad2deg(np.arctan(12 / 36))  # 18.4 degrees
    assert view.roof_iou(np.ceil(turning) + 1) == 0 < view.roof_iou(np.floor(turning) - 1)


@pytest.mark.parametrize("lean", [-15.0, 15.0])
def test_ground_behind_the_tower_is_hidden(lean: float) -> None:
    unseen = view.hidden(lean)
    reach = 36 * np.tan(np.deg2rad(15))
    start = 56 if lean > 0 else 44 - reach
    behind = unseen[round(22.4 / 0.2) : round(37.6 / 0.2)]
    behind = behind[:, round(start / 0.2) + 2 : round((start + reach) / 0.2) - 3]
    assert behind.mean() > 0.98
    assert not unseen[round(22 / 0.2) : round(38 / 0.2), round(45 / 0.2) : round(55 / 0.2)].any()
    assert view.hidden_ground(lean) > reach * 16 * 0.95


def test_straight_down_nothing_is_hidden() -> None:
    assert view.hidden_ground(0) == 0
    np.testing.assert_array_equal(view.photo(50.0, 0.0).image, view.orthophoto(50.0, 0.0))


def test_an_orthophoto_leaves_everything_in_its_place() -> None:
    straight, aslant = (view.orthophoto(50.0, lean) for lean in (0.0, 20.0))
    seen = ~view.hidden(20.0)
    np.testing.assert_array_equal(straight[seen], aslant[seen])
    assert view.roof_iou(20.0, orthophoto=True) == 1


def test_the_shadow_ends_where_the_formula_says() -> None:
    elevation = 70.0
    length = 36 / np.tan(np.deg2rad(elevation))
    assert view.shadow_length(36, elevation) == pytest.approx(length)
    light = view.lit(elevation).mean(2)
    sun = view.sun_at(elevation)
    away = -np.array([np.cos(sun.azimuth), np.sin(sun.azimuth)])

    def brightness(distance: float) -> float:
        # Behind the lower right corner, a metre inside the shadow's edge.
        x, y = np.array([55.0, 37.0]) + away * distance
        return float(light[round(y / 0.2) - 2 : round(y / 0.2) + 2, round(x / 0.2)].mean())

    assert brightness(length - 1.5) < 0.75 * brightness(length + 2.5)


# -- checks and worksheet -----------------------------------------------------------------------
def test_marks_are_done_when_each_is_near_enough() -> None:
    near = dict.fromkeys(scale.KINDS, 1)
    marks = dict.fromkeys(scale.KINDS, 1.0)
    assert CHECK["marks"].is_done({"marks": marks, "off": near})
    assert not CHECK["marks"].is_done({"marks": marks, "off": near | {"car": 2}})
    assert not CHECK["marks"].is_done({"marks": {"car": 1.0}, "off": {"car": 0}})
    assert not CHECK["marks"].is_done({})


def test_every_check_can_be_done() -> None:
    off = {kind: scale.steps_between(scale.coarsest(kind), scale.coarsest(kind))
           for kind in scale.KINDS}  # fmt: skip
    assert CHECK["marks"].is_done({"marks": dict.fromkeys(scale.KINDS, 1.0), "off": off})
    court = bands.spectrum(place_subject("campus"), 284, 25)
    assert CHECK["paint"].is_done({"only_paint": court.only_paint})
    lawn = bands.spectrum(place_subject("campus"), 124, 60)
    assert not CHECK["paint"].is_done({"only_paint": lawn.only_paint})
    assert CHECK["beside"].is_done({"roof_iou": view.roof_iou(view.LEAN)})
    assert not CHECK["beside"].is_done({"roof_iou": view.roof_iou(10)})


def numbers(text: str) -> list[float]:
    return [
        float(n.replace(",", "").replace("−", "-")) for n in re.findall(r"-?\d[\d,]*\.?\d*", text)
    ]


def test_the_answers_of_the_worksheet() -> None:
    sizes, amounts, plants, shadow, lean = LESSON.worksheet()
    gsd, house, car, fine = numbers(sizes.question)
    assert numbers(sizes.answer)[1:3] == [round(house / gsd, 1), round(car / gsd, 1)]
    assert numbers(sizes.answer)[4:6] == pytest.approx([house / fine, car / fine], abs=0.6)
    assert numbers(amounts.answer)[:3] == [180 * 90, 1800 * 900, 100]
    red_a, nir_a, red_b, nir_b = numbers(plants.question)
    stored = place_subject("campus").bands
    assert stored[59:62, 123:126, 0].mean() == pytest.approx(red_a, abs=0.051)
    assert stored[24:27, 283:286, 3].mean() == pytest.approx(nir_b, abs=0.051)
    by_hand = [(nir_a - red_a) / (nir_a + red_a), (nir_b - red_b) / (nir_b + red_b)]
    assert numbers(plants.answer) == pytest.approx(by_hand, abs=0.0051)
    sun, length = numbers(shadow.question)
    assert numbers(shadow.answer)[-1] == pytest.approx(length * np.tan(np.deg2rad(sun)), abs=0.6)
    angle, height, wide = numbers(lean.question)
    moved = height * np.tan(np.deg2rad(angle))
    assert numbers(lean.answer)[2] == pytest.approx(moved, abs=0.051)
    # "m²" ends with a figure of its own, so that the area stands where it is looked for.
    assert round(moved * wide) in numbers(lean.answer)


def test_the_cover() -> None:
    cover = LESSON.cover()
    assert cover.shape == (240, 400, 3)
    assert cover.dtype == np.uint8
    # Coarse on the left, fine on the right.
    left, right = (np.abs(np.diff(part.astype(int), axis=1)).mean() for part in (
        cover[:, :70], cover[:, -70:]))  # fmt: skip
    assert right > 2 * left
