"""Look at a picture for what a sentence asks and the objects do not tell themselves.

>>> known = looked_at(objects, scene, query.conditions)                  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.classify.rules import Rule
from rsam_core.objects.instances import Instances
from rsam_core.segment.words.description import Description, describe
from rsam_core.segment.words.ground import asks_for_ground, find_kinds_and_ground, small_enough

if TYPE_CHECKING:
    from rsam_core.segment.kinds import Kinds
    from rsam_core.segment.segmenter import Segmenter


def looked_at(
    objects: Instances, scene: Any, conditions: Rule | None, segmenter: Segmenter | None = None
) -> Description | None:
    """Describe objects whose kinds, and the ground between, a model tells.

    Parameters
    ----------
    objects : Instances
    scene : Scene or float, optional
    conditions : Rule or None
        What is asked of the objects.
    segmenter : Segmenter, optional
        The embedded model by default, which is then asked only if an object has no class.

    Returns
    -------
    Description or None
        None where the conditions name no kind, or no picture or nothing to be told is there.
    """
    asked = conditions is not None and "kind" in conditions.columns
    bare = np.array([not item.label for item in objects], bool)
    if not asked or not hasattr(scene, "read_rgb") or not (bare.any() or segmenter is not None):
        return None
    from rsam_core.models import load_model
    from rsam_core.segment.kinds import guess_kinds
    from rsam_core.segment.segmenter import Segmenter

    teller = segmenter or Segmenter(load_model())

    def named(some: Instances) -> Kinds:
        return guess_kinds(some, scene, teller)

    some = objects.select(objects.ids[bare].tolist())
    ground = None
    if asks_for_ground(conditions) and small_enough(objects):
        kinds, ground = find_kinds_and_ground(some, objects, scene, named)
    elif len(some):
        kinds = named(some)
    else:
        return None
    shares = np.full((len(objects), len(KINDS)), 1 / len(KINDS))
    shares[bare] = kinds.probabilities
    return describe(objects, scene, probabilities=shares, sure=kinds.sure, ground=ground)
