import assert from "node:assert/strict";
import test from "node:test";

import { Hover } from "../../pages/parts/shared/canvas/component/hover.js";

function square(number, x0, side, of = "list") {
  const x1 = x0 + side;
  return {
    of, number, area: side * side, box: [x0, x0, x1, x1],
    rings: [Float64Array.of(x0, x0, x1, x0, x1, x1, x0, x1)],
  };
}

/** Squares one in the other: 0 (of 100 pixels) around 1 (of 50) around 2 (of 10), at (20, 20). */
function hovering() {
  const hover = new Hover();
  hover.allowed = true;
  hover.give([square(0, 0, 100), square(1, 10, 50), square(2, 15, 10)]);
  return hover;
}

const shown = (hover) => (hover.shown ? hover.shown.number : null);

test("the smallest proposal under the pointer is shown", () => {
  const hover = hovering();
  assert.equal(hover.move(20, 20), true);
  assert.equal(shown(hover), 2);
  assert.equal(hover.move(21, 20), false, "the same one needs no drawing");
  assert.equal(hover.move(40, 40), true);
  assert.equal(shown(hover), 1);
  hover.move(90, 90);
  assert.equal(shown(hover), 0);
  hover.move(150, 150);
  assert.equal(shown(hover), null);
});

test("the wheel goes to the next larger one, and back", () => {
  const hover = hovering();
  hover.move(20, 20);
  for (const [delta, number] of [[-120, 1], [-120, 0], [-120, 0], [120, 1], [120, 2], [120, 2]]) {
    assert.equal(hover.wheel(delta, 20, 20), true);
    assert.equal(shown(hover), number);
  }
});

test("a smooth wheel takes some way for a step, and begins anew where it turns", () => {
  const hover = hovering();
  hover.move(20, 20);
  for (const delta of [-25, -25]) hover.wheel(delta, 20, 20);
  assert.equal(shown(hover), 2);
  hover.wheel(-25, 20, 20);
  assert.equal(shown(hover), 1);
  for (const delta of [-50, 50, -50, 50]) hover.wheel(delta, 20, 20);
  assert.equal(shown(hover), 1);
});

test("what the wheel chose stays while the pointer is in it", () => {
  const hover = hovering();
  hover.move(40, 40);
  hover.wheel(-120, 40, 40);
  assert.equal(shown(hover), 0);
  hover.move(20, 20);
  assert.equal(shown(hover), 0, "though smaller ones lie here");
  hover.move(150, 150);
  hover.move(20, 20);
  assert.equal(shown(hover), 2);
});

test("without a proposal the wheel zooms", () => {
  const hover = hovering();
  hover.move(150, 150);
  assert.equal(hover.wheel(-120, 150, 150), false);
  hover.move(20, 20);
  assert.equal(hover.wheel(-120, 150, 150), false, "the pointer has left what is shown");
});

test("one key switches it off and on", () => {
  const hover = hovering();
  hover.move(20, 20);
  hover.toggle();
  assert.equal(shown(hover), null);
  hover.move(21, 21);
  assert.equal(shown(hover), null);
  assert.equal(hover.take(21, 21), null);
  hover.toggle();
  hover.move(20, 20);
  assert.equal(shown(hover), 2);
});

test("a click takes what is shown; further clicks in it refine it", () => {
  const hover = hovering();
  hover.move(40, 40);
  assert.equal(hover.take(40, 40).number, 1);
  assert.equal(shown(hover), null);
  hover.move(41, 40);
  assert.equal(shown(hover), null);
  assert.equal(hover.take(41, 40), null);
  // Beside it the next one is offered at once, without an answer of the program.
  hover.move(90, 90);
  assert.equal(hover.take(90, 90).number, 0);
  hover.move(20, 20);
  assert.equal(shown(hover), null, "inside the present one");
});

test("a click elsewhere than the pointer was last takes nothing", () => {
  const hover = hovering();
  hover.move(20, 20);
  assert.equal(hover.take(40, 40), null);
});

test("objects are not offered again", () => {
  const hover = hovering();
  hover.taken = new Set([2]);
  hover.move(20, 20);
  assert.equal(shown(hover), 1);
});

test("nothing is offered while clicks mean something else", () => {
  const hover = hovering();
  hover.allowed = false;
  hover.move(20, 20);
  assert.equal(shown(hover), null);
  assert.equal(hover.unknown(150, 150), false);
});

test("the program is asked where there is neither proposal nor answer", () => {
  const hover = hovering();
  assert.equal(hover.unknown(20, 20), false);
  assert.equal(hover.unknown(150, 150), true);
  hover.taken = new Set([0, 1, 2]);
  assert.equal(hover.unknown(20, 20), false, "there is an object");
  hover.answer = [square(0, 140, 30, "answer")];
  assert.equal(hover.unknown(150, 150), false);
  hover.move(150, 150);
  const found = hover.take(150, 150);
  assert.deepEqual([found.of, found.number], ["answer", 0]);
  assert.equal(hover.allowed, false, "further clicks refine it");
});

test("proposals of another view replace all", () => {
  const hover = hovering();
  hover.move(20, 20);
  hover.give([square(0, 500, 20)]);
  assert.equal(shown(hover), null);
  hover.move(20, 20);
  assert.equal(shown(hover), null);
  hover.move(510, 510);
  assert.equal(shown(hover), 0);
});
