"""The invented place on which every question can be tried with one click."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import banner, current_session, destination
from rsam_core.change.apply import Site
from rsam_core.change.apply.sample import CHOICES, VALUES, sample_layers, sample_pair
from rsam_core.samples import write_geotiff
from rsam_core.session.apply import ApplyState, KeptLayer, apply_state
from rsam_core.session.change import change_state
from rsam_core.session.change_wishes import Origin

PAGE = "pages/screens/apply.py"
KEY = "questions"
_NAMES = ("Invented suburb, 2019.tif", "Invented suburb, 2023.tif")


@st.cache_data(show_spinner="Drawing the invented place…", max_entries=1)
def files() -> tuple[bytes, bytes]:
    """Both dates as GeoTIFF."""
    drawn = sample_pair()
    return write_geotiff(drawn.before), write_geotiff(drawn.after)


def open_sample(question: str) -> None:
    """Open both dates with all layers, take up a question, and answer it."""
    with banner.guard("open-image"):
        session = current_session.open_source(files()[0], _NAMES[0])
        second = rsam.open_scene(files()[1], name=_NAMES[1])
        change_state(session).open(second, Origin("sample", KEY))
        state = apply_state(session)
        give_layers(state, session.image.scene)
        state.ask(question)
        st.session_state["apply-at-once"] = question
        banner.forget_all()
        destination.go(PAGE)


def give_layers(state: ApplyState, scene: rsam.Scene) -> None:
    """Give all layers of the sample, and what is typed for it."""
    site = Site.of(scene)
    for layer in sample_layers(sample_pair(), site).values():
        state.give(KeptLayer.of(layer, site))
    for need, name in CHOICES.items():
        state.choose(need, f"layer:{name}")
    for question, values in VALUES.items():
        for key, value in values.items():
            state.set(question, key, value)
