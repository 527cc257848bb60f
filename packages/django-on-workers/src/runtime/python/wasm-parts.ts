/** The parts of the interpreter's wasm module that are loaded when something of them is called for the first time. */
import { HOT, LOADER, type Later } from "../../contract/wasm-parts.ts";
import { moduleFromHex } from "./environment.ts";

/** How each part is loaded. */
export type LaterParts = Record<Later, () => WebAssembly.Module>;

/**
 * Joins the parts to an instance of the hot one. They call each other in wasm; only the first call into one that is to be
 * loaded comes through JavaScript, which has returned by then, so that a stack with both on it can be suspended.
 */
export function joinParts(hot: WebAssembly.Instance, imports: WebAssembly.Imports, parts: LaterParts): void {
  for (const [name, part] of Object.entries(parts)) {
    const load = (): void => void new WebAssembly.Instance(part(), { ...imports, [HOT]: hot.exports });
    const { f } = new WebAssembly.Instance(moduleFromHex(LOADER), { e: { f: load } }).exports;
    (hot.exports[name] as WebAssembly.Table).set(0, f);
  }
}
