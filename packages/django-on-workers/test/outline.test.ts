/** Functions without what they seldom run: what a module does is the same, whatever is taken to be that. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { flowsOf } from "../src/build/flow.ts";
import { outline, type Use } from "../src/build/outline.ts";
import { CODE, CUSTOM, described, EXPORT, exported, FUNCTION, moduleOf, positive, Reader, sectionsOf, sized, TYPE, vector } from "../src/build/wasm.ts";

const { Module, Instance } = WebAssembly;
const sources = (bytes: Uint8Array): BufferSource => bytes as Uint8Array<ArrayBuffer>;
const I32 = 0x7f;
const I64 = 0x7e;
const constant = (value: number): number[] => [0x41, ...positive(value)];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];

/** `f(x, y)` has a loop with a choice of three, a return from within, and blocks with values that are left early; `3` is of 64 bits. */
const body = [
  ...[0x02, 0x40, 0x03, 0x40, ...get(2), ...get(0), 0x4e, 0x0d, 1], // block, loop, leave when 2 >= 0
  ...[...get(3), ...get(2), 0xac, 0x7c, ...set(3)],
  ...[0x02, 0x40, 0x02, 0x40, 0x02, 0x40, ...get(2), ...constant(3), 0x71, 0x0e, 2, 0, 1, 2, 0x0b], // three blocks, br_table
  ...[...get(1), ...constant(1), 0x6a, ...set(1), 0x0c, 1, 0x0b],
  ...[...get(1), ...constant(3), 0x6c, 0x22, 1, ...constant(1000), 0x4a, 0x04, 0x40, ...get(1), 0x0f, 0x0b, 0x0c, 0, 0x0b], // if, return
  ...[...get(2), ...constant(1), 0x6a, ...set(2), ...get(1), ...constant(7), 0x6f, 0x45, 0x0d, 0], // br_if to the loop
  ...[...get(1), ...constant(5), 0x6a, ...set(1), 0x0c, 0, 0x0b, 0x0b],
  ...[...get(1), ...get(0), ...constant(100), 0x4a, 0x04, I32, ...get(3), 0xa7, ...constant(2), 0x6c, 0x05], // if with a value, else
  ...[0x02, I32, ...get(1), ...get(1), ...constant(50), 0x48, 0x0d, 0, ...constant(17), 0x6a, ...get(0), 0x45, 0x04, 0x40, ...constant(9), 0x0c, 1, 0x0b, 0x0b, 0x0b, 0x6a],
];
const small = moduleOf([
  { id: TYPE, body: vector([[0x60, 2, I32, I32, 1, I32]]) },
  { id: FUNCTION, body: vector([[0]]) },
  { id: EXPORT, body: vector([exported("f", "function", 0)]) },
  { id: CODE, body: vector([sized([2, 1, I32, 1, I64, ...body, 0x0b])]) },
]);

const answers = (wasm: Uint8Array): number[] => {
  const { f } = new Instance(new Module(sources(wasm))).exports as { f(x: number, y: number): number };
  return Array.from({ length: 125 }, (_, x) => x - 2).flatMap((x) => [-30, 0, 1, 6, 60, 400].map((y) => f(x, y)));
};
const functionsOf = (wasm: Uint8Array): Uint8Array[] => described(sectionsOf(wasm).find(({ id }) => id === CODE)?.body ?? Uint8Array.of(0), "code").map(({ bytes }) => bytes);

/** Numbers from 0 to 1 that are the same in each run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** A share of so many straight pieces, by chance, and of their conditions. */
function some(count: number, next: () => number): Use {
  const share = next() ** 2;
  const chosen = Array.from({ length: count }, () => next() < share);
  const held = Array.from({ length: count }, () => (next() < 0.5 ? undefined : next() < 0.5));
  return { hasRun: (which) => chosen[which] === true, holds: (which) => held[which] };
}

const all = (holds: Use["holds"] = () => undefined): Use => ({ hasRun: () => true, holds });

