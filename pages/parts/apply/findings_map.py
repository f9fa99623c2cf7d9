"""The map of an answer: which part is shown, which finding is looked at, both dates."""

from __future__ import annotations

from dataclasses import replace

import cv2
import streamlit as st

from pages.parts.apply.dates_there import pair
from pages.parts.shared import resources
from pages.parts.shared.frame import Frame
from pages.parts.shared.legend import chips
from pages.parts.shared.swipe import Words, swipe
from rsam_core.change.apply import Answer, Features
from rsam_core.change.apply.answer import VERDICT
from rsam_core.change.apply.pictures import at, drawn, window_around
from rsam_core.change.pictures import window_at
from rsam_core.runtime.language import N_, _
from rsam_core.scene.window import Window
from rsam_core.session.change import change_state
from rsam_core.session.session import Session

_LONGEST = 1400


def pair_of(session: Session, answer: Answer, window: Window, longest: int = _LONGEST):  # type: ignore[no-untyped-def]
    """The picture of a window at both dates, where both lie on the grid of the answer."""
    there = pair(session, answer, window)
    if there is not None:
        return tuple(fitted(image, longest) for image in there)
    image = fitted(session.image.scene.read_rgb(window, max_size=longest), longest)
    return image, image


def fitted(image, longest: int):  # type: ignore[no-untyped-def]
    """A picture with that longer side; not enlarged more than six times."""
    factor = longest / max(image.shape[:2])
    factor = min(factor, 6.0)
    if abs(factor - 1) < 0.05:
        return image
    size = max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=way)


def key_of(session: Session, name: str) -> str:
    """Where the page keeps something of this image."""
    return f"apply-{name}-{session.image.token}"


def window(session: Session, answer: Answer) -> Window:
    """The part of the picture that is shown."""
    rows, columns = answer.site.shape
    kept = st.session_state.get(key_of(session, "window"))
    if kept is None or kept.x + kept.width > columns or kept.y + kept.height > rows:
        return Window(0, 0, columns, rows)
    return kept


def select(session: Session, answer: Answer, number: int | None, zoom: bool = True) -> None:
    """Look at a finding; the picture goes there."""
    st.session_state[key_of(session, f"selected-{answer.question}")] = number
    ids = answer.findings.column("id")
    if number in ids and zoom:
        shape = answer.findings.shapes[ids.index(number)]
        st.session_state[key_of(session, "window")] = _beside(answer, shape)


def _beside(answer: Answer, shape: object) -> Window:
    """The window around a finding, which lies on the right of the handle in the middle."""
    part = window_around(answer, shape, 1.3, 4.0)
    left = max(part.x - part.width // 4, 0)
    return replace(part, x=left)


def selected(session: Session, answer: Answer) -> int | None:
    """Number of the finding that is looked at."""
    number = st.session_state.get(key_of(session, f"selected-{answer.question}"))
    return number if number in answer.findings.column("id") else None


def zoom(session: Session, answer: Answer, factor: float) -> None:
    """Show a part so many times as small."""
    now, (rows, columns) = window(session, answer), answer.site.shape
    wide, high = now.width / factor, now.height / factor
    if wide >= columns and high >= rows:
        st.session_state[key_of(session, "window")] = None
    elif min(wide, high) >= 16:
        middle = now.x + now.width / 2, now.y + now.height / 2
        st.session_state[key_of(session, "window")] = window_at(
            *middle, wide, high, (rows, columns)
        )


def tools(session: Session, answer: Answer) -> None:
    """Zoom; for the toolbar."""
    whole = window(session, answer).width == answer.site.shape[1]
    for text, icon, factor in ((N_("Nearer"), "zoom_in", 2.0), (N_("Farther"), "zoom_out", 0.5)):
        st.button("", icon=f":material/{icon}:", key=f"apply-{text.lower()}", help=_(text),
                  on_click=zoom, args=(session, answer, factor),
                  disabled=factor < 1 and whole)  # fmt: skip
    st.button(_("Whole"), icon=":material/fit_screen:", key="apply-whole", disabled=whole,
              on_click=zoom, args=(session, answer, 0.0001))  # fmt: skip


def picture(session: Session, answer: Answer, findings: Features, places: Frame) -> None:
    """The map: without the findings on the left of the handle, with them on the right."""
    part, number = window(session, answer), selected(session, answer)
    alignment = change_state(session).alignment

    def make() -> tuple[bytes, bytes]:
        first, second = pair_of(session, answer, part)
        # Outlines on the left of the handle as well: nothing that was found is hidden.
        return (resources.jpeg(drawn(answer, findings, first, part, number, fill=0.0), 88),
                resources.jpeg(drawn(answer, findings, second, part, number), 88))  # fmt: skip

    before, after = session.memo.remember(
        "apply-picture", (answer, findings, part, number, alignment), make
    )

    def spot(x: float, y: float) -> None:
        hit = at(answer, findings, part.x + x * part.width, part.y + y * part.height)
        if hit is not None:
            select(session, answer, hit, zoom=False)

    dates = answer.dates if len(answer.dates) >= 2 else (N_("Outlines"), N_("Filled"))
    with places.picture:
        swipe(
            before, after, size=(part.width, part.height), height=places.size[1],
            key=f"apply-swipe-{session.image.token}",
            words=Words(dates[0], dates[-1], N_("Share of the picture without findings")),
            on_spot=spot,
        )  # fmt: skip
    present = set(findings.column(VERDICT))
    with places.line:
        chips([(name, tone) for name, tone in answer.colours.items() if name in present])
