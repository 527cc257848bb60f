/** A wasm module in parts and without its data: what it does is what the whole does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { callsIn } from "../src/build/instructions.ts";
import { compact } from "../src/build/compact.ts";
import { HOT_FUNCTIONS } from "../src/build/hot-functions.ts";
import { packData, partsOf, pyodideBuildId } from "../src/build/pyodide.ts";
import { split } from "../src/build/split.ts";
import { BRANCH_HINT, CODE, concatenated, CUSTOM, DATA, described, ELEMENT, EXPORT, exported, FUNCTION, GLOBAL, IMPORT, MEMORY, moduleOf, number, positive, sectionsOf, sized, TABLE, text, TYPE, vector, withMemory, withoutData } from "../src/build/wasm.ts";
import { HOT, LATER, LOADER, type Later } from "../src/contract/wasm-parts.ts";
import { openImage } from "../src/runtime/python/image.ts";

const original = readFileSync(createRequire(import.meta.url).resolve("pyodide/pyodide.asm.wasm"));

test("numbers are written as wasm reads them", () => {
  assert.deepEqual([0, 63, 64, 127, 128, 624485].map(number), [[0], [63], [64], [127], [128, 1], [0xe5, 0x8e, 0x26]]);
  // The sign is the last byte's second bit, so that 64 needs another one.
  assert.deepEqual([0, 63, 64, 127, 8191, 8192].map(positive), [[0], [63], [0xc0, 0], [0xff, 0], [0xff, 0x3f], [0x80, 0xc0, 0]]);
});

const I32 = 0x7f;
const code = (...instructions: number[]): Uint8Array => sized([0, ...instructions, 0x0b]);

const LOST = [0x41, ...positive(123_456_789)];

/**
 * `twice(x)` counts its calls in a global and asks the imported `double`; `sum(x, y)` adds what `twice` makes of both;
 * `start(x)` calls `sum(x, 100)` directly and through the table, and adds what lies in memory. Two globals, the first of
 * which changes; a table with all three; data at 8 and 70000. Nothing calls `lost(x)`.
 */
const FUNCTIONS = 4;
const small = moduleOf([
  { id: TYPE, body: vector([[0x60, 1, I32, 1, I32], [0x60, 2, I32, I32, 1, I32], [0x60, 0, 0]]) },
  { id: IMPORT, body: vector([concatenated(text("env"), text("double"), [0, 0])]) },
  { id: FUNCTION, body: vector([[0], [1], [0], [0]]) },
  { id: TABLE, body: vector([[0x70, 1, 3, 3]]) },
  { id: MEMORY, body: vector([[1, 2, 4]]) },
  { id: GLOBAL, body: vector([[I32, 1, 0x41, 0, 0x0b], [I32, 0, 0x41, 7, 0x0b]]) },
  { id: EXPORT, body: vector([exported("start", "function", 3), exported("twice", "function", 1), exported("calls", "global", 0), exported("memory", "memory", 0)]) },
  { id: ELEMENT, body: vector([[0, 0x41, 0, 0x0b, 3, 1, 2, 3]]) },
  {
    id: CODE,
    body: vector([
      code(0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x20, 0, 0x10, 0),
      code(0x20, 0, 0x10, 1, 0x20, 1, 0x10, 1, 0x6a, 0x23, 1, 0x6a),
      code(0x20, 0, 0x41, ...positive(100), 0x10, 2, 0x20, 0, 0x41, ...positive(100), 0x41, 1, 0x11, 1, 0, 0x6a, 0x41, 8, 0x28, 2, 0, 0x6a),
      code(0x20, 0, ...LOST, 0x6a),
    ]),
  },
  { id: DATA, body: vector([[0, 0x41, 8, 0x0b, 4, 5, 0, 0, 0], concatenated([0, 0x41], positive(70_000), [0x0b, 2, 1, 2])]) },
]);

const { Module, Instance } = WebAssembly;
const sources = (bytes: Uint8Array): BufferSource => bytes as Uint8Array<ArrayBuffer>;

