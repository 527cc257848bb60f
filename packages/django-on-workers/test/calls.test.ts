/** Functions of JavaScript that are called as C's are: at once, under a stack that waits, and under one that can't. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LinearMemory } from "../src/runtime/python/memory.ts";
import { placeCalls, type Calls } from "../src/runtime/python/calls.ts";
import type { PyodideModule } from "../src/runtime/python/pyodide.ts";

type Called = (self: number, args: number, count: number) => number;
const { promising } = WebAssembly as unknown as { promising(called: Called): (...given: Parameters<Called>) => Promise<number> };

const [ARGUMENTS, TUPLE, PIECE] = [64, 128, 512];
/** What `marshal.dumps((7, "seven", None), 2)` gives. */
const MARSHALLED = [0x28, 3, 0, 0, 0, 0x69, 7, 0, 0, 0, 0x75, 5, 0, 0, 0, ...new TextEncoder().encode("seven"), 0x4e];
const FAILED = {};

/** An interpreter's memory with two objects of bytes in it, and what its calls do, in their order. */
function placed(canWait = true) {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  for (const [index, address, contents] of [[0, TUPLE, MARSHALLED], [1, PIECE, [1, 2, 3]]] as const) {
    view.setUint32(ARGUMENTS + 4 * index, address, true);
    view.setUint32(address + 8, contents.length, true);
    bytes.set(contents, address + 16);
  }
  const order: unknown[] = [];
  const calls: Calls = {
    atOnce: {
      takes: (...given) => void order.push(given),
      throws() {
        throw new RangeError("too much");
      },
    },
    waiting: {
      waits: async (...given) => {
        order.push(given);
        await new Promise((done) => setTimeout(done, 1));
        order.push("waited");
        return "found";
      },
      refuses: async () => {
        throw new RangeError("too much");
      },
      throws() {
        throw new RangeError("too much");
      },
    },
    finish(found) {
      order.push(found instanceof Error ? String(found) : found === FAILED ? "can't wait" : found);
      return found === "found";
    },
  };
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 3 });
  const imports = {
    saveState: () => (order.push("saved"), canWait ? "state" : FAILED),
    restoreState: (state: unknown) => void order.push(`restored ${String(state)}`),
    JsvError_Check: (value: unknown) => Number(value === FAILED),
  };
  const module = { __Py_TrueStruct: 1000, __Py_FalseStruct: 2000 } as PyodideModule;
  const { first } = placeCalls(table, imports, calls, new LinearMemory(() => bytes), () => module);
  assert.equal(first, 3);
  const [takes, throwsAtOnce, waits, refuses, throws] = Array.from({ length: 5 }, (_, index) => table.get(first + index)) as [Called, Called, Called, Called, Called];
  return { order, takes, throwsAtOnce, waits, refuses, throws };
}

test("a call at once gets its arguments, and where bytes lie", () => {
  const { order, takes } = placed();
  assert.equal(takes(0, ARGUMENTS, 1), 2000);
  assert.equal(takes(0, ARGUMENTS, 2), 2000);
  assert.deepEqual(order, [[7, "seven", null], undefined, [7, "seven", null, [PIECE + 16, 3]], undefined]);
});

test("a call that waits suspends its stack, and another goes on meanwhile", async () => {
  const { order, takes, waits } = placed();
  const waiting = promising(waits)(0, ARGUMENTS, 1);
  takes(0, ARGUMENTS, 1);
  assert.equal(await waiting, 1000);
  const given = [7, "seven", null];
  assert.deepEqual(order, [given, "saved", given, undefined, "waited", "restored state", "found"]);
});

test("an error is what was found", async () => {
  const { order, throwsAtOnce, refuses, throws } = placed();
  const refused = "RangeError: too much";
  assert.equal(throwsAtOnce(0, ARGUMENTS, 1), 2000);
  assert.deepEqual(order.splice(0), [refused]);
  for (const call of [refuses, throws]) {
    assert.equal(await promising(call)(0, ARGUMENTS, 1), 2000);
    assert.deepEqual(order.splice(0), ["saved", "restored state", refused]);
  }
});

test("nothing is waited for under a stack that can't be suspended", () => {
  const { order, waits } = placed(false);
  assert.equal(waits(0, ARGUMENTS, 1), 2000);
  assert.deepEqual(order, [[7, "seven", null], "saved", "can't wait"]);
});
