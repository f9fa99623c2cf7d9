"""Lesson 6, Zero-shot and one-shot: seen and unseen classes, one example, PerSAM."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.kind_names import MANY, ONE
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import one_shot_classes as classes
from rsam_core.evaluate.learn.lessons import one_shot_objects as objects_
from rsam_core.evaluate.learn.lessons import one_shot_pictures as pictures
from rsam_core.evaluate.learn.lessons.one_shot_objects import Objects
from rsam_core.objects import palette
from rsam_core.runtime.language import N_, _, number, percent
from rsam_core.segment.segmenter import Segmenter

EXPERIMENTS = {
    "seen": N_("Seen classes"),
    "words": N_("Described in words"),
    "example": N_("One example"),
    "persam": N_("PerSAM"),
}
"""The parts of the lesson, in order."""
FIRST_SEEN = ("roof", "tree")
"""Classes that the classifier has learned at first."""
_PAPER_WAY, _PAPER_THRESHOLD = "metric", 0.5
_APART = 40.0
"""Pixels between letters in the picture of a worksheet."""

CHECKS = (
    Check(
        "described",
        N_("Described in words: describe swimming pools so that all of them are found and nothing "
           "else."),
        lambda r: r["target"] == "pool" and r["precision"] == 1 and r["recall"] == 1,
        N_("Which colour has hardly anything else here? One further word keeps the rest out."),
    ),
    Check(
        "balanced",
        N_("One example: with a roof as example, find a threshold at which precision and recall "
           "are both over 80 %."),
        lambda r: r["experiment"] == "example" and r["kind"] == "roof"
        and r["precision"] > 0.8 and r["recall"] > 0.8,
        N_("A lower threshold finds more and is wrong more often. Try another roof or another way "
           "to compare, too."),
    ),
    Check(
        "unseen",
        N_("One example: choose a kind of object for which the learned metric is worse than the "
           "plain features (best F1)."),
        lambda r: r["best"]["features"] > r["best"]["metric"] + 0.05,
        N_("The metric learned most from what is frequent: roofs and trees. Try what is rare."),
    ),
)  # fmt: skip


def mean_best_f1(objects: Objects, kind: str) -> dict[str, float]:
    """The best F1 of each way, on average over all objects of a kind as example."""
    members = np.flatnonzero(objects.kinds == kind)
    return {
        way: float(
            np.mean(
                [
                    objects_.best_f1(objects.kinds, int(i), objects.near(int(i), way))
                    for i in members
                ]
            )
        )
        for way in objects.ways
    }


@lru_cache(maxsize=1)
def paper_objects() -> Objects:
    """The lesson's objects as the model that comes with RSAM describes them, for worksheets."""
    model = objects_.default_model()
    subject = objects_.subject()
    return objects_.objects_of(subject, Segmenter(model).embed(subject.image), model)


