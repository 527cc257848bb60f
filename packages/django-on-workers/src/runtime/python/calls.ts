/**
 * Functions of JavaScript that Python calls as it calls those of C: through the wasm table, with addresses. For one that
 * Pyodide wraps, each argument becomes a value of JavaScript by itself, in an array, and the result an object.
 */
import type { Bytes } from "../../contract/host.ts";
import { readMarshal } from "../../contract/marshal.ts";
import { moduleFromHex } from "./environment.ts";
import type { LinearMemory } from "./memory.ts";
import type { PyodideModule } from "./pyodide.ts";

/** Takes what a tuple of Python's had, and perhaps bytes. */
type Call<Result> = (...given: never[]) => Result;

/** The functions of one module that Python imports. */
export interface Calls<Found = unknown> {
  atOnce: Record<string, Call<Found>>;
  /** Where a promise is rejected, the error is what was found. */
  waiting: Record<string, Call<Promise<Found>>>;
  /** Takes what was found to Python; says what Python is told, yes or no. Must not throw. */
  finish(found: Found | Error): boolean;
}

/** How CPython calls a function of C: https://docs.python.org/3/c-api/structures.html#c.METH_FASTCALL */
type FastCall = (self: number, args: number, count: number) => number;
const METH_FASTCALL = 0x80;

/** CPython's PyBytesObject: how far into it its length and its data lie. */
const BYTES = { length: 8, data: 16 };
/** PyMethodDef: four words. */
const DEFINITION = 16;

/**
 * A module, made while the global scope is evaluated because a request may not compile. In hexadecimal, it imports
 *
 *     start: (i32, i32, i32) -> i32    save: () -> externref    suspend: () -> externref
 *     restore: (externref) -> ()       finish: (externref) -> i32    failed: (externref) -> i32
 *
 * from `e` and makes two functions of them: `atOnce` is `start`, and `waiting` starts something, suspends the stack until
 * it is done, and finishes with what was found. Pyodide's `save` and `restore` exchange what Python keeps about a stack;
 * where `save` fails, the stack can't be suspended.
 *
 *     (func (export "waiting") (param i32 i32 i32) (result i32) (local $state externref) (local $found externref)
 *       (drop (call $start (local.get 0) (local.get 1) (local.get 2)))
 *       (if (call $failed (local.tee $state (call $save))) (then (return (call $finish (local.get $state)))))
 *       (local.set $found (call $suspend))
 *       (call $restore (local.get $state))
 *       (call $finish (local.get $found)))
 */
const SHIM = moduleFromHex(
  "0061736d010000000195000460037f7f7f017f6000016f60016f0060016f017f02c200060165057374617274000001650473617665000101" +
    "650773757370656e640001016507726573746f7265000201650666696e69736800030165066661696c656400030382000100079400020661" +
    "744f6e636500000777616974696e6700060aa900012701026f20002001200210001a1001220310050440200310040f0b1002210420031003" +
    "200410040b",
);

/** What Pyodide's wasm module imports and the shim needs too. */
interface Imports {
  saveState(): unknown;
  restoreState(state: unknown): void;
  JsvError_Check(value: unknown): number;
}

/** What workers-types lack. https://github.com/WebAssembly/js-promise-integration */
const { Suspending } = WebAssembly as unknown as { Suspending: new (wait: () => Promise<unknown> | undefined) => object };

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Where the functions have their places in the table; the same whenever an interpreter is booted, since an image has them. */
export interface Places {
  calls: Calls;
  first: number;
}

const namesOf = ({ atOnce, waiting }: Calls): string[] => [...Object.keys(atOnce), ...Object.keys(waiting)];

/** Puts the functions into the table of a new instance. `module` is asked for when they are called. */
export function placeCalls(table: WebAssembly.Table, imports: Imports, calls: Calls, memory: LinearMemory, module: () => PyodideModule): Places {
  /** What a call was given: the items of a tuple and, if there is a second argument, where its bytes lie. */
  const given = (args: number, count: number): never[] => {
    const { bytes, view } = memory;
    const found = readMarshal(bytes, view, view.getUint32(args, true) + BYTES.data) as unknown[];
    if (count > 1) {
      const object = view.getUint32(args + 4, true);
      found.push([object + BYTES.data, view.getUint32(object + BYTES.length, true)] satisfies Bytes);
    }
    return found as never[];
  };
  const finish = (found: unknown): number => (calls.finish(found) ? module().__Py_TrueStruct : module().__Py_FalseStruct);
  const instantiate = (start: FastCall, suspend: object): WebAssembly.Exports =>
    new WebAssembly.Instance(SHIM, {
      e: { start, suspend, save: imports.saveState, restore: imports.restoreState, failed: imports.JsvError_Check, finish },
    } as unknown as WebAssembly.Imports).exports;
  const atOnce = (call: Call<unknown>): unknown => {
    const start: FastCall = (_self, args, count) => {
      try {
        return finish(call(...given(args, count)));
      } catch (error) {
        return finish(asError(error));
      }
    };
    return instantiate(start, start)["atOnce"];
  };
  const waiting = (call: Call<Promise<unknown>>): unknown => {
    let started: Promise<unknown> | undefined;
    /** Nothing holds on to what was found. */
    const wait = (): Promise<unknown> | undefined => {
      const promise = started;
      started = undefined;
      return promise;
    };
    const start: FastCall = (_self, args, count) => {
      try {
        started = call(...given(args, count)).catch(asError);
      } catch (error) {
        started = Promise.resolve(asError(error));
      }
      return 0;
    };
    return instantiate(start, new Suspending(wait))["waiting"];
  };
  const functions = [...Object.values(calls.atOnce).map(atOnce), ...Object.values(calls.waiting).map(waiting)];
  const first = table.grow(functions.length);
  functions.forEach((function_, index) => table.set(first + index, function_));
  return { calls, first };
}

/** Makes a module of Python's that has the functions; an image keeps it. */
export function registerCalls(module: PyodideModule, name: string, { calls, first }: Places): void {
  const text = (value: string): number => {
    const bytes = new TextEncoder().encode(`${value}\0`);
    const address = module._malloc(bytes.byteLength);
    module.HEAPU8.set(bytes, address);
    return address;
  };
  const target = module._PyImport_AddModule(text(name));
  namesOf(calls).forEach((key, index) => {
    const label = text(key);
    const definition = module._malloc(DEFINITION);
    module.HEAPU32.set([label, first + index, METH_FASTCALL, 0], definition >>> 2);
    module._PyObject_SetAttrString(target, label, module._PyCFunction_NewEx(definition, 0, 0));
  });
}
