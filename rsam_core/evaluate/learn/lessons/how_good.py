"""Lesson 7, How good is it? A mask that is moved, grown and roughened over the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.evaluate.metrics.counts import Counts, confusion
from rsam_core.evaluate.metrics.pixel import dice, fpr, iou, pixel_accuracy, tpr
from rsam_core.render.overlays import confusion_picture
from rsam_core.runtime.language import N_, _, number, percent

AROUND = (1.3, 2.0, 3.0, 5.0)
"""Sides of the part that is shown, in lengths of the object's longer side."""
_SEED = 7
_GRAIN = 2.5
"""Standard deviation of the smoothing of the noise that roughens outlines, in pixels."""


@dataclass(frozen=True)
class Disturbance:
    """What was done to a true mask.

    Attributes
    ----------
    dx, dy : float
        Shift in pixels, to the right and down.
    grow : float
        Pixels by which the outline moved outwards; inwards below 0.
    rough : float
        How far the outline frays, in pixels.
    """

    dx: float = 0.0
    dy: float = 0.0
    grow: float = 0.0
    rough: float = 0.0


@lru_cache(maxsize=8)
def playground(around: float = AROUND[1]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A house and its true mask, with so much around it.

    Returns
    -------
    image : (H, W, 3) ndarray of uint8
    truth : (H, W) ndarray of bool
    """
    subject = _place()
    number = _house(subject)
    rows, columns = np.nonzero(subject.mask(number))
    half = around * max(np.ptp(rows), np.ptp(columns)) / 2
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    (top, bottom), (left, right) = (
        (max(round(m - half), 0), min(round(m + half) + 1, side))
        for m, side in zip(middle, subject.shape)
    )
    part = np.s_[top:bottom, left:right]
    return np.ascontiguousarray(subject.image[part]), subject.labels[part] == number


def _place() -> Subject:
    return town_subject("suburb", 3, 0.3, 640, 400)


def _house(subject: Subject) -> int:
    """The largest house that lies well inside the picture."""
    height, width = subject.shape
    middle = np.array([height / 2, width / 2])
    for number_ in subject.numbers("roof"):
        where = np.argwhere(subject.mask(number_))
        if np.all(np.abs(where.mean(0) - middle) < middle * 0.6):
            return number_
    return subject.numbers("roof")[0]


def disturbed(truth: NDArray[np.bool_], change: Disturbance) -> NDArray[np.bool_]:
    """A true mask, shifted, grown or shrunk, and roughened.

    All of it acts on the distance to the outline, so that grown corners stay corners of the same
    outline; the noise is the same each time.

    Parameters
    ----------
    truth : (H, W) ndarray of bool
    change : Disturbance

    Returns
    -------
    (H, W) ndarray of bool
    """
    pad = int(np.ceil(max(abs(change.dx), abs(change.dy), 0))) + 2
    wide = np.pad(truth, pad)
    # To the border between pixels, not to the centre of the next one.
    outside = ndimage.distance_transform_edt(~wide) - 0.5
    inside = ndimage.distance_transform_edt(wide) - 0.5
    distance = np.where(wide, -inside, outside).astype(np.float32)
    distance = ndimage.shift(distance, (change.dy, change.dx), order=1, mode="nearest")
    if change.rough:
        noise = np.random.default_rng(_SEED).normal(size=distance.shape).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), _GRAIN)
        distance += change.rough * noise / noise.std()
    return (distance < change.grow)[pad:-pad, pad:-pad]


@dataclass(frozen=True)
class Verdict:
    """What the metrics say about a mask.

    Attributes
    ----------
    counts : Counts
    iou, dice, pixel_accuracy, tpr, fpr : float
    printed_fpr : float or None
        FP / (FP + FN), which the study prints as its false positive rate; None without errors.
    """

    counts: Counts
    iou: float
    dice: float
    pixel_accuracy: float
    tpr: float
    fpr: float
    printed_fpr: float | None


def judged(truth: NDArray[np.bool_], mask: NDArray[np.bool_]) -> Verdict:
    """Compare a mask with the truth."""
    counts = confusion(truth, mask)
    errors = counts.fp + counts.fn
    return Verdict(
        counts, iou(counts), dice(counts), pixel_accuracy(counts), tpr(counts), fpr(counts),
        counts.fp / errors if errors else None,
    )  # fmt: skip


def picture(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], mask: NDArray[np.bool_], scale: int = 1
) -> NDArray[np.uint8]:
    """The image with TP, FP and FN as coloured areas, `scale` times as large."""
    large = (
        np.repeat(np.repeat(layer, scale, 0), scale, 1)
        for layer in (cv2.resize(image, None, fx=1, fy=1), truth, mask)
    )
    shown, true, found = large
    return confusion_picture(shown, true, found)


CHECKS = (
    Check(
        "half", N_("Move the mask, without changing it, until the IoU is between 45 % and 55 %."),
        lambda r: r["grow"] == r["rough"] == 0 and 0.45 <= r["iou"] <= 0.55,
        N_("Drag the mask on the picture. Half in common looks better than its IoU: what is too "
           "much counts, and what is missing counts as well."),
    ),
    Check(
        "flattered",
        N_("Find a mask with a pixel accuracy over 95 % whose IoU is below 50 %."),
        lambda r: r["pixel_accuracy"] > 0.95 and r["iou"] < 0.5,
        N_("Show more ground around the house: whatever is left out rightly counts as right."),
    ),
    Check(
        "all",
        N_("Find a mask that misses nothing (TPR 100 %) and is still bad (IoU below 60 %)."),
        lambda r: r["tpr"] >= 1 and r["iou"] < 0.6,
        N_("Let the mask grow."),
    ),
)  # fmt: skip


def worksheet() -> tuple[Task, ...]:
    """Questions with a picture of a mask that is off, and answers computed from it."""
    image, truth = playground(AROUND[1])
    shift = Disturbance(dx=round(0.25 * np.ptp(np.nonzero(truth)[1])))
    mask = disturbed(truth, shift)
    found = judged(truth, mask)
    wide_truth = playground(AROUND[3])[1]
    wide = judged(wide_truth, disturbed(wide_truth, shift))
    c = found.counts
    return (
        Task(
            _("The picture counts {tp} pixels TP, {fp} FP and {fn} FN. Compute the IoU and Dice.")
            .format(tp=number(c.tp), fp=number(c.fp), fn=number(c.fn)),
            _("IoU = {tp} / ({tp} + {fp} + {fn}) = {iou}; Dice = 2 · {tp} / (2 · {tp} + {fp} + "
              "{fn}) = {dice}.").format(
                tp=number(c.tp), fp=number(c.fp), fn=number(c.fn), iou=percent(found.iou, 1),
                dice=percent(found.dice, 1)),
            picture(image, truth, mask, 3),
            _("A house with a mask shifted to the right: right, too much and missed in colours."),
        ),
        Task(
            _("The picture has {tn} pixels TN. Compute the pixel accuracy. What happens to it, and "
              "to the IoU, if the same mask is judged in a picture with far more ground around "
              "it?").format(tn=number(c.tn)),
            _("Pixel accuracy {accuracy}. With more ground around it grows to {wide}, while the "
              "IoU stays {iou}: TN is not in its formula.").format(
                accuracy=percent(found.pixel_accuracy, 1), wide=percent(wide.pixel_accuracy, 1),
                iou=percent(wide.iou, 1)),
        ),
        Task(
            _("Someone marks the whole picture as house. What are TPR and FPR?"),
            _("TPR = 100 %, because nothing is missed, and FPR = 100 %, because all of the "
              "background is marked: no single number is enough."),
        ),
        Task(
            _("FPR = FP / (FP + TN). The study that RSAM grew from prints FP / (FP + FN) under "
              "that name. Compute both for this mask. Which one changes with more ground around "
              "the house?"),
            _("FPR = {fp} / ({fp} + {tn}) = {usual}; printed is {fp} / ({fp} + {fn}) = {printed}. "
              "The usual one falls, because TN grows. The printed one is a share of the errors "
              "and stays.").format(
                fp=number(c.fp), fn=number(c.fn), tn=number(c.tn), usual=percent(found.fpr, 1),
                printed=percent(found.printed_fpr or 0.0, 1)),
        ),
    )  # fmt: skip


def cover() -> NDArray[np.uint8]:
    """The house with a shifted mask, in the metrics' colours."""
    image, truth = playground(AROUND[2])
    shown = picture(image, truth, disturbed(truth, Disturbance(8, 5, 1)), 3)
    height, width = shown.shape[:2]
    wanted = min(height, round(width * 240 / 400))
    top = (height - wanted) // 2
    return cv2.resize(shown[top : top + wanted], (400, 240), interpolation=cv2.INTER_AREA)


LESSON = Lesson(
    key="how_good",
    number=7,
    title=N_("How good is it?"),
    question=N_("When is an outline good, and which number tells?"),
    minutes=8,
    checks=CHECKS,
    simplifies=(
        N_("The truth was drawn by the same program as the picture. Real truth is drawn by people "
           "who differ by a pixel or two, so that no method reaches 100 %."),
        N_("Only one object is judged. For many, RSAM's page Evaluate counts found objects, too."),
    ),
    plan=Plan(
        goals=(
            N_("Name TP, FP, FN and TN in a picture."),
            N_("Compute IoU, Dice, pixel accuracy, TPR and FPR from them."),
            N_("Say why pixel accuracy misleads where the background is large."),
        ),
        steps=(
            Step(5, N_("Show two masks of one house. Which one is better? Collect reasons.")),
            Step(15, N_("Pupils drag and change the mask and do the three checks in pairs.")),
            Step(15, N_("Worksheet: compute the numbers by hand and compare with the page.")),
            Step(10, N_("Talk: which number would you ask for, and for what purpose?")),
        ),
        talk=(
            N_("A map of houses misses one in ten. For whom is that good enough?"),
            N_("Is it worse to mark what is no house, or to miss a house?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
