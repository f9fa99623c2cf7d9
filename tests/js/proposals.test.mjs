import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import {
  contains, Proposals, readOutlines,
} from "../../pages/parts/shared/canvas/component/proposals.js";

// Written by tests/render/test_proposal_outlines.py: a yard (10, 20)–(90, 80), a house
// (300, 30)–(330, 50) with a hole (305, 35)–(315, 40), a shed (20, 30)–(70, 70), a box in it.
const file = readFileSync(new URL("../data/proposals.bin", import.meta.url));
const content = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);

/** A rectangle as a proposal. */
function rectangle(number, x0, y0, x1, y1) {
  return {
    of: "list", number, area: (x1 - x0) * (y1 - y0), box: [x0, y0, x1, y1],
    rings: [Float64Array.of(x0, y0, x1, y0, x1, y1, x0, y1)],
  };
}

test("what the program wrote is read", () => {
  const found = readOutlines(content, "list");
  assert.deepEqual(found.map(({ of, number, area, box }) => [of, number, area, ...box]), [
    ["list", 0, 4800, 10, 20, 90, 80],
    ["list", 1, 550, 300, 30, 330, 50],
    ["list", 2, 2000, 20, 30, 70, 70],
    ["list", 3, 100, 25, 35, 35, 45],
  ]);
  assert.deepEqual(found.map(({ rings }) => rings.length), [1, 2, 1, 1]);
});

test("what is cut off or something else is refused", () => {
  assert.throws(() => readOutlines(content.slice(0, -3), ""), /too early/);
  assert.throws(() => readOutlines(new TextEncoder().encode("<html>no such file").buffer, ""));
});

test("a hole is outside", () => {
  const house = readOutlines(content, "")[1];
  assert.equal(contains(house, 302, 32), true);
  assert.equal(contains(house, 310, 37), false);
  assert.equal(contains(house, 310, 45), true);
  assert.equal(contains(house, 331, 37), false);
});

test("what lies under a place, the smallest first", () => {
  const proposals = new Proposals(readOutlines(content, ""));
  const at = (x, y) => proposals.at(x, y).map(({ number }) => number);
  assert.deepEqual(at(30, 40), [3, 2, 0]);
  assert.deepEqual(at(50, 60), [2, 0]);
  assert.deepEqual(at(12, 22), [0]);
  assert.deepEqual(at(310, 37), []);
  assert.deepEqual(at(200, 40), []);
  for (const [x, y] of [[-1e6, 0], [1e6, 0], [0, -1e6], [0, 1e6], [NaN, 0]]) {
    assert.deepEqual(at(x, y), []);
  }
});

test("without proposals there is none anywhere", () => {
  assert.deepEqual(new Proposals([]).at(1, 1), []);
});

test("the grid finds the same as looking at each, at any size and place", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const items = Array.from({ length: 800 }, (_, number) => {
    const x = random() * 5000 - 800, y = random() * 900 + 300;
    // From specks to halves of the picture.
    const width = 1 + 3000 * random() ** 6, height = 1 + 400 * random() ** 6;
    return rectangle(number, x, y, x + width, y + height);
  });
  const proposals = new Proposals(items);
  let hits = 0;
  for (let i = 0; i < 2000; i++) {
    const x = random() * 7500 - 900, y = random() * 1400 + 250;
    const wanted = items.filter(({ box: [x0, y0, x1, y1] }) => x > x0 && x < x1 && y > y0 && y < y1)
      .sort((a, b) => a.area - b.area).map(({ number }) => number);
    hits += wanted.length;
    assert.deepEqual(proposals.at(x, y).map(({ number }) => number), wanted);
  }
  assert.ok(hits > 1000, "the places are worth asking about");
});

test("many large proposals do not fill the grid", () => {
  const items = Array.from({ length: 2000 }, (_, k) => rectangle(k, 0, 0, 2000 - k / 10, 2000));
  const proposals = new Proposals(items);
  const listed = [...proposals.cells.values()].reduce((sum, cell) => sum + cell.length, 0);
  assert.ok(listed < 70_000, `${listed}`);
  assert.equal(proposals.at(1000, 1000).length, 2000);
});
