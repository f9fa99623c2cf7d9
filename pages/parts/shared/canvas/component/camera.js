// @ts-check
// Which part of the scene the canvas shows.
//
// The camera says which scene pixel lies in the top-left corner of the canvas (x, y) and how many
// CSS pixels one takes (s).

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Pair} Pair */
/** @typedef {import("./types.js").Viewport} Viewport */

const CLOSEST = 40; // CSS pixels a scene pixel
const FRAMED = 8; // the same, where a small box is to be shown
const BORDER = 24; // CSS pixels of empty border that stay reachable

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.s = 1;
    /** Whether it looks anywhere yet. */
    this.placed = false;
    /** Whether it shows the whole scene, whatever the size of the canvas. */
    this.fitted = false;
    /** @type {Pair} */
    this.scene = [1, 1];
    /** @type {Pair} */
    this.size = [0, 0];
  }

  /** Look nowhere, until the next `resize`. */
  forget() {
    this.placed = false;
  }

  /**
   * Take another size of the canvas: the middle stays in the middle.
   *
   * @param {Pair} size CSS pixels
   * @param {[number, number, number, number, number] | null} [given] Where to begin: x, y, scale,
   *   columns, rows
   * @returns {boolean} Whether anything changed
   */
  resize(size, given = null) {
    const old = this.size;
    if (this.placed && size[0] === old[0] && size[1] === old[1]) return false;
    this.size = size;
    if (!this.placed && given) {
      const [x, y, s, columns, rows] = given;
      this.x = x + (columns - size[0]) / 2 / s;
      this.y = y + (rows - size[1]) / 2 / s;
      this.s = s;
      this.fitted = false;
    } else if (!this.placed || this.fitted) {
      this.fit();
    } else {
      this.x += (old[0] - size[0]) / 2 / this.s;
      this.y += (old[1] - size[1]) / 2 / this.s;
    }
    this.placed = true;
    this.clamp();
    return true;
  }

  /** The smallest scale: the whole scene, or pixel for pixel where that is smaller. */
  get lowest() {
    return Math.min(this.size[0] / this.scene[0], this.size[1] / this.scene[1], 1);
  }

  /** Show the whole scene. */
  fit() {
    const [width, height] = this.scene;
    this.s = Math.min(this.size[0] / width, this.size[1] / height);
    this.x = (width - this.size[0] / this.s) / 2;
    this.y = (height - this.size[1] / this.s) / 2;
    this.clamp();
    this.fitted = true;
  }

  /**
   * Show a box of the scene so that it takes that share of the canvas.
   *
   * @param {Box} box
   * @param {number} share
   */
  frame([x0, y0, x1, y1], share) {
    const [columns, rows] = this.size;
    const s = Math.min((columns * share) / (x1 - x0), (rows * share) / (y1 - y0), FRAMED);
    this.s = Math.max(s, this.lowest);
    this.centre((x0 + x1) / 2, (y0 + y1) / 2);
  }

  /**
   * Look at a place of the scene.
   *
   * @param {number} x
   * @param {number} y
   */
  centre(x, y) {
    this.x = x - this.size[0] / this.s / 2;
    this.y = y - this.size[1] / this.s / 2;
    this.fitted = false;
    this.clamp();
  }

  /**
   * Move by so many CSS pixels; the picture moves the other way.
   *
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.x += dx / this.s;
    this.y += dy / this.s;
    this.fitted = false;
    this.clamp();
  }

  /**
   * Enlarge by a factor; what lies at a place of the canvas stays there.
   *
   * @param {number} factor
   * @param {Pair} [at] CSS pixels; the middle unless given
   */
  zoom(factor, at = [this.size[0] / 2, this.size[1] / 2]) {
    this.pinch(at, at, factor);
  }

  /**
   * Enlarge by a factor, and bring what lies at one place of the canvas to another.
   *
   * @param {Pair} from CSS pixels
   * @param {Pair} to CSS pixels
   * @param {number} factor
   */
  pinch(from, to, factor) {
    const [x, y] = this.toScene(from);
    this.s = Math.min(Math.max(this.s * factor, this.lowest), CLOSEST);
    this.x = x - to[0] / this.s;
    this.y = y - to[1] / this.s;
    this.fitted = false;
    this.clamp();
  }

  /**
   * Never lose the scene: a narrow border at most. Where the whole scene leaves room at its sides,
   * that room stays reachable, so that what is under the pointer stays there while one zooms in.
   */
  clamp() {
    const fitting = Math.min(this.size[0] / this.scene[0], this.size[1] / this.scene[1]);
    const [left, top] = [0, 1].map((side) =>
      Math.max(this.size[side] - this.scene[side] * fitting, 0) / 2 / this.s);
    this.x = within(this.x, this.scene[0], this.size[0] / this.s, BORDER / this.s, left);
    this.y = within(this.y, this.scene[1], this.size[1] / this.s, BORDER / this.s, top);
  }

  /**
   * @param {Pair} at CSS pixels
   * @returns {Pair} Scene pixels
   */
  toScene([left, top]) {
    return [this.x + left / this.s, this.y + top / this.s];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Pair} CSS pixels
   */
  toScreen(x, y) {
    return [(x - this.x) * this.s, (y - this.y) * this.s];
  }

  /**
   * @returns {Pair} Width and height of what is seen, in scene pixels
   */
  get seen() {
    return [this.size[0] / this.s, this.size[1] / this.s];
  }

  /** @returns {Viewport} */
  get viewport() {
    const { x, y, s, size } = this;
    return { x, y, scale: s, columns: size[0], rows: size[1] };
  }

  /**
   * Whether what the program drew last still serves.
   *
   * @param {Viewport | null} last What it was told
   * @param {(Box | null | undefined)[]} boxes What it drew
   */
  servedBy(last, boxes) {
    if (!last || Math.abs(last.scale / this.s - 1) >= 0.01) return false;
    if (last.columns !== this.size[0] || last.rows !== this.size[1]) return false;
    const [width, height] = this.seen;
    const x0 = Math.max(this.x, 0), x1 = Math.min(this.x + width, this.scene[0]);
    const y0 = Math.max(this.y, 0), y1 = Math.min(this.y + height, this.scene[1]);
    return boxes.every((box) => box !== null && box !== undefined &&
      x0 >= box[0] - 0.5 && y0 >= box[1] - 0.5 && x1 <= box[2] + 0.5 && y1 <= box[3] + 0.5);
  }
}

/**
 * The nearest allowed start of what is seen along one side of the scene.
 *
 * @param {number} start
 * @param {number} length Of the scene
 * @param {number} seen Of it, or more
 * @param {number} border
 * @param {number} margin Beside the scene, where the whole of it is shown
 */
function within(start, length, seen, border, margin) {
  const edge = seen < length ? Math.max(border, margin) : margin;
  if (seen >= length + 2 * edge) return (length - seen) / 2;
  return Math.min(Math.max(start, -edge), length - seen + edge);
}
