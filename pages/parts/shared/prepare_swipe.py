"""Before and after: one picture over the other, with a handle to drag between them."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import streamlit_adapter

HTML = """
<div class="frame">
  <div class="stage" tabindex="0" role="slider" aria-label="Share of the picture before"
       aria-valuemin="0" aria-valuemax="100" aria-valuenow="50">
    <img class="after" alt="After" draggable="false">
    <div class="clip"><img class="before" alt="Before" draggable="false"></div>
    <span class="tag left">Before</span><span class="tag right">After</span>
    <div class="line"><div class="knob">
      <svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor"
           stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">
        <path d="M9 7l-5 5 5 5M15 7l5 5-5 5"/></svg></div></div>
  </div>
  <div class="pair"><figure><img class="one" alt="Before"><span class="tag left">Before</span>
  </figure><figure><img class="two" alt="After"><span class="tag left">After</span></figure></div>
  <div class="map" title="Click to look elsewhere"><img alt="" draggable="false">
    <div class="box"></div></div>
</div>
"""

CSS = """
.frame { position: relative; width: 100%; display: flex; justify-content: center;
  align-items: center;
  background: var(--st-secondary-background-color); border-radius: .5rem; overflow: hidden; }
.stage { position: relative; overflow: hidden; cursor: ew-resize; touch-action: none;
  user-select: none; outline: none; }
.stage:focus-visible { box-shadow: inset 0 0 0 3px var(--st-primary-color); }
.stage img { position: absolute; inset: 0; width: 100%; height: 100%; display: block;
  pointer-events: none; max-width: none; }
.clip { position: absolute; inset: 0; overflow: hidden; }
.line { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: #fff;
  box-shadow: 0 0 4px rgba(0,0,0,.55); pointer-events: none; }
.knob { position: absolute; top: 50%; left: 50%; width: 36px; height: 36px; margin: -18px;
  border-radius: 50%; background: #fff; color: #17322f; display: grid; place-items: center;
  box-shadow: 0 1px 5px rgba(0,0,0,.45); }
.tag { position: absolute; top: 10px; padding: 2px 9px; border-radius: 999px; font-size: 13px;
  color: #fff; background: rgba(10,25,23,.66); pointer-events: none; transition: opacity .15s;
  font-family: var(--st-font); }
.tag.left { left: 10px; } .tag.right { right: 10px; }
.tag.faint { opacity: 0; }
.pair { display: none; gap: 6px; width: 100%; justify-content: center; align-items: center; }
.pair figure { position: relative; margin: 0; display: flex; }
.pair img { display: block; }
.map { position: absolute; right: 10px; bottom: 10px; display: none; border: 2px solid #fff;
  border-radius: 4px; box-shadow: 0 1px 6px rgba(0,0,0,.5); overflow: hidden; cursor: crosshair; }
.map img { display: block; width: 100%; height: 100%; pointer-events: none; }
.box { position: absolute; border: 2px solid #ffb000; box-sizing: border-box;
  pointer-events: none; min-width: 6px; min-height: 6px; }
