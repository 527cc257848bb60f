/**
 * Modules that a boot without an image may ask for: one small module for each signature of a function that crosses
 * from JavaScript into the wasm table. Only a build needs them all; it records the few that were really asked for.
 */
const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;

/** Two bytes of LEB128 for a length, as Emscripten writes it. */
const sized = (list: readonly number[]): number[] => [(list.length % 128) | 128, list.length >> 7, ...list];

function wrapper(params: readonly number[], results: readonly number[]): string {
  const type = sized([1, 0x60, ...sized(params), ...sized(results)]);
  // Imports the function as e.f and exports it as f again, now with a wasm type.
  const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, ...type, 2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Every signature of up to five mixed parameters, and of up to twelve integers. */
export function likelySignatures(): string[] {
  let signatures: number[][] = [[]];
  for (let n = 0; n < 5; n++) {
    const longest = signatures.filter((signature) => signature.length === n);
    signatures = signatures.concat(longest.flatMap((signature) => [I32, I64, F32].map((type) => [...signature, type])));
  }
  for (let n = 6; n < 13; n++) signatures.push(Array<number>(n).fill(I32));
  return signatures.flatMap((params) => [wrapper(params, []), wrapper(params, [I32])]);
}
