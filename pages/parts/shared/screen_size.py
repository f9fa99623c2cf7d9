"""How much room there is on this screen; Streamlit itself does not tell."""

from __future__ import annotations

import streamlit as st

_JS = """
export default function (component) {
  const { parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".ruler");
  let last = [0, 0];
  const tens = (value) => Math.floor(value / 10) * 10;
  const report = () => {
    const room = [tens(root.getBoundingClientRect().width), tens(window.innerHeight)];
    if (room[0] < 100 || room.every((value, i) => Math.abs(value - last[i]) < 20)) return;
    last = room;
    setStateValue("room", room);
  };
  const later = () => {
    clearTimeout(root.timer);
    root.timer = setTimeout(report, 150);
  };
  const observer = new ResizeObserver(later);
  observer.observe(root);
  window.addEventListener("resize", later);
  report();
  return () => {
    observer.disconnect();
    window.removeEventListener("resize", later);
  };
}
"""

_ruler = st.components.v2.component(
    "rsam_room", html='<div class="ruler" style="width:100%;height:1px"></div>', js=_JS
)


def room(width: int = 720, height: int = 800) -> tuple[int, int]:
    """Width of the enclosing column and height of the window.

    Parameters
    ----------
    width, height : int
        What to assume until the browser has told.

    Returns
    -------
    tuple of int
        CSS pixels, to the nearest ten.
    """
    result = _ruler(key="room", default={"room": [width, height]}, on_room_change=lambda: None)
    known = result.get("room") or (width, height)
    return int(known[0]), int(known[1])
