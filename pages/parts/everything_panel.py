"""Everything mode: settings, expected time, progress, cancel, thresholds that act at once."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from rsam_core.embedding import Embedding
from rsam_core.everything import (
    EverythingSettings,
    estimate_seconds,
    grid_points,
    initialize,
    settings_for,
)
from rsam_core.jobs import Job

from . import banner
from .workspace import Workspace, model_name

DENSITIES = {"Coarse": 48.0, "Medium": 32.0, "Fine": 22.0, "Very fine": 14.0}
POLL_SECONDS = 0.5


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{seconds / 60:.1f} minutes"


def _thresholds(spacing: float) -> EverythingSettings:
    base = settings_for(model_name())
    quality = st.slider(
        "Minimum quality",
        0.3,
        1.0,
        base.min_quality,
        0.01,
        key=f"quality-{model_name()}",
        help="Drops outlines that the model itself thinks poor. Acts at once.",
    )
    smallest = st.number_input(
        "Minimum size (pixels)",
        0,
        1_000_000,
        60,
        10,
        key="min-size",
        help="Drops specks. Acts at once.",
    )
    with st.expander("More"):
        stability = st.slider(
            "Minimum stability",
            0.0,
            1.0,
            base.min_stability,
            0.01,
            key=f"stable-{model_name()}",
            help="Drops outlines that shift when the threshold does.",
        )
        share = st.slider(
            "Maximum size (% of the image)",
            1,
            100,
            30,
            key="max-share",
            help="Larger ones are background rather than objects.",
        )
        overlap = st.slider(
            "Overlap allowed between two objects",
            0.1,
            1.0,
            base.max_overlap,
            0.05,
            key="overlap",
            help="Two outlines that share more than this (IoU) count as the same object.",
        )
    return EverythingSettings(spacing, quality, stability, overlap, smallest, share / 100)


def panel(workspace: Workspace, segmenter: rsam.Segmenter, embedding: Embedding) -> None:
    """The right-hand column in everything mode."""
    job = workspace.job
    if job is not None:
        _progress(workspace)
        return
    density = st.segmented_control(
        "How densely to look",
        list(DENSITIES),
        default="Medium",
        key="density",
        required=True,
        help="A finer grid finds smaller objects and takes longer.",
    )
    spacing = DENSITIES[density or "Medium"]
    settings = EverythingSettings(spacing)
    key = (embedding.key, spacing)
    if workspace.estimate is None or workspace.estimate[0] != key:
        with st.spinner("Estimating the time…"):
            workspace.estimate = (key, estimate_seconds(segmenter, embedding, settings))
    count = len(grid_points(embedding.shape, spacing))
    st.caption(f"{count:,} points, about **{_time(workspace.estimate[1])}** on this computer")
    again = workspace.everything is not None
    if st.button(
        "Find everything again" if again else "Find everything",
        type="secondary" if again else "primary",
        icon=":material/auto_awesome:",
        width="stretch",
        key="find-everything",
    ):
        workspace.job = Job.start(
            lambda progress, cancelled: initialize(
                segmenter, embedding, settings, progress=progress, cancelled=cancelled
            )
        )
        st.rerun()
    if workspace.job_error is not None:
        banner.show(workspace.job_error)
    if workspace.everything is not None:
        state = workspace.everything
        if not state.complete:
            st.caption(
                f":material/info: Stopped after {state.points} points. What was found is kept."
            )
        workspace.everything_settings = _thresholds(spacing)
        if st.button("Remove these objects", icon=":material/delete:", key="drop-everything"):
            workspace.everything = None
            st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _progress(workspace: Workspace) -> None:
    job = workspace.job
    if job is None:
        return
    if job.finished:
        workspace.job = None
        if job.state == "done":
            workspace.everything, workspace.hidden = job.result, frozenset()
            workspace.job_error = None
            if workspace.everything_settings is None:
                workspace.everything_settings = settings_for(model_name())
        else:
            workspace.job_error = job.error
        st.rerun()
    st.progress(job.fraction, text=f"Looking… {job.text}")
    if st.button(
        "Stop and keep what is found",
        icon=":material/stop:",
        key="stop-everything",
        disabled=job.cancelling,
        width="stretch",
    ):
        job.cancel()
