"""Lesson 4, Photograph and satellite image: six differences, each tried on a pair of pictures."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import photograph_ask as ask
from rsam_core.evaluate.learn.lessons import photograph_pair as pair
from rsam_core.evaluate.learn.lessons import photograph_view as view
from rsam_core.runtime.language import N_, _, number, percent

ROWS = ("scope", "perspective", "objects", "preparation", "mode", "after")
"""The six rows of the comparison."""
_TILE, _SCENE = 1024, 10_980
"""Pixels, across, that a model looks at, and of a whole Sentinel-2 scene."""
_FACTOR, _TILT, _TOLERANCE = 8, 45, 3.0
"""Settings of the worksheet's questions."""

CHECKS = (
    Check(
        "scope",
        N_("Scope: make both pictures so coarse that a car has less than two pixels. Is the cup "
           "still a cup?"),
        lambda r: r["row"] == "scope" and r["car"] < 2,
        N_("Move the slider to the right. A photograph spends its pixels on few things, an image "
           "from above on hundreds."),
    ),
    Check(
        "perspective",
        N_("Perspective: tilt the camera until the near house looks three times as large as the "
           "far one."),
        lambda r: r["row"] == "perspective" and 3 <= r["ratio"] < math.inf,
        N_("Seen from straight above both are about as large. The flatter one looks, the more "
           "distance matters."),
    ),
    Check(
        "after",
        N_("After-treatment: bring the house down to 8 corners or fewer, with an agreement of "
           "more than 90 %."),
        lambda r: r["row"] == "after" and r["corners"] <= 8 and r["agreement"] > 0.9,
        N_("Simplify step by step. Too far, and the corners are cut off."),
    ),
)  # fmt: skip


def worksheet() -> tuple[Task, ...]:
    """Questions on both pictures, and answers computed from them."""
    return (_scope(), _perspective(), _preparation(), _after())


def _scope() -> Task:
    cup, car = (
        pair.typical_pixels(subject, kind)
        for subject, kind in ((pair.photo(), "cup"), (pair.above(), "car"))
    )
    left = cv2.resize(pair.coarse(pair.photo().image, _FACTOR), (480, 320), interpolation=0)
    right = cv2.resize(pair.coarse(pair.above().image, _FACTOR), (480, 320), interpolation=0)
    return Task(
        _("The cup has {cup} pixels in the photograph, a car {car} pixels in the image from above. "
          "Both pictures become coarser: {factor} × {factor} pixels become one. How many pixels "
          "has each then?").format(cup=number(cup), car=number(car), factor=number(_FACTOR)),
        _("{factor} × {factor} = {square}. The cup keeps {cup} / {square} = {few} pixels, the car "
          "{car} / {square} = {fewer}: it is gone.").format(
            factor=number(_FACTOR), square=number(_FACTOR**2), cup=number(cup), car=number(car),
            few=number(cup / _FACTOR**2), fewer=number(car / _FACTOR**2, 2)),
        np.concatenate([left, right], axis=1),
        _("A cup of coffee and a suburb from above, both in large squares; only the cup can be "
          "recognised."),
    )  # fmt: skip


def _perspective() -> Task:
    near, far = view.houses()["near"], view.houses()["far"]
    shown = [view.pixels(_TILT, house) for house in (near, far)]
    return Task(
        _("Two houses have {near} m² and {far} m² of roof. In a picture from a camera that is "
          "tilted by {tilt}° they have {near_pixels} and {far_pixels} pixels. How many times as "
          "large does the near one look, and how many times as large is it?").format(
            near=number(near.area), far=number(far.area), tilt=number(_TILT),
            near_pixels=number(shown[0]), far_pixels=number(shown[1])),
        _("It looks {looks} times as large and is {is_} times as large. In an image from straight "
          "above, pixels can be counted to compare areas; in a photograph they cannot.").format(
            looks=number(shown[0] / shown[1], 1), is_=number(near.area / far.area, 1)),
        _marked(view.shot(_TILT).image, view.spots(_TILT)),
        _("The suburb seen aslant, with a ring around a near house and one around a far one."),
    )  # fmt: skip


