"""Lesson 5, Four kinds of segmentation: one picture cut up in four ways, held to the truth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import four_kinds_found as found
from rsam_core.evaluate.learn.lessons import four_kinds_pieces as pieces
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _, number, percent

WAYS = ("interactive", "superpixels", "semantic", "instances")
"""The four kinds, in the order of the lesson."""
FEW = 1500
"""Superpixels that are few enough for the second check."""
_COARSE = 24
_QUALITY = 0.55


def held(piece: NDArray[np.bool_], subject: Subject, kind: str) -> int:
    """How many true objects of a kind lie in a piece with more than half of their pixels."""
    numbers = subject.numbers(kind, pieces.SMALLEST[kind])
    inside = np.bincount(subject.labels[piece], minlength=int(subject.labels.max()) + 1)
    areas = np.bincount(subject.labels.ravel())
    return sum(inside[n] > areas[n] / 2 for n in numbers)


def best_match(mask: NDArray[np.bool_], subject: Subject) -> tuple[int, float]:
    """The true object that a mask overlaps most, and the IoU; 0 and 0.0 where there is none."""
    shared = np.bincount(subject.labels[mask], minlength=1)
    if len(shared) < 2 or not shared[1:].any():
        return 0, 0.0
    best = int(shared[1:].argmax()) + 1
    return best, asking.jaccard(mask, subject.mask(best))


CHECKS = (
    Check(
        "house", N_("Interactive: outline a house with an agreement of more than 90 %."),
        lambda r: r["way"] == "interactive" and r["kind"] == "roof" and r["iou"] > 0.9,
        N_("Click the middle of a roof. If the outline takes in too much, click there with the "
           "right mouse button or with Shift: not this."),
    ),
    Check(
        "few",
        N_("Superpixels: with fewer than 1,500 of them, let at least 9 in 10 houses be put "
           "together from whole ones."),
        lambda r: r["way"] == "superpixels" and r["pieces"] < FEW and r["together"] >= 0.9,
        N_("Make them smaller until the houses keep their corners, and no smaller."),
    ),
    Check(
        "two",
        N_("Semantic: click a patch of one colour that holds two trees or more."),
        lambda r: r["way"] == "semantic" and r["trees"] >= 2,
        N_("Trees whose crowns touch have one colour, and nothing says where one ends."),
    ),
)  # fmt: skip


def worksheet() -> tuple[Task, ...]:
    """Questions on the lesson's picture, and answers computed from it."""
    subject = pieces.sample()
    model = asking.segmenter()
    embedding = model.embed(subject.image)
    patches = pieces.patches(subject, _COARSE)
    return (
        _sizes(subject, patches),
        _semantic(subject, found.name_patches(model, embedding, subject).kinds()),
        _instances(subject, found.find_all(model, embedding).choose(_QUALITY)),
        Task(
            _("Which kind of segmentation would you use: (a) for the outline of one lake; (b) for "
              "the share of the town that is green; (c) for the number of cars; (d) to paint a "
              "burnt forest by hand, but quickly?"),
            _("(a) interactive, (b) semantic, (c) instances, (d) superpixels."),
            lines=2,
        ),
    )  # fmt: skip


def _sizes(subject: Subject, patches: NDArray[np.int32]) -> Task:
    count, all_pixels = int(patches.max()), patches.size
    mean = all_pixels / count
    square = mean * subject.gsd**2
    return Task(
        _("The picture has {wide} × {high} pixels of {gsd} m and is cut into {count} superpixels. "
          "How many pixels, and how many square metres, has one of them on average?").format(
            wide=number(subject.shape[1]), high=number(subject.shape[0]),
            gsd=number(subject.gsd, 1), count=number(count)),
        _("{pixels} / {count} = {mean} pixels; one pixel is {gsd} m × {gsd} m = {one} m², so that "
          "a superpixel has {square} m².").format(
            pixels=number(all_pixels), count=number(count), mean=number(mean),
            gsd=number(subject.gsd, 1), one=number(subject.gsd**2, 2), square=number(square, 1)),
        pieces.with_borders(subject.image, patches),
        _("A suburb from above, cut into superpixels with yellow borders."),
    )  # fmt: skip


