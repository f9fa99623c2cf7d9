// @ts-check
// Drawing: the pictures, the marks, the small picture of the whole, and the ruler.

import { Camera } from "./camera.js";
import { Layers } from "./layers.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Layer} Layer */
/** @typedef {import("./types.js").Mark} Mark */

/** @type {WeakMap<HTMLCanvasElement, {key: string, copy: HTMLCanvasElement | null}>} */
const grounds = new WeakMap();

const INCLUDE = "#12b76a";
const EXCLUDE = "#e5383b";
const BOX = "#ffd166";
const HATCH = 14; // CSS pixels between the lines where a picture is missing
const RULER = 110; // CSS pixels at most
const COARSE = 3; // CSS pixels a scene pixel from which on its squares are to be seen

/**
 * Everything on the canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Camera} camera
 * @param {Layers} layers
 * @param {Box | null} view The window that the model looks at
 * @param {Mark[]} marks
 */
export function paint(canvas, camera, layers, view, marks) {
  const g = context(canvas);
  const [columns, rows] = camera.size;
  const ratio = canvas.width / columns;
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, columns, rows);
  g.imageSmoothingQuality = "high";
  /** @param {CanvasRenderingContext2D} to @param {Layer[]} some */
  const draw = (to, some) => {
    for (const layer of some) {
      const picture = layers.picture(layer);
      if (!picture) continue;
      to.imageSmoothingEnabled = layer.smooth || camera.s < COARSE;
      to.drawImage(picture, ...onScreen(camera, layer.box));
    }
  };
  const below = layers.shown.filter((layer) => !layer.smooth);
  const kept = scaled(canvas, camera, below.filter((layer) => layers.picture(layer)), draw);
  if (kept) {
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.drawImage(kept, 0, 0);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
  } else {
    draw(g, below);
  }
  draw(g, layers.shown.filter((layer) => layer.smooth));
  for (const layer of layers.failed) paintMissing(g, camera, layer.box);
  if (view) paintView(g, camera, view);
  for (const mark of marks) paintMark(g, camera, mark);
}

/**
 * The picture below the objects as it is on the screen, drawn once as long as nobody looks
 * elsewhere: scaling it anew takes most of the time between a click's answer and its mask.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Camera} camera
 * @param {Layer[]} below
 * @param {(to: CanvasRenderingContext2D, some: Layer[]) => void} draw
 * @returns {HTMLCanvasElement | null} Null at the first time at a place: it may be passed quickly
 */
function scaled(canvas, camera, below, draw) {
  const { x, y, s, size } = camera;
  const key = JSON.stringify([x, y, s, size, canvas.width, canvas.height, below]);
  const known = grounds.get(canvas);
  if (!known || known.key !== key) {
    grounds.set(canvas, { key, copy: null });
    return null;
  }
  if (!known.copy) {
    known.copy = document.createElement("canvas");
    known.copy.width = canvas.width;
    known.copy.height = canvas.height;
    const g = context(known.copy);
    const ratio = canvas.width / size[0];
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.imageSmoothingQuality = "high";
    draw(g, below);
  }
  return known.copy;
}

/**
 * Left, top, width and height of a box.
 *
 * @param {Camera} camera
 * @param {Box} box
 * @returns {Box}
 */
function onScreen(camera, [x0, y0, x1, y1]) {
  const [left, top] = camera.toScreen(x0, y0);
  return [left, top, (x1 - x0) * camera.s, (y1 - y0) * camera.s];
}

/**
 * Hatching in place of a picture that could not be loaded.
 *
 * @param {CanvasRenderingContext2D} g
 * @param {Camera} camera
 * @param {Box} box
 */
function paintMissing(g, camera, box) {
  const [left, top, width, height] = onScreen(camera, box);
  const x0 = Math.max(left, 0), x1 = Math.min(left + width, camera.size[0]);
  const y0 = Math.max(top, 0), y1 = Math.min(top + height, camera.size[1]);
  if (x1 <= x0 || y1 <= y0) return;
  g.save();
  g.beginPath();
  g.rect(x0, y0, x1 - x0, y1 - y0);
  g.clip();
  g.beginPath();
  const start = Math.floor((x0 + y0) / HATCH) * HATCH;
  for (let sum = start; sum < x1 + y1; sum += HATCH) {
    g.moveTo(sum - y0, y0);
    g.lineTo(sum - y1, y1);
  }
  g.lineWidth = 1;
  g.strokeStyle = "rgb(192 57 43 / 55%)";
  g.stroke();
  g.lineWidth = 3;
  g.strokeRect(left, top, width, height);
  g.restore();
}

