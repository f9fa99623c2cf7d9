import assert from "node:assert/strict";
import test from "node:test";

import { inWords, onEarth } from "../../pages/parts/shared/canvas/component/place.js";

/** A scene of 400 × 200 pixels from 10 to 14 degrees east and 50 to 48 north, in 5 × 5 places. */
function place(start = 10) {
  const grid = [];
  for (let row = 0; row < 5; row++) {
    for (let column = 0; column < 5; column++) grid.push([start + column, 50 - row / 2]);
  }
  return { grid, north: 0 };
}

test("places between those known are mixed", () => {
  assert.deepEqual(onEarth(place(), [400, 200], [0, 0]), [10, 50]);
  assert.deepEqual(onEarth(place(), [400, 200], [400, 200]), [14, 48]);
  assert.deepEqual(onEarth(place(), [400, 200], [150, 150]), [11.5, 48.5]);
});

test("beside the scene there is no place", () => {
  for (const at of [[-1, 5], [5, -1], [401, 5], [5, 201]]) {
    assert.equal(onEarth(place(), [400, 200], at), null);
  }
});

test("beyond the 180th meridian longitudes are those of the other side", () => {
  assert.deepEqual(onEarth(place(178), [400, 200], [300, 0]), [-179, 50]);
});

test("degrees in words", () => {
  assert.equal(inWords([-117.5, 34.25]), "34.25000° N, 117.50000° W");
  assert.equal(inWords([30.123456, -1.5]), "1.50000° S, 30.12346° E");
});
