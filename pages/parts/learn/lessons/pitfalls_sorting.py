"""Lesson 9, the experiment with sentences: shown, only an indication, or not to be concluded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import streamlit as st

from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark
from rsam_core.evaluate.learn.lessons import pitfalls_claims as claims
from rsam_core.evaluate.learn.lessons import pitfalls_hiding as hiding
from rsam_core.evaluate.learn.lessons.pitfalls import verdict_name
from rsam_core.runtime.language import _

_SCALE = 2


def show(stage: Stage) -> Mapping[str, Any]:
    """Sort six sentences about a picture; each answer says why."""
    left, right = st.columns([36, 64], gap="medium")
    answers = {}
    with right:
        for claim in claims.CLAIMS:
            chosen = st.segmented_control(
                claim.text(), claims.VERDICTS,
                persist_state="session", key=stage.name(f"claim-{claim.key}"),
                format_func=verdict_name, on_change=_sorted, args=(stage, claim.key),
            )  # fmt: skip
            if chosen:
                answers[claim.key] = chosen
    right_ones = claims.right(answers)
    with left:
        house = hiding.houses()[0]
        image = hiding.place().image
        stage.picture(
            "claims", cv2.resize(image, None, fx=_SCALE, fy=_SCALE),
            marks=(Mark(house.x * _SCALE, house.y * _SCALE, "spot"),),
            label=_("A street with houses, gardens, cars and a brown plot, from above."),
        )  # fmt: skip
        _reason(stage, answers)
        st.markdown(_("**{right} of {all} right.**").format(right=right_ones,
                                                           all=len(claims.CLAIMS)))  # fmt: skip
        st.caption(_("What RSAM finds is an indication, not proof."))
    return {"right": right_ones, "answers": answers}


def _sorted(stage: Stage, key: str) -> None:
    st.session_state[stage.name("last")] = key


def _reason(stage: Stage, answers: Mapping[str, str]) -> None:
    """Why the sentence that was sorted last belongs where it does."""
    last = st.session_state.get(stage.name("last"))
    claim = next((claim for claim in claims.CLAIMS if claim.key == last), None)
    if claim is None or claim.key not in answers:
        st.info(_("Sort the sentences: the reason stands here."), icon=":material/rule:")
    elif answers[claim.key] == claim.verdict:
        st.success(claim.reason(), icon=":material/check_circle:")
    else:
        st.warning(claim.reason(), icon=":material/help:")
