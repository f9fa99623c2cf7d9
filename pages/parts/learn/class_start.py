"""Where the class room begins: join a board, open an exercise, make one."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn import place
from pages.parts.learn.class_state import DESK, SCREEN, Work, boards, own_work, take, who, work
from pages.parts.shared import banner
from pages.parts.shared import session_memory as memory
from pages.parts.shared.names import plain
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.boards import clean_code
from rsam_core.evaluate.learn.exercise_file import ENDING, MAX_FILE, read_exercise
from rsam_core.runtime.language import _

_CODE, _FILE = "learn-class-code", "learn-class-file"


def go(screen: str = "") -> None:
    """Go to a screen of the class room: ``"maker"``, ``"work"``, ``"board:<code>"`` or none."""
    st.session_state[SCREEN] = screen
    place.go("class")
    sort, _colon, code = screen.partition(":")
    if sort == "board":
        # So that a reload comes back to it.
        st.query_params.from_dict({"part": "class", DESK: code})


def join_field() -> None:
    """Where a code is typed."""
    with st.form("learn-class-join", border=False):
        st.text_input(_("Code of the class board"), key=_CODE, max_chars=12, placeholder="H4RT9")
        st.form_submit_button(
            _("Go to the board"), icon=":material/login:", type="primary", on_click=_join
        )


def _join() -> None:
    typed = st.session_state.get(_CODE, "")
    with banner.guard("learn-join"):
        code = clean_code(typed)
        boards().assignment(code)
        st.query_params.from_dict({"board": code})


def show() -> None:
    """Show what to begin with."""
    pupils, teachers = st.columns(2, gap="medium")
    with pupils.container(border=True, height="stretch"):
        st.subheader(_("For pupils"), anchor=False)
        _go_on()
        join_field()
        st.file_uploader(
            _("Or open an exercise that you got as a file ({ending})").format(ending=ENDING),
            key=_FILE, on_change=_open, max_upload_size=MAX_FILE >> 20,
        )  # fmt: skip
    with teachers.container(border=True, height="stretch"):
        st.subheader(_("For teachers"), anchor=False)
        st.markdown(
            _("Choose a picture and what to outline in it. Your class does it with the model, by "
              "a link, with a file, or live on a class board.")
        )  # fmt: skip
        st.button(
            _("Make an exercise"), icon=":material/edit_square:", type="primary",
            key="learn-class-make", on_click=go, args=("maker",),
        )  # fmt: skip
        _own_boards()


def _go_on() -> None:
    found = work()
    if found is None:
        return
    title = plain(found.made.title)
    st.button(
        _("Back to “{title}”").format(title=title), icon=":material/arrow_forward:",
        key="learn-class-back-to-work", on_click=_back, args=(found.code,),
    )  # fmt: skip


def _back(code: str) -> None:
    st.session_state[SCREEN] = "work"
    if code:
        st.query_params.from_dict({"board": code})


def _own_boards() -> None:
    found = boards().of(who())
    if found:
        st.markdown("**" + _("Your open boards") + "**")
    for code, made in found.items():
        st.button(
            f"{code} · {plain(made.title)}", key=f"learn-class-board-{code}",
            icon=":material/table_chart:", on_click=go, args=(f"board:{code}",),
        )  # fmt: skip


def _open() -> None:
    uploaded = st.session_state.get(_FILE)
    whose = who()
    if uploaded is None:
        return
    with banner.guard("learn-exercise-file"):
        memory.keep_uploads_within_limits()
        made = read_exercise(uploaded.getvalue())
        take(Work(made, own_work().find(whose, made.key) or Attempt.of(made)))
        st.session_state[SCREEN] = "work"
