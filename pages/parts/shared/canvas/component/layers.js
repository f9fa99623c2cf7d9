// @ts-check
// The pictures of the canvas: loaded, and exchanged all at once, so that nothing flickers.

/** @typedef {import("./types.js").Layer} Layer */

/**
 * @typedef {object} Loading
 * @property {HTMLImageElement} image
 * @property {"loading" | "ready" | "failed"} state
 */

export class Layers {
  /**
   * @param {() => void} changed Called when a picture has arrived, or will not
   * @param {() => HTMLImageElement} [create]
   */
  constructor(changed, create = () => new Image()) {
    this.changed = changed;
    this.create = create;
    /** @type {Map<string, Loading>} By address */
    this.images = new Map();
    /** @type {Layer[]} What the program wants to be shown */
    this.wanted = [];
    /** @type {Layer[]} What is shown */
    this.shown = [];
    /** The last event whose answer is wanted. */
    this.answered = 0;
    /** The last event whose answer is shown. */
    this.arrived = 0;
  }

  /**
   * Show these layers as soon as all of them are there.
   *
   * @param {(Layer | null | undefined)[]} layers From below
   * @param {number} answered The last event that they answer
   */
  want(layers, answered) {
    this.wanted = layers.filter((layer) => layer !== null && layer !== undefined);
    this.answered = answered;
    for (const layer of this.wanted) this.load(layer.url);
    this.settle();
  }

  /** Load again what failed. */
  retry() {
    for (const { url } of this.failed) {
      this.images.delete(url);
      this.load(url);
    }
    this.changed();
  }

  /** @returns {Layer[]} Wanted layers that could not be loaded */
  get failed() {
    return this.wanted.filter((layer) => this.images.get(layer.url)?.state === "failed");
  }

  /**
   * @param {Layer | undefined} layer
   * @returns {HTMLImageElement | null} Its picture, if it can be drawn
   */
  picture(layer) {
    const found = layer && this.images.get(layer.url);
    return found && found.state === "ready" ? found.image : null;
  }

  /** @param {string} url */
  load(url) {
    if (this.images.has(url)) return;
    /** @type {Loading} */
    const entry = { image: this.create(), state: "loading" };
    this.images.set(url, entry);
    /** @param {"ready" | "failed"} state */
    const end = (state) => {
      entry.state = state;
      this.settle();
      this.changed();
    };
    entry.image.onload = () => end("ready");
    // What cannot be loaded must not hold back the rest.
    entry.image.onerror = () => end("failed");
    entry.image.src = url;
  }

  settle() {
    const done = this.wanted.filter((layer) => this.images.get(layer.url)?.state !== "loading");
    const complete = done.length === this.wanted.length;
    // The first picture of all is shown at once.
    if (complete || this.shown.length === 0) this.shown = done;
    if (!complete) return;
    this.arrived = this.answered;
    const used = new Set(this.wanted.map((layer) => layer.url));
    for (const url of this.images.keys()) if (!used.has(url)) this.images.delete(url);
  }
}
