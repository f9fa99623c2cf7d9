// @ts-check
// The prompt canvas: pictures of a scene to zoom and pan, and prompts drawn on it.
//
// Everything is in scene pixels. This file only connects the others: what the program sends goes
// to camera, queue and layers, what a gesture asks for is done and told, and all of it is drawn.

import { Camera } from "./camera.js";
import { EventQueue } from "./event_queue.js";
import { Gestures } from "./gestures.js";
import { Hovering } from "./hovering.js";
import { Layers } from "./layers.js";
import { listen } from "./listen.js";
import { paint, paintMinimap, ruler } from "./paint.js";
import { inWords, onEarth } from "./place.js";

/** @typedef {import("./gestures.js").Action} Action */
/** @typedef {import("./types.js").CanvasEvent} CanvasEvent */
/** @typedef {import("./types.js").Data} Data */
/** @typedef {import("./types.js").Mark} Mark */
/** @typedef {import("./types.js").Report} Report */
/** @typedef {import("./types.js").Viewport} Viewport */

/**
 * What Streamlit hands over at each run of the page.
 *
 * @typedef {object} Component
 * @property {HTMLElement} parentElement
 * @property {Data} data
 * @property {(name: string, value: Report) => void} setStateValue
 */

const SETTLE = 160; // ms without movement after which the program is told where one looks
const RESUME = 500; // ms that Streamlit needs to resume a session
const GONE = 2000; // ms after which a canvas that is not on the page was really taken away
const SAID = 6000; // ms for which a note is shown
const LOOKED = 0.55; // share of the canvas that something takes at which the program looks
const MINIMAP = 150; // CSS pixels of its longer side
const CONNECTION = "data-test-connection-state";

/** @type {WeakMap<HTMLElement, Stage>} */
const stages = new WeakMap();

/** @param {Component} component */
export default function (component) {
  const root = /** @type {HTMLElement} */ (component.parentElement.querySelector(".stage"));
  let stage = stages.get(root);
  if (!stage) {
    stage = new Stage(root, component.data);
    stages.set(root, stage);
  }
  const told = stage;
  told.update(component.data, component.setStateValue);
  return () => told.leave();
}

