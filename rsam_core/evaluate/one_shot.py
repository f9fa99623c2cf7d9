"""Zero-shot against one-shot: what one example brings, by ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsam_core.evaluate.metrics import confusion, dice, iou
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import match, overlaps


@dataclass(frozen=True)
class ShotComparison:
    """How well a set of objects answers the truth, the examples left out on both sides.

    Attributes
    ----------
    found, wanted, right : int
        Objects found, true objects, and pairs of the two with an IoU of at least 0.5.
    precision, recall, f1 : float
        Share of the found ones that are right, share of the true ones that are found, and their
        harmonic mean; 0 where there is nothing to divide by.
    iou, dice : float
        Of the pixels of all objects together; 1 where there are none on either side.
    """

    found: int
    wanted: int
    right: int
    precision: float
    recall: float
    f1: float
    iou: float
    dice: float


def without(objects: Instances, examples: Sequence[Instance], limit: float = 0.3) -> Instances:
    """The objects that are none of the examples: whose IoU with them is at most ``limit``."""
    if not len(objects) or not examples:
        return objects
    given = Instances([Instance(e.mask, e.x, e.y) for e in examples], objects.shape)
    met = overlaps(given, objects)
    own = set(met.columns[met.ious > limit].tolist())
    kept = [item.id for place, item in enumerate(objects) if place not in own]
    return objects.select(kept)


def compare_shots(
    truth: Instances, found: Instances, examples: Sequence[Instance] = ()
) -> ShotComparison:
    """Measure found objects against true ones.

    Parameters
    ----------
    truth, found : Instances
        Objects of one scene.
    examples : sequence of Instance
        They were given, and count neither as found nor as wanted.
    """
    truth, found = without(truth, examples), without(found, examples)
    right = match(truth, found, 0.5).tp
    counts = confusion(truth.union_mask(), found.union_mask())
    return ShotComparison(
        len(found),
        len(truth),
        right,
        right / len(found) if len(found) else 0.0,
        right / len(truth) if len(truth) else 0.0,
        2 * right / (len(found) + len(truth)) if len(found) + len(truth) else 0.0,
        iou(counts),
        dice(counts),
    )
