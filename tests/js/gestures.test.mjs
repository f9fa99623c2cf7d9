import assert from "node:assert/strict";
import test from "node:test";

import { Camera } from "../../pages/parts/shared/canvas/component/camera.js";
import { Gestures } from "../../pages/parts/shared/canvas/component/gestures.js";

/** A scene of 400 × 300 pixels, twice as large on the canvas, whose corner is at (0, 0). */
function hand(mode, label = 1) {
  const camera = new Camera();
  camera.scene = [400, 300];
  camera.resize([800, 600]);
  const actions = [];
  const gestures = new Gestures(camera, (action) => actions.push(action));
  Object.assign(gestures, { mode, label });
  const event = (more) => ({
    pointerId: 1, button: 0, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more,
  });
  return {
    gestures, camera,
    press: (at, more) => gestures.press(event(more), at),
    drag: (at, more) => gestures.drag(event(more), at),
    release: (at, more) => gestures.release(event(more), at),
    key: (key, more) => gestures.key(event({ key, ...more })),
    wheel: (deltaY, more, at = [10, 20]) => gestures.wheel(event({ deltaY, deltaMode: 0, ...more }), at),
    /** What was asked for since the last call, but for drawing. */
    asked: () => actions.splice(0).filter(({ kind }) => kind !== "draw"),
  };
}

test("a click is a point of the scene; right or Shift excludes", () => {
  const { press, release, asked } = hand("points");
  press([100, 60]);
  release([102, 61]);
  assert.deepEqual(asked(), [{ kind: "point", x: 51, y: 30.5, label: 1 }]);
  press([100, 60], { button: 2 });
  release([100, 60], { button: 2 });
  assert.deepEqual(asked(), [{ kind: "point", x: 50, y: 30, label: 0 }]);
  press([100, 60]);
  release([100, 60], { shiftKey: true });
  assert.equal(asked()[0].label, 0);
});

test("exclude is what a click means where that is chosen", () => {
  const { press, release, asked } = hand("points", 0);
  press([10, 10]);
  release([10, 10]);
  assert.equal(asked()[0].label, 0);
});

test("a click beside the scene, or with the wheel, means nothing", () => {
  const { camera, press, release, asked } = hand("points");
  camera.pan(-20, -20);
  camera.zoom(2, [0, 0]);
  camera.pan(-48, -48);
  press([5, 5]);
  release([5, 5]);
  press([300, 300], { button: 1 });
  release([300, 300], { button: 1 });
  assert.deepEqual(asked(), []);
});

test("a drag moves the picture and is no click", () => {
  const { gestures, press, drag, release, asked } = hand("points");
  press([100, 100]);
  drag([102, 101]);
  assert.deepEqual(asked(), [], "a slip");
  drag([110, 90]);
  assert.equal(gestures.cursor, "grabbing");
  drag([115, 90]);
  release([115, 90]);
  assert.deepEqual(asked(), [
    { kind: "pan", dx: -10, dy: 10 },
    { kind: "pan", dx: -5, dy: 0 },
  ]);
  assert.equal(gestures.cursor, "crosshair");
});

test("a dragged box has the corners where it began and ended", () => {
  const { gestures, press, drag, release, asked } = hand("boxes");
  press([200, 100]);
  drag([120, 160]);
  assert.deepEqual(gestures.draft, [100, 50, 60, 80]);
  release([120, 160]);
  assert.deepEqual(asked(), [{ kind: "box", x: 100, y: 50, x1: 60, y1: 80 }]);
  assert.equal(gestures.draft, null);
});

test("a slip is no box but a hint; a box beside the scene is neither", () => {
  const { camera, press, drag, release, asked } = hand("boxes");
  press([200, 100]);
  drag([203, 180]);
  release([203, 180]);
  const [hint, ...more] = asked();
  assert.equal(hint.kind, "say");
  assert.match(hint.text, /drag to the opposite corner/);
  assert.deepEqual(more, []);
  camera.zoom(2, [0, 0]);
  camera.pan(-24, -24);
  press([2, 2]);
  drag([20, 20]);
  release([20, 20]);
  assert.deepEqual(asked(), []);
});

test("with the space bar held the picture moves in any mode", () => {
  const { gestures, press, drag, release, key, asked } = hand("boxes");
  assert.equal(key(" "), true);
  press([100, 100]);
  drag([130, 100]);
  release([130, 100]);
  assert.deepEqual(asked(), [{ kind: "pan", dx: -30, dy: 0 }]);
  gestures.keyUp({ key: " " });
  press([100, 100]);
  assert.ok(gestures.draft);
});

