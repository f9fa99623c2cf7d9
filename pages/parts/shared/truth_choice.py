"""Ground truth of the open image: from a file, or a sample's own."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts.shared import banner, resources
from pages.parts.shared.names import plain
from rsam_core.errors import RsamError
from rsam_core.formats.truth import TRUTH_TYPES, read_truth, truth_from_labels
from rsam_core.samples import truth_mask
from rsam_core.session.session import Session


def lost_truth(session: Session) -> None:
    """Say that work was brought back without its truth."""
    if session.truth.lost:
        st.info(
            f"The truth “{plain(session.truth.lost)}” was too large to be kept with the work that "
            "was brought back. Give it again.",
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
            "Ground truth: a mask (PNG, TIFF) or outlines (GeoJSON, GeoPackage, zipped Shapefile)",
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
    if session.image.sample is None:
        return
    town = resources.sample(session.image.sample)
    kinds = sorted(set(town.classes.values()))
    first = kinds.index("roof") if "roof" in kinds else 0

    def use() -> None:
        of_kind = truth_mask(town, st.session_state[f"truth-class{place}"])
        labels = np.where(of_kind, town.labels, 0).astype(np.int32)
        session.truth.give(truth_from_labels(labels, st.session_state[f"truth-class{place}"]))

    with sample.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Or this sample's exact truth", kinds, index=first, key=f"truth-class{place}")
        st.button("Compare", key=f"use-truth{place}", on_click=use)
