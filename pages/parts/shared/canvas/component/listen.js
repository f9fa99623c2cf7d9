// @ts-check
// From events of the browser to gestures, and to what is shown under the pointer.

import { Gestures } from "./gestures.js";
import { Hovering } from "./hovering.js";

/** @typedef {import("./types.js").Pair} Pair */

/**
 * @typedef {object} Parts
 * @property {HTMLElement} root
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLCanvasElement} minimap
 * @property {HTMLElement} tools
 * @property {HTMLElement} missing
 */

/**
 * @param {Parts} parts
 * @param {Gestures} gestures
 * @param {Hovering} hovering
 * @param {() => void} retry Load again what could not be loaded
 */
export function listen({ root, canvas, minimap, tools, missing }, gestures, hovering, retry) {
  /**
   * @param {MouseEvent} event
   * @returns {Pair}
   */
  const place = (event) => {
    const box = root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  root.addEventListener("contextmenu", (event) => event.preventDefault());
  root.addEventListener("wheel", (event) => {
    event.preventDefault();
    gestures.wheel(event, place(event));
  }, { passive: false });
  /** @param {PointerEvent} event */
  const hover = (event) => {
    const free = event.pointerType !== "touch" && gestures.hand === null;
    hovering.move(free ? place(event) : null);
  };
  canvas.addEventListener("pointerdown", (event) => {
    root.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    gestures.press(event, place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    gestures.drag(event, place(event));
    if (gestures.hand === null || gestures.hand.moved) hover(event);
  });
  canvas.addEventListener("pointerup", (event) => {
    gestures.release(event, place(event));
    hover(event);
  });
  // Keys go to the picture under the pointer, unless something else is being used.
  canvas.addEventListener("pointerenter", () => {
    if (document.activeElement === document.body) root.focus({ preventScroll: true });
  });
  canvas.addEventListener("pointerleave", () => hovering.move(null));
  canvas.addEventListener("pointercancel", (event) => gestures.drop(event));
  root.addEventListener("keydown", (event) => {
    if (gestures.key(event)) event.preventDefault();
  });
  root.addEventListener("keyup", (event) => gestures.keyUp(event));
  // The frame of the focus is for those who came by the keyboard.
  root.addEventListener("keyup", () => root.classList.add("keys"));
  root.addEventListener("pointerdown", () => root.classList.remove("keys"));
  root.addEventListener("blur", () => root.classList.remove("keys"));
  tools.addEventListener("click", (event) => {
    gestures.button(/** @type {HTMLElement} */ (event.target).dataset.do);
  });
  missing.addEventListener("click", () => retry());
  /** @param {PointerEvent} event */
  const jump = (event) => {
    if (!(event.buttons & 1)) return;
    const box = minimap.getBoundingClientRect();
    const left = event.clientX - box.left, top = event.clientY - box.top;
    gestures.jump(left / box.width, top / box.height);
  };
  minimap.addEventListener("pointerdown", (event) => {
    minimap.setPointerCapture(event.pointerId);
    jump(event);
  });
  minimap.addEventListener("pointermove", jump);
}
