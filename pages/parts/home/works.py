"""“Go on where you were”: the works of this browser, to open, name, duplicate and delete."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.shared import banner, current_session
from pages.parts.shared.autosaving import shelf
from pages.parts.shared.going_on import facts, go_on, page_file, picture
from pages.parts.shared.names import full, plain
from rsam_core.runtime.budgets import megabytes
from rsam_core.runtime.language import _
from rsam_core.session import kept_images, safekeeping
from rsam_core.session.works import Shelf, Work

SHOWN = 3
"""Works that are in sight at once."""
NAME = 30
"""Characters of a name that fit on a card."""
_DELETED = "work-deleted"


def section() -> None:
    """Draw the works of this browser; nothing if there are none."""
    mine = shelf()
    if mine is None:
        return
    works = mine.works()
    _undo(mine)
    if not works:
        return
    with st.container(key="go-on", gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom", key="go-on-head"):
            st.subheader(_("Go on where you were"), width="stretch", anchor=False)
            _room(mine)
        _row(mine, works[:SHOWN], first=True)
        if len(works) > SHOWN:
            rest = works[SHOWN:]
            with st.expander(_("{count} more").format(count=len(rest)), key="go-on-more"):
                for start in range(0, len(rest), SHOWN):
                    _row(mine, rest[start : start + SHOWN])


def _row(shelf: Shelf, works: tuple[Work, ...], first: bool = False) -> None:
    for place, (column, work) in enumerate(zip(st.columns(SHOWN), works)):
        with column:
            _card(shelf, work, "primary" if first and place == 0 else "secondary")


def _card(shelf: Shelf, work: Work, kind: str) -> None:
    session = current_session.current()
    opened = session is not None and session.safekeeping.work == work.id
    with st.container(border=True, horizontal=True, gap="small", key=f"work-{work.id}"):
        picture(work, 116)
        with st.container(gap="xxsmall"):
            title = work.card.title
            st.markdown(f"**{plain(title, NAME)}**", help=full(title, NAME))
            st.caption(facts(work))
            if work.image is None:
                st.caption(_(":material/image_not_supported: Its image must be opened again."))
            with st.container(horizontal=True, gap="xsmall"):
                label = _("Back to it") if opened else _("Go on")
                if st.button(label, type=kind, key=f"go-on-{work.id}"):
                    _open(shelf, work, opened)
                _more(shelf, work)


def _open(shelf: Shelf, work: Work, opened: bool) -> None:
    if opened:
        st.switch_page(page_file(work.card.page))
    go_on(shelf, work)


def _more(shelf: Shelf, work: Work) -> None:
    """Name, duplicate and delete."""

    def act(change: Callable[[], object]) -> None:
        with banner.guard("works"):
            change()

    def delete() -> None:
        shelf.delete(work.id)
        st.session_state[_DELETED] = work.id

    with st.popover(
        "", icon=":material/more_horiz:", key=f"more-{work.id}", help=_("Name, duplicate, delete")
    ):
        name = f"name-{work.id}"
        st.text_input(
            _("Name of this work"),
            work.card.title,
            key=name,
            max_chars=100,
            on_change=lambda: act(lambda: shelf.rename(work.id, st.session_state[name])),
        )
        st.button(
            _("Duplicate"), icon=":material/content_copy:", key=f"duplicate-{work.id}",
            width="stretch", on_click=act, args=(lambda: shelf.duplicate(work.id),),
        )  # fmt: skip
        st.button(
            _("Delete"), icon=":material/delete:", key=f"delete-{work.id}", width="stretch",
            help=_("Can be undone."), on_click=act, args=(delete,),
        )  # fmt: skip


def _undo(shelf: Shelf) -> None:
    """Offer to bring back what was just deleted."""
    id = st.session_state.get(_DELETED)
    work = shelf.get(id) if id is not None else None
    if work is None or work.card.deleted is None:
        st.session_state.pop(_DELETED, None)
        return

    def undo() -> None:
        with banner.guard("works"):
            shelf.undelete(id)

    with st.container(horizontal=True, vertical_alignment="center", key="work-undo"):
        st.markdown(
            _(":material/delete: **{title}** was deleted.").format(
                title=plain(work.card.title, NAME)
            )
        )
        st.button(_("Undo"), key="work-undelete", icon=":material/undo:", on_click=undo)


def _room(shelf: Shelf) -> None:
    """How much of the disk the images take, and a button that frees it."""
    size = kept_images.size(shelf.where)
    if not size:
        return
    most = megabytes(kept_images.EACH)

    def empty() -> None:
        kept_images.remove(shelf.where, safekeeping.open_images())

    with st.popover(
        _("Images kept: {size} of {most}").format(size=megabytes(size), most=most),
        type="tertiary",
        key="kept-images",
    ):
        st.markdown(
            _(
                "So that you can go on without a second upload, the images of your works are kept "
                "on the computer that runs RSAM, for this browser only. Those used longest ago go "
                "first."
            )
        )
        st.button(
            _("Remove the images"), icon=":material/delete_sweep:", key="empty-images",
            help=_("The works stay; to go on with one, open its image again."), on_click=empty,
        )  # fmt: skip
