/** What is free in an interpreter's memory is overwritten before it is captured, and nothing else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clearUnused } from "../src/runtime/python/heap.ts";

const BASE = 64;
const END = 4096;
const FOOT = 40;
const STACK = [16, 48] as const;

/** A memory full of ones with chunks of these sizes, and where the last, which reaches to the end, begins. */
function heap(chunks: readonly (readonly [size: number, inUse: boolean])[]): { memory: Uint8Array; top: number } {
  const memory = new Uint8Array(END).fill(1);
  const words = new Uint32Array(memory.buffer);
  let chunk = BASE;
  let previous = true;
  for (const [size, inUse] of chunks) {
    words[(chunk + 4) / 4] = size | (previous ? 1 : 0) | (inUse ? 2 : 0);
    chunk += size;
    if (!inUse) words[chunk / 4] = size;
    previous = inUse;
  }
  const top = chunk;
  // Behind the last, malloc keeps the head of a chunk that is none.
  words[(top + 4) / 4] = (END - FOOT - top) | 1;
  words[(END - FOOT + 4) / 4] = FOOT;
  return { memory, top };
}

const exports = (): WebAssembly.Exports =>
  ({
    __heap_base: { value: BASE },
    sbrk: () => END,
    emscripten_stack_get_end: () => STACK[0],
    emscripten_stack_get_current: () => STACK[1],
  }) as unknown as WebAssembly.Exports;

const zeros = (memory: Uint8Array, from: number, to: number): boolean => memory.subarray(from, to).every((byte) => byte === 0);

describe("free memory", () => {
  test("loses what was in it; what is in use, and malloc's own links, stay", () => {
    const { memory, top } = heap([[64, true], [64, false], [32, true], [512, false], [40, true]]);
    const before = memory.slice();
    clearUnused(memory, exports());
    const small = BASE + 64;
    const large = small + 64 + 32;
    const cleared = [STACK, [small + 16, small + 64], [large + 32, large + 512], [top + 8, END - FOOT]] as const;
    for (const [from, to] of cleared) {
      assert.ok(zeros(memory, from, to), `${from} to ${to}`);
      before.fill(0, from, to);
    }
    assert.deepEqual(memory, before);
  });

  test("of another allocator is refused", () => {
    const { memory } = heap([[64, true], [64, false], [64, true]]);
    const words = new Uint32Array(memory.buffer);
    words[(BASE + 128 + 4) / 4] = 64 | 3; // the chunk before it, which is free, as one in use
    assert.throws(() => clearUnused(memory, exports()), /dlmalloc/);
  });
});
