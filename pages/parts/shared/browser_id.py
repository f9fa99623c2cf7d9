"""Which browser this is: a number of its own, kept by the browser, so that lost work is found."""

from __future__ import annotations

import re

import streamlit as st

_KEY = "browser-id"
_FORM = re.compile(r"[0-9a-f]{16,64}")

_JS = """
export default function (component) {
  const name = "rsam-browser";
  const app = document.querySelector("[data-test-connection-state]");
  let cut = false, later = 0;
  const watch = new MutationObserver(() => {
    if (app.dataset.testConnectionState !== "CONNECTED") {
      cut = true;
    } else if (cut) {
      // The server may have been started anew and know nothing of what is still on the screen.
      cut = false;
      clearTimeout(later);
      later = setTimeout(() => component.setStateValue("back", Date.now()), 800);
    }
  });
  if (app) watch.observe(app, { attributeFilter: ["data-test-connection-state"] });
  const leave = () => { watch.disconnect(); clearTimeout(later); };
  let id = null;
  try {
    id = localStorage.getItem(name);
    if (!id) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      localStorage.setItem(name, id);
    }
  } catch (error) {
    // A browser that keeps nothing has nothing to find again.
    return leave;
  }
  if (component.data !== id) component.setStateValue("id", id);
  return leave;
}
"""

_teller = st.components.v2.component("rsam_browser", html="<span></span>", js=_JS)


def identify() -> None:
    """Ask the browser for its number; it comes with the next run of the page.

    It also lets the page be drawn anew when the connection is back after a cut.
    """
    with st.container(key="browser"):
        told = _teller(
            key="browser-teller",
            data=st.session_state.get(_KEY),
            default={"id": None, "back": None},
            on_id_change=lambda: None,
            on_back_change=lambda: None,
        )
    known = told.get("id")
    # It names a folder, and comes from outside.
    if isinstance(known, str) and _FORM.fullmatch(known):
        st.session_state[_KEY] = known


def browser_id() -> str | None:
    """The browser's number; None until it has told, and where it keeps nothing."""
    return st.session_state.get(_KEY)
