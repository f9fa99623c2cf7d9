"""What the changes come to: counts, areas, square metres a year."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.parts.shared import banner
from rsam_core.change.areas import members_of, noun_of
from rsam_core.change.findings import Change
from rsam_core.change.summary import pixel_area, summarise, years_between
from rsam_core.errors import ChangeError
from rsam_core.runtime.language import _, number
from rsam_core.session.change import ChangeState
from rsam_core.session.session import Session


def years(session: Session, state: ChangeState) -> float | None:
    """Years between the dates; None without them, or where they make no sense."""
    try:
        return years_between(*state.dates(session.image.scene))
    except ChangeError:
        return None


def sums(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """Key figures and a table by kind."""
    found = state.result
    unit = "m²" if found.alignment.gsd else "px"
    apart = None
    with banner.guard():
        apart = years_between(*state.dates(session.image.scene))
    single = members_of(changes)
    rows = summarise(found, single, apart)
    if not rows:
        st.info(_("No change is shown, so there is nothing to add up."))
        return
    if noun_of(changes) == "areas":
        ground = pixel_area(found) * sum(change.outline.area for change in changes)
        figures = [
            (_("Areas"), len(changes)),
            (_("Ground ({unit})").format(unit=unit), ground),
            (_("Changes"), len(single)),
        ]
    else:
        came = sum(max(row.gain, 0) for row in rows)
        went = sum(max(-row.gain, 0) for row in rows)
        figures = [
            (_("Changes"), len(changes)),
            (_("Came ({unit})").format(unit=unit), came),
            (_("Went ({unit})").format(unit=unit), went),
        ]
    for column, (title, value) in zip(st.columns(3), figures):
        column.metric(title, number(value))
    table = pd.DataFrame(
        {
            _("Change"): [_(row.kind) for row in rows],
            _("Count"): [row.count for row in rows],
            _("Before"): [round(row.before) for row in rows],
            _("After"): [round(row.after) for row in rows],
            _("A year"): [None if row.a_year is None else round(row.a_year) for row in rows],
        }
    )
    if apart is None:
        table = table.drop(columns=_("A year"))
    st.dataframe(table, hide_index=True, width="stretch", key="change-sums")
    said = [state.review.said_of(change) for change in single]
    notes = [
        _("Areas in {unit}. {count} of {whole} are accepted by a person.").format(
            unit=unit, count=number(said.count(True)), whole=number(len(said))
        )
    ]
    if apart is None:
        notes.append(_("Type both dates in the sidebar to see square metres a year."))
    else:
        notes.append(_("{years:.1f} years lie between the dates.").format(years=apart))
    if unit == "px":
        notes.append(_("The size of a pixel is not known; type it on the Segment page."))
    st.caption(" ".join(notes))
