"""The teacher's class board: the code for the wall, and the results as they come in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.parts.learn import class_address, class_start
from pages.parts.learn.class_chart import chart
from pages.parts.learn.class_done import each, judged
from pages.parts.learn.class_state import boards, who
from pages.parts.shared import banner, downloads
from pages.parts.shared import session_memory as memory
from pages.parts.shared.browser_id import browser_id
from pages.parts.shared.names import markup, plain
from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.board import STATES, Row, table
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.evaluate.learn.result import ENDING, read_result
from rsam_core.formats.names import safe_name
from rsam_core.runtime.language import _, number, percent

_LARGE = Path(__file__).with_name("class_projector.css")
_LIVE = 2.0
"""Seconds between two looks at what came in."""
_FILES, _LOOK = "learn-board-files", "learn-board-look"


def show(code: str, projector: bool) -> None:
    """Show a board of this teacher."""
    made = boards().of(who()).get(code)
    if made is None:
        _not_here()
        return
    if projector:
        st.html(_LARGE)
    _above(code, made)
    _live(code, made, projector)


def _not_here() -> None:
    if browser_id() is None:
        # The browser tells who it is with the next run.
        st.caption(_("Looking for the class board…"))
    else:
        st.error(
            _("This class board is not open in this browser. Its teacher closed it or was away "
              "for more than four hours, the server was started again, or it was opened in "
              "another browser. Results that pupils saved as files can be dropped on a new board.")
        )  # fmt: skip
    st.button(_("Exercise and class"), key="learn-board-back", on_click=class_start.go)


def _above(code: str, made: Assignment) -> None:
    base = class_address.base()
    with st.container(horizontal=True, vertical_alignment="center", key="learn-board-top"):
        said = _("Code: {code}").format(code=" ".join(code))
        st.html(
            f'<div class="board-code" aria-label="{markup(said)}">{markup(code)}</div>',
            width="content",
        )
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{plain(made.title)}**")
            st.html(f'<div class="board-address">{markup(f"{base}?board={code}")}</div>')
            if not class_address.is_shared():
                st.caption(
                    _("Only this computer reaches it now. For the class, stop RSAM and start it "
                      "with `python run.py --share`; then the address here is the one to use.")
                )  # fmt: skip
        _actions(code, made)


def _actions(code: str, made: Assignment) -> None:
    with st.popover(_("Results"), icon=":material/inbox:"):
        st.file_uploader(
            _("Drop results here that pupils hand in as files ({ending})").format(ending=ENDING),
            accept_multiple_files=True, key=_FILES, on_change=_collect, args=(code,),
            max_upload_size=1,
        )  # fmt: skip
        owner = who()
        downloads.offer(
            _("Save the table (CSV)"), lambda: table(boards().rows(code, owner)),
            f"{safe_name(made.title, default='class')}.csv", "text/csv", key="learn-board-csv",
        )  # fmt: skip
    with st.popover(_("Close"), icon=":material/close:"):
        st.markdown(
            _("Closing forgets the names, the results and the pictures of all. Save the table "
              "first if you want to keep it.")
        )  # fmt: skip
        st.button(
            _("Close the board"), type="primary", key="learn-board-close", on_click=_close,
            args=(code,),
        )  # fmt: skip


@st.fragment(run_every=_LIVE)
def _live(code: str, made: Assignment, projector: bool) -> None:
    """What came in; drawn again by itself."""
    try:
        rows = boards().rows(code, who())
    except LearnError:
        st.rerun()
    done = sum(row.iou is not None for row in rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            "**"
            + _("{count} on the board, {done} done").format(
                count=number(len(rows)), done=number(done)
            )
            + "**",
            width="content",
        )
        st.space("stretch")
        best = st.toggle(_("Best first"), key="learn-board-best")
        names = st.toggle(_("Names"), True, key="learn-board-names")
    if not rows:
        st.info(
            _("Nobody is here yet. Pupils open the address above, or choose Learn, “Exercise and "
              "class”, and type the code."),
            icon=":material/groups:",
        )  # fmt: skip
        return
    if best:
        rows = sorted(rows, key=lambda row: (row.iou is None, -(row.iou or 0.0), row.clicks))
    left, right = st.columns((56, 44), gap="medium")
    with left:
        _table(rows, names, made.count)
    with right:
        chart(rows, [_named(row, names) for row in rows])
        _one(code, made, rows, names, projector)


def _table(rows: Sequence[Row], names: bool, count: int) -> None:
    heads = [_("Name"), _("State"), _("Mean IoU"), _("Clicks"), _("Seconds")]
    head = "".join(f'<th scope="col">{markup(text)}</th>' for text in heads)
    body = "".join(_line(row, names, count) for row in rows)
    # With a tabindex it can be scrolled by keys, too.
    label = _("Results of the class")
    st.html(
        f'<div class="class-table" tabindex="0" role="region" aria-label="{markup(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _line(row: Row, names: bool, count: int) -> str:
    state = _(STATES[row.state])
    if row.state == "working" and count > 1:
        state = _("object {number} of {count}").format(number=row.at, count=count)
    share = ""
    if row.iou is not None:
        width = f"--share:{100 * row.iou:.0f}%"
        share = f'<span class="share" style="{width}">{percent(row.iou)}</span>'
    name = _named(row, names)
    seconds = "" if row.seconds is None else number(row.seconds)
    return (
        f'<tr class="{row.state}"><th scope="row">{markup(name)}</th><td>{markup(state)}</td>'
        f"<td>{share}</td>"
        f"<td>{number(row.clicks) if row.at else ''}</td><td>{seconds}</td></tr>"
    )


def _one(code: str, made: Assignment, rows: Sequence[Row], names: bool, projector: bool) -> None:
    """Look at one pupil's work, and show it to all."""
    known = {row.number: _named(row, names) for row in rows}
    shown = boards().shown(code)
    if shown is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                ":orange-badge["
                + _("All see the work of {name} now").format(name=plain(known[shown.number]))
                + "]",
                width="content",
            )
            st.button(
                _("Stop showing"), key="learn-board-stop", on_click=_show, args=(code, None, names)
            )
    chosen = st.selectbox(
        _("Look at the work of"), list(known), index=None, key=_LOOK, placeholder=_("nobody"),
        format_func=lambda number_: known.get(number_, ""),
    )  # fmt: skip
    if chosen not in known:
        st.session_state.pop("learn-class-judged-looked-at", None)
        return
    pupil = boards().pupil_of(code, who(), chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        if shown is None or shown.number != chosen:
            st.button(
                _("Show to all"), icon=":material/cast:", key="learn-board-show",
                disabled=pupil is None or pupil.attempt is None, on_click=_show,
                args=(code, chosen, names),
                help=_("All who are done see this picture on their own screens."),
            )  # fmt: skip
        st.button(
            _("Take off the board"), icon=":material/person_remove:", key="learn-board-remove",
            on_click=_remove, args=(code, chosen),
        )  # fmt: skip
    if pupil is None or pupil.attempt is None:
        st.caption(_("This result came as a file, without a picture."))
        return
    judged(made, pupil.attempt, "looked-at", projector)
    each(pupil.attempt)


def _named(row: Row, names: bool) -> str:
    return row.name if names else _("Pupil {number}").format(number=row.number)


def _show(code: str, number_: int | None, named: bool) -> None:
    owner = who()
    with banner.guard("learn-show"):
        # Who closes the board quickly after it meant both.
        if code in boards().of(owner):
            boards().show(code, owner, number_, named=named)


def _remove(code: str, number_: int) -> None:
    st.session_state[_LOOK] = None
    with banner.guard("learn-remove"):
        boards().remove(code, who(), number_)


def _close(code: str) -> None:
    owner = who()
    with banner.guard("learn-close"):
        boards().close(code, owner)
        st.session_state.pop("learn-class-judged-looked-at", None)
        class_start.go()


def _collect(code: str) -> None:
    uploaded, owner = st.session_state.get(_FILES) or [], who()
    with banner.guard("learn-collect"):
        memory.keep_uploads_within_limits()
        wrong = []
        for file in uploaded:
            try:
                boards().collect(code, owner, read_result(file.getvalue()))
            except LearnError as error:
                wrong.append(f"“{file.name}”: {error}")
        if wrong:
            raise LearnError("\n".join(wrong))
