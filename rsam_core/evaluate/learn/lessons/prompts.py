"""Lesson 3, Prompts: a point, several, a box or words; where to click; small and large objects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.asking import Marks, jaccard
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import prompts_counts as counting
from rsam_core.evaluate.learn.lessons import prompts_map as mapping
from rsam_core.evaluate.learn.lessons import prompts_objects as objects
from rsam_core.evaluate.learn.lessons.prompts_objects import Target, target
from rsam_core.evaluate.metrics.counts import confusion
from rsam_core.prompts.simulated import centre_click, tight_box
from rsam_core.runtime.language import N_, _, number, percent

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding

GOOD, WORSE, MIN_TRIALS = 0.75, 0.3, 6
"""IoU, difference of IoU, and number of objects that the checks ask for."""

WAYS = {
    "point": N_("One point"),
    "points": N_("Several points"),
    "box": N_("A box"),
    "words": N_("Words"),
}
"""Ways to say what is meant."""


def _judged_right(r: Mapping[str, Any]) -> bool:
    """Whether what somebody says of small and large objects is what the counts say."""
    tallies, said = r["tallies"], r["said"]
    enough = r["trials"] >= MIN_TRIALS and all(tallies[size].total for size in tallies)
    return enough and all(said[size] == tallies[size].winner for size in tallies)


CHECKS = (
    Check(
        "points",
        N_("Four ways: outline the lorry with points alone, to an IoU over 75 %."),
        lambda r: r["part"] == "ways" and r["target"] == "lorry" and r["iou"]["points"] > GOOD,
        N_("One point on the trailer, one on the cab. A red point takes away what is too much."),
    ),
    Check(
        "place",
        N_("Where to click: find a place on an object from which the IoU is at least 30 "
           "percentage points lower than from the best place."),
        lambda r: r["part"] == "where" and r["on_object"] and r["best"] - r["here"] >= WORSE,
        N_("The dark squares within the white outline. Look at the tree."),
    ),
    Check(
        "claim",
        N_("Small and large: mark six objects both ways, and say what your counts show."),
        lambda r: r["part"] == "size" and _judged_right(r),
        N_("Whoever won more often, on small and on large objects. Equal counts: neither."),
    ),
)  # fmt: skip


@lru_cache(maxsize=4)
def _encoded(style: str, seed: int) -> Embedding:
    one = next(t for t in (*objects.TARGETS, *objects.TRIALS) if (t.style, t.seed) == (style, seed))
    return asking.segmenter().embed(one.subject.image)


def answered(one: Target, marks: Marks) -> objects.Mask:
    """The mask that the embedded model chooses for marks on an object."""
    found = asking.answer(asking.segmenter(), _encoded(one.style, one.seed), marks)
    return found.masks[0]


@lru_cache(maxsize=2)
def simulated() -> dict[str, tuple[float, float]]:
    """IoU of a click on the middle and of a tight box, for each object of the third experiment."""
    results = {}
    for one in objects.TRIALS:
        truth = one.truth
        marks = Marks(((*centre_click(truth), 1),)), Marks((), tight_box(truth))
        point, box = (jaccard(truth, answered(one, m)) for m in marks)
        results[one.key] = (point, box)
    return results


@lru_cache(maxsize=2)
def _mapped(key: str) -> mapping.ClickMap:
    one = target(key)
    return mapping.click_map(asking.segmenter(), _encoded(one.style, one.seed), one.truth)


def worksheet() -> tuple[Task, ...]:
    """Questions on a point and a box, on where to click, and on small and large objects."""
    lorry = target("lorry")
    truth = lorry.truth
    by_point = answered(lorry, Marks(((*centre_click(truth), 1),)))
    by_box = answered(lorry, Marks((), tight_box(truth)))
    point = confusion(truth, by_point)
    tree = _mapped("tree")
    counts = counting.tallied(simulated())
    sign = counting.Tally(point=1, box=7)
    return (
        Task(
            _("One of these masks came from one point, the other from a box. Which is which? The "
              "left one has {tp} pixels TP, {fp} FP and {fn} FN. Compute its IoU.").format(
                tp=number(point.tp), fp=number(point.fp), fn=number(point.fn)),
            _("The left one came from a point, which may mean a part. IoU = {tp} / ({tp} + {fp} + "
              "{fn}) = {iou}. The box gives {box}.").format(
                tp=number(point.tp), fp=number(point.fp), fn=number(point.fn),
                iou=percent(jaccard(truth, by_point)), box=percent(jaccard(truth, by_box))),
            _beside(objects.shown(lorry, by_point), objects.shown(lorry, by_box)),
            _("A lorry with two different masks, side by side; the true outline is white."),
        ),
        Task(
            _("Each square shows how good the mask is after a click there: bright is good, dark is "
              "bad. Where should one click? Where not?"),
            _("In the middle: deep in the tree clicks reach {deep} on average, near its rim {rim}, "
              "beside it {outside}.").format(
                deep=percent(tree.means["deep"]), rim=percent(tree.means["rim"]),
                outside=percent(tree.means["outside"])),
            _beside(objects.shown(target("tree")), mapping.heat(target("tree"), tree)),
            _("A tree, and beside it the same in grey with coloured squares over the tree."),
        ),
        Task(
            _("The study that RSAM grew from says: small objects are best marked by a point, large "
              "ones by a box. A program marked {count} objects both ways. Of the small ones the "
              "point was better {sp} times, the box {sb} times; of the large ones the point {lp} "
              "times, the box {lb} times. Does the sentence hold here?").format(
                count=number(len(objects.TRIALS)), sp=number(counts["small"].point),
                sb=number(counts["small"].box), lp=number(counts["large"].point),
                lb=number(counts["large"].box)),
            _("For small objects: {small}. For large ones: {large}. Where they differ by less than "
              "{equal}, neither counts as better. {count} objects are few: more of them, and other "
              "places, could say something else.").format(
                small=verdict("small", counts["small"]), large=verdict("large", counts["large"]),
                equal=percent(counting.EQUAL), count=number(len(objects.TRIALS))),
        ),
        Task(
            _("A class counts: on small objects the box was better {box} times, the point {point} "
              "times. How often would {all} tosses of a coin be so one-sided, or more?").format(
                box=number(sign.box), point=number(sign.point),
                all=number(sign.total)),
            _("{few} of {many} equally likely rows of {all} tosses have at most {point} of one "
              "side: {share}. Rare, but not impossible: more counts make it surer.").format(
                few=number(round(sign.chance * 2**sign.total)), many=number(2**sign.total),
                all=number(sign.total), point=number(sign.point), share=percent(sign.chance, 1)),
        ),
    )  # fmt: skip


def verdict(size: str, tally: counting.Tally) -> str:
    """Whether counts agree with the study's sentence, in the language in use."""
    if tally.winner == "neither":
        return _("undecided")
    expected = {"small": "point", "large": "box"}[size]
    return _("it holds") if tally.winner == expected else _("it does not hold")