/** An instance of a module in three parts: of each function, by its place, the one that it is in. */
function run(partOf: (place: number) => Later | "hot", after: (part: Uint8Array) => Uint8Array = (part) => part) {
  const { hot: others, cold: rest } = split(small, (place) => partOf(place) !== "rare", "rare");
  // What follows the functions calls those of the other part.
  const halves = split(others, (place) => place >= FUNCTIONS || partOf(place) !== "cold", "cold");
  const [hot, rare, cold] = [halves.hot, rest, halves.cold].map(after) as [Uint8Array, Uint8Array, Uint8Array];
  const imports = { env: { double: (x: number) => 2 * x } };
  const instance = new Instance(new Module(sources(hot)), imports);
  const loads: Later[] = [];
  for (const [name, wasm] of Object.entries({ rare, cold }) as [Later, Uint8Array][]) {
    const load = (): void => {
      loads.push(name);
      new Instance(new Module(sources(wasm)), { ...imports, [HOT]: instance.exports });
    };
    const { f } = new Instance(new Module(sources(Buffer.from(LOADER, "hex"))), { e: { f: load } }).exports;
    (instance.exports[name] as WebAssembly.Table).set(0, f);
  }
  return { ...(instance.exports as { start(x: number): number; twice(x: number): number; calls: WebAssembly.Global }), loads };
}

test("wherever a module is cut, it does the same", () => {
  const whole = new Instance(new Module(sources(small)), { env: { double: (x: number) => 2 * x } }).exports as { start(x: number): number };
  assert.equal(whole.start(3), 2 * (6 + 200 + 7) + 5);
  for (const after of [undefined, compact]) {
    for (let cut = 0; cut < 3 ** FUNCTIONS; cut++) {
      const { start, calls } = run((place) => (["hot", ...LATER] as const)[Math.floor(cut / 3 ** place) % 3] as Later | "hot", after);
      assert.equal(start(3), 431, String(cut));
      assert.equal(start(4), 435, String(cut));
      assert.equal(calls.value, 8, String(cut));
    }
  }
});

test("what nothing can reach is left out, and what comes behind it moves up", () => {
  const functionsOf = (wasm: Uint8Array): number => described(sectionsOf(wasm).find(({ id }) => id === FUNCTION)?.body ?? Uint8Array.of(0), "function").length;
  const hinted = concatenated(text(BRANCH_HINT), vector([concatenated(number(1), vector([[2, 1, 0]])), concatenated(number(300), vector([[4, 1, 1], [9, 1, 0]]))]));
  const wasm = moduleOf([
    { id: TYPE, body: vector([[0x60, 1, I32, 1, I32]]) },
    { id: FUNCTION, body: vector(Array.from({ length: 301 }, () => [0])) },
    { id: EXPORT, body: vector([exported("f", "function", 300)]) },
    { id: CUSTOM, body: hinted },
    { id: CODE, body: vector([...Array.from({ length: 299 }, () => code(0x20, 0)), code(0x20, 0, 0x41, 5, 0x6a), code(0x20, 0, 0x10, ...number(299), 0x10, ...number(299))]) },
  ]);
  const before = Uint8Array.from(wasm);
  const left = compact(wasm);
  assert.deepEqual(Uint8Array.from(wasm), before);
  assert.deepEqual([functionsOf(wasm), functionsOf(left)], [301, 2]);
  assert.equal((new Instance(new Module(sources(left))).exports as { f(x: number): number }).f(1), 11);
  const [section] = sectionsOf(left).filter(({ id }) => id === CUSTOM);
  assert.deepEqual([...(section?.body ?? [])], [...concatenated(text(BRANCH_HINT), vector([concatenated(number(1), vector([[4, 1, 1], [9, 1, 0]]))]))]);
  // Code is as long as it was, so the places that the hints name are the same.
  const lengths = (of: Uint8Array): number[] => described(sectionsOf(of).find(({ id }) => id === CODE)?.body ?? Uint8Array.of(0), "code").map(({ bytes }) => bytes.byteLength);
  assert.deepEqual(lengths(left), lengths(wasm).slice(299));
  assert.deepEqual(compact(left), left);
});

test("what nothing can reach is in neither half", () => {
  const has = (wasm: Uint8Array): boolean => Buffer.from(wasm).includes(Buffer.from(LOST));
  assert.ok(has(small));
  for (const isHot of [() => true, () => false]) for (const half of Object.values(split(small, isHot, "cold"))) assert.ok(!has(half));
});

test("what code calls is found among every kind of instruction", () => {
  const entry = code(
    ...[0x02, 0x40, 0x20, 0, 0x0e, 2, 0, 0, 0, 0x0b], // block, br_table
    ...[0x43, 0x10, 0x10, 0x10, 0x10, 0x1a, 0x44, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1a], // constants that look like calls
    ...[0x10, 5, 0x41, 0x90, 0x20, 0x28, 2, 0x10, 0xfc, 10, 0, 0, 0xfc, 2, 0x1c, 1, 0x7f, 0xd2, ...number(300), 0x11, 0x10, 0, 0x12, 7],
  );
  assert.deepEqual(callsIn(entry).map(({ which }) => which), [5, 300, 7]);
  assert.throws(() => callsIn(code(0xfd, 0)), /an instruction that is not known \(0xfd\)/);
});

