"""Lesson 7 on the page: the playground of masks and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.learn.bars import bars
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Touch
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.lessons import how_good
from rsam_core.evaluate.learn.lessons.how_good import AROUND, Disturbance
from rsam_core.objects import palette
from rsam_core.runtime.language import _, number, percent

_SHIFT, _GROW, _ROUGH = 30, 12, 6
_SIDE = 480


def show(stage: Stage) -> Mapping[str, Any]:
    """Show the playground, and report the disturbance and the metrics."""
    if stage.own is not None:
        st.caption(_("This lesson needs to know the true outlines, so it stays with its samples."))
    left, right = st.columns(2, gap="medium")
    with right:
        change, around = _controls(stage)
    image, truth = how_good.playground(around)
    mask = how_good.disturbed(truth, change)
    verdict = how_good.judged(truth, mask)
    scale = max(1, round(_SIDE / max(truth.shape)))
    with left:
        stage.picture(
            "mask", how_good.picture(image, truth, mask, scale), drag="move",
            label=_("A house with a mask over it. Drag to move the mask."),
            on_touch=lambda event: _dragged(stage, event, scale),
        )  # fmt: skip
        st.caption(_("**Drag** the mask to another place. What do the numbers say?"))
        chips(
            [
                (_("right (TP)"), palette.TRUE_POSITIVE),
                (_("too much (FP)"), palette.FALSE_POSITIVE),
                (_("missed (FN)"), palette.FALSE_NEGATIVE),
            ]
        )  # fmt: skip
        c = verdict.counts
        st.caption(
            _("{tp} TP · {fp} FP · {fn} FN · {tn} TN, in pixels").format(
                tp=number(c.tp), fp=number(c.fp), fn=number(c.fn), tn=number(c.tn)
            )
        )
    with right:
        _numbers(verdict)
    return {
        "dx": change.dx, "dy": change.dy, "grow": change.grow, "rough": change.rough,
        "iou": verdict.iou, "pixel_accuracy": verdict.pixel_accuracy, "tpr": verdict.tpr,
        "fpr": verdict.fpr, "dice": verdict.dice,
    }  # fmt: skip


def _controls(stage: Stage) -> tuple[Disturbance, float]:
    def slider(label: str, least: int, most: int, name: str) -> int:
        key = stage.name(name)
        if name in ("dx", "dy"):
            # No default beside the value: dragging on the picture sets it, too.
            st.session_state.setdefault(key, 0)
            return st.slider(label, least, most, key=key, persist_state="session")
        return st.slider(label, least, most, 0, key=key, persist_state="session")

    grow = slider(_("Grow or shrink (pixels)"), -_GROW, _GROW, "grow")
    rough = slider(_("Roughen (pixels)"), 0, _ROUGH, "rough")
    with st.expander(_("Move by numbers")):
        across = slider(_("To the right"), -_SHIFT, _SHIFT, "dx")
        down = slider(_("Down"), -_SHIFT, _SHIFT, "dy")
    around = st.select_slider(
        _("Ground around the house"), AROUND, AROUND[1], key=stage.name("around"),
        persist_state="session",
        format_func=lambda value: _("{times} times").format(times=number(value, 1)),
    )  # fmt: skip
    return Disturbance(across, down, grow, rough), around


def _dragged(stage: Stage, event: Touch, scale: int) -> None:
    for name, moved in (("dx", event.x2 - event.x), ("dy", event.y2 - event.y)):
        key = stage.name(name)
        now = st.session_state.get(key, 0) + round(moved / scale)
        st.session_state[key] = max(-_SHIFT, min(_SHIFT, now))


def _numbers(verdict: how_good.Verdict) -> None:
    bars(
        [
            ("IoU", verdict.iou, "TP / (TP + FP + FN)"),
            ("Dice", verdict.dice, "2 TP / (2 TP + FP + FN)"),
            (_("Pixel accuracy"), verdict.pixel_accuracy, "(TP + TN) / " + _("all")),
            ("TPR", verdict.tpr, "TP / (TP + FN)"),
            ("FPR", verdict.fpr, "FP / (FP + TN)"),
        ]
    )
    if verdict.printed_fpr is not None:
        st.caption(
            _("The study that RSAM grew from prints FP / (FP + FN) = {share} as its FPR: that is a "
              "share of the errors, and says nothing about the background.")
            .format(share=percent(verdict.printed_fpr))
        )  # fmt: skip
