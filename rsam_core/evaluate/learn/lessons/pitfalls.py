"""Lesson 9, What may go wrong: what hides, where borders lie, what was learnt, what follows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.asking import segmenter
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import pitfalls_borders as borders
from rsam_core.evaluate.learn.lessons import pitfalls_claims as claims
from rsam_core.evaluate.learn.lessons import pitfalls_hiding as hiding
from rsam_core.evaluate.learn.lessons import pitfalls_learnt as learnt
from rsam_core.runtime.language import N_, _, number, percent

EVERYWHERE = 0.55
"""IoU that a learner taught in two places shall reach in all four."""
OFF = 0.25
"""Share by which the area of all houses shall be wrong."""

CHECKS = (
    Check(
        "hidden",
        N_("What hides: make the houses' area come out over 25 % too small, and another time over "
           "25 % too large."),
        lambda r: r["smallest"] < 1 - OFF and r["largest"] > 1 + OFF,
        N_("What covers roofs makes them smaller. What blurs their borders makes them larger."),
    ),
    Check(
        "taught",
        N_("Learnt elsewhere: choose only two places to learn in, so that the IoU is over 55 % in "
           "all four."),
        lambda r: len(r["places"]) == 2 and min(r["ious"].values()) > EVERYWHERE,
        N_("Two places that differ teach more than two alike."),
    ),
    Check(
        "sorted",
        N_("What follows: sort all six sentences rightly."),
        lambda r: r["right"] == len(claims.CLAIMS),
        N_("Ask of each: does the picture show it, or only hint at it, or is it about people?"),
    ),
)  # fmt: skip

_HAZE, _TREES = 0.8, 0.4
_ONE, _OTHER = "estate", "informal"


def worksheet() -> tuple[Task, ...]:
    """Questions on what hides, on borders and on training places, computed with the model."""
    return (_covered(), _hazy(), _border(), _places(), _conclusions())


def _found(kind: str, amount: float) -> hiding.Found:
    model = segmenter()
    return hiding.find(model, model.embed(hiding.disturbed(kind, amount)))


def _covered() -> Task:
    found = _found("trees", _TREES)
    true, area = sum(found.true_areas), sum(found.areas)
    return Task(
        _("The houses cover {true} m². Under trees the model finds {area} m² of them. By how many "
          "percent is that too little? Is the model wrong?").format(
            true=number(true), area=number(area)),
        _("{share} too little. The model outlines what it sees; what a crown hides, no picture "
          "from above can show.").format(share=percent(1 - area / true)),
        hiding.picture(hiding.disturbed("trees", _TREES), found),
        _("Houses with trees over their edges; true outlines in white, found ones in blue."),
    )  # fmt: skip


def _hazy() -> Task:
    clear, hazy = _found("haze", 0.0), _found("haze", _HAZE)
    return Task(
        _("In clear air the houses' mean IoU is {clear}. When {haze} of the light comes from haze, "
          "it is {hazy}. Why do the outlines become round and too large?").format(
            clear=percent(clear.mean_iou), haze=percent(_HAZE), hazy=percent(hazy.mean_iou)),
        _("Haze takes contrast: only {left} of the difference between roof and garden is left. "
          "Without a clear edge the model guesses. Found are {area} of the true area.").format(
            left=percent(1 - _HAZE), area=percent(hazy.area_share)),
        hiding.picture(hiding.disturbed("haze", _HAZE), hazy),
        _("Houses in thick haze; true outlines in white, found ones in blue."),
    )  # fmt: skip


def _border() -> Task:
    gsd = 0.6
    car, field = (borders.object_of(kind).area for kind in ("car", "field"))
    shares = [borders.share_of_area(kind, gsd) - 1 for kind in ("car", "field")]
    side = 10.0
    return Task(
        _("A house is {side} m by {side} m. Somebody draws its border one pixel of {gsd} m too far "
          "out on all sides, with square corners. By how many percent is the area too large? Why "
          "is it far more for a car of {car} m², and less for a field of {field} m²?").format(
            side=number(side), gsd=number(gsd, 1), car=number(car, 1), field=number(field)),
        _("({side} + 2 · {gsd})² / {side}² − 1 = {share}. The car grows by {car}, the field by "
          "{field}: the smaller a thing, the more of it lies near its border.").format(
            side=number(side), gsd=number(gsd, 1),
            share=percent(((side + 2 * gsd) / side) ** 2 - 1, 1),
            car=percent(shares[0]), field=percent(shares[1], 1)),
    )  # fmt: skip


def _places() -> Task:
    found = learnt.trials(segmenter(), (_ONE,))
    both = learnt.trials(segmenter(), (_ONE, _OTHER))
    return Task(
        _("A learner saw only {one} and reaches an IoU of {home} there, but {away} in {other}. "
          "What would you do before you use it in {other}?").format(
            one=place_name(_ONE), other=place_name(_OTHER), home=percent(found[_ONE].iou),
            away=percent(found[_OTHER].iou)),
        _("Teach it there as well: then it reaches {both} in {other}. And test it there, with "
          "truth from there, before anybody relies on it.").format(
            both=percent(both[_OTHER].iou), other=place_name(_OTHER)),
        learnt.picture(_OTHER, found[_OTHER]),
        _("Roofs that were found rightly, wrongly and not at all, in colours."),
    )  # fmt: skip


def _conclusions() -> Task:
    said = "  ".join(f"({letter}) {claim.text()}" for letter, claim in zip("abcdef", claims.CLAIMS))
    answers = "; ".join(
        f"({letter}) {verdict_name(claim.verdict)}"
        for letter, claim in zip("abcdef", claims.CLAIMS)
    )
    house = hiding.houses()[0]
    shown = cv2.resize(hiding.place().image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    for colour, width in (((16, 20, 24), 6), ((255, 210, 0), 3)):
        cv2.circle(shown, (round(2 * house.x), round(2 * house.y)), 14, colour, width, cv2.LINE_AA)
    return Task(
        _("Does the picture show it, is it only an indication, or must it not be concluded? "
          "{sentences}").format(sentences=said),
        answers,
        shown,
        _("A street with houses, gardens, cars and a brown plot, from above."),
    )  # fmt: skip


def place_name(place: str) -> str:
    """A training place in words."""
    return {
        "suburb": _("a suburb"),
        "village": _("a village"),
        "informal": _("an informal settlement"),
        "estate": _("an estate of blocks"),
    }[place]


def verdict_name(verdict: str) -> str:
    """A verdict in words."""
    return {
        "shown": _("The picture shows it"),
        "hint": _("Only an indication"),
        "never": _("Must not be concluded"),
    }[verdict]


def cover() -> NDArray[np.uint8]:
    """The same houses in clear air, in a shadow, in haze and under trees."""
    parts = [hiding.place().image]
    parts += [hiding.disturbed(kind, amount) for kind, amount in (
        ("shadow", 0.9), ("haze", 0.7), ("trees", 0.95))]  # fmt: skip
    width = parts[0].shape[1] // 4
    joined = np.concatenate([p[:, i * width : (i + 1) * width] for i, p in enumerate(parts)], 1)
    rows = round(joined.shape[1] * 240 / 400)
    return cv2.resize(joined[:rows], (400, 240), interpolation=cv2.INTER_LINEAR)


LESSON = Lesson(
    key="pitfalls",
    number=9,
    title=N_("What may go wrong"),
    question=N_("When does an outline deceive, and what must nobody conclude from it?"),
    minutes=10,
    checks=CHECKS,
    simplifies=(
        N_("Haze, shadow and trees are drawn over an invented town, so that the truth is known. "
           "Real haze is uneven, and real shadows have blurred edges."),
        N_("The learner with training places is far simpler than a segmentation model: a line "
           "between roofs and all else in the features of RSAM's small model, which saw all these "
           "kinds of places itself."),
        N_("What one may do with pictures of places is also a question of law, and laws differ."),
    ),
    plan=Plan(
        goals=(
            N_("Name four causes of wrong outlines, and say in which direction each errs."),
            N_("Estimate how much a border that is one pixel off changes an area."),
            N_("Say why a model needs truth from the place where it is used."),
            N_("Tell what a picture shows from an indication, and from what it cannot tell."),
        ),
        steps=(
            Step(5, N_("Show the houses under trees. How large are they? Who is sure?")),
            Step(15, N_("Pupils try haze, shadow and trees, then borders, in pairs.")),
            Step(10, N_("Learnt elsewhere: who finds the two best places first, and why?")),
            Step(10, N_("Sort the six sentences alone, then compare with a neighbour.")),
            Step(10, N_("Talk about privacy, with the questions below.")),
        ),
        talk=(
            N_("Who should be allowed to know that somebody has a pool? Who checks that?"),
            N_("A model finds an extension without a permit. What has to happen before a letter "
               "is sent?"),
            N_("Most training pictures come from a few rich countries. Who is harmed by that?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
