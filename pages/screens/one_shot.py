"""One-shot: one example is enough to find all the others."""

from __future__ import annotations

import streamlit as st

from pages.parts.one_shot.compare import compare_tab
from pages.parts.one_shot.explanation import words_tab
from pages.parts.one_shot.other_images import images_tab
from pages.parts.one_shot.panel import limit, panel
from pages.parts.one_shot.pictures import COLOURS, STYLE, heat, shown
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
from pages.parts.shared.frame import frame
from pages.parts.shared.frame import toolbar as tools
from pages.parts.shared.gallery import no_image
from pages.parts.shared.legend import chips
from pages.parts.shared.mask_editor import mask_editor
from pages.parts.shared.names import plain
from pages.parts.shared.undoing import undo_button
from rsam_core.prompts.canvas_events import CanvasEvent
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _
from rsam_core.segment.one_shot import OneShotResult
from rsam_core.session.one_shot import OneShotState, shot
from rsam_core.session.session import Session

PAGE = "pages/screens/one_shot.py"
MODES = {"Choose": "select", "Box": "boxes", "Points": "points"}
TITLES = {
    "Choose": N_(":material/touch_app: Choose an object"),
    "Box": N_(":material/crop_free: Draw a box"),
    "Points": N_(":material/ads_click: Click"),
}
TABS = [N_("Zero-shot and one-shot"), N_("Other images"), N_("How it works")]
HINTS = {
    "Choose": N_("Click an object to choose it as the example."),
    "Box": N_("Drag a box around one object: it can then be the example."),
    "Points": N_("Click one object, and click again to correct it: it can then be the example."),
}
NO_IMAGE = N_(
    "No image is open yet. Open one, show RSAM one example of what you are looking for, such "
    "as a roof, and it finds the others."
)


def toolbar(session: Session, known: OneShotState) -> tuple[str, bool]:
    """How to give an example, and whether to see the similarity."""
    some = bool(known.given or len(session.objects))
    if st.session_state.get("one-shot-mode") not in (MODES if some else list(MODES)[1:]):
        st.session_state["one-shot-mode"] = "Choose" if some else "Box"
    with tools():
        mode = st.segmented_control(
            # Where there is nothing to choose from, nobody is asked to.
            _("Example by"), list(MODES)[0 if some else 1 :], key="one-shot-mode",
            format_func=lambda mode: _(TITLES[mode]),
            label_visibility="collapsed", required=True, persist_state="session",
            help=_("Choose an object in the picture, or outline one by a box or clicks."),
        )  # fmt: skip
        book = session.marks.book
        undo = plain(book.past[-1].what) if book.past else None
        undo_button("one-shot", undo, session.marks.undo)
        warm = st.toggle(
            _("Show likeness"), key="heat", disabled=known.state is None,
            help=_("A heat map: how similar each place is to the example; yellow is most alike."),
        )  # fmt: skip
        st.button(
            _("Forget examples"),
            icon=":material/restart_alt:",
            key="anew",
            disabled=not known.given,
            on_click=lambda: session.detach(OneShotState),
            help=_("Forgets the examples and what was found with them. Accepted objects stay."),
        )
        export_objects(session, session.objects, OverlayStyle())
    return mode or "Choose", warm


def picture(
    session: Session,
    known: OneShotState,
    ranked: OneShotResult | None,
    mode: str,
    warm: bool,
    size: tuple[int, int],
) -> None:
    """The canvas: objects to choose from, or what was found."""
    layer = heat(session, known.state) if warm and known.state is not None else None
    if ranked is None or mode != "Choose":
        now = session.objects
        style = OverlayStyle(highlight=tuple(i.id for i in now if i.id in session.marks.selected))
        picture_canvas(session, now, style, mode=MODES[mode], size=size, heat=layer)
        return
    kept = ranked.choose(limit(known, ranked))
    given = tuple((g.instance, g.positive) for g in known.given)
    drawn = session.memo.remember("one-shot-shown", (kept.ids.tobytes(), ranked, given),
                          lambda: shown(kept, given))  # fmt: skip
    chosen = () if known.selected is None else (known.selected,)
    style = OverlayStyle(
        fill="none" if warm else STYLE.fill, opacity=STYLE.opacity, contour_width=3,
        class_colors=COLOURS, highlight=chosen, color="#FFFFFF",
    )  # fmt: skip

    def pick(event: CanvasEvent) -> None:
        under = [i for i in ranked.objects.at(event.x, event.y) if i in set(kept.ids.tolist())]
        under = under or ranked.objects.at(event.x, event.y)
        known.selected = under[0] if under and under[0] != known.selected else None

    picture_canvas(session, drawn, style, mode="select", size=size, heat=layer, on_pick=pick)


def page(session: Session) -> None:
    """The whole screen for an open image."""
    known = shot(session)
    known.collect()
    with st.sidebar:
        sidebar.image_facts(session)
        sidebar.model_choice()
    with st.spinner(_("Looking at the image (once)…")):
        prompters.ready(session)
    ranked = None
    with banner.guard():
        ranked = known.result()
    mode, warm = toolbar(session, known)
    places = frame()
    with places.picture:
        picture(session, known, ranked, mode, warm, places.size)
    with places.line:
        if ranked is not None and mode == "Choose":
            chips(list(COLOURS))
        else:
            st.caption(_(HINTS[mode]))
    with places.panel, banner.guard():
        panel(session, known, mode)
    compare, others, words = st.tabs([_(name) for name in TABS])
    with compare, banner.guard():
        compare_tab(session, known, ranked)
    with others, banner.guard():
        images_tab(session, known)
    with words:
        words_tab()
    mask_editor(session)
    autosaving.schedule_autosave(session)


opened = current_session.current()
if opened is None:
    st.title(_("One-shot"))
    no_image(_(NO_IMAGE), icon=":material/star:", page=PAGE)
else:
    with banner.guard():
        page(opened)
