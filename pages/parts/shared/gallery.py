"""Opening an image, and the samples as a gallery to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.shared import (
    banner,
    current_session,
    destination,
    resources,
    streamlit_adapter,
)
from pages.parts.shared.going_on import remind
from rsam_core.runtime.language import _
from rsam_core.samples import GALLERY, GallerySample
from rsam_core.samples.places import PLACES, Place

COLUMNS = 6

SEGMENT = "pages/screens/segment.py"


def open_and_go(
    source: bytes | Path,
    name: str,
    sample: str | None = None,
    *,
    page: str = SEGMENT,
    tried: Callable[[], None] = lambda: None,
    **options: Any,
) -> None:
    """Open an image and change to a page; say what is wrong if that fails.

    Parameters
    ----------
    source, name, sample, **options
        For `current_session.open_source`.
    page : str
    tried : callable, optional
        Called once it is known whether the image opens. A run of the page that the browser
        interrupts in the middle did not try: the next one does.
    """
    with banner.guard("open-image"):
        try:
            current_session.open_source(source, name, sample, **options)
        except Exception as error:
            # Said before it counts as tried: a run that is interrupted in between tries again.
            banner.fail("open-image", error)
            tried()
            raise
        # All of it: an image that counts as tried while nobody was led to it would seem lost.
        # What was said about another image goes.
        head_for = partial(destination.head_for, page)
        streamlit_adapter.do_all(tried, banner.forget_all, head_for)
        destination.go(page)


def no_image(advice: str, *, icon: str = ":material/image:", page: str = SEGMENT) -> None:
    """What a page shows while no image is open: what to do, and samples to start with.

    Parameters
    ----------
    advice : str
        What to do, and what the page is then for.
    icon : str
    page : str
        Where one lands with a sample.
    """
    remind()
    st.info(advice, icon=icon)
    label, upload = _("Open your own image"), ":material/upload:"
    if st.button(label, type="primary", icon=upload, key="open-own"):
        st.switch_page("pages/screens/home.py")
    st.subheader(_("Samples"))
    gallery(page)


@dataclass(frozen=True)
class Card:
    """A sample to choose.

    Attributes
    ----------
    key : str
    title, caption : str
        For people.
    picture : callable
        Gives a small picture, JPEG.
    open : callable
        Opens it and goes to a page, by the page's file.
    """

    key: str
    title: str
    caption: str
    picture: Callable[[], bytes]
    open: Callable[[str], None]


def real_places() -> list[Card]:
    """Crops of real images."""
    return [
        Card(
            entry.key, entry.title,
            _(entry.caption) + "  \n" + _("Image: {credit}").format(credit=entry.credit),
            partial(resources.place_thumbnail, entry.key), partial(_open_place, entry),
        )
        for entry in PLACES
    ]  # fmt: skip


def invented_towns() -> list[Card]:
    """Drawn by RSAM, with exact truth."""
    return [
        Card(
            entry.key, entry.title, entry.caption,
            partial(resources.sample_thumbnail, entry.key), partial(_open_town, entry),
        )
        for entry in GALLERY
    ]  # fmt: skip


def _open_place(entry: Place, page: str) -> None:
    name = f"{entry.title}{Path(entry.file).suffix}"
    open_and_go(entry.content, name, entry.key, page=page, gsd=entry.gsd)


def _open_town(entry: GallerySample, page: str) -> None:
    content = resources.sample_file(entry.key)
    open_and_go(content, f"{entry.title}.tif", entry.key, page=page)


def gallery(page: str = SEGMENT) -> None:
    """Samples to start with: a click on a card opens it and changes to a page."""
    st.caption(_("**Real places** in the United States, free to use and to pass on."))
    row(real_places(), page)
    st.caption(_("**Invented towns**, drawn by RSAM, with exact truth to compare with."))
    row(invented_towns(), page)


def row(cards: list[Card], page: str) -> None:
    """Cards side by side.

    Parameters
    ----------
    cards : list of Card
        Up to `COLUMNS` stand in a line.
    page : str
        Where one lands.
    """
    for start in range(0, len(cards), COLUMNS):
        for column, card in zip(st.columns(COLUMNS, gap="small"), cards[start : start + COLUMNS]):
            # The button's area is the whole card; see the style sheet.
            with column.container(key=f"card-{card.key}", gap=None, height="stretch"):
                st.image(card.picture(), width="stretch", alt=_(card.title))
                if st.button(_(card.title), key=f"sample-{card.key}", type="tertiary"):
                    card.open(page)
                st.caption(_(card.caption))