def lettered(objects: Objects) -> dict[str, int]:
    """Positions of an example E and of A, B and C: a tree, a roof and a pool.

    The roof is the nearest one whose letter does not lie on that of the example.
    """
    example = objects_.first_example(objects)
    places = pictures.screen_places(objects_.plane(objects.vectors(_PAPER_WAY)).places)
    far = np.hypot(*(places - places[example]).T)
    chosen = {"E": example}
    for letter, kind in (("A", "tree"), ("B", "roof"), ("C", "pool")):
        members = np.flatnonzero(objects.kinds == kind)
        order = members[np.argsort(far[members], kind="stable")]
        # Letters that lie on each other cannot be read; if all do, the farthest is the best.
        apart = order[far[order] >= _APART]
        order = apart if len(apart) else order[-1:]
        chosen[letter] = int(order[0] if kind == "roof" else order[len(order) // 2])
    return chosen


def worksheet() -> tuple[Task, ...]:
    """Questions on a plane of objects, precision and recall, seen classes and descriptions."""
    objects = paper_objects()
    return (_distances(objects), _counted(objects), _seen(objects), _words(objects))


def _distances(objects: Objects) -> Task:
    plane = objects_.plane(objects.vectors(_PAPER_WAY))
    letters = lettered(objects)
    rounded = {letter: plane.places[i].round(2) for letter, i in letters.items()}
    far = {
        letter: float(np.hypot(*(at - rounded["E"])))
        for letter, at in rounded.items()
        if letter != "E"
    }
    nearest = min(far, key=far.__getitem__)
    shown = pictures.as_dots(plane.places, objects.kinds, np.zeros(len(objects), bool))
    at = pictures.screen_places(plane.places)
    for letter, i in letters.items():
        x, y = (round(float(v)) for v in at[i])
        cv2.circle(shown, (x, y), 11, (24, 32, 36), 2, cv2.LINE_AA)
        where = (x + 13, y + 6)
        cv2.putText(
            shown, letter, where, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (24, 32, 36), 2, cv2.LINE_AA
        )

    def pair(letter: str) -> str:
        return _("{letter} ({x}; {y})").format(
            letter=letter, x=number(rounded[letter][0], 2), y=number(rounded[letter][1], 2)
        )

    return Task(
        _("Each dot is an object. The example is {e}; {a}, {b} and {c} are others. Compute their "
          "distances from the example. Which one is most like it?").format(
            e=pair("E"), a=pair("A"), b=pair("B"), c=pair("C")),
        _("A: {a}, B: {b}, C: {c}. Most like it is {nearest}: it is of the kind “{kind}”, as the "
          "example is of the kind “{own}”.").format(
            a=number(far["A"], 2), b=number(far["B"], 2), c=number(far["C"], 2), nearest=nearest,
            kind=_(ONE[str(objects.kinds[letters[nearest]])]),
            own=_(ONE[str(objects.kinds[letters["E"]])])),
        shown,
        _("Objects as dots in the colours of their kinds; four of them have letters."),
    )  # fmt: skip


def _counted(objects: Objects) -> Task:
    example = objects_.first_example(objects)
    near = objects.near(example, _PAPER_WAY)
    seen = objects_.found(objects.kinds, example, near, _PAPER_THRESHOLD)
    return Task(
        _("One roof is the example. With a threshold of {threshold}, {near} objects are near "
          "enough, {right} of them roofs. There are {all} other roofs. Compute precision and "
          "recall.").format(
            threshold=number(_PAPER_THRESHOLD, 2), near=number(seen.tp + seen.fp),
            right=number(seen.tp), all=number(seen.tp + seen.fn)),
        _("Precision = {right} / {near} = {precision}; recall = {right} / {all} = {recall}.")
        .format(
            right=number(seen.tp), near=number(seen.tp + seen.fp), all=number(seen.tp + seen.fn),
            precision=percent(seen.precision or 0.0, 1), recall=percent(seen.recall, 1)),
    )  # fmt: skip


def _seen(objects: Objects) -> Task:
    called = classes.sort_by_kinds(objects, FIRST_SEEN).called[objects.kinds == "pool"]
    counts = {kind: int(np.count_nonzero(called == kind)) for kind in FIRST_SEEN}
    return Task(
        _("A classifier has learned roofs and trees, nothing else. Now it is shown {pools} "
          "swimming pools. What can it call them? How many does it get right?").format(
            pools=number(len(called))),
        _("It has only two words: it calls {roofs} of them roofs and {trees} trees. None can be "
          "right, because it never saw the class of pools.").format(
            roofs=number(counts["roof"]), trees=number(counts["tree"])),
    )  # fmt: skip


def usual_words(objects: Objects, kind: str) -> dict[str, str]:
    """The word of each attribute that most objects of a kind have."""
    members = objects.kinds == kind
    usual = {}
    for name, words in classes.attributes(objects).items():
        values, counts = np.unique(words[members], return_counts=True)
        usual[name] = str(values[counts.argmax()])
    return usual


def _words(objects: Objects) -> Task:
    shown = ("roof", "tree", "pool", "car")
    usual = {kind: usual_words(objects, kind) for kind in shown}
    lines = [
        _("{kind}: {colour}, {light}, {size}, {form}").format(
            kind=_(MANY[kind]),
            **{name: _(classes.ATTRIBUTES[name][1][word]) for name, word in words.items()},
        )
        for kind, words in usual.items()
    ]
    all_words = classes.attributes(objects)
    one = {"colour": usual["pool"]["colour"]}
    two = {**one, "size": usual["pool"]["size"]}
    seen = [
        classes.judged(objects.kinds, classes.described(all_words, wanted), "pool")
        for wanted in (one, two)
    ]
    colour, size = (_(classes.ATTRIBUTES[name][1][word]) for name, word in two.items())
    return Task(
        _("Most objects of each kind are: {lines}. Which words would you give to somebody who has "
          "never seen a swimming pool from above, so that only pools are found?").format(
            lines="; ".join(lines)),
        _("“{colour}” alone finds {first} objects, {first_right} of them pools. “{colour}” and "
          "“{size}” find {second}, {second_right} of them pools.").format(
            colour=colour, size=size, first=number(seen[0].tp + seen[0].fp),
            first_right=number(seen[0].tp), second=number(seen[1].tp + seen[1].fp),
            second_right=number(seen[1].tp)),
    )  # fmt: skip


def cover() -> NDArray[np.uint8]:
    """The place, and its objects as dots by their mean colour and their size."""
    subject = objects_.subject()
    sizes = np.bincount(subject.labels.ravel())
    numbers = np.array(
        [
            n
            for n, kind in subject.kinds.items()
            if kind in MANY and n < len(sizes) and sizes[n] > 60
        ]
    )
    sums = [
        np.bincount(subject.labels.ravel(), subject.image[..., channel].ravel())
        for channel in range(3)
    ]
    values = np.stack([*(s[numbers] / sizes[numbers] for s in sums), np.log(sizes[numbers])], 1)
    places = objects_.plane((values - values.mean(0)) / values.std(0)).places
    kinds = np.array([subject.kinds[int(n)] for n in numbers])
    dots = pictures.as_dots(places, kinds, kinds == "roof", (440, 480))
    ground = subject.image * np.float32(0.6) + 35
    for n in subject.numbers("roof"):
        colour = palette.to_rgb(pictures.KIND_COLOURS["roof"])
        where = subject.mask(n)
        ground[where] = 0.4 * ground[where] + 0.6 * np.array(colour)
    left = np.round(ground[80:400, 0:240]).astype(np.uint8)
    shown = np.full((240, 400, 3), 252, np.uint8)
    shown[:, :180] = cv2.resize(left, (180, 240), interpolation=cv2.INTER_AREA)
    shown[:, 180:] = cv2.resize(dots, (220, 240), interpolation=cv2.INTER_AREA)
    return shown


LESSON = Lesson(
    key="one_shot",
    number=6,
    title=N_("Zero-shot and one-shot"),
    question=N_("How can a computer find what it was never taught?"),
    minutes=10,
    checks=CHECKS,
    simplifies=(
        N_("The objects are outlined by the truth here. RSAM's page One-shot outlines them itself, "
           "which costs some of the finds."),
        N_("The model was trained on invented places like this one. On real photographs precision "
           "and recall are lower."),
        N_("The words of a description are measured by simple formulas. Zero-shot learning lets a "
           "network learn such words from the classes it has seen."),
        N_("The dots show two numbers of many: dots that lie side by side may differ in the rest."),
        N_("PerSAM was published for looking into other pictures; here it looks for more in the "
           "same one."),
    ),
    plan=Plan(
        goals=(
            N_("Say what a classifier does with a class that it never saw."),
            N_("Tell zero-shot (described, or any object at all) from one-shot (one example)."),
            N_("Explain features, metric learning and a Siamese network by dots in a plane."),
            N_("Say how a threshold trades precision for recall."),
        ),
        steps=(
            Step(5, N_("Show one okapi, then ask who could find another one. How did you do it?")),
            Step(10, N_("Seen classes, then described in words: pupils find the pools by words.")),
            Step(15, N_("One example: choose an object, move the threshold, compare the three "
                        "ways.")),
            Step(5, N_("PerSAM: one object a pass. What do its tuned weights change?")),
            Step(10, N_("Worksheet, and talk.")),
        ),
        talk=(
            N_("After an earthquake, damaged roofs are to be found, and there is one picture of "
               "one. Would you rather miss some, or look at many that are whole?"),
            N_("A metric learned in one country is used in another one. What may go wrong?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