def _preparation() -> Task:
    stored = pair.finished(pair.stored(pair.above().image), 2**pair.BITS - 1, -1)
    across = math.ceil(_SCENE / _TILE)
    return Task(
        _("A satellite stores brightness with {bits} bits, and the picture uses {used} of that "
          "range. A whole scene has {scene} × {scene} pixels; the model looks at {tile} × {tile} "
          "at once. How many steps of brightness are there, how many of them are used, and how "
          "many pieces is the scene cut into, without overlap?").format(
            bits=number(pair.BITS), used=percent(pair.tones(stored).used, 1),
            scene=number(_SCENE), tile=number(_TILE)),
        _("There are {steps} steps, about {used} of them used: stretching makes them visible. "
          "{scene} / {tile} is a little more than {less}, so there are {across} × {across} = "
          "{pieces} pieces.").format(
            steps=number(2**pair.BITS), used=number(2**pair.BITS * pair.tones(stored).used),
            scene=number(_SCENE), tile=number(_TILE), less=number(_SCENE // _TILE),
            across=number(across), pieces=number(across**2)),
    )  # fmt: skip


def _after() -> Task:
    model, subject = asking.segmenter(), pair.above()
    mask = ask.outline_house(model, model.embed(subject.image))
    rough, smooth = (
        pair.treated(mask, ask.treated_house(), tolerance) for tolerance in (0, _TOLERANCE)
    )
    square = subject.gsd**2
    return Task(
        _("RSAM's outline of a house runs along the pixels and has {rough} corners; simplified it "
          "has {smooth}. It encloses {pixels} pixels of {gsd} m. How large is the roof in square "
          "metres? Why can the same not be asked of the cup?").format(
            rough=number(rough.corners), smooth=number(smooth.corners),
            pixels=number(rough.area), gsd=number(subject.gsd, 1)),
        _("{pixels} × {square} m² = {area} m². In the photograph a pixel has no fixed size on the "
          "ground: how much it shows depends on the distance, which nobody knows.").format(
            pixels=number(rough.area), square=number(square, 2),
            area=number(rough.area * square, 1)),
    )  # fmt: skip


def _marked(image: NDArray[np.uint8], spots: dict[str, tuple[float, float]]) -> NDArray[np.uint8]:
    """A picture with a ring at each spot."""
    shown = image.copy()
    for x, y in spots.values():
        for colour, width in (((0, 0, 0), 5), ((255, 230, 0), 2)):
            cv2.circle(shown, (round(x), round(y)), 14, colour, width, cv2.LINE_AA)
    return shown


def cover() -> NDArray[np.uint8]:
    """The photograph on the left, the view from above on the right."""
    left = cv2.resize(pair.photo().image, (360, 240), interpolation=cv2.INTER_AREA)[:, 65:264]
    right = cv2.resize(pair.above().image, (360, 240), interpolation=cv2.INTER_AREA)[:, :199]
    return np.concatenate([left, np.full((240, 2, 3), 255, np.uint8), right], axis=1)


LESSON = Lesson(
    key="photograph",
    number=4,
    title=N_("Photograph and satellite image"),
    question=N_("What makes an image from above so different from a photograph, for you and for a "
                "model?"),
    minutes=10,
    checks=CHECKS,
    simplifies=(
        N_("The images from above are drawn by a program, so that their truth is known. The tilted "
           "view is computed from the same ground: trees stand like columns, and walls are "
           "invented."),
        N_("What a satellite stores is imitated: the picture is darkened, and the light of the air "
           "is added. Real sensors have more bands, and noise of their own."),
        N_("The six rows are those of the study that RSAM grew from. Here one photograph stands "
           "for all; others hold more objects, or are taken from a drone. It was taken by Rachel "
           "Michetti (public domain, CC0) and comes with scikit-image."),
        N_("The small model that comes with RSAM was trained on views from above. The Segment "
           "Anything Model itself was trained on photographs and outlines a cup better."),
    ),
    plan=Plan(
        goals=(
            N_("Name six differences between a photograph and an image from above."),
            N_("Say why areas can be measured in one and not in the other."),
            N_("Explain why images from above are prepared first and treated afterwards."),
        ),
        steps=(
            Step(5, N_("Show both pictures. Collect differences on the board, without comment.")),
            Step(20, N_("Pupils try the six rows in pairs and do the three checks.")),
            Step(10, N_("Worksheet.")),
            Step(10, N_("Sort the collected differences into the six rows, and talk.")),
        ),
        talk=(
            N_("A model has seen eleven million photographs. What has it learned that helps from "
               "above, and what has it not?"),
            N_("A drone flies low and looks aslant. Which rows make its pictures photographs, "
               "which satellite images?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
