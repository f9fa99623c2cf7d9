"""How wide the column is on this screen; Streamlit itself does not tell."""

from __future__ import annotations

import streamlit as st

_JS = """
export default function (component) {
  const { parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".ruler");
  let last = 0;
  const report = () => {
    const width = Math.floor(root.getBoundingClientRect().width / 10) * 10;
    if (width < 100 || Math.abs(width - last) < 20) return;
    last = width;
    setStateValue("width", width);
  };
  const observer = new ResizeObserver(() => {
    clearTimeout(root.timer);
    root.timer = setTimeout(report, 150);
  });
  observer.observe(root);
  report();
  return () => observer.disconnect();
}
"""

_ruler = st.components.v2.component(
    "rsam_column_width", html='<div class="ruler" style="width:100%;height:1px"></div>', js=_JS
)


def column_width(default: int = 760) -> int:
    """Width of the enclosing column in CSS pixels, to the nearest ten; default until known."""
    result = _ruler(key="column-width", default={"width": default}, on_width_change=lambda: None)
    return int(result.get("width") or default)
