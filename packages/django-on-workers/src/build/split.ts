/**
 * A wasm module in two halves: what a Worker runs as a rule, and the rest, which is compiled when something of it is
 * called for the first time.
 *
 * V8 decodes and checks a whole module before any of it runs, and keeps a copy of it, while most of Python's functions
 * are never called in a Worker. In both halves every function has the number that it had, so the code of those that stay
 * is the same to the byte: in the place of a function that is in the other half are a few instructions which call it
 * through a table, if something in this half can call it at all. The hot half owns memory, globals and tables, so that an
 * image of the whole module fits it. Of what nothing can reach only a place is left, until compact.ts takes it.
 */
import { HOT, type Later } from "../contract/wasm-parts.ts";
import { CALL, CALL_INDIRECT, callsIn, constant, EMPTY, END, get, IF, REF_IS_NULL, TABLE_GET, UNREACHABLE } from "./instructions.ts";
import {
  CODE,
  concatenated,
  described,
  ELEMENT,
  elementsIn,
  EXPORT,
  exported,
  exportsIn,
  FUNCTION,
  GLOBAL,
  IMPORT,
  importsIn,
  MEMORY,
  moduleOf,
  number,
  numberOf,
  sectionsOf,
  sized,
  TABLE,
  TAG,
  text,
  TYPE,
  typesIn,
  vector,
  withMore,
  type Described,
  type Kind,
} from "./wasm.ts";

export interface Halves {
  hot: Uint8Array;
  cold: Uint8Array;
}

const FUNCREF = 0x70;
const NO_LOCALS = 0;

/** The code of a function. */
const body = (...instructions: readonly number[][]): Uint8Array => sized([NO_LOCALS, ...instructions.flat(), END]);
const callIndirect = (type: number, table: number): number[] => [CALL_INDIRECT, ...number(type), ...number(table)];

/** Everything that is reached from some functions. */
export function reached(from: Iterable<number>, calls: (which: number) => readonly number[]): Set<number> {
  const found = new Set(from);
  // What is added while this goes on comes later in it.
  for (const which of found) for (const called of calls(which)) found.add(called);
  return found;
}

interface Defined {
  number: number;
  type: number;
  hot: boolean;
}

/** Functions that can be called at all, and of both halves those that the other one can call. `calls` has one list for each. */
function needed(functions: readonly Defined[], entries: readonly number[], calls: readonly number[][]) {
  const first = functions[0]?.number ?? 0;
  const live = reached(entries, (which) => calls[which - first] ?? []);
  const calledBy = (isHot: boolean): number[] => functions.filter((found) => found.hot === isHot && live.has(found.number)).flatMap((found) => calls[found.number - first] ?? []);
  const of = (isHot: boolean, callers: ReadonlySet<number>): number[] => functions.filter((found) => found.hot === isHot && callers.has(found.number)).map((found) => found.number);
  // Whoever comes from outside comes to the hot half.
  return { live, hot: of(true, new Set(calledBy(false))), cold: of(false, new Set([...entries, ...calledBy(true)])) };
}

/** A table of functions with so many places. */
const tableOf = (size: number): Uint8Array => concatenated([FUNCREF, 1], number(size), number(size));
/** Puts functions into a table from a place on. */
const elements = (table: number, from: number, functions: readonly number[]): Uint8Array =>
  concatenated([2], number(table), constant(from), [END, 0], vector(functions.map(number)));

/**
 * Splits a module whose globals begin with constants, as those of a program that Emscripten has linked do. `isHot` is
 * asked for the place of each function among those that the module defines; `name` is the cold half's. A hot half can be
 * split again.
 */
