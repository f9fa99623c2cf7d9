import assert from "node:assert/strict";
import test from "node:test";

import { ruler } from "../../pages/parts/shared/canvas/component/paint.js";

// The longest round length that is at most 110 screen pixels long.
for (const [s, gsd, width, text] of [
  [1, null, 100, "100 px · 100 %"],
  [0.5, null, 100, "200 px · 50 %"],
  [40, null, 80, "2 px · 4000 %"],
  [1, 0.3, 20 / 0.3, "20 m · 100 %"],
  [2, 0.05, 80, "2 m · 200 %"],
  [0.05, 10, 100, "20 km · 5 %"],
  [0.1, 0.5, 100, "500 m · 10 %"],
  [30, 0.01, 60, "0.02 m · 3000 %"],
]) {
  test(`${text} at ${s} screen pixels a pixel of ${gsd ?? "unknown"} m`, () => {
    const found = ruler(s, gsd);
    assert.equal(found.text, text);
    assert.ok(Math.abs(found.width - width) < 1e-9, `${found.width}`);
    assert.ok(found.width <= 110);
  });
}