.plain .line, .plain .tag { display: none; }
.plain .stage { cursor: default; }
.sharp img { image-rendering: pixelated; }
"""

SCRIPT = """
const kept = new WeakMap();

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const frame = parentElement.querySelector(".frame");
  const find = (name) => frame.querySelector(name);
  const state = kept.get(frame) || { share: 0.5 };
  kept.set(frame, state);
  const stage = find(".stage"), clip = find(".clip"), line = find(".line");

  const source = (image, url) => { if (image.getAttribute("src") !== url) image.src = url; };
  const box = (image, width, height) => {
    image.style.width = width + "px";
    image.style.height = height + "px";
  };
  const fitted = (size, room) => {
    const scale = Math.min(room[0] / size[0], room[1] / size[1], data.largest);
    return [Math.max(1, Math.round(size[0] * scale)), Math.max(1, Math.round(size[1] * scale))];
  };

  const show = () => {
    const x = state.width * state.share;
    // The clip shrinks, the picture inside keeps its size.
    clip.style.width = x + "px";
    line.style.left = x + "px";
    find(".stage .tag.left").classList.toggle("faint", x < 80);
    find(".stage .tag.right").classList.toggle("faint", state.width - x < 80);
    stage.setAttribute("aria-valuenow", Math.round(state.share * 100));
  };

  const layout = () => {
    const room = [frame.clientWidth, data.height];
    if (room[0] < 50) return;
    // Always as high, so that what stands below never moves.
    frame.style.height = data.height + "px";
    frame.classList.toggle("sharp", data.sharp);
    frame.classList.toggle("plain", data.plain);
    stage.style.display = data.pair ? "none" : "block";
    find(".pair").style.display = data.pair ? "flex" : "none";
    if (data.pair) {
      source(find(".one"), data.before);
      source(find(".two"), data.after);
      const half = [(room[0] - 6) / 2, room[1]];
      const one = fitted(data.size, half), two = fitted(data.size_after, half);
      box(find(".one"), ...one);
      box(find(".two"), ...two);
    } else {
      source(find(".before"), data.before);
      source(find(".after"), data.after);
      const size = fitted(data.size, room);
      box(stage, ...size);
      box(find(".before"), ...size);
      state.width = size[0];
      show();
    }
    const map = find(".map");
    map.style.display = data.map ? "block" : "none";
    if (data.map) {
      source(map.querySelector("img"), data.map.url);
      const size = [data.map.size[0], data.map.size[1]];
      const scale = Math.min(130 / size[0], 110 / size[1]);
      box(map, size[0] * scale, size[1] * scale);
      const mark = find(".box").style, [x, y, w, h] = data.map.part;
      mark.left = 100 * x + "%"; mark.top = 100 * y + "%";
      mark.width = 100 * w + "%"; mark.height = 100 * h + "%";
    }
  };

  const drag = (event) => {
    const edge = stage.getBoundingClientRect();
    state.share = Math.min(1, Math.max(0, (event.clientX - edge.left) / edge.width));
    show();
  };
  stage.onpointerdown = (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    state.dragging = true;
    drag(event);
  };
  stage.onpointermove = (event) => { if (state.dragging) drag(event); };
  stage.onpointerup = stage.onpointercancel = () => { state.dragging = false; };
  stage.onkeydown = (event) => {
    const steps = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02,
      PageDown: -0.2, PageUp: 0.2, Home: -1, End: 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    state.share = Math.min(1, Math.max(0, state.share + steps[event.key]));
    show();
  };
  find(".map").onclick = (event) => {
    const edge = find(".map").getBoundingClientRect();
    setStateValue("place", [(event.clientX - edge.left) / edge.width,
                            (event.clientY - edge.top) / edge.height]);
  };

  const observer = new ResizeObserver(layout);
  observer.observe(frame);
  layout();
  return () => observer.disconnect();
}
"""

_swipe = st.components.v2.component("rsam_swipe", html=HTML, css=CSS, js=SCRIPT)


def swipe(
    before: bytes,
    after: bytes,
    *,
    size: tuple[int, int],
    size_after: tuple[int, int],
    height: int,
    pair: bool,
    plain: bool,
    full: bool,
    overview: tuple[bytes, tuple[int, int], tuple[float, float, float, float]] | None,
    key: str,
) -> tuple[float, float] | None:
    """Show two pictures.

    Parameters
    ----------
    before, after : bytes
        JPEG.
    size, size_after : (int, int)
        Width and height of either in pixels.
    height : int
        Room in CSS pixels.
    pair : bool
        Side by side, otherwise one over the other with a handle.
    plain : bool
        There is nothing to compare yet: a picture without handle and labels.
    full : bool
        Pixel for pixel: never enlarged; otherwise up to twice.
    overview : tuple, optional
        A small picture of the whole (JPEG), its size, and the part shown: x, y, width and height
        as shares of the whole. A click on it chooses another part.
    key : str
        Widget key.

    Returns
    -------
    (float, float) or None
        Where the overview was last clicked, as shares of width and height.
    """
    data = {
        "before": address(before, f"{key}-before"),
        "after": address(after, f"{key}-after"),
        "size": list(size),
        "size_after": list(size_after),
        "height": height,
        "pair": pair,
        "plain": plain,
        "largest": 1.0 if full else 2.0,
        "sharp": full,
        "map": None,
    }
    if overview is not None:
        picture, whole, part = overview
        data["map"] = {"url": address(picture, f"{key}-map"), "size": whole, "part": part}
    result = _swipe(key=key, data=data, default={"place": None}, on_place_change=lambda: None)
    place = result.get("place")
    return (float(place[0]), float(place[1])) if place else None


def address(content: bytes, place: str) -> str:
    """Where the browser fetches a picture."""
    return streamlit_adapter.address(content, "image/jpeg", place)
