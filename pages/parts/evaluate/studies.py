"""Studies: one question each, one button, a figure and a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields

import streamlit as st

from pages.parts.evaluate import truth as evaluate_truth
from pages.parts.evaluate.methods import ask_for_truth, sample_of
from pages.parts.evaluate.state import loaded, models, progress, state
from pages.parts.shared import downloads
from pages.parts.shared.current_session import model_name
from pages.parts.shared.names import plain
from rsam_core.evaluate.studies import STUDIES, Study, StudyResult
from rsam_core.formats import to_csv
from rsam_core.render.figures import to_png, to_svg
from rsam_core.runtime.language import _
from rsam_core.session.evaluation import image_key
from rsam_core.session.session import Session

KIND = "study"


def tab(session: Session) -> None:
    """All studies of the open image."""
    sample = sample_of(session)
    if sample is None:
        ask_for_truth(session)
        return
    evaluate_truth.summary(session, session.truth.value)
    memory, key = state(), image_key(session)
    if memory.studies_key != key and not memory.running(KIND):
        memory.studies, memory.studies_key = {}, key
    row = st.columns([3, 3, 2, 4], vertical_alignment="bottom")
    usable = models()
    present = model_name() if model_name() in usable else usable[0]
    model = row[0].selectbox(_("Model"), usable, index=usable.index(present), key="study-model")
    most = row[1].number_input(
        _("Objects at most"),
        5,
        1000,
        40,
        5,
        key="study-objects",
        persist_state="session",
        help=_("Drawn at random by the seed. More objects take longer and narrow the intervals."),
    )
    seed = row[2].number_input(
        _("Seed"), 0, 1_000_000, 0, key="study-seed", persist_state="session"
    )
    row[3].caption(_("The same seed gives the same figures, to the last digit."))

    busy = progress(KIND, _("Studying…"))

    def start(study: Study) -> None:
        settings = study.settings(max_objects=int(most), seed=int(seed))
        segmenter = loaded([model])[model]

        def run(
            progress: Callable[[float, str], None], cancelled: Callable[[], bool]
        ) -> StudyResult:
            return study.run(sample, segmenter, settings, progress=progress, cancelled=cancelled)

        state().start(KIND, run, key)

    _cards(start, busy)
    for result in reversed(list(memory.studies.values())):
        _result(result)


def _cards(start: Callable[[Study], None], busy: bool) -> None:
    known = state().studies
    for place in range(0, len(STUDIES), 4):
        some = list(STUDIES.values())[place : place + 4]
        for column, study in zip(st.columns(4), some):
            with column.container(border=True, height="stretch"):
                st.markdown(f"**{_(study.title)}**")
                st.caption(_(study.help))
                st.button(
                    _("Run again") if study.key in known else _("Run"),
                    icon=":material/play_arrow:",
                    key=f"study-{study.key}",
                    disabled=busy,
                    width="stretch",
                    on_click=start,
                    args=(study,),
                )


def _result(result: StudyResult) -> None:
    with st.container(border=True):
        st.subheader(_(result.title))
        st.markdown(f"*{_(result.question)}*")
        st.info(result.answer, icon=":material/lightbulb:")
        left, right = st.columns([6, 5], gap="medium")
        with left:
            st.image(_picture(result), width="stretch", alt=_("The result as a chart"))
        with right:
            number = st.column_config.NumberColumn
            st.dataframe(
                result.table,
                hide_index=True,
                column_config={
                    "condition": _("Condition"),
                    "prompt": _("Prompt"),
                    "objects": number(_("Objects"), format="%d"),
                    "mean": number(_("Mean"), format="%.3f"),
                    "low": number(_("from"), format="%.3f"),
                    "high": number(_("to"), format="%.3f"),
                },
                height=330,
                key=f"table-{result.key}",
            )
        settings = ", ".join(
            f"{field.name.replace('_', ' ')} {getattr(result.settings, field.name)}"
            for field in fields(result.settings)
        )
        st.caption(
            plain(
                f"{_(result.method)} "
                + _("Model: {model}. Settings: {settings}.").format(
                    model=result.model, settings=settings
                )
            )
        )
        _files(result)


def _picture(result: StudyResult) -> str:
    pictures = st.session_state.setdefault("study-pictures", {})
    kept = pictures.get(result.key)
    if kept is None or kept[0] is not result:
        kept = pictures[result.key] = (result, to_svg(result.figure()))
    return kept[1]


def _files(result: StudyResult) -> None:
    offers = (
        (_("Figure (PNG)"), "png", "image/png", lambda: to_png(result.figure(), 200)),
        (_("Figure (SVG)"), "svg", "image/svg+xml", lambda: to_svg(result.figure()).encode()),
        (_("Table (CSV)"), "csv", "text/csv", lambda: to_csv(result.table)),
        (_("Every object (CSV)"), "objects.csv", "text/csv", lambda: to_csv(result.rows)),
        (_("Everything (JSON)"), "json", "application/json",
         lambda: json.dumps(result.to_dict(), indent=1, default=float).encode()),
    )  # fmt: skip
    with st.container(horizontal=True):
        for title, ending, mime, make in offers:
            downloads.offer(
                title,
                make,
                f"study-{result.key}.{ending}",
                mime,
                key=f"study-file-{result.key}-{ending}",
            )
    st.caption(_("The report on the tab “Compare methods” takes these studies along."))
