// @ts-check
// The proposal under the pointer on the page: fetched, drawn on a canvas of its own, and taken.

import { Camera } from "./camera.js";
import { Hover } from "./hover.js";
import { paintOutline } from "./paint_outline.js";
import { readOutlines } from "./proposals.js";

/** @typedef {import("./proposals.js").Proposal} Proposal */
/** @typedef {import("./types.js").Data} Data */
/** @typedef {import("./types.js").Outlines} Outlines */
/** @typedef {import("./types.js").Pair} Pair */

const REST = 30; // ms without movement after which the pointer rests
const KEPT = "rsam-outlines"; // where the browser keeps that they are off
const HOW_TO = "Click takes this outline. Alt and the wheel: a larger one. H: no outlines.";
const SWITCHED = {
  on: "Outlines under the pointer are shown. H hides them.",
  off: "Outlines under the pointer are hidden. H shows them again.",
};

/**
 * What the page offers.
 *
 * @typedef {object} Page
 * @property {(text: string) => void} say
 * @property {(x: number, y: number) => void} rest The program is to be asked what lies here.
 */

export class Hovering {
  /**
   * @param {HTMLCanvasElement} canvas Above the picture, as large
   * @param {Camera} camera
   * @param {Page} page
   */
  constructor(canvas, camera, page) {
    this.canvas = canvas;
    this.camera = camera;
    this.page = page;
    this.hover = new Hover();
    this.hover.on = remembered();
    /** Whether the program answers a resting pointer. */
    this.rests = false;
    /** @type {Pair | null} CSS pixels; null while no pointer is over the canvas */
    this.at = null;
    /** @type {Map<number, Proposal>} Taken, by event, until their objects are shown */
    this.accepted = new Map();
    /** Names of the lists that are here or being fetched. */
    this.keys = { proposals: "", answer: "" };
    this.explained = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {number | null} */
    this.drawing = null;
  }

  /** @param {Data} data */
  update(data) {
    const { hover } = this;
    const proposed = data.proposals;
    this.rests = data.rests;
    hover.taken = new Set(proposed ? proposed.taken : []);
    hover.current = proposed ? proposed.current : null;
    for (const { of, number } of this.accepted.values()) {
      if (!proposed || of !== proposed.key) continue;
      hover.taken.add(number);
      hover.current = number;
    }
    // Without a proposal of its own, an object that was begun is refined by further clicks.
    const refining = data.marks.length > 0 && hover.current === null;
    hover.allowed = data.mode === "points" && data.label === 1 && !refining;
    this.fetch("proposals", proposed, (items) => hover.give(items));
    this.fetch("answer", data.answer, (items) => { hover.answer = items; });
    this.look();
  }

  /**
   * @param {"proposals" | "answer"} name
   * @param {Outlines | null} outlines
   * @param {(items: Proposal[]) => void} give
   */
  async fetch(name, outlines, give) {
    const key = outlines ? outlines.key : "";
    if (this.keys[name] === key) return;
    this.keys[name] = key;
    give([]);
    if (!outlines) return;
    try {
      // A short list comes with the message.
      const content = inside(outlines.url) || (await fetched(outlines.url));
      const items = readOutlines(content, key);
      // Another list may be wanted by now.
      if (this.keys[name] === key) give(items);
    } catch {
      // Clicks work without, and the next answer of the program brings them again.
      if (this.keys[name] === key) this.keys[name] = "";
    }
    this.look();
    this.draw();
  }

  /**
   * The pointer is here; null if it has left, presses, or is a finger.
   *
   * @param {Pair | null} at CSS pixels
   */
  move(at) {
    this.at = at;
    clearTimeout(this.timer);
    if (at && this.rests) this.timer = setTimeout(() => this.rest(), REST);
    this.look();
  }

  rest() {
    if (!this.at || !this.rests) return;
    const [x, y] = this.camera.toScene(this.at);
    const [width, height] = this.camera.scene;
    if (x < 0 || y < 0 || x > width || y > height) return;
    if (this.hover.unknown(x, y)) this.page.rest(x, y);
  }

  /** Show what lies under the pointer now, wherever that or the picture has moved. */
  look() {
    const before = this.hover.shown;
    if (this.at) this.hover.move(...this.camera.toScene(this.at));
    else this.hover.hide();
    if (this.hover.shown !== before) this.draw();
    if (this.hover.shown && !this.explained) {
      this.explained = true;
      this.page.say(HOW_TO);
    }
  }

  /**
   * @param {number} delta
   * @param {Pair} at
   * @returns {boolean} Whether the wheel meant a proposal
   */
  wheel(delta, at) {
    const meant = this.hover.wheel(delta, ...this.camera.toScene(at));
    this.draw();
    return meant;
  }

  toggle() {
    this.hover.toggle();
    remember(this.hover.on);
    this.look();
    this.page.say(this.hover.on ? SWITCHED.on : SWITCHED.off);
    this.draw();
  }

  /**
   * A click at a place of the scene: the proposal that it takes.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} event The number that the event will have
   * @returns {{of: string, proposal: number} | null}
   */
  take(x, y, event) {
    const found = this.hover.take(x, y);
    if (!found) return null;
    this.accepted.set(event, found);
    this.draw();
    return { of: found.of, proposal: found.number };
  }

  /**
   * The objects of all events up to this one are shown.
   *
   * @param {number} event
   */
  arrived(event) {
    const before = this.accepted.size;
    for (const n of this.accepted.keys()) if (n <= event) this.accepted.delete(n);
    if (this.accepted.size < before) this.draw();
  }

  stop() {
    clearTimeout(this.timer);
  }

  draw() {
    if (this.drawing !== null) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      this.show();
    });
  }

  show() {
    paintOutline(this.canvas, this.camera, this.hover.shown, [...this.accepted.values()]);
    // For those who look from outside.
    this.canvas.dataset.shown = this.hover.shown ? String(this.hover.shown.number) : "";
    this.canvas.dataset.accepted = [...this.accepted.values()].map((p) => p.number).join(" ");
    this.canvas.dataset.count = String(this.hover.proposals.items.length);
  }
}

/**
 * The content of an address that is the content itself.
 *
 * @param {string} url
 * @returns {ArrayBuffer | null} Null if it is another address
 */
function inside(url) {
  if (!url.startsWith("data:")) return null;
  const text = atob(url.slice(url.indexOf(",") + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
}

/**
 * @param {string} url
 * @returns {Promise<ArrayBuffer>}
 */
async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(response.statusText);
  return response.arrayBuffer();
}

function remembered() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

/** @param {boolean} on */
function remember(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // It holds until the page is left.
  }
}
