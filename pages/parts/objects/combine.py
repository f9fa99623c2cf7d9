"""Combining: union, intersection, difference, splitting, overlaps, hulls, painting."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.objects.table import chosen_ids
from pages.parts.shared import banner, mask_editor
from pages.parts.shared.names import so_many_objects
from rsam_core.objects import combine
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import N_, _, number
from rsam_core.session.session import Session


def combine_panel(session: Session, found: Instances) -> None:
    """What can be done with the selected objects."""
    chosen = chosen_ids(session, found)
    if chosen:
        names = ", ".join(str(id) for id in chosen[:8]) + (" …" if len(chosen) > 8 else "")
        st.markdown(
            _("**{count} selected:** {names}").format(count=number(len(chosen)), names=names)
        )
    else:
        st.info(
            _(
                "Select objects in the picture or the table: one to edit or split it, two or more "
                "to combine them."
            ),
            icon=":material/ads_click:",
        )
    for name, draw in (
        (_("Two or more objects"), lambda: _several(session, found, chosen)),
        (_("One or more objects"), lambda: _each(session, chosen)),
        (_("By hand"), lambda: _drawing(session, chosen)),
        (_("Overlaps"), lambda: _overlaps(session, chosen)),
    ):
        with st.container(gap="xsmall"):
            st.caption(f"**{name}**")
            draw()


def _several(session: Session, found: Instances, chosen: list[int]) -> None:
    few = len(chosen) < 2
    with st.container(horizontal=True):
        _button(
            session,
            N_("Merge"),
            ":material/join:",
            few,
            _("Make one object of the selected ones."),
            lambda now: combine.merge(now, chosen),
            _("Merge {count} objects").format(count=len(chosen)),
        )
        _button(
            session,
            N_("Keep what they share"),
            ":material/join_inner:",
            few,
            _("Only the pixels that all selected objects have in common stay."),
            lambda now: combine.intersect(now, chosen),
            _("Intersect {count} objects").format(count=len(chosen)),
        )
    if few:
        return
    largest = max(chosen, key=lambda id: found.get(id).area)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        loser = st.selectbox(
            _("Cut the others out of"),
            chosen,
            chosen.index(largest),
            format_func=lambda id: _("object {id}").format(id=id),
            key=f"combine-from-{hash(tuple(chosen))}",
        )
        others = [id for id in chosen if id != loser]
        _button(
            session,
            N_("Cut out"),
            ":material/content_cut:",
            False,
            _("The chosen object loses the pixels of the other selected ones, which stay."),
            lambda now: combine.subtract(now, loser, others),
            _("Cut out of object {id}").format(id=loser),
        )


def _each(session: Session, chosen: list[int]) -> None:
    none = not chosen
    count = so_many_objects(len(chosen))
    with st.container(horizontal=True):
        _button(
            session, N_("Split into pieces"), ":material/call_split:", none,
            _("Every piece that does not touch the others becomes an object."),
            lambda now: combine.split(now, chosen), _("Split {objects}").format(objects=count),
        )  # fmt: skip
        _button(
            session, N_("Convex hull"), ":material/pentagon:", none,
            _("Replaces an object by what a rubber band around it encloses."),
            lambda now: combine.to_hull(now, chosen), _("Hull of {objects}").format(objects=count),
        )  # fmt: skip
        _button(
            session,
            N_("Smallest rectangle"),
            ":material/crop_rotate:",
            none,
            _("Replaces an object by the smallest rectangle around it, turned as need be."),
            lambda now: combine.to_rectangle(now, chosen),
            _("Rectangle of {objects}").format(objects=count),
        )


def _overlaps(session: Session, chosen: list[int]) -> None:
    some = len(chosen) > 1
    _button(
        session,
        N_("Assign overlaps among the selected") if some else N_("Assign overlaps of all objects"),
        ":material/layers_clear:",
        False,
        _(combine.RULE),
        lambda now: combine.assign_overlap(now, chosen if some else None),
        _("Assign overlaps"),
    )
    st.caption(_(combine.RULE))


def _drawing(session: Session, chosen: list[int]) -> None:
    single = chosen[0] if len(chosen) == 1 else None
    entry = session.marks.book.entry(single)
    with st.container(horizontal=True):
        st.button(
            _("Edit with brush"), icon=":material/brush:", disabled=single is None,
            key="combine-edit", on_click=mask_editor.open_editor, args=(session, single),
            help=_("Paint what is missing and erase what is too much, freely or by polygon."),
        )  # fmt: skip
        st.button(
            _("Draw a new object"), icon=":material/draw:", key="combine-draw",
            on_click=mask_editor.open_editor, args=(session, None),
            help=_("Paint or outline an object by hand in the part of the image you look at."),
        )  # fmt: skip
        if st.button(
            _("Clicks and candidates"), icon=":material/ads_click:", disabled=entry is None,
            key="combine-prompts",
            help=_("Opens the object on the Segment page: further points or a box, and the "
                   "other candidates of the model. For objects that you prompted yourself."),
        ):  # fmt: skip
            session.update(lambda book: book.select(single))
            st.switch_page("pages/screens/segment.py")


def _button(
    session: Session,
    name: str,
    icon: str,
    disabled: bool,
    hint: str,
    change: Callable[[Instances], Instances],
    what: str,
) -> None:
    """A button that changes the objects, as one step that can be undone."""

    def act() -> None:
        with banner.guard("combine"):
            shown = session.shown()
            now = shown.objects
            wanted = change(now)
            if len(wanted) == len(now) and all(a is b for a, b in zip(now, wanted)):
                st.toast(_("Nothing to change here."), icon=":material/info:")
                return
            session.commit(shown, wanted, what)
            st.toast(
                _("{what}: done. Undo takes it back.").format(what=what), icon=":material/check:"
            )

    st.button(_(name), icon=icon, disabled=disabled, help=hint, key=f"combine-{name}", on_click=act)
