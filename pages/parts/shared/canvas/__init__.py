"""The prompt canvas: the scene to zoom and pan, with its objects, and prompts drawn on it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.shared import banner, current_session, resources, streamlit_adapter
from pages.parts.shared.canvas.hovering import Hovering
from pages.parts.shared.javascript import script
from rsam_core.objects.instances import Instances
from rsam_core.prompts.canvas_events import (
    CanvasData,
    CanvasEvent,
    LayerMessage,
    MarkMessage,
    PlaceMessage,
    read_viewport,
)
from rsam_core.prompts.history import PromptHistory
from rsam_core.render.overlays import overlay_layer
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _
from rsam_core.runtime.timing import mark, span
from rsam_core.scene.compass import compass_of
from rsam_core.scene.coordinates import Frame, Viewport, choose_view
from rsam_core.session.far_clicks import FarClicks, clicked, is_far
from rsam_core.session.session import Session

_FILES = Path(__file__).parent / "component"
_MARGIN = 0.2
"""How far the objects are drawn beyond the screen, as a share of it: room for panning."""
_MAX_DRAWN = 4_000_000
"""Pixels of the layer of objects at most; on larger screens it is drawn coarser."""
_QUALITY = 92
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]
# Filters suit photographs; flat layers are packed three times as quickly without, and smaller.
if hasattr(cv2, "IMWRITE_PNG_FILTER"):
    _PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    _PNG += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
_NEAR = 16
"""CSS pixels within which no click is far from the present object."""

FAR_SWITCH = "far-clicks"
FAR_CHOICES = (N_("New object"), N_("Same object"))
"""What a click far from the present object means: where the choice is kept, and its words."""


def registered(name: str) -> Callable[..., Any]:
    """The canvas as a component of Streamlit, under a name of its own.

    Parameters
    ----------
    name : str
        Of the component; each place that shows canvases has one.

    Returns
    -------
    callable
        Takes `key`, `data` (a `CanvasData`), `default` and `on_report_change`.
    """
    return st.components.v2.component(
        name,
        html=(_FILES / "canvas.html").read_text(encoding="utf-8"),
        css=(_FILES / "canvas.css").read_text(encoding="utf-8"),
        js=script(_FILES / "canvas.js"),
    )


_component = registered("rsam_canvas")


def canvas_key(session: Session) -> str:
    """Widget key: one canvas for as long as the image is open, so that it never flickers."""
    return f"canvas-{session.image.token}"


def picture_canvas(
    session: Session,
    found: Instances,
    style: OverlayStyle,
    *,
    mode: str = "look",
    label: int = 1,
    size: tuple[int, int] = (720, 560),
    heat: LayerMessage | None = None,
    on_pick: Callable[[CanvasEvent], None] | None = None,
    hovering: Hovering | None = None,
    on_mark: Callable[[CanvasEvent], None] | None = None,
    pictures: list[LayerMessage] | None = None,
    marks: list[MarkMessage] | None = None,
) -> None:
    """Show the scene with its objects, to zoom, pan, and prompt or select.

    Parameters
    ----------
    session : Session
        Prompts go into its `book`, picked objects into `selected`.
    found : Instances
        Objects to draw.
    style : OverlayStyle
        How.
    mode : {"points", "boxes", "select", "look"}
        What a click or a drag means: a point of the current object, a box around a new one, the
        selection of what is under it, or nothing.
    label : int
        1 for include, 0 for exclude points.
    size : (int, int)
        Width and height of the canvas in CSS pixels; the width is an estimate until the browser
        has told.
    heat : LayerMessage, optional
        A further layer between picture and objects, from `heat_picture`.
    on_pick : callable, optional
        What a click in the mode "select" does instead of selecting among the session's objects.
    hovering : Hovering, optional
        Outlines to show under the pointer, and what is done about them.
    on_mark : callable, optional
        What a click or a box in the modes "points" and "boxes" does instead of prompting.
    pictures : list of LayerMessage, optional
        What is shown instead of the scene, such as another date of it.
    marks : list of MarkMessage, optional
        Clicks and boxes that are drawn instead of those of the current object.
    """
    scene = session.image.scene
    key = canvas_key(session)
    viewport = session.canvas.viewport
    if viewport is None:
        viewport = Viewport.fitting(scene.width, scene.height, *size)
    layer = _layer(session, viewport, found, style)
    shown_marks = marks
    if shown_marks is None:
        shown_marks = _marks(session.marks.book) if mode in ("points", "boxes") else []
    data: CanvasData = {
        "token": session.image.token,
        "scene": [scene.width, scene.height],
        "gsd": scene.gsd,
        "height": size[1],
        "mode": mode,
        "label": label,
        "pictures": _pictures(session) if pictures is None else pictures,
        "overlay": layer,
        "extra": heat or (_patches(session) if mode == "select" else None),
        "drawn": layer["region"] if layer else None,
        "view": list(session.image.view.bounds),
        "marks": shown_marks,
        "canvas": session.canvas.acknowledged.latest[0],
        "ack": session.canvas.acknowledged.latest[1],
        "look": list(session.canvas.look_at) if session.canvas.look_at else None,
        "badge": _badge(session),
        "camera": None,
        "proposals": hovering.proposals if hovering else None,
        "rests": hovering.rests if hovering else False,
        "answer": hovering.answer if hovering else None,
        "place": _place(session),
    }
    if not viewport.fits(scene.width, scene.height):
        # A canvas that is entered again, from another page, looks where the last one looked.
        data["camera"] = [
            viewport.x, viewport.y, viewport.scale, viewport.columns, viewport.rows,
        ]  # fmt: skip
    _component(
        key=key,
        data=data,
        default={"report": None},
        on_report_change=lambda: _take(key, on_pick, hovering, on_mark),
    )
    mark("sent")


def _take(
    key: str,
    on_pick: Callable[[CanvasEvent], None] | None = None,
    hovering: Hovering | None = None,
    on_mark: Callable[[CanvasEvent], None] | None = None,
) -> None:
    """Read what the canvas reports before the page is drawn again."""
    mark("event")
    session = current_session.current()
    report = (st.session_state.get(key) or {}).get("report")
    if session is None or not isinstance(report, dict):
        return
    with banner.guard("canvas"):
        width, height = session.image.scene.width, session.image.scene.height
        viewport = read_viewport(report.get("viewport"))
        if viewport is not None:
            session.canvas.viewport = viewport
            session.image.view = choose_view(width, height, viewport, session.image.view)
        # Before the events are taken: see `handle_all`.
        own = bool(st.session_state.get("own-objects"))
        new = st.session_state.get(FAR_SWITCH, FAR_CHOICES[0]) == FAR_CHOICES[0]

        def handle(event: CanvasEvent) -> None:
            if event.kind == "pick":
                if not session.canvas.paint(methodcaller("toggled", event.x, event.y)):
                    _pick(session, event) if on_pick is None else on_pick(event)
            elif event.kind == "hover":
                if hovering is not None:
                    hovering.rest(event)
            elif on_mark is not None and event.kind in ("point", "box"):
                on_mark(event)
            elif event.kind != "take" or hovering is None or not hovering.take(event):
                _prompt(session, event, own, new)

        with session.canvas.handling:
            streamlit_adapter.handle_all(session.canvas.take(report, width, height), handle)


def _prompt(session: Session, event: CanvasEvent, own: bool, new: bool) -> None:
    """A click or a box more, whatever else has just happened to the book.

    `own` makes each click an object of its own, `new` those that are far from the present one.
    """
    view, asked = session.image.view, session.attached(FarClicks)
    if event.kind == "box":
        box = (event.x, event.y, event.x1, event.y1)
        session.update(lambda book: book.add_box(*box, view=view))
        return
    mark = {"x": event.x, "y": event.y, "label": event.label, "view": view}
    if own or event.label == 0:
        session.update(lambda book: book.add_point(**mark, own_object=own))
        return
    far = _far(session, event)

    def add(book: PromptHistory) -> PromptHistory:
        after, asked.last = clicked(book, far, new, mark)
        return after

    session.update(add)


def _far(session: Session, event: CanvasEvent) -> bool:
    """Whether a click is far from the present object."""
    current = session.marks.book.current
    found = session.shown().objects if current is not None else Instances()
    if current not in found.ids:
        return False
    seen = session.canvas.viewport
    return is_far(found.get(current), event.x, event.y, _NEAR / (seen.scale if seen else 1.0))


def _pick(session: Session, event: CanvasEvent) -> None:
    """Select the smallest object under a click; a click beside all objects selects none."""
    shown = session.shown()
    found = shown.objects
    under = found.at(event.x, event.y)[:1]
    selected = session.marks.selected
    if event.label:
        session.marks.toggle(under)
    else:
        session.marks.select([] if selected == frozenset(under) else under)


def _marks(book: PromptHistory) -> list[MarkMessage]:
    """Clicks and box of the current object."""
    entry = book.entry(book.current)
    return [
        {"kind": m.kind, "x": m.x, "y": m.y, "x1": m.x1, "y1": m.y1, "label": m.label}
        for m in (entry.marks if entry else ())
    ]


def _place(session: Session) -> PlaceMessage | None:
    """Where the scene lies on Earth."""
    scene = session.image.scene
    known = session.memo.remember("compass", (scene,), lambda: compass_of(scene))
    if known is None:
        return None
    return {"grid": [list(pair) for pair in known.grid], "north": known.north}


def _badge(session: Session) -> str:
    """Of a large scene: what the model sees of it."""
    whole, view = session.image.overview, session.image.view
    if whole.scale == (1.0, 1.0):
        return ""
    if view.scale[0] >= 0.999:
        return _("Full resolution: small objects can be outlined here.")
    factor = round(1 / view.scale[0], 1)
    return _("Reduced to 1 : {factor:g}. Zoom in to find small objects.").format(factor=factor)


def _pictures(session: Session) -> list[LayerMessage]:
    """The whole scene, and above it the view, where that shows more detail."""
    frames = {"base": session.image.overview}
    if session.image.view != session.image.overview:
        frames["detail"] = session.image.view
    found: list[LayerMessage] = []
    for name, frame in frames.items():
        content = session.memo.remember(
            f"picture-{name}",
            (session.image.scene, frame),
            lambda frame=frame: resources.jpeg(session.image.picture(frame), _QUALITY),
        )
        url = streamlit_adapter.address(content, "image/jpeg", f"rsam-{name}-{session.image.token}")
        found.append({"url": url, "box": list(frame.bounds), "smooth": False})
    return found


def _layer(
    session: Session, viewport: Viewport, found: Instances, style: OverlayStyle
) -> LayerMessage | None:
    """The objects around the screen, drawn at its resolution."""
    region = viewport.within(session.image.scene.width, session.image.scene.height, _MARGIN)
    if region is None:
        return None
    scale = viewport.scale
    scale *= min(1.0, (_MAX_DRAWN / (region.columns * region.rows)) ** 0.5)

    def draw() -> LayerMessage:
        shape = (max(1, round(region.height * scale)), max(1, round(region.width * scale)))
        with span("overlay"):
            layer = overlay_layer(shape, found, style, origin=(region.x, region.y), scale=scale)
            return _cropped(layer, region, scale)

    return session.memo.remember("layer", (region, scale, found, style), draw)


def _patches(session: Session) -> LayerMessage | None:
    """The patches that are being painted with."""
    painting = session.canvas.painting
    if painting is None:
        return None

    url = session.memo.remember("patches", (painting,), lambda: _png(painting.layer()))
    return {"url": url, "box": list(painting.frame.bounds), "smooth": True}


def heat_picture(session: Session, layer: NDArray[np.uint8], view: Frame) -> LayerMessage:
    """A layer (H, W, 4), RGBA, over a view of the scene, for `picture_canvas`."""
    url = session.memo.remember("heat", (layer.tobytes(), view), lambda: _png(layer))
    return {"url": url, "box": list(view.bounds), "smooth": True}


def _png(layer: NDArray[np.uint8]) -> str:
    """An RGBA picture as part of the message."""
    picture = cv2.cvtColor(layer, cv2.COLOR_RGBA2BGRA)
    return _inline(cv2.imencode(".png", picture, _PNG)[1].tobytes(), "image/png")


def _cropped(layer: NDArray[np.uint8], region: Frame, scale: float) -> LayerMessage:
    """A layer without its empty borders, ready to be sent."""
    rows = np.flatnonzero(layer[..., 3].any(axis=1))
    columns = np.flatnonzero(layer[..., 3].any(axis=0))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 1)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, 1)
    part = cv2.cvtColor(np.ascontiguousarray(layer[top:bottom, left:right]), cv2.COLOR_RGBA2BGRA)
    content = cv2.imencode(".png", part, _PNG)[1].tobytes()
    x0, y0 = region.x + left / scale, region.y + top / scale
    return {
        "url": _inline(content, "image/png"),
        "box": [x0, y0, x0 + (right - left) / scale, y0 + (bottom - top) / scale],
        "region": list(region.bounds),
        "smooth": True,
    }


def _inline(content: bytes, kind: str) -> str:
    """A small picture as part of the message."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
