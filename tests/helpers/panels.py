"""A session with known objects, and a page that shows a single panel of it."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.objects.instances import Instance, Instances
from rsam_core.session.session import Session
from tests.helpers.pages import opened, put
from tests.helpers.waiting import PATIENCE


def coloured(width: int = 240, height: int = 160) -> tuple[np.ndarray, Instances]:
    """Six red squares above six blue bars on grey ground, and two green discs."""
    image = np.full((height, width, 3), 120, np.uint8)
    rng = np.random.default_rng(0)
    items = []

    def put(mask: np.ndarray, x: int, y: int, color: tuple[int, int, int]) -> None:
        part = image[y : y + mask.shape[0], x : x + mask.shape[1]]
        part[mask] = color
        items.append(Instance(mask, x, y, 0.9))

    for index in range(6):
        put(np.ones((16, 16), bool), 6 + 38 * index, 8, (200, 40, 40))
    for index in range(6):
        put(np.ones((8, 30), bool), 4 + 38 * index, 60, (40, 60, 200))
    disc = np.hypot(*(np.indices((31, 31)) - 15)) <= 15
    for index in range(2):
        put(disc, 30 + 90 * index, 100, (40, 180, 60))
    noise = rng.integers(-6, 7, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), Instances(items, (height, width))


def work_of(content: bytes, objects: Instances, name: str = "plan.png") -> Session:
    """A session with an open image and these objects."""
    work = current_session.load(content, name)
    work.commit(work.shown(), objects, "Draw")
    return work


def panel_app(panel: str, work: Session) -> AppTest:
    """A page with one panel: ``"module:function"`` of `pages.parts`; not yet run."""

    def script() -> None:
        import importlib

        import streamlit as st

        from pages.parts.shared import banner, current_session
        from rsam_core.objects.measurements import measure
        from rsam_core.render.style import OverlayStyle

        module, function = st.session_state["panel"].split(":")
        show = getattr(importlib.import_module(f"pages.parts.{module}"), function)
        work = current_session.current()
        found = work.objects
        table = measure(found, work.image.scene)
        arguments = {
            "classify_panel": (work, found, table),
            "paint_panel": (work, found),
            "export_panel": (work, found, table, OverlayStyle()),
            "project_panel": (work,),
        }[function]
        with banner.guard():
            show(*arguments)

    at = AppTest.from_function(script, default_timeout=PATIENCE)
    at.session_state["panel"] = panel
    put(at, work)
    return at


def labels(at: AppTest) -> list[str | None]:
    """Classes of the objects of a page, in order."""
    return [item.label for item in opened(at).objects]
