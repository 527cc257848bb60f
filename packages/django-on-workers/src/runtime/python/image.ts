/** Restoring the memory of an interpreter. */
import { zstdDecompressSync } from "node:zlib";
import { IMAGE, readContainer, type ImageHeader } from "../../contract/bytes.ts";

export interface Image {
  readonly memory: number;
  readonly references: unknown;
  /** Writes the image into fresh linear memory, piece by piece: there is never a second full copy. */
  restore(memory: Uint8Array): void;
}

export function openImage(buffer: ArrayBuffer): Image {
  const { header, body } = readContainer<ImageHeader>(IMAGE, buffer);
  return {
    memory: header.memory,
    references: header.references,
    restore(memory) {
      let position = 0;
      for (const [offset, length, packed] of header.chunks) {
        const piece: Uint8Array = zstdDecompressSync(body.subarray(position, position + packed), { chunkSize: length + 1 });
        if (piece.byteLength !== length) throw new Error("The image of this build is damaged; build again.");
        memory.set(piece, offset);
        // Given back at once, so that the next piece is unpacked into the same memory. A small one may share its buffer.
        if (piece.buffer.byteLength === piece.byteLength) (piece.buffer as ArrayBuffer).transfer(0);
        position += packed;
      }
    },
  };
}
