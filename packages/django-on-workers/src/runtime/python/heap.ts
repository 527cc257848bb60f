/**
 * The heap of an interpreter whose memory is captured. Pyodide is linked with Emscripten's default allocator, Doug Lea's
 * malloc; what is laid out how is in `dlmalloc.c` of Emscripten's `system/lib`.
 */

/** A wasm module's exports that say where stack and heap are. */
interface Bounds {
  __heap_base: WebAssembly.Global;
  sbrk(increment: number): number;
  emscripten_stack_get_end(): number;
  emscripten_stack_get_current(): number;
}

/** In a chunk's head, beside its size: whether the chunk before it is in use, and whether it is itself. */
const PREVIOUS_IN_USE = 1;
const IN_USE = 2;
const FLAGS = 7;
const ALIGNMENT = 8;
/** The size of the chunk before, if that is free, and the head. */
const HEAD = 8;
/** In a free chunk, what follows the head: two links of a list, or, from this size on, those of a tree and the place in it. */
const TREE_SIZE = 256;
const LIST_LINKS = 8;
const TREE_LINKS = 24;
/** Behind the last chunk, which is free and in no list, malloc keeps so much for its own account. */
const FOOT = 40;

/**
 * Overwrites with zeros what nobody uses: the stack below its top, and memory that was freed. What had been there is then
 * neither packed nor kept.
 *
 * Throws where the heap is not laid out as expected: the `pyodide` package would have another allocator then.
 */
export function clearUnused(memory: Uint8Array, exports: WebAssembly.Exports): void {
  const bounds = exports as unknown as Bounds;
  memory.fill(0, bounds.emscripten_stack_get_end(), bounds.emscripten_stack_get_current());
  const words = new Uint32Array(memory.buffer);
  const end = bounds.sbrk(0);
  let chunk = Math.ceil(((bounds.__heap_base.value as number) + HEAD) / ALIGNMENT) * ALIGNMENT - HEAD;
  let wasFree = false;
  for (;;) {
    const head = words[(chunk + 4) >>> 2] ?? 0;
    const size = head & ~FLAGS;
    const next = chunk + size;
    if (size < ALIGNMENT || size % ALIGNMENT !== 0 || next >= end || wasFree !== ((head & PREVIOUS_IN_USE) === 0)) {
      throw new Error(`The interpreter's heap is not that of Emscripten's dlmalloc (at ${chunk}, ${head}, of ${end}).`);
    }
    wasFree = (head & IN_USE) === 0;
    if (wasFree) {
      const isLast = next + FOOT === end;
      const links = isLast ? 0 : size < TREE_SIZE ? LIST_LINKS : TREE_LINKS;
      memory.fill(0, chunk + HEAD + links, next);
      if (isLast) return;
    }
    chunk = next;
  }
}
