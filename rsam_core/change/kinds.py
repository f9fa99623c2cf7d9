"""What the objects of a date are, as far as the model can say."""

from __future__ import annotations

from collections.abc import Sequence

from rsam_core.change.date_view import DateView
from rsam_core.objects.instance import Instance
from rsam_core.segment.kinds import NOT_SURE, Kinds
from rsam_core.segment.segmenter import Segmenter

UNSURE = NOT_SURE


def kinds_of(
    segmenter: Segmenter, view: DateView, items: Sequence[Instance]
) -> list[tuple[str, float]] | None:
    """Most probable kind of each object and its probability; None if the model has no answer.

    A kind less probable than the model's own limit comes as :data:`UNSURE`.
    """
    model = segmenter.model
    if not model.names:
        return None
    chances = model.name_objects(view.embedding.features, items)
    kinds = Kinds(chances, model.sure)
    return list(zip(kinds.names, kinds.highest.tolist()))
