/** How the parts of the interpreter's wasm module meet, see build/split.ts. */

/** The module from which the other parts import what they share with the hot one, which exports it. */
export const HOT = "hot";
/** The other parts. For each, the hot one exports a table of this name, of the functions in it; its first place is for one that loads the part. */
export const LATER = ["rare", "cold"] as const;
export type Later = (typeof LATER)[number];
/** In hexadecimal, a module that imports `e.f`, a function of JavaScript's without parameters, and exports it as wasm's: a table takes no other. */
export const LOADER = "0061736d0100000001040160000002070101650166000007050101660000";