def _beside(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gap = np.full((left.shape[0], 8, 3), 255, np.uint8)
    return cv2.resize(np.hstack([left, gap, right]), None, fx=0.6, fy=0.6,
                      interpolation=cv2.INTER_AREA)  # fmt: skip


def cover() -> NDArray[np.uint8]:
    """The lorry twice: outlined from one point, and from a box."""
    lorry = target("lorry")
    truth = lorry.truth
    marks = Marks(((*centre_click(truth), 1),)), Marks((), tight_box(truth))
    pictures = [objects.shown(lorry, answered(lorry, one), truth=False) for one in marks]
    # Halves of 200 by 240 from pictures of 640 by 400.
    left, right = (cv2.resize(picture[:, 153:487], (200, 240)) for picture in pictures)
    both = np.hstack([left, right])
    both[:, 199:201] = 255
    return both


LESSON = Lesson(
    key="prompts",
    number=3,
    title=N_("Prompts"),
    question=N_("What is the best way to tell a model what you mean?"),
    minutes=10,
    checks=CHECKS,
    simplifies=(
        N_("The places are invented, so that the truth is exact. On real images people differ by a "
           "pixel or two, and the model is less sure."),
        N_("For the map, each click is answered without the second look that the model takes at a "
           "click of yours."),
        N_("Words are asked of what the model finds by itself around the object; sizes, colours "
           "and kinds are measured, no language model reads them."),
    ),
    plan=Plan(
        goals=(
            N_("Name four ways to say what is meant, and a strength and a weakness of each."),
            N_("Say why a click near the edge of an object may fail."),
            N_("Test a sentence from a study by counting, and say how sure the counts make it."),
        ),
        steps=(
            Step(5, N_("Show the lorry. Where would you click? Collect guesses.")),
            Step(15, N_("Pupils try the four ways and the map of clicks in pairs.")),
            Step(15, N_("Each pair marks six objects or more, and the class adds up its counts.")),
            Step(10, N_("Compare the counts with the study's sentence; worksheet at home.")),
        ),
        talk=(
            N_("When do words beat a click, and when not?"),
            N_("The class and the study disagree. Who is right?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
