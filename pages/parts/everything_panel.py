"""Everything mode: settings, expected time, progress, cancel, thresholds that act at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from rsam_core.everything import (
    EverythingSettings,
    EverythingState,
    estimate_seconds,
    grid_points,
    initialize,
)
from rsam_core.jobs import Job
from rsam_core.prompting import Prompter
from rsam_core.tiled import estimate_tiled, initialize_tiled

from . import banner
from .workspace import Workspace, collect

DENSITIES = {"Coarse": 48.0, "Medium": 32.0, "Fine": 22.0, "Very fine": 14.0}
SLIDERS = ("quality", "stable", "overlap", "min-size", "max-share")
POLL_SECONDS = 0.5
WHERE = ("This view", "Whole image")

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]


def _time(seconds: float) -> str:
    if seconds < 90:
        count = max(1, round(seconds))
        return f"{count} second{'s' if count != 1 else ''}"
    return f"{seconds / 60:.1f} minutes"


def _choose_thresholds(workspace: Workspace) -> None:
    """Sliders for the thresholds; what is in force is their default, so they stay as they were."""
    automatic = workspace.automatic
    now = automatic.settings
    mark = f"{workspace.token}-{automatic.model}"

    def apply() -> None:
        # Before the page is drawn, because the picture stands above the sliders.
        value = st.session_state
        if any(f"{name}-{mark}" not in value for name in SLIDERS):
            return
        settings = EverythingSettings(
            now.spacing,
            min_quality=value[f"quality-{mark}"],
            min_stability=value[f"stable-{mark}"],
            max_overlap=value[f"overlap-{mark}"],
            min_area=value[f"min-size-{mark}"],
            max_share=value[f"max-share-{mark}"] / 100,
        )
        # No step of its own: a slider is undone by the slider.
        if workspace.automatic is not None:
            changed = workspace.automatic.with_settings(settings)
            workspace.book = replace(workspace.book, extra=changed)

    st.slider(
        "Minimum quality",
        0.3,
        1.0,
        now.min_quality,
        0.01,
        key=f"quality-{mark}",
        on_change=apply,
        help="Drops outlines that the model itself thinks poor. Acts at once.",
    )
    st.number_input(
        "Minimum size (pixels)",
        0,
        1_000_000,
        round(now.min_area),
        10,
        key=f"min-size-{mark}",
        on_change=apply,
        help="Drops specks. Acts at once.",
    )
    with st.expander("More"):
        st.slider(
            "Minimum stability",
            0.0,
            1.0,
            now.min_stability,
            0.01,
            key=f"stable-{mark}",
            on_change=apply,
            help="Drops outlines that shift when the threshold does.",
        )
        st.slider(
            "Maximum size (% of the image)",
            1,
            100,
            round(now.max_share * 100),
            key=f"max-share-{mark}",
            on_change=apply,
            help="Larger ones are background rather than objects.",
        )
        st.slider(
            "Overlap allowed between two objects",
            0.1,
            1.0,
            now.max_overlap,
            0.05,
            key=f"overlap-{mark}",
            on_change=apply,
            help="Two outlines that share more than this (IoU) count as the same object.",
        )


def _expected_time(workspace: Workspace, prompter: Prompter, spacing: float, tiled: bool) -> None:
    view, settings = workspace.view, EverythingSettings(spacing)
    key = (workspace.prompter_key, None if tiled else view, spacing)
    if workspace.estimate is None or workspace.estimate[0] != key:
        with st.spinner("Estimating the time…"):
            if tiled:
                seconds = estimate_tiled(prompter.segmenter, workspace.scene, None, settings)
            else:
                seconds = estimate_seconds(prompter.segmenter, prompter.embed(view), settings)
        workspace.estimate = (key, seconds)
    shape = workspace.shape if tiled else (view.rows, view.columns)
    count = len(grid_points(shape, spacing))
    st.caption(f"{count:,} points, about **{_time(workspace.estimate[1])}** on this computer")


def _where(workspace: Workspace) -> bool:
    """Whether to look through the whole of a large scene, tile by tile, at full resolution."""
    if workspace.overview.scale == (1.0, 1.0):
        return False
    choice = st.segmented_control(
        "Where to look",
        WHERE,
        default=WHERE[0],
        key="everything-where",
        required=True,
        persist_state="session",
        help="The view is what the model sees now; its size is said in the picture. The whole "
        "image is searched at full resolution, piece by piece.",
    )
    return choice == WHERE[1]


def panel(workspace: Workspace, prompter: Prompter) -> None:
    """The right-hand column in everything mode."""
    if workspace.job is not None:
        _progress(workspace)
        return
    tiled = _where(workspace)
    density = st.select_slider(
        "How densely to look",
        list(DENSITIES),
        "Medium",
        key="density",
        help="A finer grid finds smaller objects and takes longer.",
        persist_state="session",
    )
    spacing = DENSITIES[density]
    _expected_time(workspace, prompter, spacing, tiled)

    def start() -> None:
        settings, view, scene = EverythingSettings(spacing), workspace.view, workspace.scene
        segmenter = prompter.segmenter
        workspace.job_model, workspace.job_error = segmenter.model.name, None
        workspace.job_view = None if tiled else view

        def search(progress: Progress, cancelled: Cancelled) -> EverythingState:
            control = {"progress": progress, "cancelled": cancelled}
            if tiled:
                return initialize_tiled(segmenter, scene, None, settings, **control)
            return initialize(segmenter, prompter.embed(view), settings, **control)

        workspace.job = Job.start(search)

    again = workspace.automatic is not None
    st.button(
        "Find everything again" if again else "Find everything",
        type="secondary" if again else "primary",
        icon=":material/auto_awesome:",
        width="stretch",
        key="find-everything",
        on_click=start,
    )
    if workspace.job_error is not None:
        banner.show(workspace.job_error)
    if workspace.automatic is None:
        return
    if not workspace.automatic.state.complete:
        points = workspace.automatic.state.points
        st.caption(f":material/info: Stopped after {points:,} points. What was found is kept.")
    _choose_thresholds(workspace)
    _removal(workspace)


def _removal(workspace: Workspace) -> None:
    def drop() -> None:
        workspace.book = workspace.book.step("Remove the automatic objects", extra=None)

    st.button(
        "Remove these objects",
        icon=":material/delete:",
        key="drop-everything",
        on_click=drop,
        width="stretch",
        help="Removes all objects that were found automatically; prompted ones stay. Can be "
        "undone.",
    )


@st.fragment(run_every=POLL_SECONDS)
def _progress(workspace: Workspace) -> None:
    job = workspace.job
    if job is None:
        return
    if collect(workspace):
        st.rerun()
    st.progress(job.fraction, text=f"Looking… {job.text}")
    st.button(
        "Stopping…" if job.cancelling else "Stop and keep what is found",
        icon=":material/stop:",
        key="stop-everything",
        disabled=job.cancelling,
        width="stretch",
        on_click=job.cancel,
    )
