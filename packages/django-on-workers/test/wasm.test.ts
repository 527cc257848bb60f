/** Pyodide's own module without most of its exports, and what is no module. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { readPyodide } from "../src/build/pyodide.ts";
import { withExports, type Export } from "../src/build/wasm.ts";

/** Node's types leave WebAssembly to the DOM's. */
interface Described {
  name: string;
  kind: string;
}
const { Module } = (globalThis as unknown as { WebAssembly: { Module: { new (bytes: Uint8Array): object; exports(module: object): Described[]; imports(module: object): Described[] } } }).WebAssembly;

const original = readFileSync(createRequire(import.meta.url).resolve("pyodide/pyodide.asm.wasm"));
const inOriginal = Module.exports(new Module(original));

test("the exports that are wanted stay as they are, and nothing else changes", () => {
  const seen: Export[] = [];
  const wanted = new Set(["memory", "__indirect_function_table", "PyDict_New", "_Py_Version", "malloc"]);
  const changed = new Module(
    withExports(original, (found) => {
      seen.push(found);
      return wanted.has(found.name);
    }),
  );
  assert.deepEqual(
    Module.exports(changed),
    inOriginal.filter(({ name }) => wanted.has(name)),
  );
  assert.deepEqual(Module.imports(changed), Module.imports(new Module(original)));
  const kindOf = (kind: string): string => (kind === "function" || kind === "global" ? kind : "other");
  assert.deepEqual(
    seen,
    inOriginal.map(({ name, kind }) => ({ name, kind: kindOf(kind) })),
  );
});

test("all of them, or none", () => {
  assert.deepEqual(Buffer.from(withExports(original, () => true)), original);
  assert.deepEqual(Module.exports(new Module(withExports(original, () => false))), []);
});

test("Pyodide keeps a few of its exports, each of which its JavaScript names", () => {
  const { glue, wasm } = readPyodide();
  const kept = Module.exports(new Module(wasm)).map(({ name }) => name);
  assert.ok(kept.length > 200 && kept.length < inOriginal.length / 10, String(kept.length));
  for (const name of kept.filter((name) => name !== "_Py_Version")) assert.ok(glue.includes(name), name);
});

test("a module that ends too early, or has no exports, is refused", () => {
  assert.throws(() => withExports(original.subarray(0, 9), () => true), /ends in the middle/);
  assert.throws(() => withExports(original.subarray(0, 8), () => true), /no exports/);
});
