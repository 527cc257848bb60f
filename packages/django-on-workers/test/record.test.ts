/** Numbers of few bits, as the record of what Workers run holds them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { packed, unpacked } from "../src/build/record.ts";

test("what is packed is read back, and behind it nothing", () => {
  for (const [width, values] of [[1, [1, 0, 0, 1, 1, 0, 1, 0, 1]], [2, [3, 0, 1, 2, 2, 1, 3, 3, 0, 1]]] as const) {
    const at = unpacked(packed(values, width), width);
    assert.deepEqual(values.map((_, place) => at(place)), values);
    assert.equal(at(1000), 0);
  }
  assert.equal(packed([], 2), "");
});
