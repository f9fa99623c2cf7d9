"""Models of the hub: one card a family, with licence, download or folder, and use."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import streamlit as st

from pages.parts.models.cards import (
    ADVICE,
    chip,
    file_size,
    show_last_problem,
    show_progress,
    use_button,
)
from pages.parts.shared.names import plain
from rsam_core.models import downloads
from rsam_core.models.hub.catalog import HUB, HubInfo, Task
from rsam_core.models.hub.download import partial_bytes
from rsam_core.models.hub.folders import folder_of, found, refused
from rsam_core.models.hub.loading import REQUIREMENTS, is_available
from rsam_core.models.installed import has_packages
from rsam_core.models.place import models_folder
from rsam_core.runtime.language import N_, _

PACKAGE_SIZE = N_("about 180 MB")
INTRODUCTIONS: dict[Task, str] = {
    "prompts": (
        N_(
            "Other models that outline what you point at. They see the whole view at 1024 "
            "pixels, and were taught on everyday photographs."
        )
    ),
    "words": (
        N_(
            "Models that find what English words name. On **Segment**, mode **Words**, they look "
            "for objects; what your sentence says of size, colour and place then chooses among "
            "these."
        )
    ),
    "names": N_(
        "Models that say what finished objects are: on **Objects**, beside **Name kinds**."
    ),
}
PLACES: dict[Task, str] = {
    "words": N_("Used on Segment, mode Words"),
    "names": N_("Used on Objects, Name kinds"),
}


def offered(task: Task) -> list[HubInfo]:
    """The models of the list and the user's own folders for a task."""
    return [info for info in (*HUB, *found()) if info.task == task]


def is_busy(task: Task) -> bool:
    """Whether something goes on in the background that these cards should follow."""
    return any(downloads.status(info) in ("downloading", "checking") for info in offered(task))


def show(task: Task) -> None:
    """All cards of a task."""
    st.markdown(_(INTRODUCTIONS[task]))
    if not is_available():
        _missing_package()
    infos = offered(task)
    if any(downloads.status(info) == "unreachable" for info in infos):
        st.warning(
            _(
                "The hub (huggingface.co) cannot be reached from this computer, so nothing can be "
                "downloaded now. Check the internet connection, or bring a model as a folder, as "
                "described below."
            ),
            icon=":material/cloud_off:",
        )
    for group, members in groupby(infos, lambda info: info.group):
        _card(group, list(members))
    _own_folder()


def _missing_package() -> None:
    requirements = Path(__file__).resolve().parents[3] / REQUIREMENTS
    st.info(
        _(
            "These models need the package **transformers** ({size} with all that it "
            "needs), which is not installed. Run this command in a terminal, then press **Look "
            "again**:"
        ).format(size=_(PACKAGE_SIZE)),
        icon=":material/extension:",
    )
    st.code(f'"{sys.executable}" -m pip install -r "{requirements}"', language=None)
    st.button(_("Look again"), icon=":material/refresh:", key="hub-package")


def _card(group: str, infos: list[HubInfo]) -> None:
    """One family: a row for each member, and the licence while there is something to get."""
    with st.container(border=True, gap="small"):
        if len(infos) > 1:
            st.markdown(f"**{group}**")
        rows = st.container(gap="small")
        waiting = [info for info in infos if downloads.status(info) in _TO_GET]
        accepted = True
        if any(info.gated for info in waiting):
            _gated(infos[0])
        if waiting:
            accepted = _licence(group, infos[0])
        with rows:
            for info in infos:
                _row(info, accepted)


_TO_GET = ("downloadable", "damaged", "unreachable", "checking")


def _gated(info: HubInfo) -> None:
    st.caption(
        _(
            ":material/lock: The owner grants access to each user: open [its page]({page}), sign "
            "in and accept the conditions there. Then start RSAM with the environment variable "
            "`HF_TOKEN` set to an access token of your account, or download the files there and "
            "put them into the folder `{folder}`."
        ).format(page=info.page, folder=folder_of(info))
    )


def _licence(group: str, info: HubInfo) -> bool:
    """Ask whether the licence is accepted; one's own folders have been got under theirs."""
    if info.repository is None:
        return False
    return st.checkbox(
        _("I have read the licence ([{licence}]({address})) and accept it").format(
            licence=info.licence, address=info.licence_url
        ),
        key=f"licence-{group}",
        persist_state="session",
    )


def _row(info: HubInfo, accepted: bool) -> None:
    status, job = downloads.status(info), downloads.current(info)
    text, action = st.columns([4, 1], vertical_alignment="center")
    with text, st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(info.title)}**", width="content")
            chip(status)
        st.markdown(_(info.description))
        st.caption(_facts(info, status))
    with action:
        _buttons(info, status, job, accepted)
    if status == "downloading" and job is not None:
        show_progress(info, job)
    elif status == "damaged":
        st.caption(f":material/info: {_(ADVICE[status])}")
    show_last_problem(status, job, kept=partial_bytes(info) > 0)


def _facts(info: HubInfo, status: downloads.Status) -> str:
    size = file_size(info.bytes)
    kept = partial_bytes(info)
    first = (
        _("Folder of {size}").format(size=size)
        if status == "ready"
        else _("Download about {size}").format(size=size)
    )
    if kept:
        first += ", " + _("{size} of it are here").format(size=file_size(kept))
    memory = _("needs about {size} of memory").format(size=file_size(info.memory_mb * 1_000_000))
    return "  ·  ".join([first, memory, _("licence {licence}").format(licence=info.licence)])


def _buttons(info: HubInfo, status: downloads.Status, job, accepted: bool) -> None:
    """The one thing that can be done with a model in its present state."""
    if status == "ready":
        if not has_packages(info):
            st.caption(_("Needs the package above"))
        elif info.task == "prompts":
            use_button(info)
        else:
            st.caption(f":material/check: {_(PLACES[info.task])}")
    elif status == "downloading" and job is not None:
        if st.button(
            _("Cancel"), key=f"cancel-{info.name}", disabled=job.cancelling, width="stretch"
        ):
            job.cancel()
            st.rerun()
    elif info.repository is not None:
        label = _("Download again") if status == "damaged" else _("Download")
        if partial_bytes(info):
            label = _("Go on")
        if st.button(
            label,
            key=f"download-{info.name}",
            icon=":material/download:",
            disabled=status in ("unreachable", "checking") or not accepted,
            help=None if accepted else _("Accept the licence first."),
            width="stretch",
        ):
            downloads.start(info, accepted)
            st.rerun()


def _own_folder() -> None:
    """How to bring a model, and what became of folders that were brought."""
    for name, reason in refused().items():
        st.warning(f"**{plain(name)}**: {plain(reason, 600)}", icon=":material/block:")
    with st.expander(_("Bring a model of your own, or one from another computer")):
        st.markdown(
            _(
                "**1.** Get the model as a folder with `config.json` and `model.safetensors` (for "
                "models of words also `tokenizer.json`, or `vocab.json` and `merges.txt`). SAM, "
                "SAM-HQ, SlimSAM, SAM 2, EdgeTAM, SAM 3, Grounding DINO, CLIPSeg and CLIP can be "
                "used, also when trained further.\n\n**2.** Put the folder into the models folder "
                "of this computer:"
            )
        )
        st.code(str(models_folder()), language=None)
        st.markdown(_("**3.** Look again."))
        st.button(_("Look again"), icon=":material/refresh:", key="hub-folders")
        st.caption(
            _(
                "Files that end in .bin, .pt or .pth can run a program when they are opened. RSAM "
                "never opens them: ask for safetensors."
            )
        )
