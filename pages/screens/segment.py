"""Segment: prompt on the picture, see masks, table and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from pages.parts.segment import prompt_list, words
from pages.parts.segment.everything import panel
from pages.parts.segment.hovering import SWITCH, hovering
from pages.parts.segment.results import downloads_tab, metrics_tab, table_tab
from pages.parts.shared import (
    autosaving,
    banner,
    current_session,
    sidebar,
)
from pages.parts.shared import (
    prompter as prompters,
)
from pages.parts.shared.canvas import picture_canvas
from pages.parts.shared.gallery import no_image
from pages.parts.shared.legend import chips
from pages.parts.shared.names import plain
from pages.parts.shared.screen_size import room
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure, summary
from rsam_core.prompts.history import PromptHistory
from rsam_core.render.style import legend
from rsam_core.runtime.timing import mark, span
from rsam_core.session.session import Session

MODES = ["Boxes", "Points", "Everything", "Words"]
CANVAS = {"Boxes": "boxes", "Points": "points", "Everything": "select"}
HINTS = {
    "Boxes": "Press at one corner of an object, drag to the opposite corner, release. Every box is "
    "an object of its own.",
    "Points": "Click an object. Click again to correct: *include* for what is missing, *exclude* "
    "(or the right mouse button) for what is too much. **New object** starts the next one.",
    "Exclude": "Click what does *not* belong to the object, such as a shadow that was taken along. "
    "**Include** goes back to what does.",
    "Everything": "RSAM looks for every object in the image, without prompts. Click an object to "
    "select it.",
    "Words": "Say what you are looking for. What was understood stands beside the picture, piece "
    "by piece, to change or to take away.",
}
STARTS = {
    "Boxes": "**Start here:** draw a box around a building in the picture.",
    "Points": "**Start here:** click a building in the picture.",
}
NO_IMAGE = "No image is open yet. Upload your own on the Home page, or start with a sample below."
# Heights in pixels: of what stands above and below the picture; of the hint below it; the least
# of the picture and of the column beside it.
AROUND, BELOW, LOWEST = 190, 34, 440


def toolbar(session: Session) -> tuple[str, int]:
    """Mode, include or exclude, and the actions on the prompts."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar")
    with row:
        mode = st.segmented_control(
            "Mode", MODES, default="Points", key="mode", label_visibility="collapsed",
            required=True, persist_state="session",
        )  # fmt: skip
        label = 1
        if mode == "Points":
            kind = st.segmented_control(
                "Points", ["Include", "Exclude"], default="Include", key="point-kind",
                label_visibility="collapsed", required=True,
            )  # fmt: skip
            label = 0 if kind == "Exclude" else 1
        if mode in STARTS:
            actions(session)
    return mode or "Points", label


def actions(session: Session) -> None:
    """New object, undo, redo, clear."""
    book = session.marks.book

    def act(change: Callable[[PromptHistory], PromptHistory]) -> None:
        # As a callback it counts even if the next click interrupts the page, and it applies to
        # the book of that moment.
        session.update(change)

    undo = f"Undo: {plain(book.past[-1].what)}" if book.past else None
    redo = f"Redo: {plain(book.future[-1].what)}" if book.future else None
    clear = "Remove all prompts of this image (can be undone)"
    buttons = (
        (
            "New object",
            ":material/add:",
            "N",
            book.current is not None,
            PromptHistory.new_object,
            None,
        ),
        ("Undo", ":material/undo:", "Ctrl+Z", bool(book.past), PromptHistory.undo, undo),
        ("Redo", ":material/redo:", "Ctrl+Y", bool(book.future), PromptHistory.redo, redo),
        ("Clear", ":material/delete_sweep:", None, bool(book.entries), PromptHistory.clear, clear),
    )
    for text, icon, shortcut, enabled, change, hint in buttons:
        st.button(
            text, icon=icon, disabled=not enabled, key=f"act-{text}", shortcut=shortcut, help=hint,
            on_click=act, args=(change,),
        )  # fmt: skip


