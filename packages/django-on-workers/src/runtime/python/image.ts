/** Restoring the memory of an interpreter. */
import { constants, createZstdDecompress, zstdDecompressSync } from "node:zlib";
import { IMAGE, readContainer, type ImageHeader } from "../../contract/bytes.ts";

export interface Image {
  readonly memory: number;
  readonly references: unknown;
  /** Writes the image into fresh linear memory, piece by piece: there is never a second full copy. */
  restore(memory: Uint8Array): void;
}

/**
 * A stream of `node:zlib` and what is under it, in Node and in workerd after it. No documented function of theirs unpacks
 * to where the caller wants it; npm's own minizlib reaches for this one too.
 */
interface Stream {
  on(event: "error", listener: () => void): void;
  _handle?: {
    writeSync?(flush: number, input: Uint8Array, at: number, length: number, output: Uint8Array, to: number, room: number): void;
    close(): void;
  };
  /** After a write: what is left of the output's room, and of the input. */
  _writeState?: Uint32Array;
}

/** Unpacks `packed` to where it belongs. Throws where that does not fill `target`. */
type Unpack = (packed: Uint8Array, target: Uint8Array) => void;

const damaged = (): Error => new Error("The image of this build is damaged; build again.");

/** By way of a piece of its own, which is given back at once, so that the next one gets the same memory. */
const unpackByCopy: Unpack = (packed, target) => {
  const piece: Uint8Array = zstdDecompressSync(packed, { chunkSize: target.byteLength + 1 });
  if (piece.byteLength !== target.byteLength) throw damaged();
  target.set(piece);
  // A small one may share its buffer.
  if (piece.buffer.byteLength === piece.byteLength) (piece.buffer as ArrayBuffer).transfer(0);
};

/** Calls `use` with what unpacks: without a copy where the stream that `open` makes lets us, which takes a quarter less time. */
export function withUnpack(use: (unpack: Unpack) => void, open: () => Stream = createZstdDecompress): void {
  const stream = open();
  const { _handle: handle, _writeState: state } = stream;
  if (typeof handle?.writeSync !== "function" || state?.length !== 2) return use(unpackByCopy);
  // What is wrong shows in what is left; the stream, which nobody reads, would tell of it a second time.
  stream.on("error", () => undefined);
  try {
    use((packed, target) => {
      state.fill(1);
      handle.writeSync?.(constants.ZSTD_e_end, packed, 0, packed.byteLength, target, 0, target.byteLength);
      if (state[0] !== 0) throw damaged();
    });
  } finally {
    handle.close();
  }
}

export function openImage(buffer: ArrayBuffer): Image {
  const { header, body } = readContainer<ImageHeader>(IMAGE, buffer);
  return {
    memory: header.memory,
    references: header.references,
    restore(memory) {
      let position = 0;
      withUnpack((unpack) => {
        for (const [offset, length, packed] of header.chunks) {
          unpack(body.subarray(position, position + packed), memory.subarray(offset, offset + length));
          position += packed;
        }
      });
    },
  };
}
