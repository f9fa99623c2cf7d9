// @ts-check
// Outlines of the proposals of a view, and which of them lie under a place of the scene.

const MAGIC = "RSO1";
const MAX_CELLS = 64; // along the longer side
const MAX_LISTED = 60_000; // places in all cells together

/**
 * @typedef {object} Proposal
 * @property {string} of Name of the list it belongs to.
 * @property {number} number Its place in that list.
 * @property {number} area In scene pixels.
 * @property {Float64Array[]} rings x, y, x, y…; a place is inside where it crosses an odd number.
 * @property {[number, number, number, number]} box
 */

/**
 * Read what rsam_core/render/proposal_outlines.py wrote; see there.
 *
 * @param {ArrayBuffer} content
 * @param {string} of Name of the list
 * @returns {Proposal[]}
 */
export function readOutlines(content, of) {
  const bytes = new Uint8Array(content);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== MAGIC) throw new Error("Not outlines.");
  const unit = new DataView(content).getFloat64(4, true);
  let at = 12;
  const whole = () => {
    let value = 0;
    for (let weight = 1; ; weight *= 128) {
      if (at >= bytes.length) throw new Error("The outlines end too early.");
      const byte = bytes[at++];
      value += (byte & 127) * weight;
      if (byte < 128) return value;
    }
  };
  const step = () => {
    const value = whole();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
  return Array.from({ length: whole() }, () => {
    const number = whole(), area = whole();
    let x = 0, y = 0, x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
    const rings = Array.from({ length: whole() }, () => {
      const ring = new Float64Array(2 * whole());
      for (let i = 0; i < ring.length; i += 2) {
        x += step();
        y += step();
        ring[i] = x * unit;
        ring[i + 1] = y * unit;
        x0 = Math.min(x0, ring[i]);
        x1 = Math.max(x1, ring[i]);
        y0 = Math.min(y0, ring[i + 1]);
        y1 = Math.max(y1, ring[i + 1]);
      }
      return ring;
    });
    return { of, number, area, rings, box: [x0, y0, x1, y1] };
  });
}

/**
 * @param {Proposal} proposal
 * @param {number} x
 * @param {number} y
 */
export function contains({ rings, box }, x, y) {
  if (x < box[0] || y < box[1] || x > box[2] || y > box[3]) return false;
  let inside = false;
  for (const ring of rings) {
    let px = ring[ring.length - 2], py = ring[ring.length - 1];
    for (let i = 0; i < ring.length; i += 2) {
      const qx = ring[i], qy = ring[i + 1];
      if (qy > y !== py > y && x < ((px - qx) * (y - qy)) / (py - qy) + qx) inside = !inside;
      px = qx;
      py = qy;
    }
  }
  return inside;
}

/** A grid over all proposals: each cell lists those that reach into it, the smallest first. */
export class Proposals {
  /** @param {Proposal[]} items */
  constructor(items) {
    this.items = [...items].sort((a, b) => a.area - b.area || a.number - b.number);
    this.x = Math.min(...this.items.map(({ box }) => box[0]));
    this.y = Math.min(...this.items.map(({ box }) => box[1]));
    const width = Math.max(...this.items.map(({ box }) => box[2])) - this.x;
    const height = Math.max(...this.items.map(({ box }) => box[3])) - this.y;
    /** @type {Map<number, Proposal[]>} */
    this.cells = new Map();
    /** Scene pixels of a cell's side. */
    this.side = Infinity;
    if (this.items.length === 0) return;
    for (let along = MAX_CELLS; ; along /= 2) {
      this.side = Math.max(width, height, 1e-9) / along;
      // Large proposals may reach into very many small cells.
      const listed = this.items.reduce((sum, { box }) => {
        const [c0, r0, c1, r1] = this.span(box);
        return sum + (c1 - c0 + 1) * (r1 - r0 + 1);
      }, 0);
      if (listed <= MAX_LISTED || along === 1) break;
    }
    for (const item of this.items) {
      const [c0, r0, c1, r1] = this.span(item.box);
      for (let row = r0; row <= r1; row++) {
        for (let column = c0; column <= c1; column++) {
          const key = row * (MAX_CELLS + 1) + column;
          const cell = this.cells.get(key);
          if (cell) cell.push(item);
          else this.cells.set(key, [item]);
        }
      }
    }
  }

  /**
   * @param {[number, number, number, number]} box
   * @returns {[number, number, number, number]} First and last column and row of its cells
   */
  span([x0, y0, x1, y1]) {
    const cell = (/** @type {number} */ value, /** @type {number} */ from) =>
      Math.floor((value - from) / this.side);
    return [cell(x0, this.x), cell(y0, this.y), cell(x1, this.x), cell(y1, this.y)];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Proposal[]} Those under a place of the scene, the smallest first
   */
  at(x, y) {
    const [column, row] = this.span([x, y, x, y]);
    if (column < 0 || row < 0 || column > MAX_CELLS) return [];
    const cell = this.cells.get(row * (MAX_CELLS + 1) + column) || [];
    return cell.filter((item) => contains(item, x, y));
  }

  /** @param {number | null} number */
  get(number) {
    return this.items.find((item) => item.number === number);
  }
}
