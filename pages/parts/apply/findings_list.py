"""The findings of an answer: one after the other to be checked, and all as a list."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.parts.apply.dates_there import two_dates
from pages.parts.apply.findings_map import fitted, key_of, pair_of, select, selected
from pages.parts.shared import resources
from pages.parts.shared.names import markup, plain
from rsam_core.change.apply import Answer, Check, Features
from rsam_core.change.apply.answer import VERDICT
from rsam_core.change.apply.pictures import drawn, window_around
from rsam_core.change.apply.reports import cell_text
from rsam_core.runtime.language import N_, _, current, number
from rsam_core.session.apply import ApplyState
from rsam_core.session.change import change_state
from rsam_core.session.session import Session

MOST = 200
"""Findings in the list at most, when each brings pictures."""
_THUMB = 60
_ICONS = {
    "accepted": N_("✓ accepted"),
    "refused": N_("✗ refused"),
    "corrected": N_("✎ corrected"),
    "": "",
}


def card(session: Session, state: ApplyState, answer: Answer) -> None:
    """The finding that is looked at: both pictures, what was found, and what a person says."""
    chosen = selected(session, answer)
    keys, ids = answer.keys(), answer.findings.column("id")
    checks = state.checks(answer.question)
    if chosen is None:
        left = [k for k, key in enumerate(keys) if checks.get(key, Check()).empty]
        if left:
            st.button(
                _("Check {count} one by one").format(count=number(len(left))),
                icon=":material/checklist:",
                width="stretch",
                key="apply-begin",
                on_click=select,
                args=(session, answer, ids[left[0]]),
            )
        return
    place = ids.index(chosen)
    said = checks.get(keys[place], Check())
    row = answer.findings.table.iloc[place]
    verdict = said.verdict or row[VERDICT]
    with st.container(border=True, gap="xxsmall", key="apply-card"):
        _pictures(session, answer, place)
        colour = answer.colours.get(verdict, "#9AA5B1")
        facts = " · ".join(
            f"{_(title)}: {cell_text(row[name])}" for name, title in answer.columns.items()
            if name in row and cell_text(row[name])
        )  # fmt: skip
        title = _("No. {number}: {verdict}").format(number=chosen, verdict=_(verdict))
        st.html(
            f'<span style="display:inline-block;width:.8rem;height:.8rem;border-radius:3px;'
            f'background:{colour};margin-right:.4rem"></span><b>{markup(title)}</b>'
            f"{' · ' + _(_ICONS[said.state]) if said.state else ''}"
        )
        st.caption(plain(facts, 600))
        _buttons(session, state, answer, keys, place, said)


def _pictures(session: Session, answer: Answer, place: int) -> None:
    shape = answer.findings.shapes[place]
    part = window_around(answer, shape, 1.0, 1.8)
    one = answer.findings.select([place])

    def make() -> list[bytes]:
        pair = pair_of(session, answer, part, 300)
        return [resources.jpeg(drawn(answer, one, p, part, fill=0.0)) for p in pair]

    alignment = change_state(session).alignment
    pictures = session.memo.remember("apply-card", (answer, place, alignment), make)
    two = two_dates(session, answer)
    dates = answer.dates if len(answer.dates) >= 2 else (_("first date"), _("second date"))
    for column, content, date in zip(
        st.columns(2 if two else [1, 1]), pictures, (dates[0], dates[-1])
    ):
        column.image(content, caption=date if two else None, width="stretch", alt=_("The finding"))
        if not two:
            break


def _buttons(
    session: Session, state: ApplyState, answer: Answer, keys: list[str], place: int, said: Check
) -> None:
    key, question = keys[place], answer.question

    def say(value: str) -> None:
        state.say(question, key, replace(said, state="" if said.state == value else value))
        _next(session, state, answer, keys, place)

    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Accept"),
            icon=":material/check:",
            key="apply-accept",
            shortcut="A",
            on_click=say,
            args=("accepted",),
            help=_("This is right (A). The next one comes."),
            type="primary" if said.state == "accepted" else "secondary",
        )
        st.button(_("Refuse"), icon=":material/close:", key="apply-refuse", shortcut="X",
                  on_click=say, args=("refused",),
                  help=_("This is wrong (X): it goes from map, list, figures and files."),
                  type="primary" if said.state == "refused" else "secondary")  # fmt: skip
        st.button("", icon=":material/chevron_right:", key="apply-next", help=_("Next finding"),
                  on_click=_step, args=(session, answer, place, 1))  # fmt: skip
    ids = answer.findings.column("id")
    token = f"{question}-{ids[place]}-{session.image.token}"
    left, right = st.columns([2, 3], gap="small")
    kinds = list(answer.colours)
    now = said.verdict or answer.findings.column(VERDICT)[place]
    verdict = left.selectbox(_("It is"), kinds, index=kinds.index(now) if now in kinds else 0,
                             format_func=_,
                             key=f"apply-verdict-{token}-{now}",
                             help=_("Correct what was found; figures follow."))  # fmt: skip
    comment = right.text_input(_("Comment"), said.comment, key=f"apply-comment-{token}",
                               max_chars=500)  # fmt: skip
    own = answer.findings.column(VERDICT)[place]
    corrected = "" if verdict == own else verdict
    if (comment, corrected) != (said.comment, said.verdict):
        state.say(question, key, replace(said, comment=comment, verdict=corrected))
        st.rerun()


def _step(session: Session, answer: Answer, place: int, step: int) -> None:
    ids = answer.findings.column("id")
    select(session, answer, ids[(place + step) % len(ids)])


def _next(session: Session, state: ApplyState, answer: Answer, keys: list[str], place: int) -> None:
    checks, ids = state.checks(answer.question), answer.findings.column("id")
    for k in range(1, len(keys)):
        other = (place + k) % len(keys)
        if checks.get(keys[other], Check()).empty:
            select(session, answer, ids[other])
            return
    select(session, answer, None)


def listing(session: Session, state: ApplyState, answer: Answer, findings: Features) -> None:
    """One row a finding; a click zooms to it."""
    if not len(findings):
        st.info(_("Nothing was found, or everything was refused."))
        return
    some = findings.select(list(range(min(MOST, len(findings)))))
    key = key_of(session, f"list-{answer.question}")
    ids = some.column("id")
    chosen = selected(session, answer)
    rows = [ids.index(chosen)] if chosen in ids else []
    known = st.session_state.get(key)
    if known and known["selection"]["rows"] != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}

    def pick() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        select(session, answer, ids[picked[0]] if picked and picked[0] < len(ids) else None)

    thumbs = _wants_thumbnails(session, answer)
    table = session.memo.remember(
        "apply-list",
        (answer, findings, state.said, thumbs, change_state(session).alignment, current()),
        lambda: _table(session, answer, some, thumbs),
    )
    config: Mapping[str, object] = {
        _("First"): st.column_config.ImageColumn(width=58),
        _("Second"): st.column_config.ImageColumn(width=58),
        _("No."): st.column_config.NumberColumn(width=44),
        _("Finding"): st.column_config.TextColumn(width=126),
    }
    height = _THUMB - 6 if thumbs else 34
    st.dataframe(
        table, hide_index=True, key=key, on_select=pick, selection_mode="single-row",
        row_height=height, height=min(340, 40 + height * len(some)), column_config=config,
    )  # fmt: skip
    if len(findings) > MOST:
        st.caption(
            _("The first {most} of {count}; the files hold all.").format(
                most=MOST, count=number(len(findings))
            )
        )
    keys = answer.keys()
    checks = state.checks(answer.question)
    left = {key: Check("accepted") for key in keys if checks.get(key, Check()).empty}
    if left:
        st.button(
            _("Accept the {count} not checked").format(count=number(len(left))),
            key="apply-accept-all",
            type="tertiary",
            icon=":material/done_all:",
            on_click=state.say_all,
            args=(
                answer.question,
                left,
                _("Accept {count} findings").format(count=number(len(left))),
            ),
        )


def _wants_thumbnails(session: Session, answer: Answer) -> bool:
    shown = ("growth", "damage", "deterioration", "forest", "cost")
    return answer.question in shown and two_dates(session, answer)


def _table(session: Session, answer: Answer, some: Features, thumbs: bool) -> pd.DataFrame:
    table = some.table
    shown = pd.DataFrame({_("No."): table["id"]})
    if thumbs:
        pairs = [_thumbnails(session, answer, shape) for shape in some.shapes]
        shown[_("First")] = [pair[0] for pair in pairs]
        shown[_("Second")] = [pair[1] for pair in pairs]
    shown[_("Finding")] = [_(verdict) for verdict in table[VERDICT]]
    for name, title in answer.columns.items():
        if name in table:
            values = table[name]
            shown[_(title)] = values.round(2) if values.dtype.kind == "f" else values
    if any(table["checked"]):
        shown[_("Checked")] = [_(_ICONS[state]) for state in table["checked"]]
    if any(table["comment"]):
        shown[_("Comment")] = table["comment"]
    return shown.dropna(axis=1, how="all")


def _thumbnails(session: Session, answer: Answer, shape: object) -> list[str]:
    part = window_around(answer, shape, 1.0, 1.6)
    return [
        "data:image/jpeg;base64," + base64.b64encode(
            resources.jpeg(fitted(image, _THUMB), 80)).decode()
        for image in pair_of(session, answer, part, 2 * _THUMB)
    ]  # fmt: skip
