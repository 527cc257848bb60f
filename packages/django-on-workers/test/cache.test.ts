/** Results of steps: kept whole, found again, dropped when there are newer ones. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Cache, digest } from "../src/build/cache.ts";

let folder: string;
let cache: Cache;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cache-"));
  cache = new Cache(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a digest tells its inputs apart", () => {
  assert.notEqual(digest("ab", "c"), digest("a", "bc"));
  assert.notEqual(digest(), digest(""));
  assert.equal(digest("ä"), digest("ä"));
});

test("a step is taken once", async () => {
  let taken = 0;
  const make = async (): Promise<Uint8Array> => Uint8Array.of(++taken);
  for (let time = 0; time < 3; time++) assert.deepEqual([...(await cache.bytes("kind", "key", make))], [1]);
  assert.deepEqual([...(await cache.bytes("kind", "other", make))], [2]);
  assert.deepEqual(await cache.json("json", "key", async () => ({ a: 1 })), { a: 1 });
});

test("a step that fails leaves nothing behind and is taken again", async () => {
  const fail = cache.directory("kind", "key", async (draft) => {
    writeFileSync(join(draft, "half"), "");
    throw new Error("stopped");
  });
  await assert.rejects(fail, /stopped/);
  assert.deepEqual(readdirSync(folder), []);
  const path = await cache.directory("kind", "key", async (draft) => writeFileSync(join(draft, "whole"), ""));
  assert.deepEqual(readdirSync(path), ["whole"]);
});

test("only the newest of each kind stay", () => {
  for (let number = 0; number < 7; number++) {
    cache.write("kind", String(number), Uint8Array.of(number));
    utimesSync(cache.path("kind", String(number)), number, number);
  }
  cache.write("other", "0", new Uint8Array());
  cache.prune();
  assert.deepEqual(readdirSync(folder).sort(), ["3", "4", "5", "6"].map((key) => basename(cache.path("kind", key))).concat(basename(cache.path("other", "0"))).sort());
});