test("a part is loaded once, when something of it is called", () => {
  const { start, twice, loads } = run((place) => (["hot", "rare", "cold", "hot"] as const)[place] as Later | "hot");
  assert.equal(twice(4), 8);
  assert.deepEqual(loads, []);
  start(1);
  start(2);
  assert.deepEqual(loads, ["cold", "rare"]);
});

test("a module has the memory that it is given, and its data can come from elsewhere", () => {
  const { wasm, data } = withoutData(withMemory(small, 3 * 65536));
  const instance = new Instance(new Module(sources(wasm)), { env: { double: (x: number) => x } });
  const memory = instance.exports["memory"] as WebAssembly.Memory;
  assert.equal(memory.buffer.byteLength, 3 * 65536);
  assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
  openImage(packData(data).slice().buffer as ArrayBuffer).restore(new Uint8Array(memory.buffer));
  const bytes = new Uint8Array(memory.buffer);
  assert.deepEqual([...bytes.subarray(8, 13), ...bytes.subarray(69_999, 70_003)], [5, 0, 0, 0, 0, 0, 1, 2, 0]);
  assert.equal(memory.grow(1), 3);
  assert.throws(() => memory.grow(1), RangeError);
});

/** An instance in which nothing can run. */
function untouched(wasm: Uint8Array): Uint8Array {
  const module = new Module(sources(wasm));
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of Module.imports(module)) {
    (imports[from] ??= {})[name] = kind === "global" ? new WebAssembly.Global({ value: "i32", mutable: true }, 0) : () => 0;
  }
  return new Uint8Array((new Instance(module, imports).exports["memory"] as WebAssembly.Memory).buffer);
}

test("Pyodide's parts are modules, and its hot one with the data begins as the whole does", () => {
  assert.equal(HOT_FUNCTIONS.buildId, pyodideBuildId(), "record the functions of this Pyodide with `npm run hot-functions`");
  const { hot, rare, cold } = partsOf(original);
  const { wasm, data } = withoutData(hot);
  assert.ok(wasm.byteLength < original.byteLength / 5, String(wasm.byteLength));
  assert.equal(Module.customSections(new Module(sources(wasm)), BRANCH_HINT).length, 1);
  const sharedBy = (part: Uint8Array): string[] => Module.imports(new Module(sources(part))).filter(({ module }) => module === HOT).map(({ kind }) => kind);
  const others = ["memory", "tag", "tag", "global", "global", "global", "global"];
  assert.deepEqual(sharedBy(rare), [...Array.from({ length: 5 }, () => "table"), ...others]);
  assert.deepEqual(sharedBy(cold), [...Array.from({ length: 7 }, () => "table"), ...others]);
  const memory = untouched(wasm);
  openImage(packData(data).slice().buffer as ArrayBuffer).restore(memory);
  assert.equal(Buffer.compare(memory, untouched(original)), 0);
});

test("a module of another kind is refused", () => {
  const without = (id: number) => moduleOf([{ id: TYPE, body: vector([[0x60, 0, 1, I32]]) }, ...(id === TYPE ? [] : [{ id, body: vector([[I32, 0, 0x23, 0, 0x0b]]) }])]);
  assert.throws(() => split(without(TYPE), () => true, "cold"), /no type of functions that take and return nothing/);
  assert.throws(() => split(moduleOf([{ id: TYPE, body: vector([[0x5f, 0]]) }]), () => true, "cold"), /a type that is not one of functions/);
  assert.throws(() => split(moduleOf([{ id: TYPE, body: vector([[0x60, 0, 0]]) }, { id: GLOBAL, body: vector([[I32, 0, 0x23, 0, 0x0b]]) }]), () => true, "cold"), /does not begin with a constant/);
  assert.throws(() => split(moduleOf([{ id: TYPE, body: vector([[0x60, 0, 0]]) }, { id: ELEMENT, body: vector([[1, 0, 0]]) }]), () => true, "cold"), /elements that do not lie at a constant place/);
  assert.throws(() => withoutData(moduleOf([{ id: DATA, body: vector([[1, 0]]) }])), /does not lie at a constant place/);
  assert.throws(() => withMemory(moduleOf([]), 1), /has no memory/);
});