def _semantic(subject: Subject, kinds: NDArray[np.int8]) -> Task:
    tree = np.where(kinds == KINDS.index("tree"), kinds, pieces.NOT_SURE)
    joined = pieces.connected(tree)
    largest = int(np.bincount(joined.ravel())[1:].argmax()) + 1
    inside = held(joined == largest, subject, "tree")
    return Task(
        _("In the semantic picture every pixel has a kind; trees are dark green. There are "
          "{patches} patches of that colour. Why is this not the number of trees?").format(
            patches=number(int(joined.max()))),
        _("Crowns that touch make one patch: the largest one holds {inside} trees. Other patches "
          "are hedges, bushes or errors. Semantic segmentation says what a pixel is, and not "
          "which object it belongs to; the picture has {trees} trees.").format(
            inside=number(inside),
            trees=number(len(subject.numbers("tree", pieces.SMALLEST["tree"])))),
        pieces.coloured(subject.image, kinds, 0.7),
        _("The suburb with a colour for each kind: roofs red, trees dark green, roads grey."),
    )  # fmt: skip


def _instances(subject: Subject, objects: Instances) -> Task:
    apart = pieces.told_apart_by(objects, subject)
    lines = {}
    for kind in ("roof", "tree"):
        numbers = set(subject.numbers(kind, pieces.SMALLEST[kind]))
        lines[kind] = len(numbers & apart), len(numbers)
    houses, trees = lines["roof"], lines["tree"]
    return Task(
        _("RSAM outlines all objects at once. Of {all_houses} houses it outlines {houses} rightly, "
          "of {all_trees} trees {trees}. What shares are these? Which kind is harder, and why?")
        .format(houses=number(houses[0]), all_houses=number(houses[1]),
                trees=number(trees[0]), all_trees=number(trees[1])),
        _("Houses {house_share}, trees {tree_share}. Trees are harder: crowns have no clear "
          "outline, and they touch and cover each other.").format(
            house_share=percent(houses[0] / houses[1]), tree_share=percent(trees[0] / trees[1])),
    )  # fmt: skip


def cover() -> NDArray[np.uint8]:
    """One picture in four strips, one for each kind, drawn from the truth."""
    subject = pieces.sample()
    image = subject.image
    height, width = subject.shape
    part = width // len(WAYS)
    first = [n for n in pieces.houses(subject) if not subject.mask(n)[:, part:].any()]
    everything = Instances([_true(subject, n) for n in pieces.targets(subject)], subject.shape)
    ways = (
        overlay(image, Instances([_true(subject, n) for n in first[:1]], subject.shape)),
        pieces.with_borders(image, pieces.patches(subject, _COARSE)),
        pieces.coloured(image, pieces.true_kinds(subject), 0.65),
        overlay(image, everything, OverlayStyle(opacity=0.5, contour_width=2)),
    )
    joined = np.concatenate(
        [way[:, k * part : (k + 1) * part] for k, way in enumerate(ways)], axis=1
    )
    for k in range(1, len(ways)):
        joined[:, k * part - 1 : k * part + 1] = 255
    top = (height - width * 240 // 400) // 2
    return cv2.resize(joined[top : height - top], (400, 240), interpolation=cv2.INTER_AREA)


def _true(subject: Subject, object_: int) -> Instance:
    return Instance(subject.mask(object_), id=object_, source="truth")


LESSON = Lesson(
    key="four_kinds",
    number=5,
    title=N_("Four kinds of segmentation"),
    question=N_("Where is it, what is it, how many are there: which segmentation answers what?"),
    minutes=8,
    checks=CHECKS,
    simplifies=(
        N_("Kinds and all objects are found by the small model that comes with RSAM, whichever "
           "model is in use. Larger models draw better outlines; most of them name no kinds."),
        N_("Real semantic models name each pixel by itself. Here each small superpixel is named, "
           "which is quicker and looks alike."),
        N_("Only houses, trees, cars and pools of some size are counted, and the truth knows them "
           "because the picture was drawn by a program."),
        N_("There is a fifth kind, panoptic segmentation: semantic and instances in one."),
    ),
    plan=Plan(
        goals=(
            N_("Name the four kinds of segmentation and what each one needs from a person."),
            N_("Say which question each of them answers: where, what, or how many."),
            N_("Choose the right kind for a purpose."),
        ),
        steps=(
            Step(5, N_("Show the picture. Each pupil colours on paper “the trees”. Compare: one "
                       "colour for all, or one for each?")),
            Step(15, N_("Pupils try the four kinds in turn and do the three checks in pairs.")),
            Step(10, N_("Read the table under the picture together: who needs clicks, who knows "
                        "kinds, who can count?")),
            Step(10, N_("Worksheet.")),
            Step(5, N_("Talk.")),
        ),
        talk=(
            N_("A city wants to know how much shade its trees give, and another how many trees it "
               "has to water. Do they need the same map?"),
            N_("When is it worth a person's time to click each object?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