class Stage {
  /**
   * @param {HTMLElement} root
   * @param {Data} data
   */
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.canvas = /** @type {HTMLCanvasElement} */ (this.find("picture"));
    this.minimap = /** @type {HTMLCanvasElement} */ (this.find("minimap"));
    this.camera = new Camera();
    this.queue = new EventQueue();
    this.layers = new Layers(() => this.arrived());
    this.gestures = new Gestures(this.camera, (action) => this.act(action));
    this.outline = /** @type {HTMLCanvasElement} */ (this.find("outline"));
    this.hovering = new Hovering(this.outline, this.camera, {
      say: (text) => this.say(text),
      rest: (x, y) => this.did("hover", { x, y }),
    });
    /** @type {(name: string, value: Report) => void} */
    this.tell = () => {};
    /** @type {Viewport | null} What the program was told last */
    this.told = null;
    /** Number of the place at which the program last let it look. */
    this.looked = 0;
    /** Whether size and connection are watched. */
    this.watching = false;
    this.sizes = new ResizeObserver(() => this.resize());
    this.connection = new MutationObserver(() => this.reconnected());
    /** @type {number | null} The next drawing */
    this.drawing = null;
    /** @type {Record<string, ReturnType<typeof setTimeout> | undefined>} */
    this.timers = {};
    listen(
      {
        root, canvas: this.canvas, minimap: this.minimap,
        tools: this.find("tools"), missing: this.find("missing"),
      },
      this.gestures, this.hovering, () => this.layers.retry(),
    );
    root.addEventListener("pointermove", (event) => this.tellPlace(event));
    root.addEventListener("pointerleave", () => { this.find("where").textContent = ""; });
  }

  /**
   * @param {string} name
   * @returns {HTMLElement}
   */
  find(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector("." + name));
  }

  /**
   * Do something later, once, however often it is asked for.
   *
   * @param {string} name
   * @param {number} delay ms
   * @param {() => void} action
   */
  later(name, delay, action) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(action, delay);
  }

  // ------------------------------------------------------------------ what the program sends

  /**
   * @param {Data} data
   * @param {(name: string, value: Report) => void} tell
   */
  update(data, tell) {
    clearTimeout(this.timers.leaving);
    this.watch();
    if (this.data.token !== data.token) this.camera.forget();
    if (!this.camera.placed) this.looked = data.look ? data.look[0] : 0;
    this.data = data;
    this.tell = tell;
    this.camera.scene = data.scene;
    this.gestures.mode = data.mode;
    this.gestures.label = data.label;
    this.root.style.height = data.height + "px";
    this.find("badge").textContent = data.badge || "";
    const north = this.find("north");
    north.toggleAttribute("hidden", !data.place);
    if (data.place) north.style.transform = `rotate(${data.place.north}deg)`;
    this.queue.acknowledge(data.canvas, data.ack);
    this.layers.want([...data.pictures, data.overlay, data.extra], this.queue.answered);
    this.resize();
    if (data.look && data.look[0] !== this.looked) {
      const [number, x0, y0, x1, y1] = data.look;
      this.looked = number;
      this.camera.frame([x0, y0, x1, y1], LOOKED);
      this.moved();
    }
    this.hovering.update(data);
    this.root.dataset.ready = String(this.queue.settled);
    this.draw();
    // Clicks that came while the program was still busy with earlier ones.
    if (this.queue.untold) this.report();
  }

  // A rerun calls the component again at once; only a removed one stays silent.
  leave() {
    this.later("leaving", GONE, () => {
      if (this.root.isConnected) return;
      this.watching = false;
      this.sizes.disconnect();
      this.connection.disconnect();
      this.hovering.stop();
      for (const timer of Object.values(this.timers)) clearTimeout(timer);
    });
  }

  // Also when a page that was left is entered again and hands out the same canvas.
  watch() {
    if (this.watching) return;
    this.watching = true;
    this.sizes.observe(this.root);
    const app = document.querySelector(`[${CONNECTION}]`);
    if (app) this.connection.observe(app, { attributeFilter: [CONNECTION] });
  }

  // What was done while the connection was cut is told when it is back.
  reconnected() {
    const app = document.querySelector(`[${CONNECTION}]`);
    if (!app || app.getAttribute(CONNECTION) !== "CONNECTED") return;
    this.later("resuming", RESUME, () => {
      if (this.layers.failed.length > 0) this.layers.retry();
      if (!this.queue.settled) this.report();
    });
  }

  resize() {
    const { width, height } = this.root.getBoundingClientRect();
    if (width < 10 || height < 10) return;
    const given = this.camera.placed ? null : this.data.camera;
    if (!this.camera.resize([Math.round(width), Math.round(height)], given)) return;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.outline]) {
      canvas.width = Math.round(this.camera.size[0] * ratio);
      canvas.height = Math.round(this.camera.size[1] * ratio);
    }
    const small = MINIMAP / Math.max(...this.data.scene);
    this.minimap.width = Math.max(24, Math.round(this.data.scene[0] * small));
    this.minimap.height = Math.max(24, Math.round(this.data.scene[1] * small));
    this.moved();
  }

  // ------------------------------------------------------------------ what the program is told

  moved() {
    this.draw();
    this.hovering.look();
    this.hovering.draw();
    this.later("settling", SETTLE, () => {
      if (!this.camera.servedBy(this.told, [this.data.drawn, this.data.view])) this.report();
    });
  }

  report() {
    if (!this.camera.placed) return;
    this.told = this.camera.viewport;
    this.root.dataset.ready = String(this.queue.settled);
    this.tell("report", this.queue.report(this.told, performance.now()));
  }

  // ------------------------------------------------------------------ what a person does

  /** @param {Action} action */
  act(action) {
    const { camera } = this;
    if (!camera.placed) return;
    switch (action.kind) {
      case "draw":
        return this.draw();
      case "say":
        return this.say(action.text);
      case "outlines":
        return this.hovering.toggle();
      case "point": {
        const { kind, x, y, label } = action;
        const taken = label ? this.hovering.take(x, y, this.queue.count + 1) : null;
        return taken ? this.did("take", { x, y, ...taken }) : this.did(kind, { x, y, label });
      }
      case "pick":
      case "box": {
        const { kind, ...values } = action;
        return this.did(kind, values);
      }
      case "larger":
        if (this.hovering.wheel(action.delta, action.at)) return;
        camera.zoom(action.factor, action.at);
        break;
      case "pan":
        camera.pan(action.dx, action.dy);
        break;
      case "pinch":
        camera.pinch(action.from, action.to, action.factor);
        break;
      case "zoom":
        camera.zoom(action.factor, action.at);
        break;
      case "native":
        camera.zoom(1 / camera.s);
        break;
      case "centre":
        camera.centre(action.x, action.y);
        break;
      case "fit":
        camera.fit();
        break;
    }
    this.moved();
  }

  /**
   * Something was done that the program is told.
   *
   * @param {string} kind
   * @param {Omit<CanvasEvent, "n" | "kind">} values
   */
  did(kind, values) {
    this.queue.add(kind, values);
    this.report();
    this.draw();
  }

  // ------------------------------------------------------------------ what is to be seen

  /**
   * Where the pointer is on Earth.
   *
   * @param {PointerEvent} event
   */
  tellPlace(event) {
    const { place, scene } = this.data;
    if (!place || !this.camera.placed) return;
    const box = this.root.getBoundingClientRect();
    const at = this.camera.toScene([event.clientX - box.left, event.clientY - box.top]);
    const found = onEarth(place, scene, at);
    this.find("where").textContent = found ? inWords(found) : "";
  }

  /** @param {string} text */
  say(text) {
    this.find("note").textContent = text;
    this.later("saying", SAID, () => { this.find("note").textContent = ""; });
  }

  draw() {
    if (!this.camera.placed || this.drawing !== null) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.show();
    });
  }

  // A picture has arrived: what somebody waits for is drawn now, not with the next frame.
  arrived() {
    if (this.drawing !== null) cancelAnimationFrame(this.drawing);
    this.drawing = null;
    this.show();
  }

  show() {
    const { camera, layers, gestures, data } = this;
    if (!camera.placed) return;
    /** @type {Mark[]} */
    const marks = [...data.marks, ...this.queue.events];
    if (gestures.draft) {
      const [x, y, x1, y1] = gestures.draft;
      marks.push({ kind: "box", x, y, x1, y1 });
    }
    paint(this.canvas, camera, layers, data.view, marks);
    this.hovering.arrived(layers.arrived);
    const above = [data.overlay, data.extra].map((layer) => layer?.url);
    const base = layers.shown.find(({ url }) => !above.includes(url));
    paintMinimap(this.minimap, camera, layers.picture(base));
    const { width, text } = ruler(camera.s, data.gsd);
    this.find("bar").style.width = width + "px";
    this.find("length").textContent = text;
    this.find("missing").hidden = layers.failed.length === 0;
    this.canvas.style.cursor = gestures.cursor;
    // For those who look from outside: the place, and the last event whose answer is shown.
    this.root.dataset.camera = [camera.x, camera.y, camera.s].join(" ");
    this.root.dataset.shown = String(layers.arrived);
  }
}
