// @ts-check
// What a person did on the canvas: numbered, and repeated until the program acknowledges it, so
// that no click is lost while the program is busy.

/** @typedef {import("./types.js").CanvasEvent} CanvasEvent */
/** @typedef {import("./types.js").Report} Report */
/** @typedef {import("./types.js").Viewport} Viewport */

export class EventQueue {
  /** @param {string} [id] Name of the canvas */
  constructor(id = Math.random().toString(36).slice(2, 12)) {
    this.id = id;
    /** @type {CanvasEvent[]} Not acknowledged yet, in order */
    this.events = [];
    /** How many there were. */
    this.count = 0;
    /** The last one told. */
    this.sent = 0;
    /** The last one that was acknowledged in the latest answer. */
    this.answered = 0;
  }

  /**
   * @param {string} kind
   * @param {Omit<CanvasEvent, "n" | "kind">} values
   */
  add(kind, values) {
    this.count += 1;
    // Where the pointer rested before is of no use any more.
    this.events = this.events.filter((event) => event.kind !== "hover");
    this.events.push({ n: this.count, kind, ...values });
  }

  /**
   * Take an answer of the program.
   *
   * @param {string} canvas Whose events it took; another canvas's say nothing about these
   * @param {number} last The last one of them
   */
  acknowledge(canvas, last) {
    const own = canvas === this.id;
    if (own) this.events = this.events.filter((event) => event.n > last);
    this.answered = own ? last : 0;
  }

  /** Whether the program has taken everything that was done. */
  get settled() {
    return this.events.every((event) => event.kind === "hover");
  }

  /** Whether there are events that were never told. */
  get untold() {
    return this.events.some((event) => event.n > this.sent);
  }

  /**
   * What to tell the program now.
   *
   * @param {Viewport} viewport
   * @param {number} stamp
   * @returns {Report}
   */
  report(viewport, stamp) {
    this.sent = this.count;
    return { canvas: this.id, events: [...this.events], viewport, stamp };
  }
}
