/** How `hot-functions.ts` holds what was recorded: numbers of few bits each, from the lowest bit of the first byte on, in base64. */

/** What is known of a straight piece: that it never runs; that it does; and how the condition at its end comes out, if nearly always one way. */
export const NEVER = 0;
export const RUNS = 1;
export const FAILS = 2;
export const HOLDS = 3;

/** Bits of a number. */
export type Width = 1 | 2;

/** Numbers that need no more than `width` bits each, as text. */
export function packed(values: readonly number[], width: Width): string {
  const bytes = new Uint8Array(Math.ceil((values.length * width) / 8));
  values.forEach((value, place) => (bytes[(place * width) >> 3] = (bytes[(place * width) >> 3] as number) | (value << ((place * width) & 7))));
  return Buffer.from(bytes).toString("base64");
}

/** Reads the number at a place; behind the last it is 0. */
export function unpacked(text: string, width: Width): (place: number) => number {
  const bytes = Buffer.from(text, "base64");
  return (place) => ((bytes[(place * width) >> 3] ?? 0) >> ((place * width) & 7)) & ((1 << width) - 1);
}
