"""Exercises, and the class board on which their results come in."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.learn import class_board, class_maker, class_pupil, class_start
from pages.parts.learn.class_state import DESK, SCREEN

STYLE = Path(__file__).with_suffix(".css")


def show(projector: bool) -> None:
    """Show this part: a pupil's exercise, a teacher's board, the maker, or what to begin with."""
    st.html(STYLE)
    code, link = st.query_params.get("board", ""), st.query_params.get("exercise", "")
    desk = st.query_params.get(DESK, "")
    sort, _colon, name = st.session_state.get(SCREEN, "").partition(":")
    if code:
        class_pupil.on_board(code, projector)
    elif link:
        class_pupil.by_link(link, projector)
    elif sort == "work":
        class_pupil.own(projector)
    elif sort == "board" or (desk and not sort):
        class_board.show(name or desk, projector)
    elif sort == "maker":
        class_maker.show()
    else:
        class_start.show()
