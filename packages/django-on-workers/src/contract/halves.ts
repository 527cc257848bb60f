/** How the two halves of the interpreter's wasm module meet, see build/split.ts. */

/** The module from which the cold half imports what it shares with the hot one, which exports it. */
export const HOT = "hot";
/** The hot half's table of what is in the cold one. Its first place is for a function that loads that half. */
export const COLD_TABLE = "cold";
/** In hexadecimal, a module that imports `e.f`, a function of JavaScript's without parameters, and exports it as wasm's: a table takes no other. */
export const LOADER = "0061736d0100000001040160000002070101650166000007050101660000";
