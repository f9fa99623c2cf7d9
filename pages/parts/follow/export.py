"""Files of a followed object: table, maps, a moving picture, a report."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.shared.current_session import model_name
from pages.parts.shared.downloads import File, offer_all
from pages.parts.shared.project_panel import project_panel
from rsam_core.change import track_files
from rsam_core.formats.names import safe_name
from rsam_core.runtime.language import _
from rsam_core.session.following import FollowState
from rsam_core.session.session import Session


def files(session: Session, state: FollowState) -> None:
    """What the dialog offers."""
    track, source = state.now.track, state.source
    if track is None:
        project_panel(session)
        return
    stem = safe_name(Path(source.title).stem) + "_followed"
    title = f"Followed: {source.title}"
    offered = (
        File(_("Table (CSV)"), _("Dates, areas, place and shape of each frame, for spreadsheets"),
             lambda: track_files.csv_of(track), ".csv", "text/csv"),
        File(_("Outlines (GeoPackage)"), _("All outlines with their dates, for QGIS and other GIS"),
             lambda: track_files.geopackage_of(track), ".gpkg", "application/geopackage+sqlite3"),
        File(_("Outlines (GeoJSON)"), _("All outlines with their dates, for the web"),
             lambda: track_files.geojson_of(track), ".geojson", "application/geo+json"),
        File(_("Moving picture (GIF)"), _("All frames with their outlines, for slides and pages"),
             lambda: track_files.moving_picture(track), ".gif", "image/gif"),
        File(_("Report (HTML)"), _("Pictures, chart and table on one page"),
             lambda: track_files.report(track, title, facts(state)), "_report.html", "text/html"),
    )  # fmt: skip
    offer_all(offered, stem, "follow-export")
    st.divider()
    project_panel(session)


def facts(state: FollowState) -> dict[str, object]:
    """What it was made from, for the report."""
    frames, track, source = state.frames, state.now.track, state.source
    values: dict[str, object] = {
        # The report is in English.
        "Frames": f"{len(frames):,} of {frames.width:,} × {frames.height:,} pixels",
        "From": ", ".join(source.names[:6]) + (", …" if len(source.names) > 6 else ""),
        "Model": model_name(),
        "Marked by hand": "frame " + ", ".join(str(k + 1) for k in sorted(state.now.marks)),
        "Speed": f"{track.frames_per_second:.1f} frames a second",
        "Holes": "kept" if state.holes else "filled",
    }
    if frames.gsd:
        values["Pixel"] = f"{frames.gsd:.3g} m"
    if frames.crs:
        values["Coordinate system"] = frames.crs
    return values
