/** The cold half of the interpreter's wasm module, loaded when something of it is called for the first time. */
import { COLD_TABLE, HOT, LOADER } from "../../contract/halves.ts";
import { moduleFromHex } from "./environment.ts";

/**
 * Joins `cold` to an instance of the hot half. The two call each other in wasm; only the first call into the cold half
 * comes through JavaScript, which has returned by then, so that a stack with both on it can be suspended.
 */
export function joinHalves(hot: WebAssembly.Instance, imports: WebAssembly.Imports, cold: () => WebAssembly.Module): void {
  const load = (): void => void new WebAssembly.Instance(cold(), { ...imports, [HOT]: hot.exports });
  const { f } = new WebAssembly.Instance(moduleFromHex(LOADER), { e: { f: load } }).exports;
  (hot.exports[COLD_TABLE] as WebAssembly.Table).set(0, f);
}
