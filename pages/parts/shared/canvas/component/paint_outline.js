// @ts-check
// Drawing of the proposal under the pointer, and of those that were taken.

import { Camera } from "./camera.js";

/** @typedef {import("./proposals.js").Proposal} Proposal */

const OFFERED = { line: "#ffffff", fill: "rgb(255 255 255 / 18%)", dash: [6, 4] };
const ACCEPTED = { line: "#12b76a", fill: "rgb(18 183 106 / 30%)", dash: [] };
const EDGE = "rgb(0 0 0 / 65%)";

/**
 * @param {HTMLCanvasElement} canvas As large as the picture, whose transform it shares
 * @param {Camera} camera
 * @param {Proposal | null} shown
 * @param {Proposal[]} accepted
 */
export function paintOutline(canvas, camera, shown, accepted) {
  const g = canvas.getContext("2d");
  if (!g || !camera.placed) return;
  const ratio = canvas.width / camera.size[0];
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, camera.size[0], camera.size[1]);
  g.lineJoin = "round";
  for (const proposal of accepted) stroke(g, path(camera, proposal), ACCEPTED);
  if (shown) stroke(g, path(camera, shown), OFFERED);
}

/**
 * @param {Camera} camera
 * @param {Proposal} proposal
 */
function path(camera, { rings }) {
  const found = new Path2D();
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      const [left, top] = camera.toScreen(ring[i], ring[i + 1]);
      if (i === 0) found.moveTo(left, top);
      else found.lineTo(left, top);
    }
    found.closePath();
  }
  return found;
}

/**
 * @param {CanvasRenderingContext2D} g
 * @param {Path2D} line
 * @param {{line: string, fill: string, dash: number[]}} style
 */
function stroke(g, line, style) {
  g.fillStyle = style.fill;
  g.fill(line, "evenodd");
  g.setLineDash([]);
  g.lineWidth = 4;
  g.strokeStyle = EDGE;
  g.stroke(line);
  g.setLineDash(style.dash);
  g.lineWidth = 2;
  g.strokeStyle = style.line;
  g.stroke(line);
  g.setLineDash([]);
}
