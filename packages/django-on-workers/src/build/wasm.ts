/** Reading and writing wasm modules, section by section. https://webassembly.github.io/spec/core/binary/modules.html */

const HEADER = 8;
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const FUNCTION_TYPE = 0x60;
const I32_CONST = 0x41;
const END = 0x0b;

/** Sections by their numbers. */
export const CUSTOM = 0;
export const TYPE = 1;
export const IMPORT = 2;
export const FUNCTION = 3;
export const TABLE = 4;
export const MEMORY = 5;
export const GLOBAL = 6;
export const EXPORT = 7;
export const ELEMENT = 9;
export const CODE = 10;
export const DATA = 11;
export const DATA_COUNT = 12;
export const TAG = 13;

/** The section that says which way a condition goes: V8 lays the other way aside. https://github.com/WebAssembly/branch-hinting/blob/main/proposals/branch-hinting/Overview.md */
export const BRANCH_HINT = "metadata.code.branch_hint";

/** What can be imported and exported, each at the place that its number says. */
const KINDS = ["function", "table", "memory", "global", "tag"] as const;
export type Kind = (typeof KINDS)[number];

export const numberOf = (kind: Kind): number => KINDS.indexOf(kind);

/** Reads numbers and what follows them, from a place on. */
export class Reader {
  readonly #bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
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

  /** A signed LEB128 number that is not negative: it may have a byte more than it would need without a sign. */
  signed(): number {
    const value = this.number();
    if (value >= 2 ** 31) throw new Error("The wasm module has a negative number where none is known.");
    return value;
  }

  take(length: number): Uint8Array {
    this.position += length;
    if (this.position > this.#bytes.byteLength) throw new Error("The wasm module ends in the middle of a section.");
    return this.#bytes.subarray(this.position - length, this.position);
  }

  text(): string {
    return Buffer.from(this.take(this.number())).toString();
  }

  kind(): Kind {
    const found = this.byte();
    const kind = KINDS[found];
    if (!kind) throw new Error(`The wasm module has something of kind ${found}, which is not known.`);
    return kind;
  }

  /** As many items as a number says, each with the bytes that it lies in. */
  vector<Item extends object>(read: () => Item): (Item & { bytes: Uint8Array })[] {
    return Array.from({ length: this.number() }, () => {
      const start = this.position;
      const item = read();
      return { ...item, bytes: this.#bytes.subarray(start, this.position) };
    });
  }
}

export type Bytes = Uint8Array | readonly number[];

export const concatenated = (...parts: readonly Bytes[]): Uint8Array => Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : Uint8Array.from(part))));

