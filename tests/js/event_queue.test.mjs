// The queue plays the browser's side of the dialogues; tests/prompts/test_canvas_dialogues.py plays
// the program's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { EventQueue } from "../../pages/parts/shared/canvas/component/event_queue.js";

const file = new URL("../data/canvas_dialogues.json", import.meta.url);
const viewport = { x: 0, y: 0, scale: 1, columns: 400, rows: 300 };

for (const { name, steps } of JSON.parse(readFileSync(file, "utf8"))) {
  test(name, () => {
    const queue = new EventQueue("one");
    steps.forEach((step, index) => {
      const where = `step ${index + 1}`;
      if (step.add) {
        const { kind, ...values } = step.add;
        queue.add(kind, values);
        assert.equal(queue.untold, true, where);
      } else if (step.report) {
        const told = { canvas: "one", events: step.report, viewport, stamp: 5 };
        assert.deepEqual(queue.report(viewport, 5), told, where);
        assert.equal(queue.untold, false, where);
      } else {
        queue.acknowledge(...step.acknowledge);
        assert.equal(queue.settled, step.settled, where);
        assert.equal(queue.untold, step.untold, where);
        const own = step.acknowledge[0] === "one";
        assert.equal(queue.answered, own ? step.acknowledge[1] : 0, where);
      }
    });
  });
}

test("each canvas has a name of its own", () => {
  const names = Array.from({ length: 50 }, () => new EventQueue().id);
  assert.equal(new Set(names).size, 50);
  for (const name of names) assert.match(name, /^[a-z0-9]{6,10}$/);
});

test("a report keeps what it told, whatever comes later", () => {
  const queue = new EventQueue("one");
  queue.add("point", { x: 1, y: 2, label: 1 });
  const told = queue.report(viewport, 0);
  queue.add("point", { x: 3, y: 4, label: 1 });
  assert.equal(told.events.length, 1);
});

test("where the pointer rested before is forgotten, and holds up nothing", () => {
  const queue = new EventQueue("one");
  queue.add("hover", { x: 1, y: 2 });
  assert.equal(queue.settled, true);
  queue.add("hover", { x: 3, y: 4 });
  assert.deepEqual(queue.events, [{ n: 2, kind: "hover", x: 3, y: 4 }]);
  queue.add("take", { x: 5, y: 6, of: "list", proposal: 4 });
  assert.deepEqual(queue.events, [{ n: 3, kind: "take", x: 5, y: 6, of: "list", proposal: 4 }]);
  assert.equal(queue.settled, false);
});
