"""Lesson 8: areas, map projections and staircases against formulas and peers; its answers."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from skimage.measure import perimeter_crofton

from rsam_core.evaluate.learn.lesson import Task
from rsam_core.evaluate.learn.lessons import square_metres_maps as maps
from rsam_core.evaluate.learn.lessons import square_metres_pixels as pixels
from rsam_core.evaluate.learn.lessons import square_metres_stairs as stairs
from rsam_core.evaluate.learn.lessons.square_metres import LESSON

CHECKS = {check.key: check for check in LESSON.checks}
A, F = 6378137.0, 1 / 298.257223563
E2 = F * (2 - F)


def mercator_ratio(latitude: float) -> float:
    """How many times too large web Mercator shows a small area, by its formula."""
    phi = math.radians(latitude)
    w = 1 - E2 * math.sin(phi) ** 2
    normal, meridian = A / math.sqrt(w), A * (1 - E2) / w**1.5
    return (A / (normal * math.cos(phi))) * (A / (meridian * math.cos(phi)))


def coarse_pixels(number: int, step: int) -> int:
    """Pixels of which at least half is the object, counted one by one."""
    true = pixels.subject().labels == number
    rows, columns = (side // step for side in true.shape)
    return sum(
        2 * np.count_nonzero(true[r * step : (r + 1) * step, c * step : (c + 1) * step])
        >= step * step
        for r in range(rows)
        for c in range(columns)
    )


def staircase(angle: float, pixel: float) -> float:
    """Length of the pixel edges around the turned square, a pixel at a time."""
    mask = stairs.square(angle, pixel)
    filled = {(int(r), int(c)) for r, c in np.argwhere(mask)}
    sides = ((0, 1), (0, -1), (1, 0), (-1, 0))
    return pixel * sum((r + i, c + j) not in filled for r, c in filled for i, j in sides)


@pytest.mark.parametrize("step", [1, 5, 10, 50])
def test_area_of_a_house_is_its_pixels_times_their_area(step: int) -> None:
    house = pixels.first_object()
    seen = pixels.counted(house, step)
    count = coarse_pixels(house, step)
    assert seen.count == count == np.count_nonzero(seen.mask)
    assert seen.area == pytest.approx(count * (step * 0.1) ** 2)
    true = np.count_nonzero(pixels.subject().labels == house) * 0.01
    assert seen.ratio == pytest.approx(seen.area / true)


def test_an_error_of_the_stated_pixel_size_counts_twice() -> None:
    house = pixels.first_object()
    right, wrong = pixels.counted(house, 10), pixels.counted(house, 10, 0.41)
    assert wrong.area / right.area == pytest.approx(1.41**2)
    assert wrong.count == right.count


def test_a_car_vanishes_in_large_pixels_and_has_no_area_then() -> None:
    car = pixels.subject().numbers("car")[-1]
    seen = pixels.counted(car, 50)
    assert (seen.count, seen.area) == (0, 0.0)
    assert pixels.picture(car, 50).shape == pixels.subject().image.shape


def test_a_click_finds_the_object_and_nothing_on_a_street() -> None:
    subject = pixels.subject()
    for number in (pixels.first_object(), subject.numbers("road")[0]):
        row, column = np.argwhere(subject.labels == number)[0]
        found = pixels.object_at(column + 0.5, row + 0.5)
        assert found == (number if subject.kinds[number] != "road" else None)


@pytest.mark.parametrize("latitude", [0, 45, 60, 65, 70])
def test_web_mercator_makes_areas_too_large_by_its_formula(latitude: int) -> None:
    seen = maps.on_map("mercator", latitude)
    assert seen.ground_area == pytest.approx(105 * 68, rel=1e-6)
    assert seen.ratio == pytest.approx(mercator_ratio(latitude), rel=1e-4)
    # The metre of both directions together is the root of what the area shrinks by.
    assert seen.metre == pytest.approx(mercator_ratio(latitude) ** -0.5, rel=1e-4)


@pytest.mark.parametrize("latitude", [0, 45, 65])
@pytest.mark.parametrize("projection", list(maps.PROJECTIONS))
def test_rsam_measures_the_ground_whatever_the_map(projection: str, latitude: int) -> None:
    seen = maps.on_map(projection, latitude)
    assert seen.measured == pytest.approx(105 * 68, rel=0.015)  # whole pixels at the border
    if projection != "mercator":
        assert seen.ratio == pytest.approx({"utm": 0.9996**2, "equal": 1.0}[projection], rel=1e-6)


def test_the_pitch_is_drawn_where_its_mask_is() -> None:
    picture = maps.picture("mercator", 45).astype(int)
    green = (picture[..., 1] - picture[..., 0] > 30) & (picture[..., 1] - picture[..., 2] > 40)
    mask = maps.on_map("mercator", 45).mask
    assert np.count_nonzero(green & mask) / mask.sum() > 0.85  # the rest are white lines
    assert maps.on_map("equal", 65).mask.any(1).sum() < maps.on_map("equal", 0).mask.any(1).sum()


@pytest.mark.parametrize(("angle", "pixel"), [(0, 1.0), (10, 0.5), (45, 0.25), (30, 2.0)])
def test_staircase_against_counting_by_hand_and_a_peer(angle: int, pixel: float) -> None:
    seen = stairs.perimeters(angle, pixel)
    assert seen.true == 80
    assert seen.edges == pytest.approx(staircase(angle, pixel))
    peer = perimeter_crofton(np.pad(stairs.square(angle, pixel), 2), directions=4) * pixel
    assert seen.measured == pytest.approx(peer, rel=1e-6)
    # However small pixels are, each side is walked along both axes.
    turn = math.radians(angle)
    assert seen.edges == pytest.approx(80 * (math.cos(turn) + math.sin(turn)), abs=8 * pixel)


def test_the_staircase_is_drawn_along_the_edges() -> None:
    steps = stairs._steps(stairs.square(20, 1.0))
    assert len(steps) == staircase(20, 1.0)
    assert all(abs(x1 - x0) + abs(y1 - y0) == 1 for x0, y0, x1, y1 in steps)


def test_checks_are_done_by_the_right_answers_only() -> None:
    house = pixels.first_object()
    areas = {error: pixels.counted(house, 10, error / 100).ratio for error in (0, 20, 41, 100)}
    double = [
        error
        for error, ratio in areas.items()
        if CHECKS["double"].is_done({"error": error / 100, "area_ratio": ratio})
    ]
    assert double == [41]
    four = [
        latitude
        for latitude in range(maps.LATITUDES[0], maps.LATITUDES[1] + 1)
        if CHECKS["four"].is_done(
            {
                "projection": "mercator",
                "map_ratio": maps.on_map("mercator", latitude).ratio,
            }
        )
    ]
    assert four == [n for n in range(71) if abs(mercator_ratio(n) - 4) < 0.1] != []
    done = CHECKS["stairs"].is_done
    assert done({"edges_error": staircase(45, 0.25) / 80 - 1, "pixel": 0.25})
    assert not done({"edges_error": staircase(45, 2.0) / 80 - 1, "pixel": 2.0})
    assert not done({"edges_error": staircase(10, 0.25) / 80 - 1, "pixel": 0.25})
    assert not any(check.is_done({"experiment": "pixels"}) for check in LESSON.checks)


def numbers(text: str) -> list[float]:
    """All numbers of an English text."""
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def test_worksheet_answers_hold() -> None:
    tasks: tuple[Task, ...] = LESSON.worksheet()
    house = pixels.first_object()
    count = coarse_pixels(house, 10)
    true = np.count_nonzero(pixels.subject().labels == house) / 100
    assert numbers(tasks[0].answer)[0] == count
    assert numbers(tasks[0].answer)[3] == count
    assert numbers(tasks[0].answer)[-1] == pytest.approx(100 * count / true, abs=0.06)
    assert numbers(tasks[1].answer)[3] == pytest.approx(count * 1.21, abs=0.06)
    assert numbers(tasks[1].answer)[4] == 21
    assert numbers(tasks[2].answer)[:3] == pytest.approx(
        [mercator_ratio(latitude) for latitude in (0, 45, 65)], abs=0.006
    )
    length = staircase(45, 1.0)
    assert numbers(tasks[3].answer)[0] == length
    assert numbers(tasks[3].answer)[4] == pytest.approx(100 * (length / 80 - 1), abs=0.5)
    assert all(task.caption for task in tasks if task.picture is not None)


def test_cover_and_plan() -> None:
    cover = LESSON.cover()
    assert cover.shape == (240, 400, 3)
    assert cover.dtype == np.uint8
    assert np.ptp(cover) > 100
    assert len(LESSON.checks) == 3
    assert 30 <= LESSON.plan.minutes <= 60
