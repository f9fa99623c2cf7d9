"""Zero-shot and one-shot side by side: what one example brings."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.parts.one_shot.panel import limit
from pages.parts.one_shot.pictures import FOUND, side_picture
from pages.parts.shared import current_session
from pages.parts.shared.truth_choice import choose_truth
from rsam_core.evaluate.one_shot import ShotComparison, compare_shots
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import N_, _, ngettext, number
from rsam_core.segment.one_shot import OneShotResult, zero_shot
from rsam_core.session.one_shot import OneShotState
from rsam_core.session.search import thresholds
from rsam_core.session.session import Session

_ROWS = (
    ("found", N_("Objects found"), "{:,}"),
    ("right", N_("of these right"), "{:,}"),
    ("wanted", N_("True objects"), "{:,}"),
    ("precision", N_("Precision"), "{:.2f}"),
    ("recall", N_("Recall"), "{:.2f}"),
    ("f1", "F1", "{:.2f}"),
    ("iou", N_("IoU of all pixels"), "{:.2f}"),
    ("dice", N_("Dice of all pixels"), "{:.2f}"),
)


def compare_tab(session: Session, known: OneShotState, ranked: OneShotResult | None) -> None:
    """Both ways on the same image, with metrics where truth exists."""
    if ranked is None:
        st.caption(
            _(
                "Choose an example and find others like it: then this tab shows what RSAM finds "
                "without any example beside what it finds with yours."
            )
        )
        return
    settings = thresholds(current_session.model_name())
    without = session.memo.remember(
        "zero-shot", (known.state, settings), lambda: zero_shot(known.state, settings)
    )
    given = [g.instance for g in known.given if g.positive]
    kept = ranked.choose(limit(known, ranked))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            _("**Zero-shot:** everything, {count} objects").format(count=number(len(without)))
        )
        picture = side_picture(session, without, "zero", "#F59E0B")
        st.image(picture, width="stretch", alt=_("What was found without an example"))
    with right:
        st.markdown(
            ngettext(
                "**One-shot:** {count} example, {found} found",
                "**One-shot:** {count} examples, {found} found",
                len(given),
            ).format(count=len(given), found=number(len(kept)))
        )
        picture = side_picture(session, kept, "one", FOUND)
        st.image(picture, width="stretch", alt=_("What was found with an example"))
    choose_truth(session, "one-shot")
    if session.truth.value is None:
        st.caption(_("With ground truth, a table says how many of these objects are right."))
        return
    _table(session, without, kept, given)


def _table(session: Session, without: Instances, kept: Instances, given: list) -> None:
    truth = session.truth.value.objects

    def measure() -> tuple[ShotComparison, ShotComparison]:
        return compare_shots(truth, without, given), compare_shots(truth, kept, given)

    zero, one = session.memo.remember("shots", (truth, without, kept, tuple(given)), measure)
    rows = [
        {"": _(title), _("Zero-shot"): shape.format(getattr(zero, name)),
         _("One-shot"): shape.format(getattr(one, name))}
        for name, title, shape in _ROWS
    ]  # fmt: skip
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="shots-table", height="content")
        st.caption(
            _(
                "An object is right if half of the ground that it and a true one cover together "
                "is shared by both (IoU of at least 0.5). The examples count on neither side."
            )
        )
    with right:
        data = pd.DataFrame(
            {
                "metric": [_("Precision"), _("Recall"), "F1", "IoU"],
                _("Zero-shot"): [zero.precision, zero.recall, zero.f1, zero.iou],
                _("One-shot"): [one.precision, one.recall, one.f1, one.iou],
            }
        )
        st.bar_chart(
            data, x="metric", y=[_("Zero-shot"), _("One-shot")], stack=False, height=340,
            color=["#F59E0B", FOUND], sort=False, horizontal=True, x_label="", y_label="",
        )  # fmt: skip
