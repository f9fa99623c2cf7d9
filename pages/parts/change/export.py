"""Files of the changes: maps, a table, pictures to swipe or blink, a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.parts.change import shown
from pages.parts.change.picture import names
from pages.parts.change.sums import years
from pages.parts.shared.downloads import File, offer_all
from pages.parts.shared.project_panel import project_panel
from rsam_core.change import exports
from rsam_core.change.areas import members_of, noun_of
from rsam_core.change.findings import Change
from rsam_core.formats.names import safe_name
from rsam_core.runtime.language import _, number
from rsam_core.session.change import ChangeState
from rsam_core.session.change_wishes import METHODS
from rsam_core.session.session import Session


def files(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """What the dialog offers."""
    found = state.result
    accepted = [c for c in changes if shown.said_of(state, c) is True]
    some, what = list(changes), noun_of(changes)
    if accepted:
        only = st.toggle(
            (
                _("Accepted areas only ({count})")
                if what == "areas"
                else _("Accepted changes only ({count})")
            ).format(count=number(len(accepted))),
            key="export-accepted",
        )
        some = accepted if only else some
    part = shown.window(session, state)
    whole = (part.width, part.height) == found.shape[::-1]
    window = (
        None
        if whole
        or not st.toggle(_("The part of the picture that is shown only"), key="export-part")
        else part
    )
    said = {c.id: shown.NAMES[shown.said_of(state, c)] for c in some}
    apart = years(session, state)
    gap = shown.current_filter(session).gap
    given = exports.Shown(found, tuple(some), names(session, state), said, apart, window)
    stem = safe_name(Path(session.image.source.name).stem) + f"_{what}"
    # Files and the report are in English.
    title = f"Changes at {session.image.source.name}"
    offered = (
        File("GeoPackage", _("Outlines with a table, for QGIS and other GIS"),
             lambda: exports.geopackage_of(given), ".gpkg", "application/geopackage+sqlite3"),
        File("GeoJSON", _("Outlines with a table, for the web"),
             lambda: exports.geojson_of(given), ".geojson", "application/geo+json"),
        File("CSV", _("The table alone, for spreadsheets"),
             lambda: exports.csv_of(given), ".csv", "text/csv"),
        File(_("Swipe page"), _("Both dates with a handle, one HTML file"),
             lambda: exports.swipe_page(given, title), "_swipe.html", "text/html"),
        File(_("Split picture"), _("Half and half, PNG"),
             lambda: exports.split_picture(given), ".png", "image/png"),
        File(_("Blinking picture"), _("Both dates in turn, animated GIF"),
             lambda: exports.blinking(given), ".gif", "image/gif"),
        File(_("Report"), _("Pictures, figures and settings on one page, HTML"),
             lambda: exports.report(given, title, facts(state, gap)), "_report.html",
             "text/html"),
    )  # fmt: skip
    if what == "areas":
        st.caption(
            _(
                "{count} areas of {whole} changes; refused ones are left out. For a file of "
                "single changes, show them one by one."
            ).format(count=number(len(some)), whole=number(len(members_of(some))))
        )
    else:
        st.caption(
            _(
                "{count} changes; refused ones are left out. For a file of areas, show areas."
            ).format(count=number(len(some)))
        )
    offer_all(offered, stem, "change-export")
    st.divider()
    project_panel(session)


def facts(state: ChangeState, joined: int | None = None) -> dict[str, object]:
    """Settings and alignment, for the report; `joined` is the gap of areas."""
    alignment, wishes = state.alignment, state.wishes
    gsd = alignment.gsd

    def length(pixels: float) -> str:
        return f"{pixels:.2f} px" + (f" ({pixels * gsd:.2f} m)" if gsd else "")

    values: dict[str, object] = {
        "First date": alignment.before.picture.name,
        "Second date": alignment.after.picture.name,
        "Method": METHODS[wishes.method],
        "Threshold": f"{state.thresholds[wishes.method]:.3g}"
        if wishes.method in state.thresholds
        else "the method’s own",
        "Light": "matched" if wishes.radiometry == "histogram" else "as it is",
        "Displacement corrected": ", ".join(f"{v:+.2f}" for v in alignment.shift) + " px (x, y)",
        "Displacement left": length(alignment.residual_px),
    }
    if wishes.kinds:
        values["Only kinds"] = ", ".join(wishes.kinds)
    if joined is not None:
        values["Joined to areas"] = "up to " + length(2 * joined) + " apart"
    if gsd:
        values["Pixel"] = f"{gsd:.3g} m"
    return values