/**
 * The window that the model looks at, where it is not the whole scene.
 *
 * @param {CanvasRenderingContext2D} g
 * @param {Camera} camera
 * @param {Box} box
 */
function paintView(g, camera, box) {
  const [width, height] = camera.scene;
  if (box[0] <= 0 && box[1] <= 0 && box[2] >= width && box[3] >= height) return;
  g.setLineDash([7, 5]);
  g.lineWidth = 1.5;
  g.strokeStyle = "rgb(255 255 255 / 80%)";
  g.strokeRect(...onScreen(camera, box));
  g.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Camera} camera
 * @param {Mark} mark
 */
function paintMark(g, camera, mark) {
  const [left, top] = camera.toScreen(mark.x, mark.y);
  if (mark.kind === "box") {
    const box = onScreen(camera, [mark.x, mark.y, mark.x1 ?? mark.x, mark.y1 ?? mark.y]);
    g.lineWidth = 4;
    g.strokeStyle = "rgb(0 0 0 / 45%)";
    g.strokeRect(...box);
    g.lineWidth = 2;
    g.strokeStyle = BOX;
    g.strokeRect(...box);
  } else if (mark.kind === "point" || mark.kind === "take") {
    g.beginPath();
    g.arc(left, top, 6, 0, 2 * Math.PI);
    const include = mark.kind === "take" || mark.label;
    g.fillStyle = include ? INCLUDE : EXCLUDE;
    g.fill();
    g.lineWidth = 2;
    g.strokeStyle = "#fff";
    g.stroke();
    g.beginPath();
    g.moveTo(left - 3, top);
    g.lineTo(left + 3, top);
    if (include) {
      g.moveTo(left, top - 3);
      g.lineTo(left, top + 3);
    }
    g.lineWidth = 1.5;
    g.stroke();
  }
}

/**
 * The whole scene in small, with what the canvas shows of it; hidden where that is all.
 *
 * @param {HTMLCanvasElement} minimap
 * @param {Camera} camera
 * @param {HTMLImageElement | null} base
 */
export function paintMinimap(minimap, camera, base) {
  const [width, height] = camera.scene, [columns, rows] = camera.seen;
  const all = columns >= width * 0.98 && rows >= height * 0.98;
  minimap.style.display = all ? "none" : "block";
  const g = context(minimap);
  if (!base) g.clearRect(0, 0, minimap.width, minimap.height);
  if (all || !base) return;
  const fx = minimap.width / width, fy = minimap.height / height;
  g.drawImage(base, 0, 0, minimap.width, minimap.height);
  const left = Math.max(camera.x, 0) * fx, top = Math.max(camera.y, 0) * fy;
  const right = Math.min(camera.x + columns, width) * fx;
  const bottom = Math.min(camera.y + rows, height) * fy;
  g.fillStyle = "rgb(0 0 0 / 45%)";
  g.fillRect(0, 0, minimap.width, minimap.height);
  const sx = base.naturalWidth / minimap.width, sy = base.naturalHeight / minimap.height;
  const w = Math.max(right - left, 3), h = Math.max(bottom - top, 3);
  g.drawImage(base, left * sx, top * sy, w * sx, h * sy, left, top, w, h);
  g.lineWidth = 2;
  g.strokeStyle = "#ff3b7f";
  g.strokeRect(left, top, w, h);
}

/**
 * A bar of a round length: metres where they are known, pixels elsewhere.
 *
 * @param {number} s CSS pixels a scene pixel
 * @param {number | null} gsd Metres a scene pixel
 * @returns {{width: number, text: string}} Of the bar, in CSS pixels, and the words beside it
 */
export function ruler(s, gsd) {
  const unit = gsd || 1;
  const longest = (RULER / s) * unit;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = (longest >= 5 * power ? 5 : longest >= 2 * power ? 2 : 1) * power;
  const kilo = Boolean(gsd) && length >= 1000;
  const number = Number((kilo ? length / 1000 : length).toPrecision(3)).toLocaleString("en");
  const name = gsd ? (kilo ? "km" : "m") : "px";
  return { width: (length / unit) * s, text: `${number} ${name} · ${Math.round(s * 100)} %` };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
function context(canvas) {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("This browser cannot draw on a canvas.");
  return found;
}
