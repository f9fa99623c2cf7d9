"""Editing one mask by brush and polygon on an enlarged part of the image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.shared import banner, resources
from rsam_core.errors import RsamError
from rsam_core.objects.combine import draw, edit
from rsam_core.objects.instances import Instances
from rsam_core.prompts.brush import painted_mask
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _, number
from rsam_core.scene.window import Window
from rsam_core.session.session import Session

_WIDTH, _HEIGHT = 860, 500
_LARGEST = 1500
"""Scene pixels a side at most, in which a new object can be drawn."""
_TOOLS = {N_("Brush"): "freedraw", N_("Polygon"): "polygon"}
_COLOURS = {N_("Add"): "#22C55E", N_("Erase"): "#EF4444"}


@dataclass
class Editor:
    """What is being edited.

    Attributes
    ----------
    id : int or None
        The object; None to draw a new one.
    window : Window
        The part of the scene that is shown.
    strokes : int
        How often something was applied; the canvas is a new one each time.
    """

    id: int | None
    window: Window
    strokes: int = 0

    @property
    def scale(self) -> float:
        """Canvas pixels a scene pixel."""
        return min(_WIDTH / self.window.width, _HEIGHT / self.window.height)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas."""
        width, height = self.window.width * self.scale, self.window.height * self.scale
        return max(round(width), 1), max(round(height), 1)


def _key(session: Session) -> str:
    return f"mask-editor-{session.image.token}"


def open_editor(session: Session, id: int | None) -> None:
    """Open the editor for an object, or for a new one."""
    st.session_state[_key(session)] = Editor(id, _window(session, id))


def _window(session: Session, id: int | None) -> Window:
    """The part of the scene around an object, or in the middle of what the canvas shows."""
    height, width = session.image.shape
    if id is not None:
        shown = session.shown()
        now = shown.objects
        x0, y0, x1, y1 = now.get(id).bbox
        margin = 16 + max(x1 - x0, y1 - y0) // 3
        x0, y0, x1, y1 = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    else:
        seen = session.canvas.viewport and session.canvas.viewport.within(width, height, 0.0)
        frame = seen or session.image.view
        half = min(max(frame.width, frame.height), _LARGEST) / 2
        x, y = frame.x + frame.width / 2, frame.y + frame.height / 2
        x0, y0, x1, y1 = x - half, y - half, x + half, y + half
    x0, y0 = max(int(x0), 0), max(int(y0), 0)
    return Window(x0, y0, min(int(x1), width) - x0, min(int(y1), height) - y0)


def mask_editor(session: Session) -> None:
    """Show the editor if it is open."""
    if _key(session) in st.session_state:
        # Here, because a decorator would know no language.
        st.dialog(_("Edit the mask"), width="large", dismissible=False)(_dialog)(session)


def _close(session: Session) -> None:
    st.session_state.pop(_key(session), None)
    st.session_state.pop(f"{_key(session)}-error", None)


def _dialog(session: Session) -> None:
    editor: Editor | None = st.session_state.get(_key(session))
    if editor is None:
        st.rerun()
    shown = session.shown()
    now = shown.objects
    if editor.id is not None and editor.id not in now.ids:
        _close(session)
        st.rerun()
    with banner.guard():
        left, right = st.columns([_WIDTH, 250], gap="medium")
        with right:
            tool, how, width = _tools(editor)
        with left:
            drawing = _canvas(session, editor, now, tool, how, width)
        with right:
            _buttons(session, editor, now, how.lower(), drawing)


def _tools(editor: Editor) -> tuple[str, str, int]:
    """Tool, what it does, and the width of the brush."""
    tool = st.segmented_control(
        _("Tool"), list(_TOOLS), default="Brush", required=True, key="editor-tool", format_func=_
    )
    how = "Add"
    if editor.id is not None:
        how = st.segmented_control(
            _("What it does"), list(_COLOURS), default="Add", required=True, key="editor-how",
            format_func=_,
        )  # fmt: skip
    width = 12
    if tool == "Brush":
        width = st.slider(_("Width of the brush"), 2, 80, 12, key="editor-width")
        st.caption(_("Press, move and release. Several strokes count together."))
    else:
        st.caption(_("Click the corners one by one; click the first corner again to close it."))
    return tool, how, width


def _canvas(
    session: Session, editor: Editor, now: Instances, tool: str, how: str, width: int
) -> dict | None:
    """The enlarged part of the image to paint on; what was drawn."""
    # The component registers itself with a running app.
    from streamlit_drawable_canvas import st_canvas

    colour = _COLOURS[how]
    result = st_canvas(
        fill_color=f"{colour}66",
        stroke_width=width if tool == "Brush" else 2,
        stroke_color=f"{colour}99",
        background_image=_background(session, editor, now),
        width=editor.size[0],
        height=editor.size[1],
        drawing_mode=_TOOLS[tool],
        point_display_radius=4,
        key=f"{_key(session)}-{editor.strokes}-{how}",
    )
    return result.json_data


def _background(session: Session, editor: Editor, now: Instances) -> bytes:
    """The part of the image at the size of the canvas, with the object."""
    window = editor.window
    item = now.get(editor.id) if editor.id is not None else None

    def make() -> bytes:
        picture = _enlarged(session.image.scene.read_rgb(window, max(editor.size)), editor.size)
        if item is not None:
            style = OverlayStyle(fill="single", opacity=0.3, contour_width=2)
            shown = Instances([item], session.image.shape)
            origin = (window.x, window.y)
            picture = overlay(picture, shown, style, origin=origin, scale=editor.scale)
        return resources.jpeg(picture, 92)

    return session.memo.remember("editor", (item, window, session.image.scene), make)


def _enlarged(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def _buttons(
    session: Session, editor: Editor, now: Instances, how: str, drawing: dict | None
) -> None:
    """Apply and go on, or close."""
    window = editor.window
    painted = painted_mask(drawing, (window.height, window.width), editor.scale)
    count = int(painted.sum())
    failed = st.session_state.get(f"{_key(session)}-error")
    if failed is not None:
        banner.show(failed)
    with st.container(horizontal=True):
        st.button(
            _("Apply"), type="primary", icon=":material/check:", disabled=not count,
            key="editor-apply", on_click=_apply, args=(session, editor, painted, how),
        )  # fmt: skip
        st.button(
            _("Close"),
            icon=":material/close:",
            key="editor-close",
            on_click=_close,
            args=(session,),
        )
    if count:
        st.caption(
            _("{count} pixels are painted. **Apply** takes them over.").format(count=number(count))
        )
    elif editor.id is not None:
        st.caption(
            _("Object {id}: {area} pixels.").format(
                id=editor.id, area=number(now.get(editor.id).area)
            )
        )


def _apply(session: Session, editor: Editor, painted: NDArray[np.bool_], how: str) -> None:
    """Take over what was painted, as one step that can be undone."""
    shown = session.shown()
    now = shown.objects
    x, y = editor.window.x, editor.window.y
    st.session_state.pop(f"{_key(session)}-error", None)
    try:
        if editor.id is None:
            wanted = draw(now, painted, x, y)
            id = int(wanted.ids[-1])
            # Another click may have been given the number first.
            editor.id = session.commit(shown, wanted, _("Draw object {id}").format(id=id)).get(
                id, id
            )
            session.marks.select({editor.id})
        else:
            wanted = edit(now, editor.id, painted, x, y, how)
            session.commit(shown, wanted, _("Paint object {id}").format(id=editor.id))
    except RsamError as error:
        st.session_state[f"{_key(session)}-error"] = error
        return
    editor.strokes += 1
