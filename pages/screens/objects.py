"""Objects: refine, combine, measure, classify and export what was found."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.parts.objects.classify import classify_panel
from pages.parts.objects.combine import combine_panel
from pages.parts.objects.listing import object_list
from pages.parts.objects.measure import measure_panel
from pages.parts.objects.paint import paint_panel
from pages.parts.objects.refine import refine_panel
from pages.parts.objects.table import chosen_ids, object_table, selection_buttons
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
from pages.parts.shared.exporting import export_objects
from pages.parts.shared.frame import Frame, frame
from pages.parts.shared.frame import toolbar as tools
from pages.parts.shared.gallery import no_image
from pages.parts.shared.legend import chips
from pages.parts.shared.mask_editor import mask_editor
from pages.parts.shared.measured import figures, measured
from pages.parts.shared.names import plain, so_many_objects
from pages.parts.shared.undoing import redo_button, undo_button
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import density_per_hectare
from rsam_core.render.style import OverlayStyle, legend
from rsam_core.runtime.language import N_, _, number, percent
from rsam_core.session.session import Session

TABS = {
    N_("List"): N_("what was found, with picture, kind, area and how sure RSAM is"),
    N_("Refine"): N_("smoother outlines, straight walls, without specks and holes"),
    N_("Combine"): N_("merge, split, cut and draw objects"),
    N_("Measure"): N_("sizes and shapes as charts"),
    N_("Classify"): N_("a class for each object, by hand, by rule or by example"),
    N_("Paint"): N_("an area from patches of like colour"),
}
COLOURS = {N_("Objects"): None, N_("Classes"): "class"}
NO_IMAGE = N_(
    "No image is open yet. Open one and find its objects on the Segment page; here you then "
    "smooth, combine, measure, classify and export them."
)


def no_objects(session: Session, problems: dict[int, str]) -> None:
    """The picture, what to do when nothing is outlined in it yet, and what will be here then."""
    with tools():
        export_objects(session, Instances(), OverlayStyle())
    places = frame()
    picture(session, Instances([], session.image.shape), OverlayStyle(), places)
    with places.panel:
        st.info(
            _(
                "This image has no objects yet. Outline some on the Segment page: draw boxes, "
                "click, or let RSAM find everything."
            ),
            icon=":material/ads_click:",
        )
        for id, problem in problems.items():
            st.caption(
                _(":material/warning: Object {id}: {problem}").format(id=id, problem=plain(problem))
            )
        if st.button(_("Find objects"), type="primary", icon=":material/arrow_forward:"):
            st.switch_page("pages/screens/segment.py")
        st.markdown(
            _("**Here you will then have**")
            + "\n"
            + "\n".join(f"- **{_(name)}**: {_(what)}" for name, what in TABS.items())
        )


def headline(session: Session, found: Instances, table: pd.DataFrame) -> None:
    """How many objects, how much area, how dense."""
    facts = figures(session, found, table)
    unit, factor = ("m²", "_m2") if "total_area_m2" in facts else ("px", "")
    words = [
        f"**{so_many_objects(len(found))}**",
        f"{number(facts[f'total_area{factor}'])} {unit}",
        _("mean {area} {unit}").format(area=number(facts[f"mean_area{factor}"]), unit=unit),
        _("{share} of the image").format(share=percent(facts["coverage"], 1)),
    ]
    if unit == "m²":
        density = density_per_hectare(len(found), session.image.shape, session.image.scene)
        words.append(_("{density:,.3g} per hectare").format(density=density))
    st.markdown(" · ".join(words))


def toolbar(session: Session, found: Instances, style: OverlayStyle) -> OverlayStyle:
    """Undo, redo, selection, what the colours say, and the files; gives the style as it is now."""
    book = session.marks.book
    undo = plain(book.past[-1].what) if book.past else None
    redo = plain(book.future[-1].what) if book.future else None
    with tools():
        undo_button("objects", undo, session.marks.undo)
        redo_button("objects", redo, session.marks.redo)
        selection_buttons(session, found)
        # With the first class the picture turns to classes, in this image and no other.
        labelled = any(item.label for item in found)
        shown = st.segmented_control(
            _("Colours by"), list(COLOURS), default="Classes" if labelled else "Objects",
            format_func=_,
            key=f"objects-colours-{session.image.token}-{labelled}",
            label_visibility="collapsed", required=True, persist_state="session",
            help=_("Every object in a colour of its own, or in that of its class."),
        )  # fmt: skip
        known = session.marks.classes
        style = replace(
            style,
            fill=COLOURS[shown or "Objects"] or style.fill,
            class_colors=tuple(known.colors.items()) if known is not None else (),
        )
        export_objects(session, found, style)
    return replace(style, highlight=tuple(chosen_ids(session, found)))


def picture(session: Session, found: Instances, style: OverlayStyle, places: Frame) -> None:
    """The picture in which objects are selected, and its legend."""
    with places.picture:
        picture_canvas(session, found, style, mode="select", size=places.size)
    with places.line:
        if style.fill == "class" or style.large_area is not None:
            chips(legend(style, found, gsd=session.image.scene.gsd))
        elif session.canvas.painting is not None:
            st.caption(_("Click the patches that belong together. **Done** ends painting."))
        else:
            st.caption(_("Click an object to select it; Shift + click selects several."))


def page(session: Session) -> None:
    """The whole screen for an open image."""
    session.search.collect(session.marks)
    with st.sidebar:
        sidebar.image_facts(session)
        st.divider()
    if session.marks.book.entries:
        with st.spinner(_("Looking at the image (once)…")):
            prompters.ready(session)
    shown = session.shown()
    found, problems = shown.objects, shown.problems
    if not len(found):
        no_objects(session, problems)
        return
    with st.sidebar:
        style = sidebar.overlay_style(session.image.scene.gsd, float(found.areas.max()))
    table = measured(session, found)
    style = toolbar(session, found, style)
    places = frame()
    picture(session, found, style, places)
    with places.panel:
        headline(session, found, table)
        tabs = st.tabs([_(name) for name in TABS])
        with tabs[0], banner.guard():
            object_list(session, found, table)
        with tabs[1], banner.guard():
            refine_panel(session, found)
        with tabs[2], banner.guard():
            combine_panel(session, found)
        with tabs[3], banner.guard():
            measure_panel(session, found, table)
        with tabs[4], banner.guard():
            classify_panel(session, found, table)
        with tabs[5], banner.guard():
            paint_panel(session, found)
    with banner.guard():
        object_table(session, found, table)
    mask_editor(session)
    autosaving.schedule_autosave(session)


opened = current_session.current()
if opened is None:
    st.title(_("Objects"))
    no_image(_(NO_IMAGE), icon=":material/category:")
else:
    with banner.guard():
        page(opened)
