"""Lesson 8, From pixels to square metres: pixel size, map projections, staircases."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import square_metres_maps as maps
from rsam_core.evaluate.learn.lessons import square_metres_pixels as pixels
from rsam_core.evaluate.learn.lessons import square_metres_stairs as stairs
from rsam_core.runtime.language import N_, _, number, percent

EXPERIMENTS = {
    "pixels": N_("Size of a pixel"),
    "maps": N_("Map projections"),
    "stairs": N_("Length of a staircase"),
}
"""The parts of the lesson, in order."""

CHECKS = (
    Check(
        "double",
        N_("Size of a pixel: the file states a wrong pixel size. Find the error that doubles the "
           "area."),
        lambda r: r["error"] > 0.2 and 1.9 <= r["area_ratio"] <= 2.1,
        N_("Not 100 %: length and width both grow with the pixel size. Try the square root of 2."),
    ),
    Check(
        "four",
        N_("Map projections: at which latitude does web Mercator show the pitch four times as "
           "large as it is?"),
        lambda r: r["projection"] == "mercator" and 3.9 <= r["map_ratio"] <= 4.1,
        N_("Look between Paris (49° north) and Helsinki (60° north)."),
    ),
    Check(
        "stairs",
        N_("Length of a staircase: turn the square until its pixel edges are over 35 % too long. "
           "Then take pixels of 0.5 m or less: does it help?"),
        lambda r: r["edges_error"] > 0.35 and r["pixel"] <= 0.5,
        N_("The staircase is longest half-way between two directions of the grid."),
    ),
)  # fmt: skip
_PAPER_STEP = 10
_PAPER_ERROR = 0.1
_PAPER_LATITUDES = (0, 45, 65)
_PAPER_ANGLE, _PAPER_PIXEL = 45, 1.0


def worksheet() -> tuple[Task, ...]:
    """Questions on a house in pixels, a wrong pixel size, web Mercator and a staircase."""
    house = pixels.first_object()
    seen = pixels.counted(house, _PAPER_STEP)
    wrong = pixels.counted(house, _PAPER_STEP, _PAPER_ERROR)
    pitches = [maps.on_map("mercator", latitude) for latitude in _PAPER_LATITUDES]
    outline = stairs.perimeters(_PAPER_ANGLE, _PAPER_PIXEL)
    return (
        Task(
            _("Each square is a pixel of {side} m. Count the green ones. How many square metres "
              "are they, and by how much do they differ from the true {true} m²?").format(
                side=number(seen.gsd, 1), true=number(seen.true_area, 1)),
            _("{count} pixels of {side} m × {side} m are {area} m²: {error} of the true area.")
            .format(
                count=number(seen.count), side=number(seen.gsd, 1), area=number(seen.area, 1),
                error=percent(seen.ratio, 1)),
            _enlarged(pixels.close_up(house, _PAPER_STEP), 2),
            _("A house in coarse pixels, those on it green, and its true outline in yellow."),
        ),
        Task(
            _("The file says by mistake that a pixel is {wrong} m wide, not {side} m. How large "
              "does the house seem now? By how many percent did its area grow?").format(
                wrong=number(wrong.stated, 2), side=number(seen.gsd, 2)),
            _("{count} × {wrong} m × {wrong} m = {area} m². That is {growth} more, because length "
              "and width both count.").format(
                count=number(wrong.count), wrong=number(wrong.stated, 2),
                area=number(wrong.area, 1), growth=percent(wrong.area / seen.area - 1)),
        ),
        Task(
            _("On a web Mercator map a football pitch of {true} m² seems to have {first} m² at "
              "the equator, {second} m² at 45° and {third} m² at 65°. How many times too large "
              "is it each time?").format(
                true=number(pitches[0].ground_area),
                **{name: number(pitch.map_area)
                   for name, pitch in zip(("first", "second", "third"), pitches)}),
            _("{first}, {second} and {third} times. Close to 1 / (cos of the latitude)².").format(
                **{name: number(pitch.ratio, 2)
                   for name, pitch in zip(("first", "second", "third"), pitches)}),
            maps.picture("mercator", _PAPER_LATITUDES[2]),
            _("A football pitch at 65° north on a web Mercator map; a line every 100 map metres."),
        ),
        Task(
            _("A square with sides of {side} m is turned by {angle}° and drawn with pixels of "
              "{pixel} m. Its staircase has {edges} edges. How long is it, and how long is the "
              "true outline?").format(
                side=number(stairs.SIDE), angle=number(_PAPER_ANGLE),
                pixel=number(_PAPER_PIXEL), edges=number(outline.edges / _PAPER_PIXEL)),
            _("The staircase is {edges} m long, the outline 4 × {side} m = {true} m: {error} too "
              "much, however small the pixels are. RSAM estimates {measured} m.").format(
                edges=number(outline.edges), side=number(stairs.SIDE), true=number(outline.true),
                error=percent(outline.edges_error), measured=number(outline.measured, 1)),
            stairs.picture(_PAPER_ANGLE, _PAPER_PIXEL),
            _("A turned square in blue, and the staircase of pixel edges around it in orange."),
        ),
    )  # fmt: skip


def _enlarged(image: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    return np.repeat(np.repeat(image, times, 0), times, 1)


def cover() -> NDArray[np.uint8]:
    """The pitch at the equator, at 45° and at 65° in web Mercator, side by side."""
    shown = np.full((240, 400, 3), (238, 236, 226), np.uint8)
    left = 8
    for latitude in _PAPER_LATITUDES:
        picture = maps.picture("mercator", latitude)
        rows, columns = np.nonzero(maps.on_map("mercator", latitude).mask)
        part = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        part = cv2.resize(part, None, fx=0.53, fy=0.53, interpolation=cv2.INTER_AREA)
        height, width = part.shape[:2]
        top = (240 - height) // 2
        shown[top : top + height, left : left + width] = part
        left += width + 10
    return shown


LESSON = Lesson(
    key="square_metres",
    number=8,
    title=N_("From pixels to square metres"),
    question=N_("How large is it really, and what has to be known to say so?"),
    minutes=9,
    checks=CHECKS,
    simplifies=(
        N_("Pixels are taken to be square and all alike. In a slanting photograph those far away "
           "show more ground than those nearby."),
        N_("The ground is taken to be flat. A slope has more surface than its map."),
        N_("Here the outline of each object is known. In practice most of the error comes from "
           "outlines that are off."),
    ),
    plan=Plan(
        goals=(
            N_("Turn a number of pixels into square metres, by the ground sample distance."),
            N_("Say why areas must not be measured on a web Mercator map."),
            N_("Say why the edges of pixels are too long an outline, and that smaller pixels do "
               "not mend it."),
        ),
        steps=(
            Step(5, N_("How large is our school yard? Estimate, and say what you would need to "
                       "measure it in a picture from above.")),
            Step(10, N_("Size of a pixel: pupils choose objects, and find the pixel size at which "
                        "a car disappears.")),
            Step(10, N_("Map projections: from the equator to the north, then the same with the "
                        "other two maps.")),
            Step(10, N_("Length of a staircase, and the three checks.")),
            Step(10, N_("Worksheet, and talk.")),
        ),
        talk=(
            N_("Which map would you take to compare forests in Norway and in Kenya, and which one "
               "to find your way?"),
            N_("A fence is ordered by the length of an outline in pixels. Who pays for the "
               "staircase?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
