// The prompt canvas: pictures of a scene to zoom and pan, and prompts drawn on it.
//
// Everything is in scene pixels; the camera says which of them lies in the top-left corner of the
// canvas and how many CSS pixels one takes. What happens here is numbered, and repeated until the
// program acknowledges it, so that no click is lost while the program is busy.

const INCLUDE = "#12b76a", EXCLUDE = "#e5383b", BOX = "#ffd166";
const SLIP = 4; // CSS pixels: less is a click, not a drag
const SETTLE = 160; // ms without movement after which the program is told where one looks
const CLOSEST = 40; // CSS pixels a scene pixel
const MARGIN = 24; // CSS pixels of empty border that stay reachable
const MINIMAP = 150;

const stages = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".stage");
  let stage = stages.get(root);
  if (!stage) {
    stage = new Stage(root);
    stages.set(root, stage);
  }
  stage.update(component);
  return () => stage.leave();
}

class Stage {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector("." + name);
    this.canvas = this.find("picture");
    this.minimap = this.find("minimap");
    this.id = Math.random().toString(36).slice(2, 12);
    this.queue = [];
    this.count = 0;
    this.sent = 0;
    this.camera = null;
    this.images = new Map();
    this.layers = [];
    this.pointers = new Map();
    this.draft = null;
    this.lastLook = 0;
    this.reported = null;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(root);
    this.listen();
    this.watchConnection();
  }

  // What was done while the connection was cut is told when it is back.
  watchConnection() {
    const app = document.querySelector('[data-test-connection-state]');
    if (!app) return;
    this.connection = new MutationObserver(() => {
      if (app.dataset.testConnectionState !== "CONNECTED") return;
      clearTimeout(this.retelling);
      // Streamlit first resumes the session.
      this.retelling = setTimeout(() => { if (this.queue.length) this.report(); }, 500);
    });
    this.connection.observe(app, { attributeFilter: ["data-test-connection-state"] });
  }

  // ------------------------------------------------------------------ what the program sends

  update(component) {
    clearTimeout(this.leaving);
    const fresh = !this.data || this.data.token !== component.data.token;
    this.tell = component.setStateValue;
    this.data = component.data;
    const { scene, height, canvas, ack, look, badge } = this.data;
    this.root.style.height = height + "px";
    this.find("badge").textContent = badge || "";
    if (canvas === this.id) this.queue = this.queue.filter((event) => event.n > ack);
    this.answered = canvas === this.id ? ack : 0;
    const { pictures, overlay, extra } = this.data;
    this.wanted = [...pictures, overlay, extra].filter(Boolean);
    for (const layer of this.wanted) this.load(layer.url);
    this.settleLayers();
    if (fresh || !this.camera) {
      this.camera = null;
      this.lastLook = look ? look[0] : 0;
      this.size = null;
    }
    this.resize();
    if (look && look[0] !== this.lastLook) {
      this.lastLook = look[0];
      this.frame(look.slice(1), 0.55);
    }
    this.root.dataset.ready = String(this.queue.length === 0);
    this.draw();
    // Clicks that came while the program was still busy with earlier ones.
    if (this.queue.some((event) => event.n > this.sent)) this.report();
  }

  leave() {
    // A rerun calls the component again at once; only a removed one stays silent.
    this.leaving = setTimeout(() => {
      if (this.root.isConnected) return;
      this.observer.disconnect();
      this.connection?.disconnect();
      clearTimeout(this.retelling);
      clearTimeout(this.timer);
    }, 2000);
  }

  load(url) {
    if (this.images.has(url)) return;
    const image = new Image();
    const entry = { image, ready: false };
    this.images.set(url, entry);
    image.onload = () => {
      entry.ready = true;
      this.settleLayers();
      this.draw();
    };
    // What cannot be loaded must not hold back the rest.
    image.onerror = () => {
      entry.failed = true;
      image.onload();
    };
    image.src = url;
  }

  // New pictures replace old ones when all of them have arrived: nothing flickers.
  settleLayers() {
    const first = this.layers.length === 0;
    const ready = this.wanted.filter((layer) => this.images.get(layer.url).ready);
    if (ready.length < this.wanted.length && !first) return;
    this.layers = ready;
    if (ready.length < this.wanted.length) return;
    this.arrived = this.answered;
    const used = new Set(this.wanted.map((layer) => layer.url));
    for (const url of this.images.keys()) if (!used.has(url)) this.images.delete(url);
  }

  // ------------------------------------------------------------------ camera

  resize() {
    const box = this.root.getBoundingClientRect();
    if (!this.data || box.width < 10 || box.height < 10) return;
    const size = [Math.round(box.width), Math.round(box.height)];
    if (this.camera && this.size && size[0] === this.size[0] && size[1] === this.size[1]) return;
    const old = this.size;
    this.size = size;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(size[0] * ratio);
    this.canvas.height = Math.round(size[1] * ratio);
    const [width, height] = this.data.scene;
    if (!this.camera || !old || this.fitted) {
      const given = !this.camera && this.data.camera;
      if (given) {
        // On a canvas of another size the middle stays in the middle.
        const [x, y, s, columns, rows] = given;
        const aside = [(columns - size[0]) / 2 / s, (rows - size[1]) / 2 / s];
        this.camera = { s, x: x + aside[0], y: y + aside[1] };
        this.fitted = false;
      } else this.fit(false);
    } else {
      this.camera.x += (old[0] - size[0]) / 2 / this.camera.s;
      this.camera.y += (old[1] - size[1]) / 2 / this.camera.s;
    }
    const small = MINIMAP / Math.max(width, height);
    this.minimap.width = Math.max(24, Math.round(width * small));
    this.minimap.height = Math.max(24, Math.round(height * small));
    this.moved();
  }

  get lowest() {
    const [width, height] = this.data.scene;
    return Math.min(this.size[0] / width, this.size[1] / height, 1);
  }

  fit(report = true) {
    const [width, height] = this.data.scene;
    const s = Math.min(this.size[0] / width, this.size[1] / height);
    this.camera = { s, x: (width - this.size[0] / s) / 2, y: (height - this.size[1] / s) / 2 };
    this.fitted = true;
    if (report) this.moved(true);
  }

  // Show a box of the scene so that it takes that share of the canvas.
  frame([x0, y0, x1, y1], share) {
    const s = Math.min((this.size[0] * share) / (x1 - x0), (this.size[1] * share) / (y1 - y0), 8);
    this.camera = { s: Math.max(s, this.lowest), x: 0, y: 0 };
    this.camera.x = (x0 + x1 - this.size[0] / this.camera.s) / 2;
    this.camera.y = (y0 + y1 - this.size[1] / this.camera.s) / 2;
    this.touched = true;
    this.moved();
  }

  zoom(factor, at = [this.size[0] / 2, this.size[1] / 2]) {
    const [x, y] = this.scenePoint(at);
    const s = Math.min(Math.max(this.camera.s * factor, this.lowest), CLOSEST);
    this.camera = { s, x: x - at[0] / s, y: y - at[1] / s };
    this.moved();
  }

  moved(fitted = false) {
    this.fitted = fitted || (this.fitted && !this.touched);
    this.touched = false;
    const [width, height] = this.data.scene;
    const camera = this.camera;
    for (const [axis, length, room] of [["x", width, this.size[0]], ["y", height, this.size[1]]]) {
      const seen = room / camera.s, margin = MARGIN / camera.s;
      if (seen >= length + 2 * margin) camera[axis] = (length - seen) / 2;
      else if (seen >= length) camera[axis] = Math.min(Math.max(camera[axis], length - seen), 0);
      else camera[axis] = Math.min(Math.max(camera[axis], -margin), length - seen + margin);
    }
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), SETTLE);
  }

  // Tell the program where one looks, unless what it drew last still serves.
  look() {
    const { x, y, s } = this.camera;
    const seen = [x, y, x + this.size[0] / s, y + this.size[1] / s];
    const [width, height] = this.data.scene;
    const clipped = [Math.max(seen[0], 0), Math.max(seen[1], 0),
      Math.min(seen[2], width), Math.min(seen[3], height)];
    const inside = (box) => box && clipped[0] >= box[0] - 0.5 && clipped[1] >= box[1] - 0.5 &&
      clipped[2] <= box[2] + 0.5 && clipped[3] <= box[3] + 0.5;
    const last = this.reported;
    const served = last && Math.abs(last.scale / s - 1) < 0.01 && inside(this.data.drawn) &&
      inside(this.data.view) && last.columns === this.size[0] && last.rows === this.size[1];
    if (!served) this.report();
  }

  scenePoint([left, top]) {
    return [this.camera.x + left / this.camera.s, this.camera.y + top / this.camera.s];
  }

  screenPoint(x, y) {
    return [(x - this.camera.x) * this.camera.s, (y - this.camera.y) * this.camera.s];
  }

  // ------------------------------------------------------------------ what the program is told

  report() {
    const { x, y, s } = this.camera;
    this.reported = { x, y, scale: s, columns: this.size[0], rows: this.size[1] };
    this.sent = this.count;
    this.root.dataset.ready = String(this.queue.length === 0);
    this.tell("report", {
      canvas: this.id, events: this.queue, viewport: this.reported, stamp: performance.now(),
    });
  }

  add(kind, values) {
    this.count += 1;
    this.queue.push({ n: this.count, kind, ...values });
    this.report();
    this.draw();
  }

  // ------------------------------------------------------------------ mouse, touch, keyboard

  listen() {
    const stage = this.root;
    const place = (event) => {
      const box = stage.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
      const step = Math.max(-240, Math.min(240, event.deltaY * lines));
      this.touched = true;
      this.zoom(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.0022)), place(event));
    }, { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.press(event, place(event)));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event, place(event)));
    this.canvas.addEventListener("pointerup", (event) => this.release(event, place(event)));
    this.canvas.addEventListener("pointercancel", (event) => this.drop(event));
    stage.addEventListener("keydown", (event) => this.key(event));
    // The frame of the focus is for those who came by the keyboard.
    stage.addEventListener("keyup", () => stage.classList.add("keys"));
    stage.addEventListener("pointerdown", () => stage.classList.remove("keys"));
    stage.addEventListener("blur", () => stage.classList.remove("keys"));
    stage.addEventListener("keyup", (event) => { if (event.key === " ") this.space = false; });
    this.find("tools").addEventListener("click", (event) => {
      const action = event.target.dataset.do;
      this.touched = true;
      if (action === "in") this.zoom(1.6);
      if (action === "out") this.zoom(1 / 1.6);
      if (action === "fit") this.fit();
      if (action === "native") this.zoom(1 / this.camera.s);
    });
    const jump = (event) => {
      if (!(event.buttons & 1)) return;
      const box = this.minimap.getBoundingClientRect();
      const [width, height] = this.data.scene;
      const x = ((event.clientX - box.left) / box.width) * width;
      const y = ((event.clientY - box.top) / box.height) * height;
      this.camera.x = x - this.size[0] / this.camera.s / 2;
      this.camera.y = y - this.size[1] / this.camera.s / 2;
      this.touched = true;
      this.moved();
    };
    this.minimap.addEventListener("pointerdown", (event) => {
      this.minimap.setPointerCapture(event.pointerId);
      jump(event);
    });
    this.minimap.addEventListener("pointermove", jump);
  }

  press(event, at) {
    this.root.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) {
      // Two fingers zoom and pan; whatever one of them had begun is dropped.
      this.draft = this.hand = null;
      this.pinch = this.spread();
      return;
    }
    const boxing = this.data.mode === "boxes" && event.button === 0 && !this.space;
    this.hand = { from: at, last: at, button: event.button, boxing, moved: false };
    if (boxing) this.draft = [...this.scenePoint(at), ...this.scenePoint(at)];
  }

  drag(event, at) {
    if (!this.pointers.has(event.pointerId)) return;
    this.pointers.set(event.pointerId, at);
    if (this.pinch && this.pointers.size === 2) {
      const now = this.spread();
      this.touched = true;
      this.camera.x -= (now.middle[0] - this.pinch.middle[0]) / this.camera.s;
      this.camera.y -= (now.middle[1] - this.pinch.middle[1]) / this.camera.s;
      this.zoom(now.distance / this.pinch.distance, now.middle);
      this.pinch = now;
      return;
    }
    const hand = this.hand;
    if (!hand) return;
    if (Math.hypot(at[0] - hand.from[0], at[1] - hand.from[1]) >= SLIP) hand.moved = true;
    if (hand.boxing) {
      this.draft.splice(2, 2, ...this.scenePoint(at));
      this.draw();
    } else if (hand.moved) {
      this.touched = true;
      this.camera.x -= (at[0] - hand.last[0]) / this.camera.s;
      this.camera.y -= (at[1] - hand.last[1]) / this.camera.s;
      hand.last = at;
      this.canvas.style.cursor = "grabbing";
      this.moved();
    }
  }

  release(event, at) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size === 0) this.pinch = null;
    const hand = this.hand;
    this.hand = null;
    this.cursor();
    if (!hand) return;
    const [width, height] = this.data.scene;
    if (hand.boxing) {
      const [x0, y0, x1, y1] = this.draft;
      this.draft = null;
      const slip = Math.min(Math.abs(at[0] - hand.from[0]), Math.abs(at[1] - hand.from[1])) < SLIP;
      const outside = Math.max(x0, x1) <= 0 || Math.max(y0, y1) <= 0 ||
        Math.min(x0, x1) >= width || Math.min(y0, y1) >= height;
      if (slip) this.say("To draw a box, press, drag to the opposite corner, and release.");
      else if (!outside) this.add("box", { x: x0, y: y0, x1, y1 });
      this.draw();
      return;
    }
    if (hand.moved || hand.button === 1) return;
    const [x, y] = this.scenePoint(at);
    if (x < 0 || y < 0 || x > width || y > height) return;
    const other = hand.button === 2 || event.shiftKey;
    if (this.data.mode === "points") {
      this.add("point", { x, y, label: other ? 0 : this.data.label });
    } else if (this.data.mode === "select") {
      this.add("pick", { x, y, label: other || event.ctrlKey || event.metaKey ? 1 : 0 });
    }
  }

  drop(event) {
    this.pointers.delete(event.pointerId);
    this.hand = this.draft = this.pinch = null;
    this.draw();
  }

  spread() {
    const [a, b] = [...this.pointers.values()];
    return {
      middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2],
      distance: Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])),
    };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60 / this.camera.s;
    const moves = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step],
    };
    this.touched = true;
    if (moves[event.key]) {
      this.camera.x += moves[event.key][0];
      this.camera.y += moves[event.key][1];
      this.moved();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.6);
    else if (event.key === "-") this.zoom(1 / 1.6);
    else if (event.key === "f") this.fit();
    else if (event.key === " ") this.space = true;
    else if (event.key === "Escape") {
      this.draft = this.hand = null;
      this.draw();
      return;
    } else return;
    event.preventDefault();
  }

  say(text) {
    this.find("note").textContent = text;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.find("note").textContent = ""; }, 6000);
  }

  cursor() {
    const cursors = { points: "crosshair", boxes: "crosshair", select: "pointer" };
    this.canvas.style.cursor = cursors[this.data.mode] || "grab";
  }

  // ------------------------------------------------------------------ drawing

  draw() {
    if (!this.camera || this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.paint();
    });
  }

  paint() {
    const g = this.canvas.getContext("2d");
    const ratio = this.canvas.width / this.size[0];
    const { x, y, s } = this.camera;
    this.root.dataset.camera = [x, y, s].join(" ");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, this.size[0], this.size[1]);
    g.imageSmoothingQuality = "high";
    for (const layer of this.layers) {
      const picture = this.images.get(layer.url);
      if (!picture || picture.failed) continue;
      const [x0, y0, x1, y1] = layer.box;
      g.imageSmoothingEnabled = layer.smooth || s < 3;
      g.drawImage(picture.image, (x0 - x) * s, (y0 - y) * s, (x1 - x0) * s, (y1 - y0) * s);
    }
    this.paintView(g);
    for (const mark of [...this.data.marks, ...this.queue]) this.paintMark(g, mark);
    if (this.draft) {
      this.paintMark(g, {
        kind: "box", x: this.draft[0], y: this.draft[1], x1: this.draft[2], y1: this.draft[3],
      });
    }
    if (!this.hand) this.cursor();
    this.paintMinimap();
    this.paintRuler();
    // The last click or box whose objects are on the screen.
    this.root.dataset.shown = String(this.arrived || 0);
  }

  // The window that the model looks at, where it is not the whole scene.
  paintView(g) {
    const box = this.data.view, [width, height] = this.data.scene;
    if (!box || (box[0] <= 0 && box[1] <= 0 && box[2] >= width && box[3] >= height)) return;
    const [left, top] = this.screenPoint(box[0], box[1]);
    const [right, bottom] = this.screenPoint(box[2], box[3]);
    g.setLineDash([7, 5]);
    g.lineWidth = 1.5;
    g.strokeStyle = "rgb(255 255 255 / 80%)";
    g.strokeRect(left, top, right - left, bottom - top);
    g.setLineDash([]);
  }

  paintMark(g, mark) {
    const [left, top] = this.screenPoint(mark.x, mark.y);
    if (mark.kind === "box") {
      const [right, bottom] = this.screenPoint(mark.x1, mark.y1);
      g.lineWidth = 4;
      g.strokeStyle = "rgb(0 0 0 / 45%)";
      g.strokeRect(left, top, right - left, bottom - top);
      g.lineWidth = 2;
      g.strokeStyle = BOX;
      g.strokeRect(left, top, right - left, bottom - top);
    } else if (mark.kind === "point") {
      g.beginPath();
      g.arc(left, top, 6, 0, 2 * Math.PI);
      g.fillStyle = mark.label ? INCLUDE : EXCLUDE;
      g.fill();
      g.lineWidth = 2;
      g.strokeStyle = "#fff";
      g.stroke();
      g.beginPath();
      g.moveTo(left - 3, top);
      g.lineTo(left + 3, top);
      if (mark.label) {
        g.moveTo(left, top - 3);
        g.lineTo(left, top + 3);
      }
      g.lineWidth = 1.5;
      g.stroke();
    }
  }

  paintMinimap() {
    const [width, height] = this.data.scene;
    const { x, y, s } = this.camera;
    const seen = [this.size[0] / s, this.size[1] / s];
    const inside = seen[0] >= width * 0.98 && seen[1] >= height * 0.98;
    this.minimap.style.display = inside ? "none" : "block";
    const base = this.layers[0] && this.images.get(this.layers[0].url)?.image;
    if (inside || !base) return;
    const g = this.minimap.getContext("2d");
    const fx = this.minimap.width / width, fy = this.minimap.height / height;
    g.drawImage(base, 0, 0, this.minimap.width, this.minimap.height);
    const left = Math.max(x, 0) * fx, top = Math.max(y, 0) * fy;
    const right = Math.min(x + seen[0], width) * fx, bottom = Math.min(y + seen[1], height) * fy;
    g.fillStyle = "rgb(0 0 0 / 45%)";
    g.fillRect(0, 0, this.minimap.width, this.minimap.height);
    const sx = base.naturalWidth / this.minimap.width, sy = base.naturalHeight / this.minimap.height;
    const w = Math.max(right - left, 3), h = Math.max(bottom - top, 3);
    g.drawImage(base, left * sx, top * sy, w * sx, h * sy, left, top, w, h);
    g.lineWidth = 2;
    g.strokeStyle = "#ff3b7f";
    g.strokeRect(left, top, w, h);
  }

  // A bar of a round length: metres where they are known, pixels elsewhere.
  paintRuler() {
    const unit = this.data.gsd || 1;
    const longest = (110 / this.camera.s) * unit;
    const power = 10 ** Math.floor(Math.log10(longest));
    const length = [5, 2, 1].map((step) => step * power).find((value) => value <= longest);
    const bar = this.find("bar");
    bar.style.width = (length / unit) * this.camera.s + "px";
    const kilo = this.data.gsd && length >= 1000;
    const text = Number((kilo ? length / 1000 : length).toPrecision(3)).toLocaleString("en");
    this.find("length").textContent =
      text + (this.data.gsd ? (kilo ? " km" : " m") : " px") +
      " · " + Math.round(this.camera.s * 100) + " %";
  }
}