/** What a module says of conditions, for each function that it defines: their places in the code, from behind its size, and whether they hold. */
function hintsIn(wasm: Uint8Array): Map<number, { place: number; opcode: number | undefined; holds: boolean }[]> {
  const reader = sectionsOf(wasm)
    .filter(({ id }) => id === CUSTOM)
    .map(({ body }) => new Reader(body))
    .find((found) => found.text() === "metadata.code.branch_hint");
  if (!reader) return new Map();
  const code = functionsOf(wasm);
  const { imported } = flowsOf(wasm);
  const functions = reader.vector(() => {
    const which = reader.number() - imported;
    const entry = new Reader(code[which] as Uint8Array);
    const body = entry.take(entry.number());
    const hints = reader.vector(() => {
      const place = reader.number();
      assert.equal(reader.byte(), 1);
      return { place, opcode: body[place], holds: reader.byte() === 1 };
    });
    return { which, hints: hints.map(({ place, opcode, holds }) => ({ place, opcode, holds })) };
  });
  return new Map(functions.map(({ which, hints }) => [which, hints]));
}

test("a function does the same, whatever leaves it", () => {
  const expected = answers(small);
  assert.ok(new Set(expected).size > 50, String(new Set(expected).size));
  const counts = new Set<number>();
  for (let seed = 1; seed <= 500; seed++) {
    const next = chance(seed * 7919);
    const changed = outline(small, (_, read) => some(read().straights.length, next), -100);
    assert.deepEqual(answers(changed), expected, String(seed));
    counts.add(functionsOf(changed).length);
  }
  assert.ok(counts.has(1) && Math.max(...counts) >= 6, [...counts].join());
});

test("what runs stays, and a function that nobody asks about", () => {
  assert.deepEqual(outline(small, () => all()), small);
  assert.deepEqual(outline(small, () => undefined), small);
});

/** How `small` asks, in its order: `br_if` or `if`. */
const CONDITIONS = [0x0d, 0x04, 0x0d, 0x04, 0x0d, 0x04];

test("the module says of each condition what is known of it, and nothing of others", () => {
  const [entry] = functionsOf(small);
  const places = new Map<number, boolean>();
  const changed = outline(small, (_, read) => {
    const { straights, instructions } = read();
    return all((straight) => {
      const { start, opcode } = instructions[(straights[straight]?.to ?? 0) - 1] ?? {};
      if (start === undefined || opcode === undefined || !CONDITIONS.includes(opcode) || places.size === 5) return undefined;
      places.set(start, places.size % 2 === 0);
      return places.get(start);
    });
  });
  assert.deepEqual(functionsOf(changed), [entry]);
  assert.deepEqual([...hintsIn(changed)], [[0, [...places].map(([place, holds], index) => ({ place, opcode: CONDITIONS[index], holds }))]]);
  assert.deepEqual(answers(changed), answers(small));
});

test("what is said of a condition is said where it is, whatever leaves the function", () => {
  const found = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const next = chance(seed * 6367);
    const changed = outline(small, (_, read) => ({ ...some(read().straights.length, next), holds: (straight) => straight % 2 === 0 }), -100);
    assert.ok(WebAssembly.validate(sources(changed)), String(seed));
    const hints = hintsIn(changed).get(0) ?? [];
    for (const { opcode } of hints) assert.ok(opcode === 0x0d || opcode === 0x04, `${seed}: ${opcode}`);
    found.add(hints.map(({ opcode, holds }) => `${opcode} ${holds}`).join());
  }
  assert.ok(found.size >= 5, String(found.size));
});

test("pieces of Pyodide's functions are functions, whichever are cut", () => {
  const original = readFileSync(createRequire(import.meta.url).resolve("pyodide/pyodide.asm.wasm"));
  const next = chance(11);
  const changed = outline(original, (place, read) => (place % 4 === 0 ? some(read().straights.length, next) : undefined));
  for (const [which, hints] of hintsIn(changed)) for (const { opcode } of hints) assert.ok(opcode === 0x0d || opcode === 0x04, String(which));
  assert.ok(functionsOf(changed).length > functionsOf(original).length + 1000, String(functionsOf(changed).length));
  assert.ok(WebAssembly.validate(sources(changed)));
});
