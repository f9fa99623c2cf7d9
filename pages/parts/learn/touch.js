// A picture that tells where it was clicked, dragged on, or where a pointer rests on it.

const NAMESPACE = "http://www.w3.org/2000/svg";
const REST = 140;
const FAR = 5;
const COLOURS = { include: "#16a34a", exclude: "#dc2626", spot: "#ffd200", box: "#ffd200" };
const states = new WeakMap();

function shape(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

// Marks keep their size on the screen whatever the size of the picture.
function draw(state) {
  const { svg, view, data } = state;
  const scale = view.clientWidth / data.size[0] || 1;
  svg.replaceChildren();
  for (const mark of data.marks) {
    const x = mark.x * scale;
    const y = mark.y * scale;
    const colour = COLOURS[mark.kind] || "#fff";
    if (mark.kind === "box") {
      svg.append(shape("rect", {
        x: Math.min(x, mark.x2 * scale), y: Math.min(y, mark.y2 * scale),
        width: Math.abs(mark.x2 - mark.x) * scale, height: Math.abs(mark.y2 - mark.y) * scale,
        fill: "none", stroke: colour, "stroke-width": 2,
      }));
    } else if (mark.kind !== "label") {
      const ring = mark.kind === "spot";
      svg.append(shape("circle", {
        cx: x, cy: y, r: ring ? 9 : 6, fill: ring ? "none" : colour,
        stroke: ring ? colour : "#fff", "stroke-width": ring ? 3 : 2,
      }));
    }
    if (mark.text) {
      const text = shape("text", { x: x + (mark.kind === "label" ? 0 : 11), y: y + 5 });
      text.textContent = mark.text;
      svg.append(text);
      // What would stick out on the right is written on the other side.
      if (text.getBBox().x + text.getBBox().width > view.clientWidth) {
        text.setAttribute("text-anchor", "end");
        text.setAttribute("x", mark.kind === "label" ? view.clientWidth - 4 : x - 11);
      }
    }
  }
  const { from, to, cursor } = state;
  if (from && to) {
    const [a, b, c, d] = [from.x * scale, from.y * scale, to.x * scale, to.y * scale];
    svg.append(data.drag === "box"
      ? shape("rect", {
        x: Math.min(a, c), y: Math.min(b, d), width: Math.abs(c - a), height: Math.abs(d - b),
        fill: "#ffd20022", stroke: "#ffd200", "stroke-width": 2,
      })
      : shape("line", { x1: a, y1: b, x2: c, y2: d, stroke: "#ffd200", "stroke-width": 3 }));
  }
  if (cursor && view.getRootNode().activeElement === view) {
    const [x, y] = [cursor.x * scale, cursor.y * scale];
    for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
      svg.append(shape("path", {
        d: `M${x - 12} ${y}H${x + 12}M${x} ${y - 12}V${y + 12}`, stroke: colour,
        "stroke-width": width,
      }));
    }
  }
}

function place(state, event) {
  const box = state.view.getBoundingClientRect();
  const [width, height] = state.data.size;
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  return {
    x: within(((event.clientX - box.left) / box.width) * width, width),
    y: within(((event.clientY - box.top) / box.height) * height, height),
  };
}

function tell(state, kind, from, to, other) {
  state.send("touch", {
    kind, x: from.x, y: from.y, x2: to.x, y2: to.y, other: Boolean(other),
  });
}

