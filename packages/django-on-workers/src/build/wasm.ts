/** What a wasm module says of itself. https://webassembly.github.io/spec/core/binary/modules.html */

const HEADER = 8;
const IMPORT_SECTION = 2;
const EXPORT_SECTION = 7;
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const GLOBAL = 3;
const TAG = 4;

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

  /** A name, in UTF-8 with its length in front. */
  name(): string {
    return Buffer.from(this.take(this.number())).toString();
  }
}

function encoded(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

interface Section {
  id: number;
  /** Where it begins in the module, where its contents do, and where it ends. */
  start: number;
  contents: number;
  end: number;
}

function* sectionsOf(wasm: Uint8Array): Generator<Section> {
  const reader = new Reader(wasm, HEADER);
  while (reader.position < wasm.byteLength) {
    const start = reader.position;
    const id = reader.byte();
    const length = reader.number();
    const contents = reader.position;
    reader.take(length);
    yield { id, start, contents, end: reader.position };
  }
}

function sectionOf(wasm: Uint8Array, wanted: number, what: string): Section {
  for (const section of sectionsOf(wasm)) if (section.id === wanted) return section;
  throw new Error(`The wasm module has no ${what}.`);
}

/** The names of what the module imports, in the order of the module, whatever module they come from. */
export function importNames(wasm: Uint8Array): string[] {
  const { contents } = sectionOf(wasm, IMPORT_SECTION, "imports");
  const reader = new Reader(wasm, contents);
  const limits = (): void => {
    const hasMaximum = (reader.byte() & 1) === 1;
    reader.number();
    if (hasMaximum) reader.number();
  };
  return Array.from({ length: reader.number() }, () => {
    reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (kind === FUNCTION) reader.number();
    else if (kind === MEMORY) limits();
    else if (kind === GLOBAL || kind === TAG) reader.take(2);
    else if (kind === TABLE) {
      reader.byte();
      limits();
    } else throw new Error(`The wasm module imports ${name}, of the kind ${kind}, which is unknown.`);
    return name;
  });
}

/** The module with the exports that `isKept` wants, and without the others. */
export function withExports(wasm: Uint8Array, isKept: (found: Export) => boolean): Uint8Array {
  const { id, start, contents, end } = sectionOf(wasm, EXPORT_SECTION, "exports");
  const reader = new Reader(wasm, contents);
  const kept: Uint8Array[] = [];
  for (let left = reader.number(); left > 0; left--) {
    const entry = reader.position;
    const name = reader.name();
    const kind = reader.byte();
    reader.number();
    if (isKept({ name, kind: kind === FUNCTION ? "function" : kind === GLOBAL ? "global" : "other" })) kept.push(wasm.subarray(entry, reader.position));
  }
  const body = Buffer.concat([Uint8Array.from(encoded(kept.length)), ...kept]);
  return Buffer.concat([wasm.subarray(0, start), Uint8Array.from([id, ...encoded(body.byteLength)]), body, wasm.subarray(end)]);
}