def headline(session: Session, found: Instances, table) -> None:
    """How many objects, how much area."""
    facts = summary(table, session.image.shape, session.image.scene.gsd)
    if not len(found):
        return
    text = f"**{len(found):,} object{'s' if len(found) != 1 else ''}**"
    if "total_area_m2" in facts:
        text += f" · {facts['total_area_m2']:,.0f} m²"
    else:
        text += f" · {facts['total_area']:,.0f} px"
    st.markdown(text)


def prompts(session: Session, mode: str, problems: dict[int, str]) -> None:
    """The right-hand column in the modes with prompts."""
    if not session.marks.book.entries:
        st.info(STARTS[mode], icon=":material/ads_click:")
    prompt_list.candidates(session)
    prompt_list.entries(session, problems)
    if mode == "Points":
        st.toggle(
            "Every click is an object of its own", key="own-objects", persist_state="session",
            help="For counting many similar things, such as cars or trees.",
        )  # fmt: skip
        st.toggle(
            "Outlines under the pointer", key=SWITCH, persist_state="session",
            help="RSAM looks for all objects of the view in the background, and shows the one "
            "under the pointer before you click. Alt and the wheel show the next larger one, the "
            "key H hides them. Takes a few seconds for each new view.",
        )  # fmt: skip
    prompt_list.typed_prompt(session)


def page(session: Session) -> None:
    """The whole screen for an open image."""
    session.search.collect(session.marks)
    with st.sidebar:
        sidebar.image_facts(session)
        sidebar.model_choice()
        st.divider()
    with st.spinner("Looking at the image (once)…"):
        prompter = prompters.ready(session)
    with span("decode"):
        shown = session.shown()
        found, problems = shown.objects, shown.problems
    table = session.memo.remember(
        "table", (found, session.image.scene), lambda: measure(found, session.image.scene)
    )
    largest = float(found.areas.max()) if len(found) else 1000.0
    with st.sidebar:
        style = sidebar.overlay_style(session.image.scene.gsd, largest)
    style = replace(style, highlight=tuple(i.id for i in found if i.id in session.marks.selected))
    mode, label = toolbar(session)
    by_words = mode == "Words"
    canvas = words.canvas_mode() if by_words else CANVAS[mode]
    left, right = st.columns([74, 26])
    with left:
        width, height = room()
        height = max(height - AROUND, LOWEST)
        with st.container(key="picture"):
            picture_canvas(
                session,
                words.meant(session, found) if by_words else found,
                style,
                mode=canvas,
                label=label,
                size=(width, height),
                hovering=None if by_words else hovering(session, found, canvas),
                on_mark=partial(words.mark, session) if by_words else None,
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="hint"):
            if len(found) and (style.fill != "random" or style.large_area is not None):
                chips(legend(style, found, gsd=session.image.scene.gsd))
            else:
                st.caption(HINTS[mode if label else "Exclude"])
    # As high as the picture, so that what stands below never moves.
    with right.container(height=height + BELOW, border=False, gap="xsmall", key="objects"):
        headline(session, found, table)
        with banner.guard():
            autosaving.offer(session)
        if mode == "Everything":
            panel(session, prompter)
        elif by_words:
            words.panel(session, prompter, found)
        else:
            prompts(session, mode, problems)
    tab_table, tab_truth, tab_files = st.tabs(["Table", "Compare with truth", "Downloads"])
    with tab_table, banner.guard():
        table_tab(session, found, table)
    with tab_truth, banner.guard():
        metrics_tab(session, found)
    with tab_files, banner.guard():
        downloads_tab(session, found, table, style)
    autosaving.schedule_autosave(session)
    mark("end")


opened = current_session.current()
if opened is None:
    st.title("Segment")
    no_image(NO_IMAGE)
else:
    with banner.guard():
        page(opened)
