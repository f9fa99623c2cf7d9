"""What all cards of models have in common."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import banner
from rsam_core.models import ModelInfo, downloads
from rsam_core.runtime.jobs import Job
from rsam_core.runtime.language import N_, _

CHIPS: dict[downloads.Status, tuple[str, str, str]] = {
    "ready": (N_("Ready"), ":material/check_circle:", "green"),
    "downloadable": (N_("Can be downloaded"), ":material/cloud_download:", "blue"),
    "downloading": (N_("Downloading"), ":material/downloading:", "orange"),
    "checking": (N_("Checking the connection"), ":material/sync:", "gray"),
    "unreachable": (N_("Not reachable"), ":material/cloud_off:", "gray"),
    "damaged": (N_("Damaged"), ":material/error:", "red"),
}

ADVICE: dict[downloads.Status, str] = {
    "unreachable": (
        N_(
            "The server cannot be reached. Check the internet connection, or install the file by "
            "hand as described below."
        )
    ),
    "damaged": (
        N_(
            "The file in the models folder is not the published one. Download it again, or "
            "replace it by hand as described below."
        )
    ),
}


def file_size(count: int | None) -> str:
    """Bytes in the unit that a person would use."""
    if count is None:
        return _("unknown")
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 1):.0f} MB"


def chip(status: downloads.Status) -> None:
    """The state of a model in one or two words."""
    label, icon, color = CHIPS[status]
    st.badge(_(label), icon=icon, color=color)


def show_progress(info: ModelInfo, job: Job) -> None:
    """The bar of a running download."""
    text = _("Stopping") if job.cancelling else _(job.text) or _("Connecting")
    st.progress(job.fraction, text=text)


def show_last_problem(status: downloads.Status, job: Job | None, kept: bool = False) -> None:
    """What became of the last download, unless the model has been installed since."""
    if job is None or status in ("ready", "downloading"):
        return
    if job.state == "failed":
        banner.show(job.error)
    elif job.state == "cancelled":
        st.caption(
            _("The download was cancelled. What arrived is kept: it goes on from there.")
            if kept
            else _("The download was cancelled. Nothing was kept.")
        )


def use_button(info: ModelInfo) -> None:
    """Choose a model that is ready."""
    in_use = st.session_state["model_name"] == info.name
    label, kind = (_("In use"), "secondary") if in_use else (_("Use this model"), "primary")
    icon = ":material/check:" if in_use else None
    key = f"use-{info.name}"
    if st.button(label, key=key, type=kind, icon=icon, disabled=in_use, width="stretch"):
        st.session_state["model_name"] = info.name
        st.rerun()
