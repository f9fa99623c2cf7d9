"""Pictures of the One-shot page: thumbnails, the heat map, overlays side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.parts.shared import resources
from pages.parts.shared.canvas import heat_picture
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_
from rsam_core.scene.window import Window
from rsam_core.segment.one_shot import SearchCandidates, heat_layer
from rsam_core.session.session import Session

FOUND = "#F0209C"
COLOURS = ((N_("Example"), "#2563EB"), (N_("Found"), FOUND), (N_("Not this one"), "#F97316"))
"""What is drawn in the picture, and its colour: none that meadows, woods, roofs or water have."""

STYLE = OverlayStyle(fill="class", opacity=0.4, contour_width=3, class_colors=COLOURS)
_OUTLINE = OverlayStyle(fill="none", contour_width=2, color="#FACC15")
_SMALL = 256
_HEAT_SIDE = 1024


def shown(kept: Instances, examples: Sequence[tuple[Instance, bool]]) -> Instances:
    """Finds and examples together, with their class as label; finds keep their numbers."""
    example, finds, refused = (name for name, _color in COLOURS)
    found = [replace(item, label=finds) for item in kept]
    first = max((item.id for item in kept), default=0) + 1
    given = [
        replace(item, id=first + place, label=example if positive else refused)
        for place, (item, positive) in enumerate(examples)
    ]
    return Instances([*found, *given], kept.shape)


def thumbnail(session: Session, item: Instance, name: str) -> bytes:
    """A small picture of an object with its outline, as JPEG."""
    return session.memo.remember(
        f"thumb-{name}",
        (session.image.scene, item),
        lambda: resources.jpeg(_crop(session, item), 85),
    )


def _crop(session: Session, item: Instance) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = item.bbox
    side = round(1.7 * max(x1 - x0, y1 - y0)) + 8
    height, width = session.image.shape
    side = min(side, height, width)
    left = min(max((x0 + x1 - side) // 2, 0), width - side)
    top = min(max((y0 + y1 - side) // 2, 0), height - side)
    window = Window(left, top, side, side)
    picture = session.image.scene.read_rgb(window, _SMALL)
    one = Instances([Instance(item.mask, item.x, item.y)], session.image.shape)
    scale = picture.shape[1] / window.width
    return overlay(picture, one, _OUTLINE, origin=(left, top), scale=scale)


def heat(session: Session, state: SearchCandidates) -> dict[str, Any] | None:
    """The similarity with the example as a layer of the canvas; None where there is none."""
    view = state.view
    if view is None or state.similarity is None:
        return None

    def draw() -> dict[str, Any]:
        scale = min(1.0, _HEAT_SIDE / max(view.rows, view.columns))
        shape = (max(1, round(view.rows * scale)), max(1, round(view.columns * scale)))
        return heat_picture(session, heat_layer(state.similarity, shape), view)

    return session.memo.remember("one-shot-heat", (state,), draw)


def side_picture(session: Session, objects: Instances, name: str, color: str) -> bytes:
    """All of the scene with objects in one colour, as JPEG."""
    style = OverlayStyle(fill="single", color=color, opacity=0.4, contour_width=2)
    whole = session.image.overview

    def draw() -> bytes:
        return resources.jpeg(
            overlay(session.image.picture(whole), objects, style, scale=whole.scale[0]), 88
        )

    return session.memo.remember(f"side-{name}", (session.image.scene, objects), draw)
