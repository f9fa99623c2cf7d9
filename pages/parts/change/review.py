"""The changes one by one: both thumbnails, why, how sure; accepted or refused."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.parts.change import shown
from pages.parts.change.picture import names
from pages.parts.shared import resources
from rsam_core.change.areas import members_of, noun_of
from rsam_core.change.findings import KINDS, Change
from rsam_core.change.pictures import COLOURS, thumbnails
from rsam_core.change.summary import pixel_area
from rsam_core.runtime.language import N_, _, current, number, percent
from rsam_core.session.change import ChangeState
from rsam_core.session.session import Session

MOST = 150
"""Changes in the list at most: each brings two pictures."""

_THUMB, _CARD = 64, 168
_ICONS = {True: N_("✓ accepted"), False: N_("✗ refused"), None: ""}


def view(session: Session, state: ChangeState) -> None:
    """Changed objects one by one, or joined to areas."""
    token, gsd = session.image.token, state.alignment.gsd
    joined = shown.current_filter(session).gap is not None
    chosen = st.segmented_control(
        _("Show changes"), shown.VIEWS, default=shown.VIEWS[joined], required=True, width="stretch",
        format_func=_,
        key=f"change-view-{token}",
        help=_("Areas join changed objects that lie close together: a new estate with its "
               "gardens and lanes is one area."),
    )  # fmt: skip
    distance = shown.apart(session, state)
    if chosen == shown.AREAS:
        distance = st.number_input(
            _("Join what is up to ({unit}) apart").format(unit="m" if gsd else "px"),
            0.0,
            10_000.0,
            distance,
            step=1.0 if gsd else 2.0,
            format="%.0f",
            key=f"change-apart-{token}",
        )
    shown.set_view(session, state, chosen, distance)


def filters(session: Session, state: ChangeState) -> None:
    """What is left out of picture and list."""
    now, token = shown.current_filter(session), session.image.token
    found = state.result
    counts = {kind: sum(c.change == kind for c in found.changes) for kind in KINDS[:-1]}
    present = [kind for kind, count in counts.items() if count]
    if len(present) > 1:
        picked = st.pills(
            _("Kinds of change"), present, selection_mode="multi", key=f"change-pills-{token}",
            default=[kind for kind in present if kind in now.kinds],
            format_func=lambda kind: f"{_(kind)} {counts[kind]}", label_visibility="collapsed",
        )  # fmt: skip
        hidden = set(present) - set(picked)
        shown.set_filter(session, kinds=tuple(k for k in KINDS[:-1] if k not in hidden))
    unit, each = ("m²", pixel_area(found)) if found.alignment.gsd else ("px", 1.0)
    left, right = st.columns([5, 6], gap="small", vertical_alignment="bottom")
    least = left.number_input(
        _("At least ({unit})").format(unit=unit), 0.0, None, float(round(now.smallest * each, 1)),
        step=float(max(1, round(50 * each))), format="%.0f", key=f"change-least-{token}",
        help=_("Whole areas count where changes are joined; of what became larger or smaller, "
               "what came or went."),
    )  # fmt: skip
    checked = right.selectbox(
        _("Show"),
        shown.CHECKS,
        index=shown.CHECKS.index(now.checked),
        format_func=_,
        key=f"change-checked-{token}",
    )
    shown.set_filter(session, smallest=least / each, checked=checked)


def card(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """The change that is looked at."""
    change = shown.selected(state, changes)
    if change is None:
        _begin(session, state, changes)
        return
    said = shown.said_of(state, change)
    with st.container(border=True, gap="xxsmall", key="change-card"):
        first, second = session.memo.remember(
            "change-card",
            (state.alignment, change),
            lambda: [resources.jpeg(p) for p in thumbnails(state.alignment, change, 2 * _CARD)],
        )
        dates = names(session, state)
        for column, picture, date in zip(st.columns(2, gap="small"), (first, second), dates):
            column.image(
                picture,
                caption=date,
                width="stretch",
                alt=_("The place at {date}").format(date=date),
            )
        colour = COLOURS[change.change]
        st.html(
            f'<span style="display:inline-block;width:.8rem;height:.8rem;border-radius:3px;'
            f'background:{colour};margin-right:.4rem"></span><b>{_(change.change)}</b>'
            f"{_kind(change)} · {shown.area_text(change, state)}{_sure(change)}"
            f"{' · ' + _(_ICONS[said]) if said is not None else ''}"
        )
        st.caption(change.reason[:1].upper() + change.reason[1:] + ".")
        _buttons(session, state, changes, change, said)


def _begin(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """How many are left to look at, and the button that begins."""
    unchecked = [c for c in changes if shown.said_of(state, c) is None]
    if not changes:
        st.info(_("Nothing is shown with these settings. Lower the threshold, or show more kinds."))
    elif unchecked:
        text = _("Check {count} one by one")
        if noun_of(changes) == "areas":
            text = _("Check {count} areas one by one")
        st.button(
            text.format(count=number(len(unchecked))),
            icon=":material/checklist:",
            width="stretch",
            key="change-begin",
            on_click=shown.select,
            args=(session, state, unchecked[0]),
        )
    else:
        st.caption(_(":material/check: All of these are checked."))


def _buttons(
    session: Session,
    state: ChangeState,
    changes: Sequence[Change],
    change: Change,
    said: bool | None,
) -> None:
    def say(accepted: bool) -> None:
        state.review.check(members_of([change]), None if said is accepted else accepted)
        _go(session, state, changes, change, 1, only_open=True)

    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Accept"), icon=":material/check:", key="change-accept", on_click=say, args=(True,),
            shortcut="A", type="primary" if said is True else "secondary",
            help=_("This change is right (A). The next one comes."),
        )  # fmt: skip
        st.button(
            _("Refuse"), icon=":material/close:", key="change-refuse", on_click=say, args=(False,),
            shortcut="X", type="primary" if said is False else "secondary",
            help=_("This is no change (X): it goes from picture, list and sums."),
        )  # fmt: skip
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for name, text, icon, step in (
            ("previous", _("Previous change"), ":material/chevron_left:", -1),
            ("next", _("Next change"), ":material/chevron_right:", 1),
        ):
            st.button(
                "",
                icon=icon,
                key=f"change-{name}",
                help=text,
                on_click=_go,
                args=(session, state, changes, change, step),
                type="tertiary",
            )
        st.caption(
            _("{number} of {count}").format(
                number=number(changes.index(change) + 1), count=number(len(changes))
            )
        )


def _go(
    session: Session,
    state: ChangeState,
    changes: Sequence[Change],
    change: Change,
    step: int,
    only_open: bool = False,
) -> None:
    """Look at the next change in the list, or the next that nobody has checked."""
    place = changes.index(change)
    for k in range(1, len(changes)):
        other = changes[(place + step * k) % len(changes)]
        if not only_open or shown.said_of(state, other) is None:
            shown.select(session, state, other)
            return
    if only_open:
        shown.select(session, state, None)
        shown.set_window(session, None)


def listing(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """One row a change; a click zooms to it."""
    if not changes:
        return
    some = list(changes[:MOST])
    key = f"change-list-{session.image.token}"
    chosen = shown.selected(state, some)
    rows = [] if chosen is None else [some.index(chosen)]
    known = st.session_state.get(key)
    if known and known["selection"]["rows"] != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}

    def pick() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        change = some[picked[0]] if picked and picked[0] < len(some) else None
        shown.select(session, state, change)

    table = session.memo.remember(
        "change-list",
        (state.alignment, tuple(some), state.review.checks, current()),
        lambda: _table(state, some),
    )
    config = st.column_config
    st.dataframe(
        table, hide_index=True, key=key, on_select=pick, selection_mode="single-row",
        row_height=_THUMB - 8, height=min(360, 40 + (_THUMB - 8) * len(some)),
        column_config={
            "before": config.ImageColumn(_("Before"), width=62),
            "after": config.ImageColumn(_("After"), width=62),
            "change": config.TextColumn(_("Change"), width=152 if noun_of(some) == "areas" else 92),
            "sure": config.NumberColumn(_("Sure"), format="%d %%", width=56),
            "area": config.TextColumn(_("Area"), width=84),
            "checked": config.TextColumn(_("Checked"), width=80),
            "kind": config.TextColumn(_("Kind"), width=80),
            "reason": config.TextColumn(_("Why"), width=260),
        },
    )  # fmt: skip
    if len(changes) > MOST:
        st.caption(
            _(
                "The first {most} of {count}. Raise the threshold or the least area, or show "
                "fewer kinds; the files hold all."
            ).format(most=MOST, count=number(len(changes)))
        )
    left = [c for c in changes if shown.said_of(state, c) is None]
    if left:
        with st.container(horizontal=True, gap="small"):
            st.button(
                _("Accept the {count} not checked").format(count=number(len(left))),
                key="accept-all",
                type="tertiary",
                icon=":material/done_all:",
                on_click=state.review.check,
                args=(members_of(left), True),
            )
            st.button(
                _("Refuse them"), key="refuse-all", type="tertiary", icon=":material/remove_done:",
                on_click=state.review.check, args=(members_of(left), False),
            )  # fmt: skip


def _table(state: ChangeState, changes: Sequence[Change]) -> pd.DataFrame:
    pictures = [
        [_address(picture) for picture in thumbnails(state.alignment, change, _THUMB)]
        for change in changes
    ]
    table = pd.DataFrame(
        {
            "before": [pair[0] for pair in pictures],
            "after": [pair[1] for pair in pictures],
            "change": [shown.title(c) for c in changes],
            "sure": [
                None if math.isnan(c.probability) else round(100 * c.probability) for c in changes
            ],
            "area": [shown.area_text(c, state) for c in changes],
            "checked": [_(_ICONS[shown.said_of(state, c)]) for c in changes],
            "kind": [_(c.kind) if c.kind else "" for c in changes],
            "reason": [_(c.reason) for c in changes],
        }
    )
    # What nobody says of any of them needs no column.
    return table.drop(columns=[n for n in ("sure", "kind") if not table[n].replace("", None).any()])


def _address(picture: object) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(resources.jpeg(picture, 80)).decode()


def _kind(change: Change) -> str:
    if change.kind is None:
        return ""
    sure = change.kind_probability
    return f" · {_(change.kind)}" + ("" if math.isnan(sure) else f" ({percent(sure)})")


def _sure(change: Change) -> str:
    if math.isnan(change.probability):
        return ""
    return " · " + _("{share} sure").format(share=percent(change.probability))
