"""The frame that is shown, on the canvas: its outline, and clicks and boxes drawn on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from pages.parts.shared import resources, streamlit_adapter
from pages.parts.shared.canvas import picture_canvas
from pages.parts.shared.current_session import model_name
from pages.parts.shared.undoing import redo_button, undo_button
from rsam_core.objects.instances import Instances
from rsam_core.objects.resample import to_scene
from rsam_core.prompts.canvas_events import CanvasEvent, LayerMessage, MarkMessage
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.embedding import Embedding
from rsam_core.session.following import FollowState
from rsam_core.session.session import Session

_QUALITY = 92
_STYLE = OverlayStyle(fill="single", color="#FF28C8", opacity=0.22, contour_width=2)
_MARKED = replace(_STYLE, color="#FFD200")
LEGEND = [
    (N_("followed"), "#FF28C8"),
    (N_("marked by hand"), "#FFD200"),
    (N_("not found"), "#F0433A"),
]
MODES = {N_("Points"): "points", N_("Box"): "boxes"}


def view_of(session: Session, state: FollowState) -> Frame:
    """How pixels of frames lie in the scene."""
    scene, frames = session.image.scene, state.frames
    return Frame(0, 0, scene.width, scene.height, frames.width, frames.height)


def settle(state: FollowState) -> None:
    """Ask the model about marks that it has not seen."""
    name = model_name()

    def embed(frame: int) -> Embedding:
        picture = state.frames[frame]
        return resources.embed(picture, resources.embedding_key(picture, name))

    state.settle(lambda: resources.segmenter(name), embed)


def canvas(
    session: Session,
    state: FollowState,
    mode: str,
    label: int,
    size: tuple[int, int],
    failed: Callable[[BaseException], None],
) -> None:
    """Show the frame.

    Parameters
    ----------
    session : Session
    state : FollowState
    mode : str
        A key of `MODES`.
    label : int
        1 for include, 0 for exclude.
    size : (int, int)
        CSS pixels.
    failed : callable
        Told why a mark could not be taken.
    """
    view, item = view_of(session, state), state.outline(state.frame)
    token = session.image.token

    def shown() -> Instances:
        found = [] if item is None else [replace(to_scene(item, view), id=1)]
        return Instances(found, session.image.shape)

    found = session.memo.remember("follow-shown", (item, view), shown)

    def mark(event: CanvasEvent) -> None:
        (x0, y0), (x1, y1) = view.from_scene([(event.x, event.y), (event.x1, event.y1)])
        try:
            if event.kind == "box":
                state.draw_box(x0, y0, x1, y1)
            else:
                state.click(x0, y0, event.label)
        except Exception as error:
            failed(error)

    number = state.frame
    content = session.memo.remember(
        "follow-picture",
        (state.source, number),
        lambda: resources.jpeg(state.frames[number], _QUALITY),
    )
    picture: LayerMessage = {
        "url": streamlit_adapter.address(content, "image/jpeg", f"follow-{token}"),
        "box": list(view.bounds),
        "smooth": False,
    }
    style = _MARKED if number in state.now.marks else _STYLE
    picture_canvas(
        session, found, style, mode=MODES[mode], label=label, size=size, on_mark=mark,
        pictures=[picture], marks=_drawn(state, view),
    )  # fmt: skip


def _drawn(state: FollowState, view: Frame) -> list[MarkMessage]:
    """Clicks and box of the frame, in scene pixels."""
    marked = state.now.marks.get(state.frame)
    if marked is None:
        return []
    found: list[MarkMessage] = []
    if marked.box is not None:
        (x0, y0), (x1, y1) = view.to_scene([marked.box[:2], marked.box[2:]]).tolist()
        found.append({"kind": "box", "x": x0, "y": y0, "x1": x1, "y1": y1, "label": 1})
    for px, py, label in marked.points:
        x, y = view.to_scene((px, py)).tolist()
        found.append({"kind": "point", "x": x, "y": y, "x1": x, "y1": y, "label": label})
    return found


def hint(state: FollowState, mode: str, label: int) -> str:
    """One line of what a click means now."""
    if state.now.track is not None:
        if state.outline(state.frame) is None:
            return _("Not found in this frame. Click it, or draw a box: it is followed from here.")
        return _(
            "Wrong here? Include what is missing, exclude what is too much: it is followed "
            "again from here."
        )
    if mode == "Box":
        return _("Press at one corner of the object, drag to the opposite corner, release.")
    if not label:
        return _("Click what does *not* belong to the object.")
    return _("Click the object; click again to correct. It need not be the first frame.")


def tools(state: FollowState) -> tuple[str, int]:
    """Undo, redo, and how the object is marked; for the toolbar."""
    undo_button("follow", _(state.undoable) or None, state.undo)
    redo_button("follow", _(state.redoable) or None, state.redo)
    mode = st.segmented_control(
        _("Mark by"), list(MODES), default="Points", key="follow-mode", required=True,
        format_func=_, label_visibility="collapsed", persist_state="session",
        help=_("How the object is shown in a frame: by clicks, or by a box around it."),
    )  # fmt: skip
    label = 1
    if mode == "Points":
        kind = st.segmented_control(
            _("Points"), [N_("Include"), N_("Exclude")], default="Include", key="follow-kind",
            format_func=_,             label_visibility="collapsed", required=True,
        )  # fmt: skip
        label = 0 if kind == "Exclude" else 1
    st.button(
        _("Clear"),
        icon=":material/delete_sweep:",
        key="follow-clear",
        disabled=not state.now.marks,
        on_click=state.clear,
        help=_("Takes all marks and outlines away; can be undone."),
    )
    return mode or "Points", label
