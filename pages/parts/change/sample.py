"""An invented pair of dates with exact truth, to begin with."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import banner, current_session, destination
from rsam_core.change.against_truth import TrueChanges
from rsam_core.samples import PairSample, render_pair, write_geotiff
from rsam_core.session.change import change_state
from rsam_core.session.change_wishes import Origin

PAGE = "pages/screens/change.py"
KEY = "pair"
_NAMES = ("Garden suburb, 2019.tif", "Garden suburb, 2023.tif")
_SEED = 17


@st.cache_resource(show_spinner="Drawing both dates…", max_entries=1)
def pair() -> PairSample:
    """The pair with its truth."""
    return render_pair(_SEED, width=720, height=540, style="suburb")


@st.cache_data(show_spinner="Drawing both dates…", max_entries=1)
def files() -> tuple[bytes, bytes]:
    """Both dates as GeoTIFF."""
    drawn = pair()
    return write_geotiff(drawn.before), write_geotiff(drawn.after)


@st.cache_resource(max_entries=1)
def truth() -> TrueChanges:
    """What really changed."""
    return TrueChanges.of_sample(pair())


def second() -> rsam.Scene:
    """The second date as a scene."""
    return rsam.open_scene(files()[1], name=_NAMES[1])


def open_pair() -> None:
    """Open both dates and go to the page."""
    with banner.guard("open-image"):
        session = current_session.open_source(files()[0], _NAMES[0])
        change_state(session).open(second(), Origin("sample", KEY))
        banner.forget_all()
        destination.go(PAGE)
