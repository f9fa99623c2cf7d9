// @ts-check
// What mouse, fingers and keys mean; what is done about it is decided elsewhere.

import { Camera } from "./camera.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Pair} Pair */

const SLIP = 4; // CSS pixels: less is a click, not a drag
const NUDGE = 60; // CSS pixels by which an arrow key moves the picture
const STEP = 1.6; // factor of a button or key that zooms
const HOW_TO_BOX = "To draw a box, press, drag to the opposite corner, and release.";
/** @type {Record<string, string>} */
const CURSORS = { points: "crosshair", boxes: "crosshair", select: "pointer" };
/** @type {Record<string, Pair>} */
const ARROWS = {
  ArrowLeft: [-NUDGE, 0], ArrowRight: [NUDGE, 0], ArrowUp: [0, -NUDGE], ArrowDown: [0, NUDGE],
};

/**
 * What a gesture asks for: another place ("pan" by CSS pixels, "pinch", "zoom", "centre" on a
 * place of the scene, "fit", "native"), a "point", "box" or "pick" in scene pixels, a "larger"
 * proposal under the pointer (or zoom), "outlines" under it or none, words to "say", or only to
 * "draw".
 *
 * @typedef {(
 *   {kind: "pan", dx: number, dy: number} |
 *   {kind: "pinch", from: Pair, to: Pair, factor: number} |
 *   {kind: "zoom", factor: number, at?: Pair} |
 *   {kind: "centre", x: number, y: number} |
 *   {kind: "larger", delta: number, factor: number, at: Pair} |
 *   {kind: "fit" | "native" | "draw" | "outlines"} |
 *   {kind: "point" | "pick", x: number, y: number, label: number} |
 *   {kind: "box", x: number, y: number, x1: number, y1: number} |
 *   {kind: "say", text: string}
 * )} Action
 */

/**
 * A pressed button or finger.
 *
 * @typedef {object} Hand
 * @property {Pair} from
 * @property {Pair} last
 * @property {number} button
 * @property {boolean} boxing
 * @property {boolean} moved
 */

export class Gestures {
  /**
   * @param {Camera} camera Only asked what lies where
   * @param {(action: Action) => void} act
   */
  constructor(camera, act) {
    this.camera = camera;
    this.act = act;
    /** What a click or a drag means; see `Data`. */
    this.mode = "look";
    this.label = 1;
    /** @type {Map<number, Pair>} Where each finger is */
    this.pointers = new Map();
    /** @type {Hand | null} */
    this.hand = null;
    /** @type {{middle: Pair, distance: number} | null} Two fingers */
    this.fingers = null;
    /** @type {Box | null} A box while it is drawn: where it began, and the mouse */
    this.draft = null;
    /** Whether the space bar is held, which lets the picture be moved in any mode. */
    this.space = false;
  }

  get cursor() {
    if (this.hand && this.hand.moved && !this.hand.boxing) return "grabbing";
    return CURSORS[this.mode] || "grab";
  }

