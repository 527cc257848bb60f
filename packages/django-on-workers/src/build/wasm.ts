/** What a wasm module says of itself. https://webassembly.github.io/spec/core/binary/modules.html */

const HEADER = 8;
const EXPORT_SECTION = 7;
const FUNCTION = 0;
const GLOBAL = 3;

export interface Export {
  name: string;
  kind: "function" | "global" | "other";
}

/** Reads numbers and what follows them, from a place on. */
class Reader {
  readonly #bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  byte(): number {
    const found = this.#bytes[this.position++];
    if (found === undefined) throw new Error("The wasm module ends in the middle of a section.");
    return found;
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  take(length: number): Uint8Array {
    this.position += length;
    return this.#bytes.subarray(this.position - length, this.position);
  }
}

function encoded(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** The module with the exports that `isKept` wants, and without the others. */
export function withExports(wasm: Uint8Array, isKept: (found: Export) => boolean): Uint8Array {
  const sections = new Reader(wasm, HEADER);
  while (sections.position < wasm.byteLength) {
    const start = sections.position;
    const id = sections.byte();
    const length = sections.number();
    const entries = new Reader(wasm, sections.position);
    sections.take(length);
    if (id !== EXPORT_SECTION) continue;
    const kept: Uint8Array[] = [];
    for (let left = entries.number(); left > 0; left--) {
      const entry = entries.position;
      const name = Buffer.from(entries.take(entries.number())).toString();
      const kind = entries.byte();
      entries.number();
      if (isKept({ name, kind: kind === FUNCTION ? "function" : kind === GLOBAL ? "global" : "other" })) kept.push(wasm.subarray(entry, entries.position));
    }
    const body = Buffer.concat([Uint8Array.from(encoded(kept.length)), ...kept]);
    return Buffer.concat([wasm.subarray(0, start), Uint8Array.from([id, ...encoded(body.byteLength)]), body, wasm.subarray(sections.position)]);
  }
  throw new Error("The wasm module has no exports.");
}
