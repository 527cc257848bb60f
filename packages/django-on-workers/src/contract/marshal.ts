/**
 * Python's `marshal` format (CPython's Python/marshal.c, version 2): one buffer that CPython turns into objects, or made
 * from them, in C. Both sides of it belong to one build, so that it is specific to a Python version does no harm.
 */

export type Marshalled = null | boolean | number | bigint | string | ArrayBuffer | Uint8Array | readonly Marshalled[];

const encoder = new TextEncoder();
/** Python writes halves of surrogate pairs that stand alone as if they were characters. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Of text, units of UTF-16: what one byte can count. */
const SHORT = 255;
/** Bytes of text that is read letter by letter. */
const SHORT_TEXT = 12;
/** Bytes: what a writer begins with, and what it keeps. */
const SIZE = 4096;
const KEPT = 1024 * 1024;

export class MarshalWriter {
  #bytes = new Uint8Array(SIZE);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Whether an integral number was written that JavaScript may have rounded: beyond 2^53 it has not every integer. */
  rounded = false;

  /** Begins anew, in the same memory unless that has become large. */
  clear(): void {
    this.#length = 0;
    this.rounded = false;
    if (this.#bytes.byteLength > KEPT) {
      this.#bytes = new Uint8Array(SIZE);
      this.#view = new DataView(this.#bytes.buffer);
    }
  }

  /** What was written; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(size: number): number {
    const start = this.#length;
    const needed = start + size;
    if (needed > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return start;
  }

  #tagged(tag: number, size: number): number {
    const at = this.#reserve(size + 1);
    this.#bytes[at] = tag;
    return at + 1;
  }

  list(length: number): void {
    const at = this.#tagged(0x5b /* [ */, 4);
    this.#view.setUint32(at, length, true);
  }

  /** Begins a list whose length is not known yet; returns what ends it. */
  openList(): (length: number) => void {
    this.list(0);
    const at = this.#length - 4;
    return (length) => this.#view.setUint32(at, length, true);
  }

  tuple(length: number): void {
    const at = this.#tagged(0x28 /* ( */, 4);
    this.#view.setUint32(at, length, true);
  }

  value(value: Marshalled | undefined): void {
    if (value === null || value === undefined) this.#tagged(0x4e /* N */, 0);
    else if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "boolean") this.#tagged(value ? 0x54 /* T */ : 0x46 /* F */, 0);
    else if (typeof value === "bigint") this.#long(value);
    else if (value instanceof ArrayBuffer) this.#raw(0x73 /* s */, new Uint8Array(value));
    else if (value instanceof Uint8Array) this.#raw(0x73 /* s */, value);
    else {
      this.tuple(value.length);
      for (const item of value) this.value(item);
    }
  }

  /** A tuple of values of a database, of which there are many: most go straight to where they are written. */
  row(values: readonly Marshalled[]): void {
    this.tuple(values.length);
    for (const value of values) {
      if (typeof value === "string") this.#text(value);
      else if (typeof value === "number") this.#number(value);
      else this.value(value);
    }
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      const at = this.#tagged(0x69 /* i */, 4);
      this.#view.setInt32(at, value, true);
    } else if (Number.isSafeInteger(value) && value !== 0) {
      this.#long(BigInt(value));
    } else {
      if (Number.isInteger(value) && value !== 0) this.rounded = true;
      const at = this.#tagged(0x67 /* g */, 8);
      this.#view.setFloat64(at, value, true);
    }
  }

  /** Digits of 15 bits, the sign in their count. */
  #long(value: bigint): void {
    const digits: number[] = [];
    for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 15n) digits.push(Number(rest & 0x7fffn));
    const at = this.#tagged(0x6c /* l */, 4 + 2 * digits.length);
    this.#view.setInt32(at, value < 0n ? -digits.length : digits.length, true);
    digits.forEach((digit, index) => this.#view.setUint16(at + 4 + 2 * index, digit, true));
  }

  #text(value: string): void {
    if (value.length <= SHORT && this.#ascii(value)) return;
    // Three bytes of UTF-8 are the most that one unit of UTF-16 becomes.
    const at = this.#tagged(0x75 /* u */, 4 + 3 * value.length);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(at + 4));
    if (written === value.length) this.#bytes[at - 1] = 0x61; /* a, ASCII: Python need not decode it */
    this.#view.setUint32(at, written, true);
    this.#length = at + 4 + written;
  }

  /** Short names and values, for which asking the encoder costs more than the letters. Nothing is left of other text. */
  #ascii(value: string): boolean {
    const start = this.#length;
    let at = this.#tagged(0x7a /* z */, 1 + value.length);
    const bytes = this.#bytes;
    bytes[at++] = value.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#length = start;
        return false;
      }
      bytes[at++] = code;
    }
    return true;
  }

  #raw(tag: number, bytes: Uint8Array): void {
    const at = this.#tagged(tag, 4 + bytes.byteLength);
    this.#view.setUint32(at, bytes.byteLength, true);
    this.#bytes.set(bytes, at + 4);
  }
}

/** Text that is short and ASCII, for which asking the decoder costs more than the letters; nothing of other text. */
function shortText(bytes: Uint8Array, from: number, length: number): string | undefined {
  if (length > SHORT_TEXT) return undefined;
  let text = "";
  for (let i = from; i < from + length; i++) {
    const code = bytes[i] as number;
    if (code > 0x7f) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

/**
 * Reads what `marshal.dumps(value, 2)` wrote, from `start` on, for the kinds above. Tuples and lists become arrays. Text that
 * is no Unicode throws.
 */
export function readMarshal(bytes: Uint8Array, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start = 0): Marshalled {
  let position = start;
  const size = (): number => {
    const found = view.getUint32(position, true);
    position += 4;
    return found;
  };
  const take = (length: number): Uint8Array => {
    const found = bytes.subarray(position, position + length);
    position += length;
    return found;
  };
  const items = (): Marshalled[] => {
    const length = size();
    const found: Marshalled[] = [];
    for (let i = 0; i < length; i++) found.push(read());
    return found;
  };
  function read(): Marshalled {
    const tag = String.fromCharCode(view.getUint8(position++));
    switch (tag) {
      case "N":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      case "i":
        position += 4;
        return view.getInt32(position - 4, true);
      case "g":
        position += 8;
        return view.getFloat64(position - 8, true);
      case "l": {
        const count = view.getInt32(position, true);
        position += 4;
        let value = 0n;
        for (let i = 0; i < Math.abs(count); i++) {
          value |= BigInt(view.getUint16(position, true)) << BigInt(15 * i);
          position += 2;
        }
        if (count < 0) value = -value;
        return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      }
      case "u":
      case "t": {
        const length = size();
        const short = shortText(bytes, position, length);
        if (short === undefined) return decoder.decode(take(length));
        position += length;
        return short;
      }
      case "s":
        return take(size()).slice();
      case "(":
      case "[":
        return items();
      default:
        throw new TypeError(`marshal: no way to read a value of kind ${JSON.stringify(tag)}`);
    }
  }
  return read();
}
