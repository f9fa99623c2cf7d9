"""A model with known answers, pictures, and ways to read the screen, for the page tests."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

import numpy as np
import pandas as pd
from PIL import Image
from streamlit.testing.v1 import AppTest

from rsam_core.formats.truth import Truth
from rsam_core.prompts.history import PromptHistory
from rsam_core.runtime.jobs import JobRegistry
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit
from tests.helpers.boxes import HEIGHT, RADII, SCORES, TWO_BOXES, WIDTH, painter, plain, png

__all__ = [
    "HEIGHT",
    "RADII",
    "SCORES",
    "TWO_BOXES",
    "WIDTH",
    "arranged",
    "click",
    "fine",
    "layer",
    "opened",
    "over",
    "painter",
    "plain",
    "png",
    "put",
    "table",
    "texts",
    "wait_for",
]


def put(at: AppTest, session: Session) -> None:
    """Make an image the one that is open in a test of the app."""
    visit = Visit()
    visit.open(session)
    at.session_state["visit"] = visit


def arranged(
    session: Session,
    book: PromptHistory | None = None,
    selected: Iterable[int] = (),
    truth: Truth | None = None,
) -> Session:
    """A session with these prompts, this selection and this truth."""
    if book is not None:
        session.update(lambda _: book)
    session.marks.select(selected)
    if truth is not None:
        session.truth.give(truth)
    return session


def opened(at: AppTest) -> Session | None:
    """The image that is open in a test of the app."""
    return at.session_state["visit"].session if "visit" in at.session_state else None


def fine(at: AppTest) -> None:
    """The page shows no exception and no error."""
    assert not at.exception
    assert [error.value for error in at.error] == []


def texts(at: AppTest) -> str:
    """All captions, paragraphs and notes of the page and its sidebar."""
    return "\n".join(item.value for item in [*at.caption, *at.markdown, *at.info, *at.title])


def table(at: AppTest) -> pd.DataFrame:
    """The table of objects; empty if there is none."""
    found = [frame.value for frame in at.dataframe if "bbox_x" in frame.value]
    return found[0] if found else pd.DataFrame()


def click(at: AppTest, label: str) -> AppTest:
    """Press the button of that label."""
    next(b for b in at.button if b.label == label).click().run()
    fine(at)
    return at


def layer(shown: dict) -> tuple[np.ndarray, list[float]]:
    """The layer of objects that lies over the picture, as RGBA, and its box in scene pixels."""
    content = base64.b64decode(shown["overlay"]["url"].split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")).astype(int), shown[
        "overlay"
    ]["box"]


def over(shown: dict, x: float, y: float) -> np.ndarray:
    """Colour and opacity of the layer at a place of the scene."""
    pixels, (x0, y0, x1, y1) = layer(shown)
    if not (x0 <= x < x1 and y0 <= y < y1):
        return np.zeros(4, int)
    row = int((y - y0) / (y1 - y0) * pixels.shape[0])
    column = int((x - x0) / (x1 - x0) * pixels.shape[1])
    return pixels[row, column]


def wait_for(jobs: JobRegistry, name: str, seconds: float = 120) -> None:
    """Wait for a job of a session, unless the page has taken its result already."""
    job = jobs.get(name)
    assert job is None or job.wait(seconds), f"{name} did not end within {seconds} s"
