// Two pictures of one place: one over the other with a handle between them, or side by side.

const kept = new WeakMap();
// Pixels by which a pointer moves in a click.
const NEAR = 4;

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

  const name = () => {
    const [before, after] = data.words;
    for (const part of [".before", ".one"]) find(part).alt = before;
    for (const part of [".after", ".two"]) find(part).alt = after;
    find(".stage .tag.left").textContent = before;
    find(".stage .tag.right").textContent = after;
    find("figure:first-child .tag").textContent = before;
    find("figure:last-child .tag").textContent = after;
    stage.setAttribute("aria-label", data.share);
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
    const wide = frame.clientWidth;
    if (wide < 50) return;
    const room = [wide, data.height ?? Math.round(wide * data.size[1] / data.size[0])];
    // Always as high, so that what stands below never moves.
    frame.style.height = room[1] + "px";
    frame.classList.toggle("sharp", data.sharp);
    frame.classList.toggle("plain", data.plain);
    frame.classList.toggle("blink", Boolean(data.blink));
    frame.classList.toggle("spots", Boolean(data.spots));
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
    state.from = [event.clientX, event.clientY];
    // Where places can be clicked, only a pointer that moves drags the handle.
    state.dragging = !data.spots;
    if (state.dragging) drag(event);
  };
  stage.onpointermove = (event) => {
    if (!state.from || data.blink) return;
    const [x, y] = state.from;
    if (Math.hypot(event.clientX - x, event.clientY - y) > NEAR) state.dragging = true;
    if (state.dragging) drag(event);
  };
  stage.onpointerup = (event) => {
    if (state.from && data.spots && !state.dragging) {
      const edge = stage.getBoundingClientRect();
      // Keys are for the page again, where they act on what was chosen.
      stage.blur();
      setStateValue("spot", [(event.clientX - edge.left) / edge.width,
                             (event.clientY - edge.top) / edge.height, Date.now()]);
    }
    state.from = null;
    state.dragging = false;
  };
  stage.onpointercancel = () => { state.from = null; state.dragging = false; };
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
  name();
  layout();
  return () => observer.disconnect();
}
