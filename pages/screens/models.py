"""Models: what each one is for, whether it is installed, and how to get it."""

from __future__ import annotations

import streamlit as st

from pages.parts.models import hub_cards
from pages.parts.models.cards import (
    ADVICE,
    chip,
    file_size,
    show_last_problem,
    show_progress,
    use_button,
)
from rsam_core.models import CATALOG, DEFAULT_MODEL, ModelInfo, downloads, weights
from rsam_core.models.hub.catalog import Task
from rsam_core.runtime.jobs import Job
from rsam_core.runtime.language import N_, _

POLL_SECONDS = 1.0

SECTIONS: dict[str, Task | None] = {
    N_("RSAM and SAM"): None,
    N_("SAM 2.1 and relatives"): "prompts",
    N_("Find by words"): "words",
    N_("Name objects"): "names",
}
INTRODUCTION = N_(
    "**RSAM tiny** is included and is the right one to start with. The official Segment "
    "Anything models are larger and slower; each is downloaded once and then works without "
    "internet."
)


def facts(info: ModelInfo) -> str:
    """One line with download size, memory and licence."""
    size = (
        _("Included in RSAM")
        if info.embedded
        else _("Download {size}").format(size=file_size(info.bytes))
    )
    memory = _("needs about {size} of memory").format(size=file_size(info.memory_mb * 1_000_000))
    return "  ·  ".join([size, memory, _("licence {licence}").format(licence=info.licence)])


def is_busy(section: str) -> bool:
    """Whether something goes on in the background that the cards should follow."""
    if SECTIONS[section] is not None:
        return hub_cards.is_busy(SECTIONS[section])
    return any(downloads.status(info) in ("downloading", "checking") for info in CATALOG)


def show_buttons(info: ModelInfo, status: downloads.Status, job: Job | None) -> None:
    """The one thing that can be done with a model in its present state."""
    if status == "ready":
        use_button(info)
    elif status == "downloading" and job is not None:
        stopping = job.cancelling
        if st.button(_("Cancel"), key=f"cancel-{info.name}", disabled=stopping, width="stretch"):
            job.cancel()
            st.rerun()
    else:
        label = _("Download again") if status == "damaged" else _("Download")
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
                chip(status)
            st.markdown(_(info.description))
            st.caption(facts(info))
        with action:
            show_buttons(info, status, job)
        if status == "downloading" and job is not None:
            show_progress(info, job)
        elif status in ADVICE:
            st.caption(f":material/info: {_(ADVICE[status])}")
        show_last_problem(status, job)


def show_cards(section: str, polling: bool) -> None:
    """All cards of a section; run again and again while `polling`."""
    task = SECTIONS[section]
    if task is not None:
        hub_cards.show(task)
    else:
        st.markdown(_(INTRODUCTION))
        for info in CATALOG:
            show_card(info)
    if polling != is_busy(section):
        st.rerun()  # the whole page, so that polling starts or ends


def show_help() -> None:
    """How to install a model without a connection."""
    with st.expander(_("Install a model by hand, for a computer without internet")):
        st.markdown(_("**1.** On a computer with internet access, download the file of the model:"))
        st.markdown(
            "\n".join(
                f"- {info.title}: [{info.file}]({info.url}) ({file_size(info.bytes)})"
                for info in CATALOG
                if not info.embedded
            )
        )
        st.markdown(
            _("**2.** Put it, under the same name, into the models folder of this computer:")
        )
        st.code(str(weights.models_folder()), language=None)
        st.markdown(_("**3.** Look again. The file is checked when it is first used."))
        st.button(_("Look again"), icon=":material/refresh:")
        st.caption(
            _(
                "To keep the models elsewhere, for example on a shared disk, set the environment "
                "variable `RSAM_MODELS` to that folder before starting RSAM."
            )
        )


st.session_state.setdefault("model_name", DEFAULT_MODEL)

heading, connection = st.columns([4, 1], vertical_alignment="bottom")
heading.title(_("Models"))
if connection.button(
    _("Check connection"),
    icon=":material/wifi_find:",
    width="stretch",
    help=_("Asks the server of the official models again whether they can be downloaded."),
):
    downloads.forget_reachability()
st.markdown(_("A model finds the outline of whatever you point at, or of whatever words name."))
section = st.segmented_control(
    _("Kind of model"), list(SECTIONS), default=next(iter(SECTIONS)), key="models-section",
    format_func=_, required=True, persist_state="session", label_visibility="collapsed",
)  # fmt: skip
busy = is_busy(section)
st.fragment(show_cards, run_every=POLL_SECONDS if busy else None)(section, busy)
if SECTIONS[section] is None:
    show_help()
