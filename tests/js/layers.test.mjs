import assert from "node:assert/strict";
import test from "node:test";

import { Layers } from "../../pages/parts/shared/canvas/component/layers.js";

const layer = (url) => ({ url, box: [0, 0, 1, 1], smooth: false });

/** Layers whose pictures arrive or fail when the test says so. */
function loading() {
  const requested = [];
  const calls = { changed: 0 };
  const layers = new Layers(() => { calls.changed += 1; }, () => {
    const image = {};
    requested.push(image);
    return image;
  });
  const of = (url) => requested.filter((image) => image.src === url);
  return {
    layers, requested, calls,
    arrive: (url) => of(url).at(-1).onload(),
    fail: (url) => of(url).at(-1).onerror(),
  };
}

const shown = (layers) => layers.shown.map(({ url }) => url);

test("the first pictures are shown as they come", () => {
  const { layers, arrive } = loading();
  layers.want([layer("a"), layer("b"), null, undefined], 0);
  assert.deepEqual(shown(layers), []);
  arrive("b");
  assert.deepEqual(shown(layers), ["b"]);
  assert.equal(layers.picture(layer("a")), null);
  arrive("a");
  assert.deepEqual(shown(layers), ["a", "b"], "from below");
});

test("later ones replace them all at once, and only then is the answer shown", () => {
  const { layers, arrive } = loading();
  layers.want([layer("a")], 0);
  arrive("a");
  layers.want([layer("b"), layer("c")], 3);
  arrive("c");
  assert.deepEqual(shown(layers), ["a"]);
  assert.equal(layers.arrived, 0);
  arrive("b");
  assert.deepEqual(shown(layers), ["b", "c"]);
  assert.equal(layers.arrived, 3);
  assert.deepEqual([...layers.images.keys()].sort(), ["b", "c"], "the old picture is let go");
});

test("a picture is fetched once", () => {
  const { layers, requested, arrive } = loading();
  layers.want([layer("a")], 0);
  layers.want([layer("a")], 0);
  arrive("a");
  layers.want([layer("a")], 1);
  assert.equal(requested.length, 1);
  assert.equal(layers.arrived, 1);
});

test("what cannot be loaded is told, and does not hold back the rest", () => {
  const { layers, calls, arrive, fail } = loading();
  layers.want([layer("a"), layer("b")], 2);
  arrive("b");
  const before = calls.changed;
  fail("a");
  assert.equal(calls.changed, before + 1);
  assert.equal(layers.arrived, 2);
  assert.deepEqual(layers.failed.map(({ url }) => url), ["a"]);
  assert.equal(layers.picture(layer("a")), null);
  assert.ok(layers.picture(layer("b")));
});

test("what failed can be loaded again", () => {
  const { layers, requested, arrive, fail } = loading();
  layers.want([layer("a"), layer("b")], 0);
  arrive("b");
  fail("a");
  layers.retry();
  assert.equal(requested.length, 3, "the one that is there is not fetched again");
  assert.deepEqual(layers.failed, []);
  arrive("a");
  assert.ok(layers.picture(layer("a")));
});

test("a failure is forgotten with the picture", () => {
  const { layers, arrive, fail } = loading();
  layers.want([layer("a")], 0);
  fail("a");
  layers.want([layer("b")], 0);
  arrive("b");
  assert.deepEqual(layers.failed, []);
});
