import assert from "node:assert/strict";
import test from "node:test";

import { Camera } from "../../pages/parts/shared/canvas/component/camera.js";

/** A scene of 400 × 300 pixels on a canvas of 800 × 400. */
function placed() {
  const camera = new Camera();
  camera.scene = [400, 300];
  camera.resize([800, 400]);
  return camera;
}

function near(found, wanted, what) {
  wanted.forEach((value, i) => {
    assert.ok(Math.abs(found[i] - value) < 1e-9, `${what ?? ""} ${found} is not ${wanted}`);
  });
}

test("a new canvas shows the whole scene in its middle", () => {
  const camera = placed();
  assert.equal(camera.s, 4 / 3);
  near(camera.toScreen(200, 150), [400, 200]);
  near([camera.toScreen(0, 0)[1], camera.toScreen(0, 300)[1]], [0, 400]);
  assert.equal(camera.fitted, true);
});

test("screen to scene and back", () => {
  const camera = placed();
  camera.zoom(2.5, [100, 50]);
  near(camera.toScreen(...camera.toScene([123, 321])), [123, 321]);
});

test("what is under the mouse stays there", () => {
  const camera = placed();
  const under = camera.toScene([500, 120]);
  camera.zoom(3, [500, 120]);
  near(camera.toScene([500, 120]), under);
  assert.equal(camera.s, 4);
  assert.equal(camera.fitted, false);
});

test("two fingers zoom, and carry the scene along", () => {
  const camera = placed();
  camera.zoom(4);
  const under = camera.toScene([300, 200]);
  camera.pinch([300, 200], [340, 190], 1.5);
  near(camera.toScene([340, 190]), under);
  near([camera.s], [8]);
});

test("never closer than 40 screen pixels a pixel, nor farther than the whole", () => {
  const camera = placed();
  camera.zoom(1e6);
  assert.equal(camera.s, 40);
  camera.zoom(1e-6);
  assert.equal(camera.s, 1, "pixel for pixel is farther than the whole here");
  const large = placed();
  large.scene = [4000, 3000];
  large.fit();
  large.zoom(1e-6);
  near([large.s], [400 / 3000]);
});

test("the scene cannot be lost: a border of 24 screen pixels, or what is free beside the whole", () => {
  const camera = placed();
  // The whole is 1600 / 3 screen pixels wide.
  const free = (800 - 1600 / 3) / 2;
  camera.zoom(10);
  camera.pan(-1e6, -1e6);
  near(camera.toScreen(0, 0), [free, 24]);
  camera.pan(1e6, 1e6);
  near(camera.toScreen(400, 300), [800 - free, 400 - 24]);
});

test("a scene that fits stays inside", () => {
  const camera = placed();
  camera.pan(-300, 0);
  const [left] = camera.toScreen(0, 0), [right] = camera.toScreen(400, 0);
  assert.ok(left >= 0 && right <= 800, `${left} ${right}`);
});

test("another size of the canvas: the whole stays whole, else the middle stays", () => {
  const camera = placed();
  assert.equal(camera.resize([800, 400]), false);
  assert.equal(camera.resize([400, 300]), true);
  assert.equal(camera.s, 1);
  camera.zoom(5, [100, 100]);
  const middle = camera.toScene([200, 150]);
  camera.resize([900, 500]);
  near(camera.toScene([450, 250]), middle);
  assert.equal(camera.s, 5);
});

test("a canvas that is entered again looks where the last one looked", () => {
  const camera = new Camera();
  camera.scene = [4000, 3000];
  camera.resize([1000, 800], [1500, 1000, 2, 600, 400]);
  assert.equal(camera.s, 2);
  near(camera.toScene([500, 400]), [1500 + 150, 1000 + 100]);
  assert.equal(camera.fitted, false);
});

test("a box that is looked at lies in the middle, at that share", () => {
  const camera = placed();
  camera.scene = [4000, 3000];
  camera.fit();
  camera.frame([1000, 1000, 1200, 1100], 0.5);
  near(camera.toScene([400, 200]), [1100, 1050]);
  assert.equal(camera.s, 2, "half of 400 rows for 100 pixels");
  camera.frame([1000, 1000, 1001, 1001], 0.5);
  assert.equal(camera.s, 8, "a speck is not blown up to the whole canvas");
});

test("what was drawn serves until one looks beyond it or closer", () => {
  const camera = placed();
  camera.zoom(4);
  const told = camera.viewport;
  const [width, height] = camera.seen;
  const drawn = [camera.x - 10, camera.y - 10, camera.x + width + 10, camera.y + height + 10];
  assert.equal(camera.servedBy(null, [drawn]), false);
  assert.equal(camera.servedBy(told, [drawn]), true);
  assert.equal(camera.servedBy(told, [drawn, null]), false);
  camera.pan(9 * camera.s, 0);
  assert.equal(camera.servedBy(told, [drawn]), true);
  camera.pan(3 * camera.s, 0);
  assert.equal(camera.servedBy(told, [drawn]), false);
  camera.pan(-12 * camera.s, 0);
  camera.zoom(1.02);
  assert.equal(camera.servedBy(told, [drawn]), false);
});

test("what is under the pointer stays there while a wide scene grows to fill a high canvas", () => {
  const camera = new Camera();
  camera.scene = [800, 200];
  camera.resize([400, 400]);
  // The scene is 100 CSS pixels high, with 150 above and below it.
  for (const at of [[10, 155], [200, 200], [390, 245]]) {
    camera.fit();
    const before = camera.toScene(at);
    for (let k = 0; k < 12; k++) {
      camera.zoom(1.3, at);
      near(camera.toScene(at), before);
    }
    for (let k = 0; k < 40; k++) camera.zoom(1 / 1.3, at);
    near([camera.s, ...camera.toScreen(400, 100)], [0.5, 200, 200]);
  }
});
