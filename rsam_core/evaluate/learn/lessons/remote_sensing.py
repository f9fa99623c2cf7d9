"""Lesson 1, What is remote sensing? The size of a pixel, near infrared, sun and slant."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import remote_sensing_bands as bands
from rsam_core.evaluate.learn.lessons import remote_sensing_scale as scale
from rsam_core.evaluate.learn.lessons import remote_sensing_view as view
from rsam_core.runtime.language import N_, _, number, percent

CHECKS = (
    Check(
        "marks",
        N_("Size of a pixel: start at 30 m. Make the pixels smaller and press a button when you "
           "first see streets, houses, cars: each at most one step from what the pixels allow."),
        lambda r: len(r["marks"]) == len(scale.KINDS) and max(r["off"].values()) <= 1,
        N_("The bars show how many have a pixel of their own. Half of them is the step that is "
           "looked for."),
    ),
    Check(
        "paint",
        N_("More than eyes see: click on something that is green to the eye and yet no living "
           "plant."),
        lambda r: bool(r["only_paint"]),
        N_("Leaves throw back near infrared, paint does not: look for green that is not red in "
           "colour infrared. People play there."),
    ),
    Check(
        "beside",
        N_("Sun and slant: tilt the camera until the tower's roof lies wholly beside its footprint "
           "(IoU 0 %)."),
        lambda r: r["roof_iou"] == 0,
        N_("The roof moves by height · tan(angle); the tower is 12 m wide."),
    ),
)  # fmt: skip

_LAWN, _COURT = (124.0, 60.0), (284.0, 25.0)
"""Places in the campus: a lawn, and a tennis court that is painted green."""
_ELEVATION, _SLANT = 60.0, 15.0


def worksheet() -> tuple[Task, ...]:
    """Questions on pixels, bands, shadow and slant, with answers computed from the pictures."""
    return (_sizes(), _amounts(), _plants(), _shadow(), _lean())


def _sizes() -> Task:
    gsd = 3.0
    house, car = scale.breadth("roof"), scale.breadth("car")
    return Task(
        _("The picture has pixels of {gsd} m. A house here is about {house} m wide, a car {car} m. "
          "How many pixels is each across, here and at 0.3 m a pixel?").format(
            gsd=number(gsd), house=number(house, 1), car=number(car, 1)),
        _("At {gsd} m: house {house}, car {car}. At 0.3 m: house {fine_house}, car {fine_car}. "
          "At {gsd} m a pixel {share} of the cars have a pixel of their own.").format(
            gsd=number(gsd), house=number(house / gsd, 1), car=number(car / gsd, 1),
            fine_house=number(house / 0.3), fine_car=number(car / 0.3),
            share=percent(scale.own_pixels(gsd)["car"])),
        scale.whole(gsd),
        _("Streets and houses as coarse squares."),
    )  # fmt: skip


def _amounts() -> Task:
    width, height = scale.EXTENT
    (a, b), (c, d) = scale.size_at(1.0), scale.size_at(0.1)
    return Task(
        _("A place is {width} m by {height} m. How many pixels has its picture at 1 m a pixel, and "
          "at 0.1 m? Why do satellites not simply take everything at 0.1 m?").format(
            width=number(width), height=number(height)),
        _("{coarse} and {fine}, which is {times} times as many: they must be stored, sent to the "
          "ground and looked at. A finer sensor also sees a narrower strip.").format(
            coarse=number(a * b), fine=number(c * d), times=number(c * d / (a * b))),
    )  # fmt: skip


def _plants() -> Task:
    subject = bands.place_subject("campus")
    lawn, court = (bands.spectrum(subject, *at) for at in (_LAWN, _COURT))
    shown = subject.image.copy()
    for (x, y), letter in ((_LAWN, "A"), (_COURT, "B")):
        at = round(x) + 4, round(y) + 4
        cv2.circle(shown, (round(x), round(y)), 3, (255, 230, 0), -1, cv2.LINE_AA)
        for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(shown, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, width,
                        cv2.LINE_AA)  # fmt: skip
    return Task(
        _("NDVI = (near infrared − red) / (near infrared + red). Place A measures red {red_a} and "
          "near infrared {nir_a}, place B red {red_b} and near infrared {nir_b}. Compute both "
          "NDVI. Which one is the lawn?").format(
            red_a=number(lawn.values["red"], 1), nir_a=number(lawn.values["nir"], 1),
            red_b=number(court.values["red"], 1), nir_b=number(court.values["nir"], 1)),
        _("A: {a}, B: {b}. A is the lawn; B is a tennis court that was painted green.").format(
            a=number(lawn.ndvi, 2), b=number(court.ndvi, 2)),
        shown,
        _("A campus from above with two green places, A and B."),
    )  # fmt: skip


def _shadow() -> Task:
    length = view.shadow_length(view.TOWER_HEIGHT, _ELEVATION)
    return Task(
        _("The sun stands {sun}° above the horizon, and the tower's shadow on the ground is "
          "{length} m long. How high is the tower?").format(
            sun=number(_ELEVATION), length=number(length, 1)),
        _("Height = length · tan({sun}°) = {height} m.").format(
            sun=number(_ELEVATION), height=number(length * np.tan(np.deg2rad(_ELEVATION)))),
        view.photo(_ELEVATION, 0.0).image,
        _("A tower and its shadow between houses, from straight above."),
    )  # fmt: skip


def _lean() -> Task:
    moved = view.displacement(view.TOWER_HEIGHT, _SLANT)
    ground = moved * (view.TOWER[3] - view.TOWER[1])
    return Task(
        _("The camera looks {angle}° aslant at the tower of {height} m. How far from its foot is "
          "its roof shown, and how many square metres behind it are hidden, if it is {wide} m "
          "wide across the view?").format(
            angle=number(_SLANT), height=number(view.TOWER_HEIGHT),
            wide=number(view.TOWER[3] - view.TOWER[1])),
        _("{height} m · tan({angle}°) = {moved} m; hidden are {moved} m · {wide} m = {ground} m². "
          "An orthophoto puts the roof back, and needs another photo for the hidden ground.")
        .format(height=number(view.TOWER_HEIGHT), angle=number(_SLANT), moved=number(moved, 1),
                wide=number(view.TOWER[3] - view.TOWER[1]), ground=number(ground)),
        view.outlined(view.photo(_ELEVATION, _SLANT).image, _SLANT, True),
        _("A tower that leans to the right: its footprint in yellow, its roof in blue."),
    )  # fmt: skip


def cover() -> NDArray[np.uint8]:
    """The place in strips, from coarse to fine."""
    strips = [scale.whole(gsd) for gsd in (30.0, 10.0, 3.0, 1.0, 0.3)]
    width = 500 // len(strips)
    joined = np.concatenate(
        [strip[:, i * width : (i + 1) * width] for i, strip in enumerate(strips)], axis=1
    )
    return cv2.resize(joined, (400, 240), interpolation=cv2.INTER_AREA)


LESSON = Lesson(
    key="remote_sensing",
    number=1,
    title=N_("What is remote sensing?"),
    question=N_("What can one see from above, and what not?"),
    minutes=10,
    checks=CHECKS,
    simplifies=(
        N_("A real sensor's pixels blur into their neighbours; here each is the exact mean of its "
           "square."),
        N_("The town and the tower are invented; the campus is real (USDA NAIP, 2020). A screen "
           "cannot show all of the town at 0.1 m, so the large picture stays at 0.3 m there."),
        N_("The NDVI is computed from a camera's raw numbers. On measured reflectances the same "
           "lawn has a higher value."),
        N_("The camera is so far away that all lines of sight are parallel, as from a satellite. "
           "From an aeroplane things lean away from the middle of the picture."),
    ),
    plan=Plan(
        goals=(
            N_("Say what ground sample distance is, and which objects need which."),
            N_("Tell living plants from green paint by near infrared, and compute the NDVI."),
            N_("Explain why tall things lean in a photo from above, and what an orthophoto is."),
        ),
        steps=(
            Step(5, N_("Show the town at 30 m a pixel. What is it? Collect guesses.")),
            Step(15, N_("Pupils make the pixels smaller and mark when they see what.")),
            Step(10, N_("Near infrared: find the green that is no plant.")),
            Step(10, N_("Sun and slant: tilt the camera, then switch to the orthophoto.")),
            Step(10, N_("Worksheet in pairs, then compare.")),
        ),
        talk=(
            N_("From which size of pixel on would you mind being photographed from above?"),
            N_("Who would want to know where plants are living, and where not?"),
            N_("A map service shows a tower that leans. Where is its front door?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
