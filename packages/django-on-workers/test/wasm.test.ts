/** Pyodide's own module and JavaScript without what nothing reaches, and what is no module. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { link } from "../src/build/link.ts";
import { withExports, type Named } from "../src/build/wasm.ts";

/** Node's types leave WebAssembly to the DOM's. */
interface Described {
  name: string;
  kind: string;
}
const { Module } = (globalThis as unknown as { WebAssembly: { Module: { new (bytes: Uint8Array): object; exports(module: object): Described[]; imports(module: object): Described[] } } }).WebAssembly;

const pyodide = (name: string): Buffer => readFileSync(createRequire(import.meta.url).resolve(`pyodide/${name}`));
const original = pyodide("pyodide.asm.wasm");
const glueOfPyodide = pyodide("pyodide.asm.mjs").toString("utf8");
const inOriginal = Module.exports(new Module(original));

test("the exports that are wanted stay as they are, and nothing else changes", () => {
  const seen: Pick<Named, "name" | "kind">[] = [];
  const wanted = new Set(["memory", "__indirect_function_table", "PyDict_New", "_Py_Version", "malloc"]);
  const changed = new Module(
    withExports(original, (found) => {
      seen.push({ name: found.name, kind: found.kind });
      return wanted.has(found.name);
    }),
  );
  assert.deepEqual(
    Module.exports(changed),
    inOriginal.filter(({ name }) => wanted.has(name)),
  );
  assert.deepEqual(Module.imports(changed), Module.imports(new Module(original)));
  assert.deepEqual(
    seen,
    inOriginal.map(({ name, kind }) => ({ name, kind })),
  );
});

test("all of them, or none", () => {
  assert.deepEqual(Buffer.from(withExports(original, () => true)), original);
  assert.deepEqual(Module.exports(new Module(withExports(original, () => false))), []);
});

function importsIn(glue: string): [name: string, function_?: string][] {
  const entries = /var wasmImports=\{([^}]*)\}/.exec(glue)?.[1];
  assert.ok(entries);
  return entries.split(",").map((entry) => entry.split(":") as [string, string?]);
}

test("Pyodide keeps a third of its JavaScript, with all that the module imports", () => {
  const { glue } = link(glueOfPyodide, original);
  assert.ok(glue.length < glueOfPyodide.length * 0.4, String(glue.length));
  const table = importsIn(glue);
  const has = new Set(table.map(([name]) => name));
  // What the module imports as an address or as a part of the runtime comes from elsewhere; what Pyodide had it still has.
  const before = new Set(importsIn(glueOfPyodide).map(([name]) => name));
  assert.deepEqual([...has].sort(), [...new Set(Module.imports(new Module(original)).map(({ name }) => name))].filter((name) => before.has(name)).sort());
  for (const [name, function_ = name] of table) assert.match(glue, new RegExp(`(?:function|var|let|,)\\s*${function_.replaceAll("$", "\\$")}\\b`), name);
  assert.deepEqual([...new Set(table.filter(([name]) => name.startsWith("emscripten_gl")).map(([, function_]) => function_))], ["noWebGL"]);
  for (const gone of ["_SDL_OpenAudio", "_emscripten_glAttachShader", "_Mix_LoadWAV_RW", "queuePersist"]) assert.ok(glueOfPyodide.includes(gone) && !glue.includes(gone), gone);
});

test("what runs at once is compiled at once", () => {
  const { glue } = link(glueOfPyodide, original);
  assert.match(glue, /^export default \(async function /);
  assert.match(glue, /\bpyodide_js_init=\(function\(\)\{/);
});

test("JavaScript in another shape is refused", () => {
  assert.throws(() => link(glueOfPyodide.replace("var wasmImports=", "var imports="), original), /no longer has its JavaScript in the shape that is known/);
  assert.throws(() => link(glueOfPyodide.replaceAll("pyodide_js_init", "pyodide_init"), original), /no longer has its JavaScript in the shape that is known/);
  assert.throws(() => link("export default () => {};", original), /no longer has its JavaScript in the shape that is known/);
});

test("Pyodide keeps a few of its exports, each of which its JavaScript names", () => {
  const { glue, wasm } = link(glueOfPyodide, original);
  const kept = Module.exports(new Module(wasm)).map(({ name }) => name);
  assert.ok(kept.length > 200 && kept.length < inOriginal.length / 10, String(kept.length));
  for (const name of kept.filter((name) => name !== "_Py_Version")) assert.ok(glue.includes(name), name);
});

test("a module that ends too early, or has no exports, is refused", () => {
  assert.throws(() => withExports(original.subarray(0, 9), () => true), /ends in the middle/);
  assert.throws(() => withExports(original.subarray(0, 8), () => true), /no exports/);
});
