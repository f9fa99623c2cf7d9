"""Lesson 9, the experiment with a learner that is taught in some places and tried in all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import streamlit as st

from pages.parts.learn.bars import bars
from pages.parts.learn.stage import Stage
from pages.parts.shared import resources
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.lessons import pitfalls_learnt as learnt
from rsam_core.objects import palette
from rsam_core.runtime.language import _


def show(stage: Stage) -> Mapping[str, Any]:
    """Choose where to learn and where to try, and see how good it is in each place."""
    names = {
        "suburb": _("Suburb"),
        "village": _("Village"),
        "informal": _("Informal settlement"),
        "estate": _("Estate of blocks"),
    }
    places = st.pills(
        _("Learn in these places what a roof is"), learnt.PLACES, selection_mode="multi",
        default=["estate"], persist_state="session", key=stage.name("places"),
        format_func=names.__getitem__,
    )  # fmt: skip
    if not places:
        st.info(_("Choose at least one place to learn in."), icon=":material/school:")
        return {"places": [], "ious": {}}
    tried = stage.choice("tried", _("Show the trial in"), names, first="informal", label_shown=True)
    found = learnt.trials(resources.segmenter(learnt.MODEL), places)
    first, second, numbers = st.columns([28, 28, 44], gap="medium")
    with first:
        half = np.ascontiguousarray(learnt.learning_half(learnt.subject(places[-1]).image))
        stage.picture("ground", cv2.resize(half, None, fx=2, fy=2),
                      label=_("Where the learner was shown what a roof is."))  # fmt: skip
        st.caption(_("Learnt in: {place}").format(place=names[places[-1]]))
    with second:
        stage.picture("trial", learnt.picture(tried, found[tried]),
                      label=_("Roofs that were found rightly, wrongly and not at all, in "
                              "colours."))  # fmt: skip
        st.caption(_("Tried in: {place}").format(place=names[tried]))
    with numbers:
        bars([(names[place], found[place].iou,
               _("learnt here, too") if place in places else _("never seen before"))
              for place in learnt.PLACES])  # fmt: skip
        chips(
            [
                (_("right"), palette.TRUE_POSITIVE),
                (_("too much"), palette.FALSE_POSITIVE),
                (_("missed"), palette.FALSE_NEGATIVE),
            ]
        )
        st.caption(_("IoU on ground that it did not learn from."))
    return {"places": list(places), "ious": {place: found[place].iou for place in learnt.PLACES}}
