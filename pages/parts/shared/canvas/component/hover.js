// @ts-check
// Which proposal is shown under the pointer; knows no page.

import { Proposals, contains } from "./proposals.js";

/** @typedef {import("./proposals.js").Proposal} Proposal */

const NOTCH = 60; // CSS pixels of the wheel for one proposal further

export class Hover {
  constructor() {
    this.proposals = new Proposals([]);
    /** @type {Proposal[]} What the program found where the pointer rested */
    this.answer = [];
    /** @type {Set<number>} Numbers of those that are objects already */
    this.taken = new Set();
    /** @type {number | null} The one that the current object began as: clicks in it refine it */
    this.current = null;
    /** Whether clicks may take a proposal at all now. */
    this.allowed = false;
    /** Whether the person wants it. */
    this.on = true;
    /** @type {Proposal | null} */
    this.shown = null;
    /** Whether the wheel has left the smallest one. */
    this.lifted = false;
    this.turned = 0;
  }

  /**
   * The proposals of another view, or none.
   *
   * @param {Proposal[]} items
   */
  give(items) {
    this.proposals = new Proposals(items);
    this.hide();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Proposal[]} Those that a click here could take, the smallest first
   */
  under(x, y) {
    if (!this.on || !this.allowed) return [];
    const current = this.proposals.get(this.current);
    if (current && contains(current, x, y)) return [];
    const found = this.proposals.at(x, y);
    if (found.length > 0) return found.filter(({ number }) => !this.taken.has(number));
    return this.answer.filter((item) => contains(item, x, y));
  }

  /**
   * Whether the program may be asked what lies here: there is neither proposal nor object.
   *
   * @param {number} x
   * @param {number} y
   */
  unknown(x, y) {
    if (!this.on || !this.allowed || this.under(x, y).length > 0) return false;
    return this.proposals.at(x, y).length === 0;
  }

  /**
   * The pointer is somewhere else now.
   *
   * @param {number} x Scene pixels
   * @param {number} y
   * @returns {boolean} Whether another proposal is shown
   */
  move(x, y) {
    const found = this.under(x, y), before = this.shown;
    // What the wheel chose stays as long as the pointer is in it.
    if (this.lifted && before && found.includes(before)) return false;
    this.lifted = false;
    this.turned = 0;
    this.shown = found[0] || null;
    return this.shown !== before;
  }

  /**
   * Show the next larger proposal, or the next smaller.
   *
   * @param {number} delta CSS pixels of the wheel; below 0, away from the person, is larger
   * @param {number} x Scene pixels
   * @param {number} y
   * @returns {boolean} Whether the wheel meant a proposal
   */
  wheel(delta, x, y) {
    if (!this.shown) return false;
    const found = this.under(x, y);
    const now = found.indexOf(this.shown);
    if (now < 0) return false;
    if (Math.sign(delta) !== Math.sign(this.turned)) this.turned = 0;
    this.turned += delta;
    if (Math.abs(this.turned) < NOTCH) return true;
    const next = Math.min(Math.max(now + (this.turned < 0 ? 1 : -1), 0), found.length - 1);
    this.turned = 0;
    this.shown = found[next];
    this.lifted = next > 0;
    return true;
  }

  /** Switch it off or on; nothing is shown until the pointer moves. */
  toggle() {
    this.on = !this.on;
    this.hide();
  }

  hide() {
    this.shown = null;
    this.lifted = false;
    this.turned = 0;
  }

  /**
   * A click: what is shown there is taken.
   *
   * @param {number} x Scene pixels
   * @param {number} y
   * @returns {Proposal | null}
   */
  take(x, y) {
    const found = this.shown && this.under(x, y).includes(this.shown) ? this.shown : null;
    if (!found) return null;
    if (this.answer.includes(found)) {
      // Further clicks refine it, until a new object is begun.
      this.allowed = false;
    } else {
      this.taken.add(found.number);
      this.current = found.number;
    }
    this.hide();
    return found;
  }
}
