"""What the objects of a date are, as far as the model can say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.evidence import DateView
from rsam_core.objects.instance import Instance
from rsam_core.segment.segmenter import Segmenter

UNSURE = "not sure"


def kinds_of(
    segmenter: Segmenter, view: DateView, items: Sequence[Instance]
) -> list[tuple[str, float]] | None:
    """Most probable kind of each object and its probability; None if the model has no answer.

    A kind less probable than the model's own limit comes as :data:`UNSURE`.
    """
    head = getattr(getattr(segmenter.model, "network", None), "kinds", None)
    maps = getattr(view.embedding.features, "maps", None)
    if head is None or maps is None:
        return None
    from rsam_core.models.tiny.kind_head import describe
    from rsam_core.models.tiny.kinds import KINDS

    if not items:
        return []
    inputs = describe(maps, [(item.mask, item.x, item.y) for item in items])
    chances: NDArray[np.float32] = head.probabilities(inputs).numpy()
    limit = float(head.sure)
    best = chances.argmax(1)
    return [
        (KINDS[k] if row[k] >= limit else UNSURE, float(row[k])) for k, row in zip(best, chances)
    ]
