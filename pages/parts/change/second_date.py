"""Which picture is the other date, and when both were taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

import streamlit as st

import rsam_core as rsam
from pages.parts.change import sample
from pages.parts.shared import banner, folder
from pages.parts.shared import session_memory as memory
from pages.parts.shared.names import MAX_LENGTH, full, plain, visible
from rsam_core.runtime.language import N_, _
from rsam_core.session.change import ChangeState
from rsam_core.session.change_project import give_second
from rsam_core.session.change_wishes import Origin
from rsam_core.session.session import Session

ACTION = "open-second"
TYPES = ["jpg", "jpeg", "png", "tif", "tiff", "gif", "bmp", "webp", "jp2"]
_MAX_NAMES = 34


def choose(session: Session, state: ChangeState) -> None:
    """Upload the other date, or choose it from the image folder."""
    _reopen(session, state)
    waiting = state.waiting
    if waiting is not None:
        st.info(
            _(
                "The second date of this work is “{name}”. Open that file to go on; nothing is "
                "lost until then."
            ).format(name=plain(waiting.name, MAX_LENGTH)),
            icon=":material/history:",
        )
        st.button(
            _("Begin with another second date"), key="forget-second", on_click=state.forget,
            help=_("Forgets what was found and checked between the two dates."),
        )  # fmt: skip
    token = session.image.token
    file = st.file_uploader(
        _("The second date") if waiting is None else _("The file of the second date"),
        type=TYPES, key=f"second-{token}",
        help=_("The same place at another time. Size, resolution and coordinate system may "
               "differ; RSAM brings both together."),
    )  # fmt: skip
    if file is not None and st.session_state.get("opened-second") != file.file_id:
        # Said once: whoever removes the file and gives it again means it.
        st.session_state["opened-second"] = file.file_id
        _open(session, state, lambda: _uploaded(file), Origin())
    _from_folder(session, state)


def _uploaded(file: object) -> rsam.Scene:
    memory.keep_uploads_within_limits(file.name)
    return rsam.open_scene(file.getvalue(), name=file.name)


def _open(
    session: Session, state: ChangeState, make: Callable[[], rsam.Scene], origin: Origin
) -> None:
    with banner.guard(ACTION):
        with st.spinner(_("Opening the second date…")):
            give_second(state, make(), session.image.scene, origin)
        st.rerun()


def _reopen(session: Session, state: ChangeState) -> None:
    """Open the second date of a project again by itself, where it is at hand."""
    waiting = state.waiting
    if waiting is None or st.session_state.get("reopened-second") == waiting.content_hash:
        return
    st.session_state["reopened-second"] = waiting.content_hash
    if waiting.origin.kind == "sample":
        _open(session, state, lambda: sample.second(waiting.origin.key), waiting.origin)
    elif waiting.origin.kind == "folder":
        try:
            place = folder.inside(waiting.origin.key)
        except rsam.RsamError:
            return
        _open(session, state, lambda: _read(place), waiting.origin)


def _read(place: Path) -> rsam.Scene:
    # Whoever may write into the folder is a stranger like those who upload.
    return rsam.open_scene(place.resolve(), name=place.name, examine=True)


def _from_folder(session: Session, state: ChangeState) -> None:
    top = folder.root()
    if top is None:
        return
    own = session.image.source.name
    found = by_likeness(own, [path for path in folder.images(top) if path.name != own])
    if not found:
        return
    choice = st.selectbox(
        _("Or one from the image folder"), found, index=None, key=f"second-folder-{own}",
        format_func=lambda path: visible(path.relative_to(top), folder.MAX_SHOWN),
        placeholder=_("Choose an image"),
        help=_("Files whose names differ from that of the open image by a date alone come first."),
    )  # fmt: skip
    if choice is not None and st.button(
        _("Open as second date"), key="second-folder-open", icon=":material/folder_open:"
    ):
        origin = Origin("folder", str(choice.relative_to(top)))
        _open(session, state, lambda: _read(choice), origin)


def by_likeness(name: str, paths: list[Path]) -> list[Path]:
    """Files in the order in which they are likely to show the same place, by their names."""

    def core(text: str) -> str:
        return re.sub(r"[\d\W_]+", " ", Path(text).stem.lower()).strip()

    own = core(name)
    return sorted(
        paths, key=lambda path: (-SequenceMatcher(None, own, core(path.name)).ratio(), path.name)
    )


def both(session: Session, state: ChangeState) -> None:
    """Names and dates of both pictures, in the sidebar; a swap, another second date."""
    first, second = state.pictures(session.image.scene)
    dates = state.dates(session.image.scene)
    token = session.image.token
    typed = []
    for which, picture, date in ((N_("First"), first, dates[0]), (N_("Second"), second, dates[1])):
        title = _("First date") if which == "First" else _("Second date")
        name = plain(picture.name, _MAX_NAMES)
        st.markdown(
            f"**{title}**  \n{name}",
            help=full(picture.name, _MAX_NAMES),
        )
        typed.append(
            st.text_input(
                _("Taken (first), {which}").format(which=_(which)), value=date, max_chars=10,
                key=f"date-{which}-{token}-{state.swapped}", placeholder=_("2016 or 2016-05-31"),
                label_visibility="collapsed",
                help=_("A year, or a year with month and day. With both dates areas are told a "
                       "year."),
            )
        )  # fmt: skip
    state.type_dates(*(text.strip() for text in typed))
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Swap"), icon=":material/swap_horiz:", key="swap-dates", on_click=state.swap,
            help=_("The second picture is the earlier one. Everything is compared again."),
        )  # fmt: skip
        st.button(
            _("Another"), icon=":material/image:", key="other-second", on_click=_another,
            args=(state,), help=_("Takes the second date away, to choose another picture."),
        )  # fmt: skip


def _another(state: ChangeState) -> None:
    st.session_state.pop("opened-second", None)
    state.forget()


def ways_on(session: Session, state: ChangeState) -> None:
    """Where the dates cannot be brought together."""
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Choose another second date"), type="primary", icon=":material/image:",
            key="trouble-other", on_click=_another, args=(state,),
        )  # fmt: skip
        st.button(
            _("Try again"), icon=":material/refresh:", key="trouble-again",
            on_click=state.forget_results,
        )  # fmt: skip
