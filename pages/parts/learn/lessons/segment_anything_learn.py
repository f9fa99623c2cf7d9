"""The fourth step of lesson 2: clicking everywhere, SA-1B, and how ``rsam-tiny`` differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.learn.stage import Stage
from pages.parts.shared import current_session
from rsam_core.evaluate.learn.lessons import segment_anything as lesson
from rsam_core.evaluate.learn.lessons import segment_anything_inside as inside
from rsam_core.models.catalog import traits_of
from rsam_core.runtime.language import _, number, percent
from rsam_core.segment.everything import EverythingState

_SPACING = 32.0


def show(stage: Stage, place: str, image: NDArray[np.uint8]) -> Mapping[str, Any]:
    """Show the step, and report how many masks there are and are kept."""
    left, right = st.columns(2, gap="medium")
    with right:
        _collection(stage)
    with left:
        report = _everywhere(stage, place, image)
    with right, st.container(key="learn-differences"):
        _differences()
    return report


@st.cache_resource
def _shared() -> dict[tuple[str, str], EverythingState]:
    """What was found on the lesson's own pictures, once for all who take it, by place and model."""
    return {}


def _everywhere(stage: Stage, place: str, image: NDArray[np.uint8]) -> Mapping[str, Any]:
    name = current_session.model_name()
    # Somebody's own image is nobody else's business.
    kept = _shared() if stage.own is None else st.session_state.setdefault(stage.name("own"), {})
    state: EverythingState | None = kept.get((place, name))
    spot = st.empty()
    pressed = st.button(
        _("Let the model click everywhere"), key=stage.name("everywhere"),
        icon=":material/grid_on:", disabled=state is not None,
    )  # fmt: skip
    if pressed:
        bar = st.progress(0.0, _("Clicking on a grid of points…"))
        state = inside.click_everywhere(
            stage.segmenter(), stage.embedding(image), _SPACING,
            progress=lambda share, text: bar.progress(min(share, 1.0)),
        )  # fmt: skip
        kept[place, name] = state
        bar.empty()
    lowest = traits_of(name).keep_quality
    if state is None:
        with spot.container():
            stage.picture("grid", image, label=_("A picture from above."))
        st.caption(
            _("For SA-1B a model clicked on a grid of points, on every picture, and kept the masks "
              "that it was sure of. Try it here.")
        )  # fmt: skip
        return {"all": 0, "kept": 0}
    levels = [level / 20 for level in range(round(20 * lowest), 20)]
    key = stage.name("sure")
    if st.session_state.get(key) not in levels:
        st.session_state[key] = levels[len(levels) // 2]
    sure = st.select_slider(
        _("How sure"), levels, key=key, format_func=percent, persist_state="session"
    )
    found, everything = inside.kept(state, sure), inside.kept(state, levels[0])
    with spot.container():
        stage.picture(
            "found", inside.painted(image, found),
            label=_("The picture with every mask that is kept in a colour of its own."),
        )  # fmt: skip
    st.caption(
        _("{points} clicks gave {all} masks. Of {kept} the model is at least {sure} sure.").format(
            points=number(state.points), all=number(len(everything)), kept=number(len(found)),
            sure=percent(sure))
    )  # fmt: skip
    return {"all": len(everything), "kept": len(found), "sure": sure}


def _collection(stage: Stage) -> None:
    """What SA-1B is, and how long people would draw it."""
    sa = lesson.SA_1B
    st.markdown(
        _("**SA-1B** is what SAM learned from: {pictures} million photographs with {masks} million "
          "masks. People drew or corrected {by_hand} of them; a model drew the rest.").format(
            pictures=number(sa.pictures / 1e6), masks=number(sa.masks / 1e6),
            by_hand=percent(sa.by_hand, 1))
    )  # fmt: skip
    seconds = st.slider(
        _("If one person drew them all: seconds for a mask"), 2, 60, lesson.SECONDS_EACH,
        key=stage.name("seconds"), persist_state="session",
    )  # fmt: skip
    st.markdown(
        _("**{years} years** of work, 8 hours on 220 days a year").format(
            years=number(sa.working_years(seconds)))
    )  # fmt: skip


def _differences() -> None:
    """What differs in ``rsam-tiny``."""
    rows = [
        ("", "SAM", "rsam-tiny"),
        (
            _("Learned numbers"),
            _("{count} million").format(count=number(lesson.weights_of_sam() / 1e6)),
            _("{count} million").format(count=number(lesson.weights_of_tiny() / 1e6, 1)),
        ),
        (
            _("Pictures to learn from"),
            number(lesson.SA_1B.pictures),
            _("{count}, most from above").format(count=number(lesson.TINY_PICTURES)),
        ),
        (_("Encoder"), _("transformer"), _("small convolutional network")),
        (_("Prompt"), _("list of numbers"), _("maps")),
        (_("Decoder sees"), _("the whole picture"), _("a window around the prompt")),
    ]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    st.markdown("\n".join([lines[0], "|---|---|---|", *lines[1:]]))
