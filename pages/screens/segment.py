"""Segment: prompt on the picture, see masks, table and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from pages.parts.segment import prompt_list, words
from pages.parts.segment.asking import ask, prefer_visible
from pages.parts.segment.everything import panel
from pages.parts.segment.hovering import SWITCH, hovering
from pages.parts.segment.results import metrics_tab, table_tab
from pages.parts.shared import (
    autosaving,
    banner,
    current_session,
    sidebar,
)
from pages.parts.shared import (
    prompter as prompters,
)
from pages.parts.shared.canvas import FAR_CHOICES, FAR_SWITCH, picture_canvas
from pages.parts.shared.exporting import export_objects
from pages.parts.shared.frame import frame
from pages.parts.shared.frame import toolbar as tools
from pages.parts.shared.gallery import no_image
from pages.parts.shared.legend import chips
from pages.parts.shared.measured import figures
from pages.parts.shared.names import plain, so_many_objects, with_icon
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure
from rsam_core.prompts.history import PromptHistory
from rsam_core.render.style import OverlayStyle, legend
from rsam_core.runtime.language import N_, _, number
from rsam_core.runtime.timing import mark, span
from rsam_core.session.session import Session

MODES = {
    N_("Boxes"): ":material/crop_free:",
    N_("Points"): ":material/ads_click:",
    N_("Everything"): ":material/auto_awesome:",
    N_("Words"): ":material/chat:",
}
KINDS = {N_("Add"): ":material/add_circle:", N_("Take away"): ":material/do_not_disturb_on:"}
MODE_OF = "mode-of"
"""Where the page keeps the image for which the mode was chosen."""
CANVAS = {"Boxes": "boxes", "Points": "points", "Everything": "select"}
HINTS = {
    "Boxes": N_("Press at one corner of an object and drag to the other. Each box is one object."),
    "Points": N_(
        "Click an object; click again what is missing. The right mouse button takes away."
    ),
    "Take away": N_("Click what does not belong to the object, such as its shadow."),
    "Everything": N_("RSAM looks for every object by itself. Click an object to select it."),
    "Words": N_("Say what you are looking for; the pieces of the sentence can be changed."),
}
STARTS = {
    "Boxes": N_("**Start here:** draw a box around a building in the picture."),
    "Points": N_("**Start here:** click a building in the picture."),
}
NO_IMAGE = N_(
    "No image is open yet. Upload your own on the page Open, or start with a sample below."
)


def toolbar(session: Session, found: Instances, style: OverlayStyle) -> tuple[str, int]:
    """Mode, what a click does, the actions on the marks, and the files to take along."""
    if st.session_state.get(MODE_OF) != session.image.token:
        # Another image begins with "Start here", whatever the last one ended with.
        st.session_state[MODE_OF] = session.image.token
        if not len(found):
            st.session_state["mode"] = "Points"
    with tools():
        mode = st.segmented_control(
            _("Mode"), list(MODES), default="Points", key="mode", label_visibility="collapsed",
            format_func=with_icon(MODES), required=True, persist_state="session",
        )  # fmt: skip
        label = 1
        if mode == "Points":
            kind = st.segmented_control(
                _("What a click does"), list(KINDS), default="Add", key="point-kind",
                format_func=with_icon(KINDS), label_visibility="collapsed", required=True,
            )  # fmt: skip
            label = 0 if kind == "Take away" else 1
        if mode in STARTS:
            actions(session)
        export_objects(session, found, style)
    return mode or "Points", label


def actions(session: Session) -> None:
    """New object, undo, redo, clear."""
    book = session.marks.book

    def act(change: Callable[[PromptHistory], PromptHistory]) -> None:
        # As a callback it counts even if the next click interrupts the page, and it applies to
        # the book of that moment.
        session.update(change)

    undo = _("Undo: {what}").format(what=plain(book.past[-1].what)) if book.past else None
    redo = _("Redo: {what}").format(what=plain(book.future[-1].what)) if book.future else None
    clear = _("Remove all that was drawn or clicked in this image (can be undone)")
    buttons = (
        (
            N_("New object"),
            ":material/add:",
            "N",
            book.current is not None,
            PromptHistory.new_object,
            None,
        ),
        (N_("Undo"), ":material/undo:", "Ctrl+Z", bool(book.past), PromptHistory.undo, undo),
        (N_("Redo"), ":material/redo:", "Ctrl+Y", bool(book.future), PromptHistory.redo, redo),
        (
            N_("Clear"),
            ":material/delete_sweep:",
            None,
            bool(book.entries),
            PromptHistory.clear,
            clear,
        ),
    )
    for text, icon, shortcut, enabled, change, hint in buttons:
        st.button(
            _(text), icon=icon, disabled=not enabled, key=f"act-{text}", shortcut=shortcut,
            help=hint, on_click=act, args=(change,),
        )  # fmt: skip


def headline(session: Session, found: Instances, table) -> None:
    """How many objects, how much area."""
    facts = figures(session, found, table)
    if not len(found):
        return
    if "total_area_m2" in facts:
        area = f"{number(facts['total_area_m2'])} m²"
    else:
        area = f"{number(facts['total_area'])} px"
    st.markdown(f"**{so_many_objects(len(found))}** · {area}")


def score_of(session: Session, found: Instances) -> float | None:
    """Expected quality of the present object; None if there is none."""
    current = session.marks.book.current
    return found.get(current).score if current in found.ids else None


def prompts(
    session: Session, mode: str, problems: dict[int, str], found: Instances, table: pd.DataFrame
) -> None:
    """The right-hand column in the modes with prompts."""
    if not session.marks.book.entries:
        st.info(_(STARTS[mode]), icon=":material/ads_click:")
    prompt_list.candidates(session)
    prompt_list.entries(session, problems, found, table)
    if mode == "Points":
        st.segmented_control(
            _("A click far from the object begins"), list(FAR_CHOICES), default=FAR_CHOICES[0],
            key=FAR_SWITCH, required=True, persist_state="session",
            format_func=lambda choice: (
                _("a new object") if choice == FAR_CHOICES[0] else _("nothing new")
            ),
            help=_("Near clicks always belong to the present object. What far means grows with "
                   "the object; the picture asks at each such click, too."),
        )  # fmt: skip
        st.toggle(
            _("Every click is an object of its own"), key="own-objects", persist_state="session",
            help=_("For counting many similar things, such as cars or trees."),
        )  # fmt: skip
        st.toggle(
            _("Outlines under the pointer"), key=SWITCH, persist_state="session",
            help=_("RSAM looks for all objects of the view in the background, and shows the one "
                   "under the pointer before you click. Alt and the wheel show the next larger "
                   "one, the key H hides them. Takes a few seconds for each new view."),
        )  # fmt: skip
    prompt_list.typed_prompt(session)


def page(session: Session) -> None:
    """The whole screen for an open image."""
    session.search.collect(session.marks)
    with st.sidebar:
        sidebar.image_facts(session)
        sidebar.model_choice()
        st.divider()
    with st.spinner(_("Looking at the image (once)…")):
        prompter = prompters.ready(session)
    with span("decode"):
        prefer_visible(session, prompter)
        shown = session.shown()
        found, problems = shown.objects, shown.problems
    table = session.memo.remember(
        "table", (found, session.image.scene), lambda: measure(found, session.image.scene)
    )
    largest = float(found.areas.max()) if len(found) else 1000.0
    with st.sidebar:
        style = sidebar.overlay_style(session.image.scene.gsd, largest)
    style = replace(style, highlight=tuple(i.id for i in found if i.id in session.marks.selected))
    mode, label = toolbar(session, found, style)
    by_words = mode == "Words"
    canvas = words.canvas_mode() if by_words else CANVAS[mode]
    places = frame()
    with places.picture:
        picture_canvas(
            session,
            words.meant(session, found) if by_words else found,
            style,
            mode=canvas,
            label=label,
            size=places.size,
            hovering=None if by_words else hovering(session, found, canvas),
            on_mark=partial(words.mark, session) if by_words else None,
        )
        if mode in STARTS:
            ask(session, score_of(session, found))
    with places.line:
        if len(found) and (style.fill != "random" or style.large_area is not None):
            chips(legend(style, found, gsd=session.image.scene.gsd))
        else:
            st.caption(_(HINTS[mode if label else "Take away"]))
    with places.panel:
        headline(session, found, table)
        with banner.guard():
            autosaving.offer(session)
        if mode == "Everything":
            panel(session, prompter)
        elif by_words:
            words.panel(session, prompter, found)
        else:
            prompts(session, mode, problems, found, table)
    tab_table, tab_truth = st.tabs([_("Table"), _("Compare with truth")])
    with tab_table, banner.guard():
        table_tab(session, found, table)
    with tab_truth, banner.guard():
        metrics_tab(session, found)
    autosaving.schedule_autosave(session)
    mark("end")


opened = current_session.current()
if opened is None:
    st.title(_("Segment"))
    no_image(_(NO_IMAGE))
else:
    with banner.guard():
        page(opened)