test("Escape drops the box that is being drawn, and may mean more elsewhere", () => {
  const { gestures, press, drag, release, key, asked } = hand("boxes");
  press([100, 100]);
  drag([200, 200]);
  assert.equal(key("Escape"), false);
  assert.equal(gestures.draft, null);
  release([200, 200]);
  assert.deepEqual(asked(), []);
});

test("a click selects; with Ctrl, Shift or the right button in addition", () => {
  const { press, release, asked } = hand("select");
  for (const more of [{}, { ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { button: 2 }]) {
    press([100, 60], more);
    release([100, 60], more);
  }
  assert.deepEqual(asked().map(({ kind, label }) => [kind, label]), [
    ["pick", 0], ["pick", 1], ["pick", 1], ["pick", 1], ["pick", 1],
  ]);
});

test("in the mode that only looks a click means nothing", () => {
  const { press, release, asked } = hand("look");
  press([100, 60]);
  release([100, 60]);
  assert.deepEqual(asked(), []);
});

test("two fingers pinch, and what one had begun is dropped", () => {
  const { gestures, press, drag, release, asked } = hand("boxes");
  press([100, 100], { pointerId: 1 });
  drag([110, 110], { pointerId: 1 });
  press([200, 110], { pointerId: 2 });
  assert.equal(gestures.draft, null);
  asked();
  // From 90 pixels apart to 180.
  drag([290, 110], { pointerId: 2 });
  assert.deepEqual(asked(), [{ kind: "pinch", from: [155, 110], to: [200, 110], factor: 2 }]);
  release([290, 110], { pointerId: 2 });
  drag([150, 150], { pointerId: 1 });
  release([150, 150], { pointerId: 1 });
  assert.deepEqual(asked(), [], "the finger that stays neither moves nor clicks");
  press([50, 50], { pointerId: 3 });
  drag([80, 80], { pointerId: 3 });
  release([80, 80], { pointerId: 3 });
  assert.equal(asked()[0].kind, "box", "afterwards all is as before");
});

test("a pointer that the browser takes away leaves nothing behind", () => {
  const { gestures, press, drag, asked } = hand("boxes");
  press([100, 100]);
  drag([150, 150]);
  gestures.drop({ pointerId: 1 });
  assert.deepEqual([gestures.draft, gestures.hand, gestures.pointers.size], [null, null, 0]);
  drag([160, 160]);
  assert.deepEqual(asked(), []);
});

test("the wheel zooms around the mouse, in pixels, lines and pages alike", () => {
  const { wheel, asked } = hand("points");
  wheel(-100);
  wheel(-100, { ctrlKey: true });
  wheel(3, { deltaMode: 1 });
  wheel(-9999, { deltaMode: 2 });
  const found = asked();
  assert.deepEqual(found.map(({ kind, at }) => [kind, ...at]), Array(4).fill(["zoom", 10, 20]));
  const wanted = [0.22, 1, -0.198, 0.528];
  found.forEach(({ factor }, i) => assert.ok(Math.abs(Math.log(factor) - wanted[i]) < 1e-9));
});

test("keys zoom, fit and move; with Ctrl, Alt or Cmd they are the browser's", () => {
  const { key, asked } = hand("points");
  for (const name of ["+", "=", "-", "f", "ArrowLeft", "ArrowDown"]) assert.equal(key(name), true);
  assert.deepEqual(asked(), [
    { kind: "zoom", factor: 1.6 },
    { kind: "zoom", factor: 1.6 },
    { kind: "zoom", factor: 1 / 1.6 },
    { kind: "fit" },
    { kind: "pan", dx: -60, dy: 0 },
    { kind: "pan", dx: 0, dy: 60 },
  ]);
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }]) {
    assert.equal(key("f", more), false);
  }
  assert.equal(key("q"), false);
  assert.deepEqual(asked(), []);
});

test("the small picture of the whole leads to a place", () => {
  const { gestures, asked } = hand("points");
  gestures.jump(0.75, 0.1);
  assert.deepEqual(asked(), [{ kind: "centre", x: 300, y: 30 }]);
});

test("Alt and the wheel mean a larger proposal, H outlines or none", () => {
  const { wheel, key, asked } = hand("points");
  wheel(-100, { altKey: true });
  assert.equal(key("h"), true);
  const [larger, outlines] = asked();
  assert.deepEqual([larger.kind, larger.delta, larger.at], ["larger", -100, [10, 20]]);
  assert.ok(Math.abs(Math.log(larger.factor) - 0.22) < 1e-9, "it zooms where there is none");
  assert.deepEqual(outlines, { kind: "outlines" });
});
