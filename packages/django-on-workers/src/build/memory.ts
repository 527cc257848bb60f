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

/** Whether two captures are of the same contents. */
export const isSame = (one: Captured, other: Captured): boolean =>
  one.header.memory === other.header.memory && JSON.stringify(one.header.runs) === JSON.stringify(other.header.runs) && Buffer.compare(one.memory, other.memory) === 0;

/** The size of the linear memory that an image is of, bytes. */
export const memoryOf = (image: Uint8Array): number => readContainer<ImageHeader>(IMAGE, bufferOf(image)).header.memory;
