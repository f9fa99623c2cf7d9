"""Lesson 9, haze and shadow over the open image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.learn.bars import bars
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.lessons import pitfalls_own as own
from rsam_core.evaluate.learn.lessons.pitfalls_hiding import MOST
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects import palette
from rsam_core.runtime.language import _

_WIDE = 640
"""Pixels across the picture from which it is not enlarged."""


def show(stage: Stage, subject: Subject) -> Mapping[str, Any]:
    """Click on something, then let haze or a shadow come over it."""
    left, right = st.columns([62, 38], gap="medium")
    names = {"haze": _("Haze"), "shadow": _("Shadow")}
    with right:
        kind = stage.choice("own-kind", _("What lies before your image"), names)
        amount = st.slider(
            _("How much (percent)"), 0, round(100 * MOST), 0, 5,
            persist_state="session", key=stage.name(f"own-amount-{kind}"),
        )  # fmt: skip
    image = own.part_of(subject)
    height, width = image.shape[:2]
    place = stage.name(f"own-spot-{subject.key}")
    x, y = st.session_state.get(place) or (width / 2, height / 2)
    clear = _mask(stage, image, x, y)
    now_image = own.disturbed(image, kind, amount / 100)
    now = _mask(stage, now_image, x, y) if amount else clear
    scale = max(1, round(_WIDE / width))
    with left:
        stage.picture(
            "own", own.picture(now_image, clear, now, scale),
            marks=(Mark(x * scale, y * scale, "include"),),
            label=_("The middle of your image. Click on the object that you mean."),
            on_touch=lambda event: _clicked(place, event, scale),
        )  # fmt: skip
        chips([(_("found in the clear picture"), "#d4d9de"), (_("found now"), palette.SINGLE)])
        if subject.credit:
            st.caption(subject.credit)
    kept = own.compared(clear, now)
    with right:
        bars(
            [
                (_("IoU"), kept.iou, _("of the outline now and the one in the clear picture")),
                (_("Area found"), kept.area_share, _("of the area in the clear picture")),
            ]
        )
        st.caption(
            _("Nobody knows the truth of your image here, so the clear picture's outline stands "
              "for it. For the checks, switch “On my image” off.")
        )  # fmt: skip
    return {"kind": kind, "amount": amount / 100, "own_iou": kept.iou, "share": kept.area_share}


def _mask(stage: Stage, image: NDArray[np.uint8], x: float, y: float) -> NDArray[np.bool_]:
    return own.answer(stage.segmenter(), stage.embedding(image), x, y)


def _clicked(place: str, event: Touch, scale: int) -> None:
    st.session_state[place] = event.x / scale, event.y / scale
