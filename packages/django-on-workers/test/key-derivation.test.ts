/** PBKDF2 against Node's own. */
import assert from "node:assert/strict";
import { pbkdf2Sync } from "node:crypto";
import { test } from "node:test";
import { pbkdf2 } from "../src/runtime/python/pbkdf2.ts";

for (const hash of ["sha1", "sha256"] as const) {
  test(`${hash}: keys of all sizes, salts across blocks, several blocks of output`, () => {
    for (const password of ["", "pässword", "x".repeat(64), "y".repeat(65), "z".repeat(200)]) {
      for (const salt of ["", "salt", "s".repeat(51), "s".repeat(52), "s".repeat(150)]) {
        for (const [iterations, length] of [[1, 32], [2, 20], [50, 65]] as const) {
          const found = pbkdf2(hash, Buffer.from(password), Buffer.from(salt), iterations, length);
          const expected = pbkdf2Sync(password, salt, iterations, length, hash);
          assert.equal(Buffer.from(found).toString("hex"), expected.toString("hex"), JSON.stringify({ password, salt, iterations, length }));
        }
      }
    }
  });
}