/** An unsigned LEB128 number. */
export function number(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** The same in so many bytes, of which the last may say nothing. */
export const padded = (value: number, length: number): number[] =>
  Array.from({ length }, (_, place) => (Math.floor(value / 128 ** place) % 128) + (place < length - 1 ? 128 : 0));

/** A signed LEB128 number that is not negative: in its last byte, one bit less is the number's. */
export function positive(value: number): number[] {
  const bytes = number(value);
  const last = bytes.pop() as number;
  return last < 64 ? [...bytes, last] : [...bytes, last + 128, 0];
}

/** How many there are, and they. */
export const vector = (items: readonly Bytes[]): Uint8Array => concatenated(number(items.length), ...items);

/** A vector with more items behind its own. */
export function withMore(items: Uint8Array, more: readonly Bytes[]): Uint8Array {
  const reader = new Reader(items);
  const count = reader.number();
  return concatenated(number(count + more.length), items.subarray(reader.position), ...more);
}

/** What has its length in front. */
export function sized(contents: Bytes): Uint8Array {
  return concatenated(number(contents.length), contents);
}

export const text = (value: string): Uint8Array => sized(Buffer.from(value));

export interface Section {
  id: number;
  body: Uint8Array;
}

export function sectionsOf(wasm: Uint8Array): Section[] {
  const reader = new Reader(wasm, HEADER);
  const sections: Section[] = [];
  while (reader.position < wasm.byteLength) sections.push({ id: reader.byte(), body: reader.take(reader.number()) });
  return sections;
}

export const moduleOf = (sections: readonly Section[]): Uint8Array =>
  concatenated(MAGIC_AND_VERSION, ...sections.flatMap(({ id, body }) => [[id, ...number(body.byteLength)], body]));

/** Types of functions, with those of their parameters and results. */
export function typesIn(section: Uint8Array): { parameters: readonly number[]; results: readonly number[] }[] {
  const reader = new Reader(section);
  return reader.vector(() => {
    if (reader.byte() !== FUNCTION_TYPE) throw new Error("The wasm module has a type that is not one of functions.");
    const parameters = [...reader.take(reader.number())];
    const results = [...reader.take(reader.number())];
    return { parameters, results };
  });
}

export interface Described {
  bytes: Uint8Array;
  /** Of a function. */
  type?: number;
  /** Of a global. */
  mutable?: boolean;
}

/** Reads over the limits of a table or a memory. */
function limits(reader: Reader): void {
  const hasMaximum = (reader.byte() & 1) === 1;
  reader.number();
  if (hasMaximum) reader.number();
}

/** Reads over what an import, or the section of this kind, says of a thing. */
const DESCRIPTIONS: Record<Kind, (reader: Reader) => Omit<Described, "bytes">> = {
  function: (reader) => ({ type: reader.number() }),
  table(reader) {
    reader.byte();
    limits(reader);
    return {};
  },
  memory(reader) {
    limits(reader);
    return {};
  },
  global(reader) {
    reader.byte();
    return { mutable: reader.byte() === 1 };
  },
  tag(reader) {
    reader.byte();
    return { type: reader.number() };
  },
};

/** What a section defines. Of a global that begins with anything but a constant, nothing can be said. */
export function described(section: Uint8Array, kind: Kind | "code"): Described[] {
  const reader = new Reader(section);
  return reader.vector(() => {
    if (kind === "code") {
      reader.take(reader.number());
      return {};
    }
    const found = DESCRIPTIONS[kind](reader);
    if (kind === "global") {
      if (reader.byte() !== I32_CONST) throw new Error("The wasm module has a global that does not begin with a constant.");
      reader.number();
      if (reader.byte() !== END) throw new Error("The wasm module has a global that does not begin with a constant.");
    }
    return found;
  });
}

export interface Named extends Described {
  name: string;
  kind: Kind;
}

export interface Exported extends Named {
  /** Which of its kind. */
  which: number;
}

export function importsIn(section: Uint8Array): Named[] {
  const reader = new Reader(section);
  return reader.vector(() => {
    reader.text();
    const name = reader.text();
    const kind = reader.kind();
    return { ...DESCRIPTIONS[kind](reader), name, kind };
  });
}

export function exportsIn(section: Uint8Array): Exported[] {
  const reader = new Reader(section);
  return reader.vector(() => {
    const name = reader.text();
    const kind = reader.kind();
    return { name, kind, which: reader.number() };
  });
}

/** A number of a function, and the bytes that it is written in. */
export interface Reference {
  which: number;
  bytes: Uint8Array;
}

/** The functions that a module puts into its tables. */
export function elementsIn(section: Uint8Array): Reference[] {
  const reader = new Reader(section);
  return reader
    .vector(() => {
      const flags = reader.number();
      // With the second, they name their table, and say behind the place that they are functions.
      const hasTable = flags === 2;
      if (hasTable) reader.number();
      if ((flags !== 0 && !hasTable) || reader.byte() !== I32_CONST) throw new Error("The wasm module has elements that do not lie at a constant place.");
      reader.number();
      if (reader.byte() !== END) throw new Error("The wasm module has elements that do not lie at a constant place.");
      if (hasTable) reader.byte();
      return { functions: reader.vector(() => ({ which: reader.number() })) };
    })
    .flatMap(({ functions }) => functions);
}

/** An entry of a section of exports. */
export const exported = (name: string, kind: Kind, which: number): Uint8Array => concatenated(text(name), [numberOf(kind)], number(which));

/** The module with a section changed, which it must have. */
function withSection(wasm: Uint8Array, wanted: number, name: string, change: (body: Uint8Array) => Uint8Array): Uint8Array {
  const sections = sectionsOf(wasm);
  if (!sections.some(({ id }) => id === wanted)) throw new Error(`The wasm module has no ${name}.`);
  return moduleOf(sections.map(({ id, body }) => ({ id, body: id === wanted ? change(body) : body })));
}

/** The module with the exports that `isKept` wants, and without the others. */
export const withExports = (wasm: Uint8Array, isKept: (found: Named) => boolean): Uint8Array =>
  withSection(wasm, EXPORT, "exports", (body) => vector(exportsIn(body).filter(isKept).map(({ bytes }) => bytes)));

const PAGE = 65536;

/** A module without what it puts into its memory when it is instantiated, and that: where each piece begins, and what it is. */
export function withoutData(wasm: Uint8Array): { wasm: Uint8Array; data: { offset: number; contents: Uint8Array }[] } {
  const sections = sectionsOf(wasm);
  const data = sections
    .filter(({ id }) => id === DATA)
    .flatMap(({ body }) => {
      const reader = new Reader(body);
      return reader.vector(() => {
        if (reader.number() !== 0 || reader.byte() !== I32_CONST) throw new Error("The wasm module has data that does not lie at a constant place.");
        const offset = reader.signed();
        if (reader.byte() !== END) throw new Error("The wasm module has data that does not lie at a constant place.");
        return { offset, contents: reader.take(reader.number()) };
      });
    });
  return { wasm: moduleOf(sections.filter(({ id }) => id !== DATA && id !== DATA_COUNT)), data };
}

/** The module with its memory of so many bytes from the start, and as many at most as it had. */
export const withMemory = (wasm: Uint8Array, size: number): Uint8Array =>
  withSection(wasm, MEMORY, "memory", (body) => {
    const reader = new Reader(body);
    if (reader.number() !== 1 || reader.byte() !== 1) throw new Error("The wasm module has not one memory with a limit.");
    reader.number();
    return vector([concatenated([1], number(Math.ceil(size / PAGE)), number(reader.number()))]);
  });
