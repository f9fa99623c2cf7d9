"""Files of an answer: for GIS, spreadsheets, and to hand in."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.apply.dates_there import series_frames, two_dates
from pages.parts.apply.findings_map import pair_of
from pages.parts.shared.downloads import File, offer_all
from pages.parts.shared.project_panel import project_panel
from rsam_core.change.apply import Answer
from rsam_core.change.apply.files import csv_of, geojson_of, geopackage_of
from rsam_core.change.apply.maps import png_of
from rsam_core.change.apply.pictures import drawn, window_around
from rsam_core.change.apply.reports import html_of, pdf_of, sections_of
from rsam_core.formats.names import safe_name
from rsam_core.runtime.language import _
from rsam_core.scene.window import Window
from rsam_core.session.apply import ApplyState
from rsam_core.session.change import change_state
from rsam_core.session.session import Session


def files(session: Session, state: ApplyState, answer: Answer) -> None:
    """What the dialog offers."""
    checks = state.checks(answer.question)
    rows, columns = answer.site.shape
    whole = Window(0, 0, columns, rows)

    def image():  # type: ignore[no-untyped-def]
        return pair_of(session, answer, whole, 1600)[1]

    def sections():  # type: ignore[no-untyped-def]
        return sections_of(answer, image(), checks, _thumbnails(session, answer),
                           _names(session, answer))  # fmt: skip

    offered = (
        File(_("Report, PDF"), _("Map, figures, findings and assumptions on A4"),
             lambda: pdf_of(answer, sections()), "_report.pdf", "application/pdf"),
        File(_("Report, HTML"), _("The same as one page for the browser"),
             lambda: html_of(answer, sections()), "_report.html", "text/html"),
        File("GeoPackage", _("Findings and layers with colours that QGIS shows at once"),
             lambda: geopackage_of(answer, checks), ".gpkg", "application/geopackage+sqlite3"),
        File("GeoJSON", _("Findings for the web"),
             lambda: geojson_of(answer, checks), ".geojson", "application/geo+json"),
        File("CSV", _("The table alone, for spreadsheets"),
             lambda: csv_of(answer, checks), ".csv", "text/csv"),
        File(_("Map, PNG"), _("With scale bar, north arrow and legend"),
             lambda: png_of(answer, image(), checks), "_map.png", "image/png"),
    )  # fmt: skip
    st.caption(f"{answer.status(checks)} " + _("Refused findings are left out of all files."))
    stem = f"{safe_name(Path(session.image.source.name).stem)}_{answer.question}"
    offer_all(offered, stem, "apply-export")
    st.divider()
    project_panel(session)


def _names(session: Session, answer: Answer) -> list[str]:
    frames = series_frames(session)
    if answer.series and frames is not None:
        return list(frames.names)
    change, scene = change_state(session), session.image.scene
    if change.second is None:
        return [scene.name]
    return [picture.name for picture in change.pictures(scene)]


def _thumbnails(session: Session, answer: Answer):  # type: ignore[no-untyped-def]
    if not two_dates(session, answer):
        return None

    def pair(shape: object):  # type: ignore[no-untyped-def]
        part = window_around(answer, shape, 1.0, 1.8)
        one = answer.findings.select([answer.findings.shapes.tolist().index(shape)])
        return tuple(drawn(answer, one, image, part, fill=0.0)
                     for image in pair_of(session, answer, part, 320))  # fmt: skip

    return pair
