import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { understood } from "../src/cli/main.ts";
import { UserError } from "../src/contract/errors.ts";

const thrown = (action: () => void): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return assert.fail("Nothing was thrown.");
};

test("a full disk is one sentence that says what to do", { skip: existsSync("/dev/full") ? false : "only Linux has /dev/full" }, () => {
  const error = understood(thrown(() => writeFileSync("/dev/full", "x")));
  assert.ok(error instanceof UserError);
  assert.match(error.message, /the disk is full: make room on it/);
});

test("an error that is no refusal stays what it is", () => {
  const error = thrown(() => writeFileSync("/no/such/folder/file", "x"));
  assert.equal(understood(error), error);
});
