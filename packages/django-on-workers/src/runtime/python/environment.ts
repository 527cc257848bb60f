/**
 * What Pyodide finds around itself. Must be evaluated before `pyodide.asm.mjs`, while the global scope is evaluated:
 * wasm can be compiled from bytes only then.
 */

// workerd has a `process`, and Emscripten and Pyodide take that for Node; these two properties make them look further.
const processLike = (globalThis as unknown as { process?: Record<string, unknown> }).process;
if (processLike) {
  processLike["browser"] = true;
  processLike["type"] = "renderer";
}

/** workers-types calls the class abstract, because a request may not compile; at global scope it can. */
type Compiler = new (bytes: Uint8Array) => WebAssembly.Module;

const Module = WebAssembly.Module as unknown as Compiler;
const ready = new Map<string, WebAssembly.Module>();
const asked = new Set<string>();

/** Bytes as a key of a map; far cheaper than hexadecimal. */
const keyOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const toHex = (key: string): string => Array.from(key, (unit) => unit.charCodeAt(0).toString(16).padStart(2, "0")).join("");

function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Compiles small modules that Pyodide will ask for; `modules` are their bytes in hexadecimal. */
export function prepareModules(modules: readonly string[]): void {
  for (const hex of modules) {
    const bytes = fromHex(hex);
    const key = keyOf(bytes);
    if (!ready.has(key)) ready.set(key, new Module(bytes));
  }
}

/** A module that was prepared, or, at global scope, any. */
export const moduleFromHex = (hex: string): WebAssembly.Module => new (WebAssembly.Module as unknown as Compiler)(fromHex(hex));

/** The modules that were asked for so far, in hexadecimal: what a build records for the runtime to prepare. */
export const modulesAsked = (): string[] => [...asked].map(toHex);

// Pyodide wraps JavaScript functions in small modules whenever it boots, also in a request, where workerd refuses to
// compile: hand out the ones that were prepared.
(WebAssembly as { Module: unknown }).Module = new Proxy(Module, {
  construct(target, [source]: [ArrayBuffer | ArrayBufferView]) {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    if (bytes.byteLength > 4096) return new target(bytes);
    const key = keyOf(bytes);
    asked.add(key);
    let module = ready.get(key);
    if (!module) {
      module = new target(bytes);
      ready.set(key, module);
    }
    return module;
  },
});
