"""Ground truth of the open image: from a file, or a sample's own."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import banner, sample_truth
from pages.parts.shared.names import plain
from rsam_core.errors import RsamError
from rsam_core.formats.truth import TRUTH_TYPES, read_truth
from rsam_core.runtime.language import _
from rsam_core.session.session import Session


def lost_truth(session: Session) -> None:
    """Say that work was brought back without its truth."""
    if session.truth.lost:
        st.info(
            _(
                "The truth “{lost}” was too large to be kept with the work that was brought back. "
                "Give it again."
            ).format(lost=plain(session.truth.lost)),
            icon=":material/info:",
        )


def choose_truth(session: Session, place: str = "") -> None:
    """Upload ground truth, or take a sample's.

    Parameters
    ----------
    session : Session
    place : str
        Sets the widgets of one page apart from those of another.
    """
    upload, sample = st.columns([5, 6], gap="medium")
    with upload:
        file = st.file_uploader(
            _(
                "Ground truth: a mask (PNG, TIFF) or outlines (GeoJSON, GeoPackage, zipped "
                "Shapefile)"
            ),
            type=list(TRUTH_TYPES),
            key=f"truth{place}-{session.image.token}",
        )
        if file is not None and session.truth.file != file.file_id:
            session.truth.file = file.file_id
            try:
                session.truth.give(read_truth(file.getvalue(), session.image.scene, name=file.name))
            except RsamError as error:
                session.truth.refuse(error)
        if session.truth.error is not None:
            banner.show(session.truth.error)
        lost_truth(session)
    if not sample_truth.kinds(session):
        return

    def use() -> None:
        with banner.guard():
            kind = st.session_state[f"truth-class{place}"]
            session.truth.give(sample_truth.truth(session, kind))

    with sample.container(horizontal=True, vertical_alignment="bottom"):
        sample_truth.choose(session, _("Or this sample's own truth"), f"truth-class{place}")
        st.button(_("Compare"), key=f"use-truth{place}", on_click=use)
