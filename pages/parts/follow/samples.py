"""Series to begin with: invented ones with exact truth."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from rsam_core.runtime.language import _
from rsam_core.samples.series_gallery import SERIES_GALLERY, series_picture
from rsam_core.session.series_source import Series, series_of_entry

COLUMNS = 2


def cards(start: Callable[[Callable[..., Series]], None]) -> None:
    """A picture of each, and a button that opens it.

    Parameters
    ----------
    start : callable
        Called with what makes the series.
    """
    for at in range(0, len(SERIES_GALLERY), COLUMNS):
        for column, known in zip(st.columns(COLUMNS), SERIES_GALLERY[at : at + COLUMNS]):
            with column:
                st.image(series_picture(known.key), width="stretch", alt=_(known.title))
                if known.credit:
                    st.caption(_("Images: {credit}").format(credit=known.credit))
                if st.button(
                    _(known.title),
                    key=f"series-{known.key}",
                    width="stretch",
                    help=_(known.caption),
                ):
                    start(lambda known=known, **control: series_of_entry(known, **control))
