"""Classes for objects: by kind, hand, rule or example; and how much ground each class covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.parts.objects import (
    classify_by_example as classify_example,
)
from pages.parts.objects import (
    classify_by_rule as classify_rule,
)
from pages.parts.objects.kinds import kinds_form
from pages.parts.shared import banner, resources
from pages.parts.shared.legend import chips
from pages.parts.shared.names import plain, so_many_objects
from rsam_core.objects.classify.classes import ClassList, relabel, set_label
from rsam_core.objects.instances import Instances
from rsam_core.objects.semantic import class_areas, semantic_legend, semantic_picture
from rsam_core.runtime.language import N_, _, number
from rsam_core.session.learning import learning
from rsam_core.session.session import Session

WAYS = [N_("By hand"), N_("By rule"), N_("By example")]
_HOTKEYS = 8
_NEW = N_("New class")


def classes_of(session: Session) -> ClassList:
    """The session's classes: the presets at first."""
    return session.marks.change_classes(lambda now: now)


def classify_panel(session: Session, found: Instances, table: pd.DataFrame) -> None:
    """Draw everything that gives classes to objects.

    Parameters
    ----------
    session : Session
        Objects are changed by `Session.commit` only; the chosen ones are
        ``session.marks.selected``.
    found : Instances
        All objects of the scene.
    table : pandas.DataFrame
        One row an object, in the same order.
    """
    if not len(found):
        st.caption(_("There is nothing to classify yet. Find objects on the Segment page first."))
        return
    classes = classes_of(session).including(item.label for item in found)
    with banner.guard():
        kinds_form(session, found, classes)
    way = st.segmented_control(
        _("How to give classes"), WAYS, default=WAYS[0], key="classify-way", required=True,
        format_func=_, label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    if way == "By rule":
        with banner.guard():
            classify_rule.rule_form(session, found, table, classes)
    else:
        with banner.guard():
            class_buttons(session, found, classes)
        if way == "By example":
            with banner.guard():
                classify_example.example_form(session, found, classes)
    with banner.guard():
        _class_editor(session, found, classes)
    with banner.guard():
        _areas(session, found, classes)


def class_buttons(session: Session, found: Instances, classes: ClassList) -> None:
    """A button for each class: pressed, it labels the selected objects."""
    counts = Counter((item.label or "").casefold() for item in found)
    chosen = [item.id for item in found if item.id in session.marks.selected]
    if chosen:
        st.markdown(
            _("**{objects} selected.** Press a class, or its number key.").format(
                objects=so_many_objects(len(chosen))
            )
        )
    else:
        st.caption(_("Select objects in the table or the picture, then press a class here."))

    def give(name: str | None) -> None:
        shown = session.shown()
        objects = shown.objects
        ids = [item.id for item in objects if item.id in session.marks.selected]
        learning(session).confirm(ids)
        what = (
            _("Label {objects} as {name}").format(objects=so_many_objects(len(ids)), name=name)
            if name
            else _("Unlabel {objects}").format(objects=so_many_objects(len(ids)))
        )
        session.commit(shown, set_label(objects, ids, name), what)

    colors = "".join(
        f".st-key-class-{index} button {{ border-left: .6rem solid {item.color}; }}"
        for index, item in enumerate(classes)
    )
    st.html(f"<style>{colors}</style>")
    with st.container(horizontal=True, gap="small", key="class-buttons"):
        for index, item in enumerate(classes):
            count = counts[item.name.casefold()]
            st.button(
                f"{plain(item.name)} · {number(count)}" if count else plain(item.name),
                key=f"class-{index}",
                disabled=not chosen,
                shortcut=str(index + 1) if index < _HOTKEYS else None,
                on_click=give,
                args=(item.name,),
            )
        st.button(
            _("No class"), key="class-none", disabled=not chosen, shortcut="0", type="tertiary",
            on_click=give, args=(None,),
        )  # fmt: skip


def _class_editor(session: Session, found: Instances, classes: ClassList) -> None:
    """Add, rename, recolour and remove classes."""
    with st.expander(_("Edit classes"), icon=":material/palette:"):
        name = st.selectbox(
            _("Class"), [_NEW, *classes.names], key="edit-class",
            format_func=lambda name: _(name) if name == _NEW else name,
        )  # fmt: skip
        new = name == _NEW or name not in classes
        # Widgets of their own for each class: each starts from what that class is now.
        mark = "new" if new else f"{classes.get(name).name}-{classes.get(name).color}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input(_("Name"), "" if new else name, key=f"class-name-{mark}", max_chars=60)
            st.color_picker(
                _("Colour"), "#20C0A0" if new else classes.color(name), key=f"class-color-{mark}"
            )

        def change(action: Callable[[], None]) -> None:
            st.session_state.pop("class-error", None)
            try:
                action()
            except Exception as error:
                st.session_state["class-error"] = error

        def save() -> None:
            typed = st.session_state[f"class-name-{mark}"]
            color = st.session_state[f"class-color-{mark}"]
            if new:
                session.marks.change_classes(lambda now: now.add(typed, color))
                st.session_state["class-name-new"] = ""
                return
            session.marks.change_classes(lambda now: now.recolor(name, color))
            if typed != name:
                place = session.marks.classes.position(name)
                changed = session.marks.change_classes(lambda now: now.rename(name, typed))
                _rename(session, name, changed.items[place].name)
            st.session_state.pop("edit-class", None)

        def remove() -> None:
            _rename(session, name, None)
            session.marks.change_classes(lambda now: now.remove(name))
            st.session_state.pop("edit-class", None)

        with st.container(horizontal=True):
            st.button(
                _("Add class") if new else _("Save class"), key="save-class", on_click=change,
                args=(save,), icon=":material/add:" if new else ":material/check:",
            )  # fmt: skip
            if not new:
                used = sum((item.label or "").casefold() == name.casefold() for item in found)
                st.button(
                    _("Remove class"),
                    key="remove-class",
                    icon=":material/delete:",
                    on_click=change,
                    args=(remove,),
                    help=_("{objects} will have no class.").format(objects=so_many_objects(used))
                    if used
                    else None,
                )
        if "class-error" in st.session_state:
            banner.show(st.session_state["class-error"])


def _rename(session: Session, old: str, new: str | None) -> None:
    """Give the objects of a class its new name, or none."""
    shown = session.shown()
    objects = shown.objects
    spelled = {item.label for item in objects if (item.label or "").casefold() == old.casefold()}
    if spelled:
        what = (
            _("Rename class {old} to {new}").format(old=old, new=new)
            if new
            else _("Remove class {old}").format(old=old)
        )
        session.commit(shown, relabel(objects, dict.fromkeys(spelled, new)), what)


def _areas(session: Session, found: Instances, classes: ClassList) -> None:
    """The semantic view: one class a pixel, its legend, and the area of each class."""
    if not any(item.label for item in found):
        return
    with st.expander(_("Class map and areas"), icon=":material/map:", expanded=True):
        key = (found, classes, session.image.scene)
        areas = session.memo.remember(
            "class-areas", key, lambda: class_areas(found, classes, session.image.scene)
        )
        view = session.image.overview

        def draw() -> bytes:
            picture = semantic_picture(
                session.image.picture(view),
                found,
                classes,
                origin=(view.x, view.y),
                scale=view.scale[0],
            )
            return resources.jpeg(picture)

        chips(semantic_legend(found, classes))
        picture = session.memo.remember("class-picture", key, draw)
        st.image(picture, width="stretch", alt=_("The image with the class of each place"))
        column = st.column_config.NumberColumn
        shown = areas.assign(share=100 * areas["share"]).drop(columns="color")
        st.dataframe(
            shown, hide_index=True, height="content", key="class-areas",
            column_config={
                "class": _("Class"),
                "objects": column(_("Objects"), format="localized"),
                "area": column(_("Area (px)"), format="localized"),
                "share": column(_("Share"), format="%.1f %%"),
                "area_m2": column(_("Area (m²)"), format="localized"),
            },
        )  # fmt: skip
        st.caption(
            _(
                "Every pixel counts once. Where objects overlap, the better one owns it, and a "
                "small one inside a large one. Objects without a class are left out."
            )
        )
