"""How well changes were found, where it is known what really changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.parts.change import sample, shown
from pages.parts.shared import banner
from rsam_core.change.against_truth import (
    Judgement,
    TrueChanges,
    against_truth,
    judgement_table,
)
from rsam_core.change.areas import gap_of, members_of
from rsam_core.change.findings import Change
from rsam_core.formats import TRUTH_TYPES, read_truth
from rsam_core.runtime.language import _
from rsam_core.session.change import ChangeState
from rsam_core.session.change_wishes import METHODS, OURS, Origin
from rsam_core.session.session import Session

AS_AREAS = "RSAM: joined to areas"


def truth_tab(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """Give the truth, and see every method that was run beside it."""
    if state.truth is None:
        _give(session, state)
        return
    st.caption(_("Compared with: {name}").format(name=state.truth.name))
    gap = gap_of(shown.apart(session, state), state.alignment.gsd)
    with banner.guard():
        judged = session.memo.remember(
            "change-truth",
            (state.truth, state.wishes.method, tuple(changes), tuple(state.found.values()), gap),
            lambda: _judged(state, tuple(members_of(changes)), gap),
        )
        table = judgement_table(judged).set_index("Method").T
        st.dataframe(table, key="change-truth-table", height=38 + 35 * len(table))
        own = judged.get(METHODS[OURS])
        if own is not None and own.kinds:
            st.markdown(_("**Found with the right verdict, by kind**"))
            st.dataframe(
                {
                    _("Change"): [_(kind) for kind in own.kinds],
                    _("True"): [c.tp + c.fn for c in own.kinds.values()],
                    _("Found right"): [c.tp for c in own.kinds.values()],
                    "F1": [round(c.f1, 2) for c in own.kinds.values()],
                },
                hide_index=True, key="change-truth-kinds",
            )  # fmt: skip
    others = [title for key, title in METHODS.items() if key not in state.found and key != "ndvi"]
    more = _("Run {others} in Settings to see them here, too.").format(others=", ".join(others))
    st.caption(
        _(
            "Brackets: 95 % intervals over parts of the picture. What is shown of the chosen "
            "method counts, as filtered and checked. Areas are ahead where the truth is whole "
            "building sites, single changes where it is houses."
        )
        + (f" {more}" if others else "")
    )
    if st.button(
        _("Take the truth away"), icon=":material/close:", type="tertiary", key="no-truth"
    ):
        state.truth = None
        st.rerun()


def _judged(state: ChangeState, single: tuple[Change, ...], gap: int) -> dict[str, Judgement]:
    """Every method that was run; RSAM's own one by one and as areas."""
    judged = {}
    for key, found in state.found.items():
        counted = replace(found, changes=single) if key == state.wishes.method else found
        judged[METHODS[key]] = against_truth(counted, state.truth)
        if key == OURS:
            judged[AS_AREAS] = against_truth(counted.areas(gap), state.truth)
    return judged


def _give(session: Session, state: ChangeState) -> None:
    st.caption(_("Where it is known what really changed, RSAM tells how much of it was found."))
    if state.origin == Origin("sample", sample.KEY) and not state.swapped:
        st.button(
            _("Use this sample’s exact truth"), icon=":material/fact_check:", type="primary",
            key="sample-truth", on_click=_use_sample, args=(state,),
        )  # fmt: skip
    file = st.file_uploader(
        _("A mask of what changed (PNG, TIFF), or its outlines (GeoJSON, GeoPackage, Shapefile)"),
        type=list(TRUTH_TYPES), key=f"change-truth-file-{session.image.token}",
        help=_("On the grid of the picture that gives the common grid, in most cases the first."),
    )  # fmt: skip
    if file is not None:
        with banner.guard():
            truth = read_truth(file.getvalue(), state.alignment.reference, name=file.name)
            state.truth = TrueChanges.of_objects(truth.objects, truth.name, truth.valid)
            st.rerun()


def _use_sample(state: ChangeState) -> None:
    state.truth = sample.truth()
