"""Pairs of dates to begin with: an invented one with exact truth, and a real one."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import banner, current_session, destination
from rsam_core.change.against_truth import TrueChanges
from rsam_core.samples import PairSample, render_pair, write_geotiff
from rsam_core.samples.series_gallery import PAIR, PAIR_SEED, series_entry
from rsam_core.session.change import change_state
from rsam_core.session.change_wishes import Origin

PAGE = "pages/screens/change.py"
KEY, REAL = "pair", "estate"
_NAMES = ("Garden suburb, 2019.tif", "Garden suburb, 2023.tif")


@st.cache_resource(show_spinner="Drawing both dates…", max_entries=1)
def pair() -> PairSample:
    """The pair with its truth."""
    return render_pair(PAIR_SEED, **PAIR)


@st.cache_data(show_spinner="Drawing both dates…", max_entries=1)
def files() -> tuple[bytes, bytes]:
    """Both dates as GeoTIFF."""
    drawn = pair()
    return write_geotiff(drawn.before), write_geotiff(drawn.after)


@st.cache_resource(max_entries=1)
def truth() -> TrueChanges:
    """What really changed."""
    return TrueChanges.of_sample(pair())


def second(key: str = KEY) -> rsam.Scene:
    """The second date of a pair as a scene."""
    name, content = _dates(key)[1]
    return rsam.open_scene(content, name=name)


def _dates(key: str) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    if key == REAL:
        dates = series_entry(REAL).contents
        return dates[0], dates[-1]
    return tuple(zip(_NAMES, files()))


def open_pair(key: str = KEY) -> None:
    """Open both dates of a pair and go to the page."""
    with banner.guard("open-image"):
        name, content = _dates(key)[0]
        session = current_session.open_source(content, name)
        change_state(session).open(second(key), Origin("sample", key))
        banner.forget_all()
        destination.go(PAGE)
