/**
 * A wasm module without the functions that nothing of it can reach, as a part of a split one has many: V8 makes tables of
 * all there are, and counts them as memory. Those behind them move up. Code keeps its length, so that what the module says
 * of places in it stays true: a number that is smaller now is written in as many bytes.
 */
import { callsIn } from "./instructions.ts";
import { reached } from "./split.ts";
import { BRANCH_HINT, CODE, concatenated, CUSTOM, described, ELEMENT, elementsIn, EXPORT, exported, exportsIn, FUNCTION, IMPORT, importsIn, moduleOf, number, padded, Reader, sectionsOf, text, vector, type Reference } from "./wasm.ts";

/** A copy of some bytes in which functions have other numbers. `references` lie in those bytes. */
function renumbered(bytes: Uint8Array, references: readonly Reference[], numberOf: (which: number) => number): Uint8Array {
  // A Buffer's own slice() would be no copy.
  const copy = Uint8Array.from(bytes);
  for (const { which, bytes: place } of references) copy.set(padded(numberOf(which), place.byteLength), place.byteOffset - bytes.byteOffset);
  return copy;
}

/** What a section of hints says of functions that are left. */
function hints(body: Uint8Array, isLive: (which: number) => boolean, numberOf: (which: number) => number): Uint8Array {
  const reader = new Reader(body);
  if (reader.text() !== BRANCH_HINT) return body;
  const found = reader.vector(() => {
    const which = reader.number();
    const start = reader.position;
    reader.vector(() => ({ place: reader.number(), hint: reader.take(reader.number()) }));
    return { which, rest: body.subarray(start, reader.position) };
  });
  return concatenated(text(BRANCH_HINT), vector(found.filter(({ which }) => isLive(which)).map(({ which, rest }) => concatenated(number(numberOf(which)), rest))));
}

/** The module without what it has no use for. Imported functions stay. */
export function compact(wasm: Uint8Array): Uint8Array {
  const sections = sectionsOf(wasm);
  const contents = (id: number): Uint8Array => sections.find((section) => section.id === id)?.body ?? Uint8Array.of(0);
  const imported = importsIn(contents(IMPORT)).filter(({ kind }) => kind === "function").length;
  const code = described(contents(CODE), "code").map(({ bytes }) => bytes);
  const exports = exportsIn(contents(EXPORT));
  const entries = [...exports.filter(({ kind }) => kind === "function"), ...elementsIn(contents(ELEMENT))].map(({ which }) => which);
  const live = reached(entries, (which) => (which < imported ? [] : callsIn(code[which - imported] as Uint8Array).map((found) => found.which)));
  const kept = code.map((_, place) => imported + place).filter((which) => live.has(which));
  const numbers = new Map(kept.map((which, place) => [which, imported + place]));
  const isKept = (_: unknown, place: number): boolean => numbers.has(imported + place);
  const numberOf = (which: number): number => numbers.get(which) ?? which;

  const changed = (id: number, body: Uint8Array): Uint8Array => {
    if (id === CUSTOM) return hints(body, (which) => numbers.has(which), numberOf);
    if (id === FUNCTION) return vector(described(body, "function").filter(isKept).map(({ bytes }) => bytes));
    if (id === EXPORT) return vector(exports.map(({ name, kind, which }) => exported(name, kind, kind === "function" ? numberOf(which) : which)));
    if (id === ELEMENT) return renumbered(body, elementsIn(body), numberOf);
    if (id === CODE) return vector(code.filter(isKept).map((entry) => renumbered(entry, callsIn(entry), numberOf)));
    return body;
  };
  return moduleOf(sections.map(({ id, body }) => ({ id, body: changed(id, body) })));
}