export function split(wasm: Uint8Array, isHot: (place: number) => boolean, name: Later): Halves {
  const sections = sectionsOf(wasm);
  const contents = (id: number): Uint8Array => sections.find((section) => section.id === id)?.body ?? Uint8Array.of(0);
  const types = typesIn(contents(TYPE));
  const nothing = types.findIndex(({ parameters, results }) => parameters.length === 0 && results.length === 0);
  if (nothing < 0) throw new Error("The wasm module has no type of functions that take and return nothing.");
  const imports = importsIn(contents(IMPORT));
  const imported = (kind: Kind): number => imports.filter((found) => found.kind === kind).length;
  const functions = described(contents(FUNCTION), "function").map(({ type = 0 }, place) => ({ number: imported("function") + place, type, hot: isHot(place) }));
  const code = described(contents(CODE), "code");
  const globals = described(contents(GLOBAL), "global");
  // Globals that never change can be had twice. The others are shared, with all before them, so that none changes its number.
  const sharedGlobals = globals.slice(0, globals.findLastIndex(({ mutable }) => mutable) + 1);

  /** What JavaScript and tables have. */
  const exports = exportsIn(contents(EXPORT));
  const entries = [...exports.filter(({ kind }) => kind === "function").map(({ which }) => which), ...elementsIn(contents(ELEMENT)).map(({ which }) => which)];
  const { live, hot, cold } = needed(functions, entries, code.map(({ bytes }) => callsIn(bytes).map(({ which }) => which)));
  const tables = described(contents(TABLE), "table");
  const coldTable = imported("table") + tables.length;
  const hotTable = coldTable + 1;
  const addedTables = [tableOf(1 + cold.length), tableOf(hot.length)];
  /** Behind all others: has the cold half loaded, if it is not. */
  const load = imported("function") + functions.length;

  // What is cold begins at the second place of its table, and is there when the half is loaded.
  const loading = body(constant(1), [TABLE_GET, ...number(coldTable), REF_IS_NULL, IF, EMPTY], constant(0), callIndirect(nothing, coldTable), [END]);
  const places = new Map([...cold.map((found, place) => [found, place + 1] as const), ...hot.map((found, place) => [found, place] as const)]);
  const elsewhere = (found: Defined): Uint8Array => {
    if (!places.has(found.number)) return body([UNREACHABLE]);
    const given = Array.from({ length: types[found.type]?.parameters.length ?? 0 }, (_, index) => get(index));
    const call = [constant(places.get(found.number) as number), callIndirect(found.type, found.hot ? hotTable : coldTable)];
    return found.hot ? body(...given, ...call) : body([CALL, ...number(load)], ...given, ...call);
  };
  const half = (isHot: boolean): Uint8Array[] =>
    functions.map((found, place) => (found.hot === isHot && live.has(found.number) ? (code[place] as Described).bytes : elsewhere(found)));

  const sharedOf = (kind: Kind, list: readonly Uint8Array[]) => list.map((bytes, place) => ({ kind, bytes, number: imported(kind) + place, name: `${kind}.${imported(kind) + place}` }));
  const bytesOf = (list: readonly Described[]): Uint8Array[] => list.map(({ bytes }) => bytes);
  const shared = [
    ...sharedOf("table", [...bytesOf(tables), ...addedTables]),
    ...sharedOf("memory", bytesOf(described(contents(MEMORY), "memory"))),
    ...sharedOf("tag", bytesOf(described(contents(TAG), "tag"))),
    // An import of a global says no more than its type, and whether it changes.
    ...sharedOf("global", bytesOf(sharedGlobals).map((bytes) => bytes.subarray(0, 2))),
  ];

  // What another part shares already has the same name.
  const unshared = shared.filter((found) => !exports.some((other) => other.name === found.name));

  const added = new Map<number, readonly Uint8Array[]>([
    [FUNCTION, [Uint8Array.from(number(nothing))]],
    [TABLE, addedTables],
    [EXPORT, [...unshared.map((found) => exported(found.name, found.kind, found.number)), exported(name, "table", coldTable)]],
    [ELEMENT, [elements(hotTable, 0, hot)]],
  ]);
  return {
    hot: moduleOf(sections.map(({ id, body }) => ({ id, body: id === CODE ? vector([...half(true), loading]) : added.has(id) ? withMore(body, added.get(id) ?? []) : body }))),
    cold: moduleOf([
      { id: TYPE, body: contents(TYPE) },
      { id: IMPORT, body: withMore(contents(IMPORT), shared.map(({ name, kind, bytes }) => concatenated(text(HOT), text(name), [numberOf(kind)], bytes))) },
      { id: FUNCTION, body: contents(FUNCTION) },
      { id: GLOBAL, body: vector(bytesOf(globals.slice(sharedGlobals.length))) },
      { id: ELEMENT, body: vector([elements(coldTable, 1, cold)]) },
      { id: CODE, body: vector(half(false)) },
    ]),
  };
}
