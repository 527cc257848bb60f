/** Two captures are the same but for letters of what they were told that nobody uses any more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSame } from "../src/build/memory.ts";

const TEXTS = ["placeholder", "replacement"] as const;

const capture = (text: string, encoding: BufferEncoding = "latin1") => {
  const memory = Buffer.concat([Buffer.alloc(40, 7), Buffer.from(text, encoding), Buffer.alloc(40, 7)]);
  return { header: { memory: 65536, runs: [[0, memory.byteLength] as const] }, memory };
};

test("captures of the same contents are the same", () => {
  assert.ok(isSame(capture("text"), capture("text"), TEXTS));
  assert.ok(!isSame(capture("text"), capture("next"), TEXTS));
  assert.ok(!isSame(capture("text"), capture("texts"), TEXTS));
});

test("what is left of their texts does not count, in one byte a letter or two", () => {
  assert.ok(isSame(capture("aceholde"), capture("placemen"), TEXTS));
  assert.ok(isSame(capture("olde", "utf16le"), capture("emen", "utf16le"), TEXTS));
  // Letters that stand elsewhere in the other text, and more than a remnant.
  assert.ok(!isSame(capture("olde"), capture("ceme"), TEXTS));
  assert.ok(!isSame(capture("placeholder"), capture("replacement"), TEXTS));
});

test("what is left of numbers does not count, and a whole one does", () => {
  assert.ok(isSame(capture("002,4000"), capture("997,5999"), TEXTS));
  assert.ok(!isSame(capture("at most 40001"), capture("at most 59998"), TEXTS));
  assert.ok(!isSame(capture("4000"), capture("5998"), TEXTS));
});

test("what was made of a text counts", () => {
  assert.ok(!isSame(capture("9b1c"), capture("04fe"), TEXTS));
});
