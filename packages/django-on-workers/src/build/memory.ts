/** Linear memory as an artefact holds it: in pieces, each packed by itself. */
import { IMAGE, readContainer, writeContainer, type ImageChunk, type ImageHeader } from "../contract/bytes.ts";
import type { CaptureHeader } from "../contract/steps.ts";
import { bufferOf } from "./archive.ts";
import { compress } from "./zstd.ts";

/** Unpacked size of a piece: where a restore can't unpack to where it belongs, it holds as much besides the memory itself. */
const CHUNK = 2 * 1024 * 1024;

/** Packs runs of memory, whose bytes follow each other in `captured`. `level` is 1 to 22. */
export function packImage({ memory, runs, references }: Pick<CaptureHeader, "memory" | "runs" | "references">, captured: Uint8Array, level: number): Uint8Array {
  const chunks: ImageChunk[] = [];
  const body: Uint8Array[] = [];
  let position = 0;
  for (const [offset, length] of runs) {
    for (let done = 0; done < length; done += CHUNK) {
      const piece = captured.subarray(position + done, position + Math.min(done + CHUNK, length));
      const packed = compress(piece, level);
      chunks.push([offset + done, piece.byteLength, packed.byteLength]);
      body.push(packed);
    }
    position += length;
  }
  const header: ImageHeader = { memory, references, chunks };
  return writeContainer(IMAGE, header, body);
}

type Captured = { header: Pick<CaptureHeader, "memory" | "runs">; memory: Uint8Array };

/** No longer than what a string that was freed leaves at the end of whatever was put in its place. */
const REMNANT = 8;

/** No longer than what is left of a number, the whole of which has one more. */
const DIGITS = 4;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Whether two captures are of the same contents, where one was told `texts[0]` and the other `texts[1]`, which have one
 * length, and numbers of five digits whose digits add up to nine: a few letters or digits of the one in the place of those
 * of the other may be left from a copy that was freed.
 */
export function isSame(one: Captured, other: Captured, texts: readonly [string, string]): boolean {
  if (one.header.memory !== other.header.memory || JSON.stringify(one.header.runs) !== JSON.stringify(other.header.runs)) return false;
  const [left, right] = [one.memory, other.memory];
  let position = 0;
  for (;;) {
    while (position < left.byteLength && left[position] === right[position]) position++;
    if (position === left.byteLength) return true;
    let end = position + 1;
    // Of letters that both texts have in one place, and of bytes that widen them, none differs.
    for (let next = end; next < end + REMNANT; next++) if (left[next] !== right[next]) end = next + 1;
    const [found, instead] = [left.subarray(position, end), right.subarray(position, end)];
    if (end - position > REMNANT || !(isRemnant(found, instead, texts) || areDigits(found, instead))) return false;
    position = end;
  }
}

/** Whether both hold the letters that their texts have in one place, in one, two or four bytes each. */
function isRemnant(left: Uint8Array, right: Uint8Array, [one, other]: readonly [string, string]): boolean {
  return [1, 2, 4].some((width) =>
    [...one].some((_, place) =>
      left.every((byte, at) => {
        const [index, isLetter] = [place + Math.floor(at / width), at % width === 0];
        return isLetter ? byte === one.charCodeAt(index) && right[at] === other.charCodeAt(index) : byte === 0 && right[at] === 0;
      }),
    ),
  );
}

/** Whether they differ in digits of numbers that stand for each other, and in none of those as a whole. */
function areDigits(left: Uint8Array, right: Uint8Array): boolean {
  let digits = 0;
  return left.every((byte, at) => {
    if (byte === right[at]) {
      digits = 0;
      return true;
    }
    digits++;
    return digits <= DIGITS && byte >= ZERO && byte <= NINE && right[at] === ZERO + NINE - byte;
  });
}

/** The size of the linear memory that an image is of, bytes. */
export const memoryOf = (image: Uint8Array): number => readContainer<ImageHeader>(IMAGE, bufferOf(image)).header.memory;
