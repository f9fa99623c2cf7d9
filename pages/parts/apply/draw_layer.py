"""Drawing a layer on the picture: a zone, a plan, a protected area, corner by corner."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.shared import banner
from pages.parts.shared.polygon_canvas import HOW, fitting, polygon_canvas
from rsam_core.change.apply import Features, Site
from rsam_core.change.apply.question import Question
from rsam_core.errors import RsamError
from rsam_core.runtime.language import N_, _, ngettext, number
from rsam_core.scene.window import Window
from rsam_core.session.apply import ApplyState, KeptLayer
from rsam_core.session.session import Session

_WIDTH, _HEIGHT = 820, 520
WHOLE = N_("Whole picture")
_PLACES = {
    N_("Upper left"): (0, 0), N_("Upper middle"): (1, 0), N_("Upper right"): (2, 0),
    N_("Left"): (0, 1), N_("Middle"): (1, 1), N_("Right"): (2, 1),
    N_("Lower left"): (0, 2), N_("Lower middle"): (1, 2), N_("Lower right"): (2, 2),
}  # fmt: skip
_OPENED = "apply-drawings"
PARTS = (WHOLE, *_PLACES)
"""What can be drawn on: all of it, or a part of half its sides, which overlap."""


@dataclass
class Drawing:
    """What is being drawn.

    Attributes
    ----------
    need : str
        For which the layer is, as "question/need".
    title : str
        Name that is proposed.
    kept : list of ndarray, shape (N, 2)
        Outlines that were drawn on other parts of the picture, in scene pixels.
    fresh : list of ndarray, shape (N, 2)
        Those on the canvas.
    canvas : int
        Number of the canvas; another one begins empty.
    error : RsamError or None
        Why what was drawn could not be used.
    """

    need: str
    title: str
    kept: list[NDArray[np.float64]] = field(default_factory=list)
    fresh: list[NDArray[np.float64]] = field(default_factory=list)
    canvas: int = 0
    error: RsamError | None = None

    def turn(self) -> None:
        """Go on with an empty canvas; what was drawn stays."""
        self.kept, self.fresh, self.canvas = [*self.kept, *self.fresh], [], self.canvas + 1

    def clear(self) -> None:
        """Forget all that was drawn."""
        self.kept, self.fresh, self.canvas, self.error = [], [], self.canvas + 1, None


def part_of(name: str, width: int, height: int) -> Window:
    """A part of a picture by its name: one of `PARTS`."""
    if name == WHOLE:
        return Window(0, 0, width, height)
    x, y = _PLACES[name]
    wide, high = (width + 1) // 2, (height + 1) // 2
    return Window(x * (width - wide) // 2, y * (height - high) // 2, wide, high)


def names_of(text: str) -> list[str]:
    """Names that were typed with commas between them; an empty one keeps its place."""
    return [name.strip() for name in text.split(",")] if text.strip() else []


def give(state: ApplyState, drawing: Drawing, site: Site, name: str, names: str) -> str:
    """Keep what was drawn as a layer, and take it for its need; its name.

    Raises
    ------
    ApplyError
        An outline encloses nothing, or there are too many layers.
    """
    outlines = [*drawing.kept, *drawing.fresh]
    title = name.strip()[:120] or drawing.title
    made = Features.of_polygons(outlines, site, title, names_of(names))
    return state.give(KeptLayer.of(made, site), drawing.need)


def button(session: Session, question: Question, need: str, title: str) -> None:
    """Open the dialog."""
    st.button(
        _("Draw it on the picture"), icon=":material/draw:", width="stretch",
        key=f"draw-{question.key}-{need}", on_click=_open,
        args=(session, f"{question.key}/{need}", title),
    )  # fmt: skip


def opened() -> int:
    """How often the dialog was opened: what it was opened from is drawn anew, and so closed."""
    return st.session_state.get(_OPENED, 0)


def dialog(session: Session, state: ApplyState) -> None:
    """Show the dialog if it is open."""
    if _key(session) in st.session_state:
        # Here, because a decorator would know no language.
        show = st.dialog(_("Draw areas on the picture"), width="large", dismissible=False)
        show(_dialog)(session, state)


def _key(session: Session) -> str:
    return f"apply-drawing-{session.image.token}"


def _open(session: Session, need: str, title: str) -> None:
    st.session_state[_key(session)] = Drawing(need, title)
    st.session_state[_OPENED] = opened() + 1


def _close(session: Session) -> None:
    st.session_state.pop(_key(session), None)


def _dialog(session: Session, state: ApplyState) -> None:
    drawing: Drawing | None = st.session_state.get(_key(session))
    if drawing is None:
        st.rerun()
    with banner.guard():
        left, right = st.columns([_WIDTH, 280], gap="medium")
        with right:
            name = st.text_input(_("Name of the layer"), drawing.title, key="drawing-name",
                                 max_chars=120)  # fmt: skip
            names = st.text_input(
                _("Names of the areas (optional)"),
                key="drawing-names",
                placeholder=_("North, South"),
                help=_("With commas between them, in the order in which they are drawn."),
            )
            part = st.selectbox(
                _("Draw on"),
                PARTS,
                format_func=_,
                key="drawing-part",
                on_change=drawing.turn,
                help=_("What was drawn on one part stays on the others."),
            )
            st.caption(_(HOW))
        scene = session.image.scene
        window = part_of(part, scene.width, scene.height)
        size = fitting(window.width, window.height, (_WIDTH, _HEIGHT))
        with left:
            drawing.fresh = polygon_canvas(
                session, lambda: scene.read_rgb(window, max_size=max(size)), window, size,
                f"{_key(session)}-{drawing.canvas}", before=drawing.kept,
            )  # fmt: skip
        with right:
            _buttons(session, state, drawing, name, names)


def _buttons(session: Session, state: ApplyState, drawing: Drawing, name: str, names: str) -> None:
    count = len(drawing.kept) + len(drawing.fresh)

    def use() -> None:
        try:
            give(state, drawing, Site.of(session.image.scene), name, names)
        except RsamError as error:
            drawing.error = error
        else:
            _close(session)

    if drawing.error is not None:
        banner.show(drawing.error)
    with st.container(horizontal=True):
        st.button(
            ngettext("Use {count} area", "Use {count} areas", count).format(count=number(count)),
            type="primary",
            icon=":material/check:",
            key="drawing-use",
            disabled=not count,
            on_click=use,
        )
        st.button(_("Start over"), icon=":material/delete:", key="drawing-clear",
                  disabled=not count, on_click=drawing.clear)  # fmt: skip
        st.button(_("Close"), icon=":material/close:", key="drawing-close", on_click=_close,
                  args=(session,))  # fmt: skip
