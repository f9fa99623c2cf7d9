"""What teachers prepare and print: plans and worksheets of the lessons."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.learn import place
from pages.parts.shared import banner, current_session, downloads, progress, streamlit_adapter
from pages.parts.shared.names import plain
from rsam_core.errors import RsamError
from rsam_core.evaluate.learn import handout
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.handout import Handout
from rsam_core.evaluate.learn.lesson import Lesson
from rsam_core.evaluate.learn.own_sheet import tasks_on
from rsam_core.evaluate.learn.subject import subject_of_scene
from rsam_core.runtime.language import _, current, number, speaking
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit

JOB = "learn-handouts"
_ZIP = "learn-zip"
_SPLIT = (58, 42)


def show() -> None:
    """Show this part."""
    st.markdown(
        _("Lesson plans and worksheets to print on A4, in the language chosen above. Answers stand "
          "on a page of their own.")
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", key="learn-all-handouts"):
        with banner.guard("handouts"):
            _all()
        _print(_("Overview"), "overview", "overview", handout.overview, "content")
    for key in LESSONS:
        _row(lesson(key))
    _own_image()


def _row(chosen: Lesson) -> None:
    with st.container(border=True, key=f"handouts-{chosen.key}"):
        said, files = st.columns(_SPLIT, gap="medium", vertical_alignment="center")
        with said.container(gap="xxsmall"):
            st.button(
                f"**{number(chosen.number)}. {_(chosen.title)}**", type="tertiary",
                key=f"teach-{chosen.key}", on_click=place.go, args=("lessons", chosen.key),
            )  # fmt: skip
            st.caption(handout.times(chosen))
            st.markdown("\n".join(f"- {_(goal)}" for goal in chosen.plan.goals))
        with files.container(gap="xsmall"):
            _print(
                _("Lesson plan"), f"plan-{chosen.key}", f"{_stem(chosen)}-plan",
                lambda: handout.lesson_plan(chosen),
            )  # fmt: skip
            _print(
                _("Worksheet"), f"sheet-{chosen.key}", f"{_stem(chosen)}-worksheet",
                lambda: handout.worksheet(chosen),
            )  # fmt: skip


def _stem(chosen: Lesson) -> str:
    return f"{chosen.number}-{chosen.key.replace('_', '-')}"


def _print(
    what: str, key: str, stem: str, make: Callable[[], Handout], width: str = "stretch"
) -> None:
    """Buttons for something to print, made when one of them is pressed."""
    # Files are made in another thread, which knows of no browser and its language.
    language = current()

    def made(kind: Callable[[Handout], bytes]) -> Callable[[], bytes]:
        def run() -> bytes:
            with speaking(language):
                return kind(make())

        return run

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        downloads.offer(
            _("{what}, PDF").format(what=what), made(Handout.pdf), f"{stem}-{language}.pdf",
            "application/pdf", key=f"{key}-pdf", width=width,
        )  # fmt: skip
        downloads.offer(
            _("{what}, HTML").format(what=what), made(Handout.html), f"{stem}-{language}.html",
            "text/html", key=f"{key}-html", width=width,
        )  # fmt: skip


def _all() -> None:
    """All of it as one zip, which takes a while."""
    jobs, language = current_session.visit().jobs, current()
    job = jobs.take(JOB)
    if job is not None and job.state == "failed":
        raise job.error
    if job is not None and job.state == "done":
        # It was handed out once: kept even if the browser wants the next run at this moment.
        streamlit_adapter.do_all(lambda: st.session_state.update({_ZIP: job.result}))
    if progress.shown(jobs, JOB, _("Making plans and worksheets:"), key="stop-handouts"):
        return
    spoken, content = st.session_state.get(_ZIP, (None, b""))
    if spoken == language:
        st.download_button(
            _("Save all (zip)"), content, f"rsam-learn-{language}.zip", "application/zip",
            icon=":material/folder_zip:", type="primary", key="handouts-zip", on_click="ignore",
        )  # fmt: skip
        return
    if st.button(_("Make all as one zip"), icon=":material/folder_zip:", key="make-handouts"):
        jobs.start(JOB, _everything, language)
        st.rerun()


def _everything(language: str, **control: Callable[..., object]) -> tuple[str, bytes]:
    with speaking(language):
        return language, handout.everything(**control)


def _own_image() -> None:
    """A worksheet on the image that is open."""
    session = current_session.current()
    if session is None:
        st.caption(_("Open an image, and a worksheet on it can be had here, too."))
        return
    visit, name = current_session.visit(), session.image.scene.name
    with st.container(border=True, key="handouts-own"):
        said, files = st.columns(_SPLIT, gap="medium", vertical_alignment="center")
        said.markdown("**" + _("Your image: {name}").format(name=plain(name)) + "**")
        said.caption(_("How large it is on the ground, what can be seen on it."))
        with files:
            _print(
                _("Worksheet"), "sheet-own", "own-image-worksheet",
                lambda: own_worksheet(visit, session),
            )  # fmt: skip


def own_worksheet(visit: Visit, session: Session) -> Handout:
    """The worksheet on an image.

    Parameters
    ----------
    visit : Visit
    session : Session
        What was open when the worksheet was offered.

    Raises
    ------
    RsamError
        If it is no longer open, or cannot be read.
    """
    name = session.image.scene.name
    if visit.session is not session:
        raise RsamError(
            _("The image “{name}” is no longer open, so there is no worksheet on it. Open it "
              "again on the page Open, and then take the worksheet.").format(name=name)
        )  # fmt: skip
    title = _("Your image: {name}").format(name=name)
    return handout.sheet(title, tasks_on(subject_of_scene(session.image.scene)), "own-image")
