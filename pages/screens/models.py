"""Models: what each one is for, whether it is installed, and how to get it."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import banner
from rsam_core.models import CATALOG, DEFAULT_MODEL, ModelInfo, downloads, weights
from rsam_core.runtime.jobs import Job

POLL_SECONDS = 1.0

CHIPS: dict[downloads.Status, tuple[str, str, str]] = {
    "ready": ("Ready", ":material/check_circle:", "green"),
    "downloadable": ("Can be downloaded", ":material/cloud_download:", "blue"),
    "downloading": ("Downloading", ":material/downloading:", "orange"),
    "checking": ("Checking the connection", ":material/sync:", "gray"),
    "unreachable": ("Not reachable", ":material/cloud_off:", "gray"),
    "damaged": ("Damaged", ":material/error:", "red"),
}

ADVICE: dict[downloads.Status, str] = {
    "unreachable": (
        "The server cannot be reached. Check the internet connection, or install the file by hand "
        "as described below."
    ),
    "damaged": (
        "The file in the models folder is not the published one. Download it again, or replace it "
        "by hand as described below."
    ),
}


def file_size(count: int | None) -> str:
    """Bytes in the unit that a person would use."""
    if count is None:
        return "unknown"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def facts(info: ModelInfo) -> str:
    """One line with download size, memory and licence."""
    size = "Included in RSAM" if info.embedded else f"Download {file_size(info.bytes)}"
    memory = f"needs about {file_size(info.memory_mb * 1_000_000)} of memory"
    return f"{size}  ·  {memory}  ·  licence {info.licence}"


def is_busy() -> bool:
    """Whether something goes on in the background that the cards should follow."""
    return any(downloads.status(info) in ("downloading", "checking") for info in CATALOG)


def show_progress(info: ModelInfo, job: Job) -> None:
    """The bar of a running download."""
    text = "Stopping" if job.cancelling else job.text or "Connecting"
    st.progress(job.fraction, text=text)


def show_last_problem(status: downloads.Status, job: Job | None) -> None:
    """What became of the last download, unless the model has been installed since."""
    if job is None or status in ("ready", "downloading"):
        return
    if job.state == "failed":
        banner.show(job.error)
    elif job.state == "cancelled":
        st.caption("The download was cancelled. Nothing was kept.")


def show_buttons(info: ModelInfo, status: downloads.Status, job: Job | None) -> None:
    """The one thing that can be done with a model in its present state."""
    if status == "ready":
        in_use = st.session_state["model_name"] == info.name
        label, kind = ("In use", "secondary") if in_use else ("Use this model", "primary")
        icon = ":material/check:" if in_use else None
        key = f"use-{info.name}"
        if st.button(label, key=key, type=kind, icon=icon, disabled=in_use, width="stretch"):
            st.session_state["model_name"] = info.name
            st.rerun()
    elif status == "downloading" and job is not None:
        stopping = job.cancelling
        if st.button("Cancel", key=f"cancel-{info.name}", disabled=stopping, width="stretch"):
            job.cancel()
            st.rerun()
    else:
        label = "Download again" if status == "damaged" else "Download"
        if st.button(
            label,
            key=f"download-{info.name}",
            icon=":material/download:",
            disabled=status in ("unreachable", "checking"),
            width="stretch",
        ):
            downloads.start(info)
            st.rerun()


def show_card(info: ModelInfo) -> None:
    """Everything about one model."""
    status, job = downloads.status(info), downloads.current(info)
    with st.container(border=True):
        text, action = st.columns([4, 1], vertical_alignment="center")
        with text, st.container(gap="xxsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{info.title}**", width="content")
                label, icon, color = CHIPS[status]
                st.badge(label, icon=icon, color=color)
            st.markdown(info.description)
            st.caption(facts(info))
        with action:
            show_buttons(info, status, job)
        if status == "downloading" and job is not None:
            show_progress(info, job)
        elif status in ADVICE:
            st.caption(f":material/info: {ADVICE[status]}")
        show_last_problem(status, job)


def show_cards(polling: bool) -> None:
    """All cards; run again and again while `polling`."""
    for info in CATALOG:
        show_card(info)
    if polling != is_busy():
        st.rerun()  # the whole page, so that polling starts or ends


def show_help() -> None:
    """How to install a model without a connection."""
    with st.expander("Install a model by hand, for a computer without internet"):
        st.markdown("**1.** On a computer with internet access, download the file of the model:")
        st.markdown(
            "\n".join(
                f"- {info.title}: [{info.file}]({info.url}) ({file_size(info.bytes)})"
                for info in CATALOG
                if not info.embedded
            )
        )
        st.markdown("**2.** Put it, under the same name, into the models folder of this computer:")
        st.code(str(weights.models_folder()), language=None)
        st.markdown("**3.** Look again. The file is checked when it is first used.")
        st.button("Look again", icon=":material/refresh:")
        st.caption(
            "To keep the models elsewhere, for example on a shared disk, set the environment "
            "variable `RSAM_MODELS` to that folder before starting RSAM."
        )


st.session_state.setdefault("model_name", DEFAULT_MODEL)

heading, connection = st.columns([4, 1], vertical_alignment="bottom")
heading.title("Models")
if connection.button(
    "Check connection",
    icon=":material/wifi_find:",
    width="stretch",
    help="Asks the server of the official models again whether they can be downloaded.",
):
    downloads.forget_reachability()
st.markdown(
    "A model finds the outline of whatever you point at. **RSAM tiny** is included and is the "
    "right one to start with. The official Segment Anything models are larger and slower; each "
    "is downloaded once and then works without internet."
)
busy = is_busy()
st.fragment(show_cards, run_every=POLL_SECONDS if busy else None)(busy)
show_help()
