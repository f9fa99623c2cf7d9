"""The questions as cards to choose from."""

from __future__ import annotations

import streamlit as st

from pages.parts.apply import sample
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.runtime.language import _
from rsam_core.session.apply import ApplyState

_ACROSS = 5


def cards(state: ApplyState | None) -> None:
    """A card for each question; without an open image all that can be done is to try one."""
    questions = list(QUESTIONS.values())
    # Beside the sidebar cards are narrow, and their texts long.
    height = 178 if state is None else 236
    for start in range(0, len(questions), _ACROSS):
        for column, question in zip(st.columns(_ACROSS, gap="small"),
                                    questions[start : start + _ACROSS]):  # fmt: skip
            with column, st.container(border=True, height=height, gap="xsmall",
                                      key=f"apply-card-{question.key}"):  # fmt: skip
                st.markdown(f":material/{question.icon}: **{_(question.title)}**")
                st.caption(_(question.asks))
                with st.container(horizontal=True, gap="small", vertical_alignment="bottom",
                                  height="stretch"):  # fmt: skip
                    if state is not None:
                        done = question.key in state.answers
                        st.button(
                            _("See it") if done else _("Ask"), key=f"ask-{question.key}",
                            type="primary", on_click=state.ask, args=(question.key,),
                            help=_(question.gives),
                        )  # fmt: skip
                    if st.button(
                        _("Try it"),
                        key=f"try-{question.key}",
                        help=f"{_(question.gives)} "
                        + _(
                            "On an invented place with all that is needed; it is opened in place "
                            "of the present image."
                        ),
                    ):
                        sample.open_sample(question.key)
