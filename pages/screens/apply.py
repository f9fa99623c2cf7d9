"""Apply: a question that planners and relief workers ask, answered with a map, a list, a report."""

from __future__ import annotations

import streamlit as st

from pages.parts.apply import export, findings_list, findings_map, result
from pages.parts.apply.cards import cards
from pages.parts.apply.form import form, scale
from pages.parts.shared import autosaving, banner, current_session, progress, sidebar
from pages.parts.shared.exporting import export_button
from pages.parts.shared.frame import frame, toolbar
from pages.parts.shared.gallery import no_image
from pages.parts.shared.names import plain
from pages.parts.shared.undoing import redo_button, undo_button
from rsam_core.change.apply import Question
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.formats.placement import Place
from rsam_core.runtime.language import N_, _
from rsam_core.session.apply import APPLY, ApplyState, apply_state
from rsam_core.session.change import ALIGN, change_state
from rsam_core.session.session import Session

NO_IMAGE = N_(
    "No image is open yet. Open one, outline what is in it or compare it with a second date, "
    "and ask here what it means. Or try a question on an invented place, with one click:"
)
TABS = (N_("Findings"), N_("Figures"), N_("Basis"), N_("Inputs"))


def choose(session: Session, state: ApplyState) -> None:
    """No question is asked yet."""
    st.subheader(_("What do you want to know?"))
    cards(state)
    autosaving.offer(session)


def heading(state: ApplyState, question: Question) -> None:
    """The question, and the way back to all of them."""
    with st.sidebar:
        st.button(_("All questions"), icon=":material/arrow_back:", key="apply-back",
                  on_click=state.ask, args=("",), width="stretch")  # fmt: skip
        st.markdown(f"#### :material/{question.icon}: {_(question.title)}")
        st.caption(_(question.asks))


def asking(session: Session, state: ApplyState, question: Question) -> None:
    """The question is asked, and not answered yet."""
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.subheader(question.title)
        st.caption(question.gives)
        if scale(session):
            form(session, state, question)
        if state.error is not None:
            banner.show(state.error)
    with right:
        name = plain(session.image.scene.name)
        st.image(session.image.scene.overview(900), caption=name, alt=_("The open image"))


def bar(session: Session, state: ApplyState) -> None:
    """Undo, redo, zoom, and the files."""
    answer = state.answers[state.question]
    with toolbar():
        undo_button("apply", _(state.undoable) or None, state.undo)
        redo_button("apply", _(state.redoable) or None, state.redo)
        findings_map.tools(session, answer)
        export_button(lambda: export.files(session, state, answer), enabled=True)


def answered(session: Session, state: ApplyState, question: Question) -> None:
    """The answer: map on the left, all that belongs to it on the right."""
    answer = state.answers[question.key]
    checks = state.checks(question.key)
    bar(session, state)
    places = frame()
    findings = session.memo.remember(
        "apply-findings", (answer, state.said), lambda: answer.checked(checks)
    )
    findings_map.picture(session, answer, findings, places)
    with places.panel:
        if state.error is not None:
            banner.show(state.error)
        tabs = st.tabs([_(name) for name in TABS])
        with tabs[0], banner.guard():
            st.caption(answer.status(checks))
            findings_list.card(session, state, answer)
            findings_list.listing(session, state, answer, findings)
        with tabs[1], banner.guard():
            result.figures(state, answer)
        with tabs[2], banner.guard():
            result.basis(answer)
        with tabs[3], banner.guard():
            form(session, state, question)


def both_dates(session: Session, question: Question) -> bool:
    """Bring both dates together where a question looks at them; whether that goes on."""
    change, scene = change_state(session), session.image.scene
    change.collect(scene)
    wanted = question.pictures or any(need.date is not None for need in question.needs)
    if not wanted or change.second is None or change.fits(scene) or change.error is not None:
        return False
    if session.jobs.get(ALIGN) is None:
        change.start_align(scene)
    return progress.shown(
        session.jobs, ALIGN, _("Bringing both dates together:"), key="apply-align"
    )


def page(session: Session) -> None:
    """The whole screen for an open image."""
    state = apply_state(session)
    question = QUESTIONS.get(state.question)
    if question is None:
        with st.sidebar:
            sidebar.image_name(session)
        choose(session, state)
        return
    state.collect()
    scene = session.image.scene
    if any(a.site.place == Place.of(scene) and a.site.gsd != scene.gsd
           for a in state.answers.values()):  # fmt: skip
        # Another size of pixels was typed since: everything is measured again.
        state.forget_answers()
    heading(state, question)
    if both_dates(session, question):
        return
    if progress.shown(session.jobs, APPLY, _("Answering:"), key="stop-apply"):
        return
    if question.key in state.answers:
        answered(session, state, question)
    else:
        asking(session, state, question)
    autosaving.schedule_autosave(session)


opened = current_session.current()
if opened is None:
    st.title(_("Apply"))
    st.caption(_(NO_IMAGE))
    cards(None)
    no_image(
        _("To ask about a place of your own, open a picture of it."),
        icon=":material/help:",
        page="pages/screens/apply.py",
    )
else:
    with banner.guard():
        page(opened)