  /**
   * @param {PointerEvent} event
   * @param {Pair} at CSS pixels on the canvas, here and below
   */
  press(event, at) {
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) {
      // Two fingers zoom and pan; whatever one of them had begun is dropped.
      this.draft = this.hand = null;
      this.fingers = this.spread();
      return;
    }
    const boxing = this.mode === "boxes" && event.button === 0 && !this.space;
    this.hand = { from: at, last: at, button: event.button, boxing, moved: false };
    if (boxing) this.draft = [...this.camera.toScene(at), ...this.camera.toScene(at)];
  }

  /**
   * @param {PointerEvent} event
   * @param {Pair} at
   */
  drag(event, at) {
    if (!this.pointers.has(event.pointerId)) return;
    this.pointers.set(event.pointerId, at);
    if (this.fingers && this.pointers.size === 2) {
      const last = this.fingers, now = this.spread();
      this.fingers = now;
      const factor = now.distance / last.distance;
      this.act({ kind: "pinch", from: last.middle, to: now.middle, factor });
      return;
    }
    const hand = this.hand;
    if (!hand) return;
    if (Math.hypot(at[0] - hand.from[0], at[1] - hand.from[1]) >= SLIP) hand.moved = true;
    if (hand.boxing && this.draft) {
      this.draft = [this.draft[0], this.draft[1], ...this.camera.toScene(at)];
      this.act({ kind: "draw" });
    } else if (hand.moved) {
      const [left, top] = hand.last;
      hand.last = at;
      this.act({ kind: "pan", dx: left - at[0], dy: top - at[1] });
    }
  }

  /**
   * @param {PointerEvent} event
   * @param {Pair} at
   */
  release(event, at) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size === 0) this.fingers = null;
    const { hand, draft } = this;
    this.hand = this.draft = null;
    if (hand && hand.boxing && draft) this.finish(hand, draft, at);
    else if (hand && !hand.moved && hand.button !== 1) this.click(hand, event, at);
    this.act({ kind: "draw" });
  }

  /**
   * A drawn box.
   *
   * @param {Hand} hand
   * @param {Box} draft
   * @param {Pair} at
   */
  finish(hand, [x, y, x1, y1], at) {
    const [width, height] = this.camera.scene;
    const slip = Math.min(Math.abs(at[0] - hand.from[0]), Math.abs(at[1] - hand.from[1])) < SLIP;
    const outside = Math.max(x, x1) <= 0 || Math.max(y, y1) <= 0 ||
      Math.min(x, x1) >= width || Math.min(y, y1) >= height;
    if (slip) this.act({ kind: "say", text: HOW_TO_BOX });
    else if (!outside) this.act({ kind: "box", x, y, x1, y1 });
  }

  /**
   * A click; with the right button or Shift it means the other thing.
   *
   * @param {Hand} hand
   * @param {PointerEvent} event
   * @param {Pair} at
   */
  click(hand, event, at) {
    const [width, height] = this.camera.scene;
    const [x, y] = this.camera.toScene(at);
    if (x < 0 || y < 0 || x > width || y > height) return;
    const other = hand.button === 2 || event.shiftKey;
    if (this.mode === "points") {
      this.act({ kind: "point", x, y, label: other ? 0 : this.label });
    } else if (this.mode === "select") {
      this.act({ kind: "pick", x, y, label: other || event.ctrlKey || event.metaKey ? 1 : 0 });
    }
  }

  /**
   * The browser has taken the pointer away.
   *
   * @param {PointerEvent} event
   */
  drop(event) {
    this.pointers.delete(event.pointerId);
    this.hand = this.draft = this.fingers = null;
    this.act({ kind: "draw" });
  }

  /** @returns {{middle: Pair, distance: number}} */
  spread() {
    const [a, b] = [...this.pointers.values()];
    return {
      middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2],
      distance: Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])),
    };
  }

  /**
   * @param {WheelEvent} event
   * @param {Pair} at
   */
  wheel(event, at) {
    const lines = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
    const step = Math.max(-240, Math.min(240, event.deltaY * lines));
    const factor = Math.exp(-step * (event.ctrlKey ? 0.01 : 0.0022));
    if (event.altKey) this.act({ kind: "larger", delta: step, factor, at });
    else this.act({ kind: "zoom", factor, at });
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether the key means something here
   */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const arrow = ARROWS[event.key];
    if (arrow) this.act({ kind: "pan", dx: arrow[0], dy: arrow[1] });
    else if (event.key === "+" || event.key === "=") this.button("in");
    else if (event.key === "-") this.button("out");
    else if (event.key === "f") this.button("fit");
    else if (event.key === "h") this.act({ kind: "outlines" });
    else if (event.key === " ") this.space = true;
    else {
      if (event.key !== "Escape") return false;
      this.draft = this.hand = null;
      this.act({ kind: "draw" });
      // Escape may mean something elsewhere too.
      return false;
    }
    return true;
  }

  /** @param {KeyboardEvent} event */
  keyUp(event) {
    if (event.key === " ") this.space = false;
  }

  /** @param {string | undefined} name "in", "out", "fit" or "native" */
  button(name) {
    if (name === "in") this.act({ kind: "zoom", factor: STEP });
    if (name === "out") this.act({ kind: "zoom", factor: 1 / STEP });
    if (name === "fit" || name === "native") this.act({ kind: name });
  }

  /**
   * A press or drag on the small picture of the whole.
   *
   * @param {number} fx Where, as a share of its width
   * @param {number} fy The same of its height
   */
  jump(fx, fy) {
    const [width, height] = this.camera.scene;
    this.act({ kind: "centre", x: fx * width, y: fy * height });
  }
}