function listen(state) {
  const { view } = state;
  let pressed = null;
  let resting = 0;
  view.onpointerdown = (event) => {
    if (!state.data.live) return;
    clearTimeout(resting);
    view.classList.remove("keyed");
    pressed = { x: event.clientX, y: event.clientY, right: event.button === 2 };
    state.from = place(state, event);
    state.to = null;
    view.setPointerCapture(event.pointerId);
    state.cursor = null;
  };
  view.onpointermove = (event) => {
    if (!state.data.live) return;
    if (pressed) {
      const moved = Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y);
      if (state.data.drag && moved > FAR) {
        state.to = place(state, event);
        draw(state);
      }
    } else if (state.data.rest) {
      const at = place(state, event);
      clearTimeout(resting);
      resting = setTimeout(() => tell(state, "rest", at, at, false), REST);
    }
  };
  view.onpointerup = (event) => {
    if (!pressed) return;
    const { from, to } = state;
    const other = pressed.right || event.shiftKey;
    pressed = null;
    state.from = state.to = null;
    if (to) tell(state, "drag", from, to, other);
    else tell(state, "click", from, from, other);
    draw(state);
  };
  view.onpointercancel = () => {
    pressed = state.from = state.to = null;
    draw(state);
  };
  view.onpointerleave = () => clearTimeout(resting);
  view.oncontextmenu = (event) => {
    if (state.data.live) event.preventDefault();
  };
  // Whoever comes with the keyboard reads which keys work, until the first of them is pressed.
  view.onfocus = () => {
    view.classList.toggle("keyed", state.data.live && view.matches(":focus-visible"));
    draw(state);
  };
  view.onblur = () => {
    view.classList.remove("keyed");
    draw(state);
  };
  view.onkeydown = (event) => {
    if (!state.data.live) return;
    const [width, height] = state.data.size;
    const step = Math.max(width, height) / (event.shiftKey ? 400 : 50);
    const way = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    }[event.key];
    state.cursor = state.cursor || { x: width / 2, y: height / 2 };
    const { cursor } = state;
    if (way) {
      cursor.x = Math.min(Math.max(cursor.x + way[0] * step, 0), width);
      cursor.y = Math.min(Math.max(cursor.y + way[1] * step, 0), height);
      if (state.from) state.to = { ...cursor };
      state.said.textContent = `${Math.round(cursor.x)}, ${Math.round(cursor.y)}`;
    } else if (event.key === " ") {
      tell(state, "click", cursor, cursor, event.shiftKey);
    } else if (event.key === "Enter" && state.data.drag) {
      if (state.from) {
        const { from } = state;
        state.from = state.to = null;
        tell(state, "drag", from, cursor, event.shiftKey);
      } else {
        state.from = { ...cursor };
      }
    } else if (event.key === "Escape") {
      state.from = state.to = null;
    } else {
      return;
    }
    view.classList.remove("keyed");
    event.preventDefault();
    draw(state);
  };
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const view = parentElement.querySelector(".touch-view");
  let state = states.get(view);
  if (!state) {
    const said = parentElement.querySelector(".touch-said");
    state = { view, svg: view.querySelector("svg"), image: view.querySelector("img"), said,
      from: null, to: null, cursor: null, data, send: setTriggerValue };
    states.set(view, state);
    listen(state);
    new ResizeObserver(() => draw(state)).observe(view);
  }
  state.data = data;
  state.send = setTriggerValue;
  view.querySelector(".touch-keys").textContent = data.keys;
  view.classList.toggle("live", data.live);
  view.classList.toggle("pixelated", data.pixelated);
  view.tabIndex = data.live ? 0 : -1;
  view.style.aspectRatio = `${data.size[0]} / ${data.size[1]}`;
  view.style.setProperty("--touch-ratio", String(data.size[0] / data.size[1]));
  if (data.live) {
    view.setAttribute("role", "application");
    view.setAttribute("aria-label", data.label + " " + data.keys);
    state.image.alt = "";
  } else {
    view.removeAttribute("role");
    view.removeAttribute("aria-label");
    state.image.alt = data.label;
  }
  // The picture before stays until the new one is there, so that nothing flickers.
  if (state.url !== data.url) {
    state.url = data.url;
    const next = new Image();
    next.onload = () => {
      if (state.url === data.url) state.image.src = data.url;
    };
    next.src = data.url;
  }
  draw(state);
}
