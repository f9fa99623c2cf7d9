"""RSAM: segment satellite, aerial and drone images in the browser.

``streamlit run`` imports this file once, for the server, and runs it for every page shown.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from pages.parts.shared import (
    advising,
    autosaving,
    banner,
    current_session,
    destination,
    finished,
    speech,
    streamlit_adapter,
    warming,
)
from pages.parts.shared import browser_id as browser
from pages.parts.shared.menu import menu, screen_title
from pages.parts.shared.serving import Shield, saving_at_the_end
from rsam_core.runtime import courtesy
from rsam_core.scene import examiners

PARTS = Path(__file__).parent / "pages" / "parts" / "shared"


def show() -> None:
    """Show the page that the browser asks for."""
    st.set_page_config(
        page_title="RSAM",
        # A file of our own: a named icon would be fetched from the internet.
        page_icon=str(PARTS / "icon.svg"),
        layout="wide",
        initial_sidebar_state=250,
    )
    st.html(PARTS / "style.css")
    speech.begin()
    page = st.navigation(menu(), position="top")
    # After the browser was told which page this is: what it tells before is taken for the first.
    browser.identify()
    destination.arrive(page.url_path)
    with banner.corner(), courtesy.answering():
        page.run()
    # Its works name their pages in English.
    finished.watch(screen_title(page.url_path))
    autosaving.watch(current_session.current(), page.url_path)
    advising.advise(current_session.current(), page.url_path)
    warming.warm_up()


if __name__ == "__main__":
    show()
else:
    streamlit_adapter.forget_pages_directory()
    # The first image that somebody uploads does not wait for it.
    examiners.warm_up()
    app = st.App(
        __file__,
        middleware=[Middleware(Shield)],
        lifespan=saving_at_the_end,
        on_script_error=banner.uncaught,
    )
